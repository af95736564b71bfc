"""The routes of assets and worlds, as rows of the one table."""

from __future__ import annotations

from daemon.api.asset_links import presign_asset_download, signed_content
from daemon.api.asset_models import (
    AssetList,
    AssetQuery,
    AssetResource,
    Counted,
    JobAssetQuery,
    JobsOfThing,
    JobsOfThingQuery,
    LineageQuery,
    LineageShown,
    NewAssetQuery,
    ThingList,
    ThingQuery,
    VisibilityAsked,
    WorldAsked,
    WorldList,
    WorldShown,
)
from daemon.api.assets import (
    asset_content,
    asset_lineage,
    create_asset,
    delete_asset,
    job_assets,
    list_assets,
    public_asset,
    set_visibility,
    show_asset,
)
from daemon.api.callers import Scope
from daemon.api.promising import LEASE_TOKEN, FailureTold, break_promise, keep_promise
from daemon.api.route import Answer, Route
from daemon.api.stored import LinkQuery
from daemon.api.uploads import LinkAsked, SignedRequest
from daemon.api.worlds import (
    jobs_of_thing,
    list_things,
    list_worlds,
    put_world,
    register_things,
    show_world,
)
from daemon.assets.world_files import WorldThings

_ONE = Answer(description="The asset.", model=AssetResource)
_WORLD = Answer(description="The world.", model=WorldShown)
_NEXT = {"Link": "RFC 8288, rel=next: the page that follows."}
_ASKED_BY = {
    "Range": "One range of bytes.",
    "If-Range": "Honour Range only for this ETag.",
    "If-None-Match": "Answer 304 for this ETag.",
}
_TAGS = {"ETag": 'Strong: "sha256:" and the digest of the file.'}
_LEASE = {LEASE_TOKEN: "For what a job promised: the token of the lease of that job."}
_CONTENT = {
    200: Answer(description="All of it.", media_type="*/*", headers=_TAGS),
    206: Answer(description="The range asked for.", media_type="*/*",
                headers={**_TAGS, "Content-Range": "Which bytes of how many."}),
    304: Answer(description="Not changed."),
}  # fmt: skip

