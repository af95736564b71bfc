"""The routes of uploads, and of the folder storage."""

from __future__ import annotations

from daemon.api.callers import Scope
from daemon.api.promising import LEASE_TOKEN
from daemon.api.route import Answer, Route
from daemon.api.stored import SignedQuery, fetch_stored, keep_stored
from daemon.api.uploads import (
    LinkAsked,
    PartRequests,
    PartsAsked,
    Removals,
    SignedRequest,
    UploadAsked,
    UploadResource,
    UploadsNamed,
    begin_multipart,
    complete_upload,
    part_urls,
    presign_download,
    presign_upload,
    remove_upload,
    remove_uploads,
    show_upload,
)

_BEGUN = Answer(
    description="Promised; send it now.",
    model=UploadResource,
    headers={"Location": "Where the upload is."},
)
_HERE = "/v1/uploads/{upload_id}"
_STORAGE = (409, 422, 502, 507)
_FOR_ASSETS = {LEASE_TOKEN: "For an asset that a job promised: the token of that job's lease."}
_BYTES = {"ETag": "Changes when the bytes do.", "Content-Disposition": "RFC 6266, an attachment."}


def _presign(path: str, operation: str, summary: str) -> Route:
    return Route(
        method="POST", path=path, handler=presign_upload, scope=Scope.RENDER,
        operation=operation, summary=summary, answers={201: _BEGUN}, body_model=UploadAsked,
        headers=_FOR_ASSETS, problems=(404, *_STORAGE), tag="uploads",
    )  # fmt: skip


UPLOAD_ROUTES = (
    _presign("/v1/uploads/presign", "presignUpload", "Promise an upload; a request to send it."),
    _presign("/v1/assets/presign-upload", "presignAsset", "The same as /v1/uploads/presign."),
    _presign("/v1/assets/sign-upload", "signAsset", "The same as /v1/uploads/presign."),
    Route(
        method="POST", path="/v1/uploads/multipart", handler=begin_multipart, scope=Scope.RENDER,
        operation="beginUpload", summary="Promise an upload that is sent in parts.",
        answers={201: _BEGUN}, body_model=UploadAsked, headers=_FOR_ASSETS,
        problems=(404, *_STORAGE), tag="uploads",
    ),
    Route(
        method="POST", path="/v1/uploads/delete", handler=remove_uploads, scope=Scope.RENDER,
        operation="deleteUploads", summary="Remove many uploads.",
        answers={200: Answer(description="What became of each.", model=Removals)},
        body_model=UploadsNamed, problems=_STORAGE, tag="uploads",
    ),
    Route(
        method="GET", path=_HERE, handler=show_upload, scope=Scope.READ,
        operation="showUpload", summary="How an upload stands, and which parts are there.",
        answers={200: Answer(description="The upload.", model=UploadResource)},
        problems=_STORAGE, tag="uploads",
    ),
    Route(
        method="DELETE", path=_HERE, handler=remove_upload, scope=Scope.RENDER,
        operation="deleteUpload", summary="Abort an upload, or remove what was sent.",
        answers={204: Answer(description="It is gone.")}, problems=_STORAGE, tag="uploads",
    ),
    Route(
        method="POST", path=f"{_HERE}/part-urls", handler=part_urls, scope=Scope.RENDER,
        operation="partUrls", summary="Requests that send parts; a part may be sent again.",
        answers={200: Answer(description="The requests.", model=PartRequests)},
        body_model=PartsAsked, problems=_STORAGE, tag="uploads",
    ),
    Route(
        method="POST", path=f"{_HERE}/complete", handler=complete_upload, scope=Scope.RENDER,
        operation="completeUpload", summary="Prove what was sent, and make it available.",
        answers={200: Answer(description="It is available.", model=UploadResource)},
        problems=_STORAGE, tag="uploads",
    ),
    Route(
        method="POST", path=f"{_HERE}/presign-download", handler=presign_download,
        scope=Scope.READ, operation="presignDownload", summary="A request that fetches it.",
        answers={200: Answer(description="The request.", model=SignedRequest)},
        body_model=LinkAsked, problems=_STORAGE, tag="uploads",
    ),
)  # fmt: skip

_PART = Answer(
    description="The range asked for.", media_type="*/*",
    headers={**_BYTES, "Content-Range": "Which bytes of how many."},
)  # fmt: skip
BYTE_ROUTES = (
    Route(
        method="GET", path="/v1/storage/{key:.+}", handler=fetch_stored, scope=None,
        operation="fetchStored", summary="Make a signed request that fetches bytes.",
        answers={200: Answer(description="The bytes.", media_type="*/*", headers=_BYTES),
                 206: _PART, 304: Answer(description="Not changed.")},
        query=SignedQuery, problems=(403, 416), tag="uploads",
    ),
    Route(
        method="PUT", path="/v1/storage/{key:.+}", handler=keep_stored, scope=None,
        operation="keepStored", summary="Make a signed request that sends bytes.",
        answers={200: Answer(description="They are kept.", headers={"ETag": "Of the bytes."})},
        query=SignedQuery, problems=(403, 408, 409, 413, 415, 422, 507), tag="uploads",
    ),
)  # fmt: skip

STORAGE_ROUTES: tuple[Route, ...] = (*UPLOAD_ROUTES, *BYTE_ROUTES)
"""Every route of bytes."""