ASSET_ROUTES = (
    Route(
        method="POST", path="/v1/assets", handler=create_asset, scope=Scope.RENDER,
        operation="createAsset",
        summary="Make an asset of the body, a small file or a value; or promise one.",
        answers={201: Answer(description="The asset.", model=AssetResource,
                             headers={"Location": "Where the asset is."})},
        query=NewAssetQuery, takes_file=True, problems=(422, 502, 507), tag="assets",
    ),
    Route(
        method="GET", path="/v1/assets", handler=list_assets, scope=Scope.READ,
        operation="listAssets", summary="Assets, newest first; also by what they rest on.",
        answers={200: Answer(description="A page.", model=AssetList, headers=_NEXT)},
        query=AssetQuery, tag="assets",
    ),
    Route(
        method="GET", path="/v1/assets/{asset_id}", handler=show_asset, scope=Scope.READ,
        operation="showAsset", summary="An asset as it stands.", answers={200: _ONE}, tag="assets",
    ),
    Route(
        method="DELETE", path="/v1/assets/{asset_id}", handler=delete_asset, scope=Scope.RENDER,
        operation="deleteAsset", summary="Delete the content of an asset.",
        answers={204: Answer(description="It is gone.")}, problems=(409, 502), tag="assets",
    ),
    Route(
        method="PUT", path="/v1/assets/{asset_id}/visibility", handler=set_visibility,
        scope=Scope.RENDER, operation="setVisibility", summary="Say who may read an asset.",
        answers={200: _ONE}, body_model=VisibilityAsked, problems=(422,), tag="assets",
    ),
    Route(
        method="GET", path="/v1/assets/{asset_id}/content", handler=asset_content,
        scope=Scope.READ, operation="assetContent", summary="The content of an asset.",
        answers=_CONTENT, headers=_ASKED_BY, problems=(409, 416, 502, 507), tag="assets",
    ),
    Route(
        method="PUT", path="/v1/assets/{asset_id}/content", handler=keep_promise,
        scope=Scope.RENDER, operation="keepPromise",
        summary="Keep the promise of a pending asset: the body is its content.",
        answers={200: _ONE}, headers=_LEASE, takes_file=True, problems=(409, 422, 502, 507),
        tag="assets",
    ),
    Route(
        method="POST", path="/v1/assets/{asset_id}/fail", handler=break_promise,
        scope=Scope.RENDER, operation="breakPromise",
        summary="Say that a pending asset will never be there.",
        answers={200: _ONE}, headers=_LEASE, body_model=FailureTold, problems=(409, 422),
        tag="assets",
    ),
    Route(
        method="POST", path="/v1/assets/{asset_id}/presign-download",
        handler=presign_asset_download, scope=Scope.READ, operation="presignAssetDownload",
        summary="A request that fetches the content without a key.",
        answers={200: Answer(description="The request.", model=SignedRequest)},
        body_model=LinkAsked, problems=(409, 422, 502), tag="assets",
    ),
    Route(
        method="GET", path="/v1/assets/{asset_id}/signed", handler=signed_content, scope=None,
        operation="signedContent", summary="Make a signed request for the content of an asset.",
        answers=_CONTENT, query=LinkQuery, headers=_ASKED_BY, problems=(403, 409, 416, 502, 507),
        tag="assets",
    ),
    Route(
        method="GET", path="/v1/assets/{asset_id}/lineage", handler=asset_lineage,
        scope=Scope.READ, operation="assetLineage",
        summary="What an asset was made from and what came of it; an SVG for image/svg+xml.",
        answers={200: Answer(description="Up and down.", model=LineageShown,
                             other_type="image/svg+xml")},
        query=LineageQuery, headers={"Accept": "image/svg+xml for a picture."}, tag="assets",
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}/assets", handler=job_assets, scope=Scope.READ,
        operation="jobAssets", summary="What a job promised and made.",
        answers={200: Answer(description="A page.", model=AssetList)}, query=JobAssetQuery,
        tag="assets",
    ),
    Route(
        method="GET", path="/asset/{asset_id}", handler=public_asset, scope=None,
        operation="publicAsset", summary="The content of a public asset, without a key.",
        answers=_CONTENT, headers=_ASKED_BY, problems=(409, 416, 502, 507), tag="assets",
    ),
)  # fmt: skip

WORLD_ROUTES = (
    Route(
        method="GET", path="/v1/worlds", handler=list_worlds, scope=Scope.READ,
        operation="listWorlds", summary="One's own worlds, by name.",
        answers={200: Answer(description="The worlds.", model=WorldList)}, tag="worlds",
    ),
    Route(
        method="PUT", path="/v1/worlds/{world}", handler=put_world, scope=Scope.RENDER,
        operation="putWorld", summary="Register a world.", answers={200: _WORLD},
        body_model=WorldAsked, problems=(422,), tag="worlds",
    ),
    Route(
        method="GET", path="/v1/worlds/{world}", handler=show_world, scope=Scope.READ,
        operation="showWorld", summary="A world, and how many things are in it.",
        answers={200: _WORLD}, tag="worlds",
    ),
    Route(
        method="POST", path="/v1/worlds/{world}/references", handler=register_things,
        scope=Scope.RENDER, operation="registerThings",
        summary="Register things of a world, all or none.",
        answers={200: Answer(description="How many.", model=Counted)}, body_model=WorldThings,
        problems=(422,), tag="worlds",
    ),
    Route(
        method="GET", path="/v1/worlds/{world}/references", handler=list_things,
        scope=Scope.READ, operation="listThings", summary="Things of one kind, by id.",
        answers={200: Answer(description="A page.", model=ThingList)}, query=ThingQuery,
        tag="worlds",
    ),
    Route(
        method="GET", path="/v1/worlds/{world}/jobs", handler=jobs_of_thing, scope=Scope.READ,
        operation="jobsOfThing", summary="Jobs that rest on a thing of a world.",
        answers={200: Answer(description="A page.", model=JobsOfThing)}, query=JobsOfThingQuery,
        tag="worlds",
    ),
)  # fmt: skip
