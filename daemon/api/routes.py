"""The one table of routes: what the server serves, and what OpenAPI says that it does."""

from __future__ import annotations

from daemon.api.asking import JobQuery, SubmitQuery
from daemon.api.asset_routes import ASSET_ROUTES, WORLD_ROUTES
from daemon.api.callers import Scope
from daemon.api.checks import check_document
from daemon.api.docs_page import docs_file, docs_page, openapi_document
from daemon.api.downloads import download, download_file, list_files
from daemon.api.events import job_events
from daemon.api.health import METRICS_SCOPE, alive, metrics, ready
from daemon.api.jobs import cancel_job, create_job, list_jobs, retry_job, show_job
from daemon.api.keys import KeyAsked, KeyList, NewKeyShown, create_key, list_keys, revoke_key
from daemon.api.models import (
    Alive,
    AnySchema,
    Checked,
    FileList,
    JobPage,
    JobResource,
    Readiness,
    SchemaNames,
    WorkList,
    document_schema,
)
from daemon.api.people import (
    AccountAsked,
    AccountChange,
    AccountList,
    AccountShown,
    LoginAsked,
    Me,
    PasswordAsked,
    SessionShown,
    change_account,
    change_password,
    list_accounts,
    log_in,
    log_out,
    me,
    register,
)
from daemon.api.route import Answer, Route
from daemon.api.schemas import list_schemas, show_schema
from daemon.api.storage_routes import STORAGE_ROUTES
from daemon.api.webhook_routes import WEBHOOK_ROUTES
from daemon.api.worker_moves import (
    CompleteAsked,
    FailAsked,
    Leased,
    MoveAsked,
    WorkQuery,
    complete_job,
    fail_job,
    find_work,
    move_job,
)

_SOON = {"Retry-After": "Seconds until it is worth asking again."}
_ACCEPTED = Answer(
    description="Taken in; it outlasts a crash. The job as it stands.",
    model=JobResource,
    headers={"Location": "Where the job is.", **_SOON},
)
_THERE = Answer(
    description="It is done already, or was asked for before: the job as it stands.",
    model=JobResource,
    headers={"Location": "Where the job is."},
)
_DIGESTS = {
    "ETag": 'Strong: "sha256:" and the digest of the file.',
    "Repr-Digest": "RFC 9530, sha-256 of the whole file.",
    "Content-Disposition": "RFC 6266, an attachment.",
}
_ASKED_BY = {
    "Range": "One range of bytes.",
    "If-Range": "Honour Range only for this ETag.",
    "If-None-Match": "Answer 304 for this ETag.",
}


_IDEMPOTENT = {"Idempotency-Key": "A fresh UUID; the request is done once within 24 hours."}


def _file(media_type: str) -> dict[int, Answer]:
    whole = Answer(description="The whole file.", media_type=media_type, headers=_DIGESTS)
    part = Answer(
        description="The range asked for.",
        media_type=media_type,
        headers={**_DIGESTS, "Content-Range": "Which bytes of how many."},
    )
    return {200: whole, 206: part, 304: Answer(description="Not changed.")}


JOB_ROUTES = (
    Route(
        method="POST", path="/v1/jobs", handler=create_job, scope=Scope.RENDER,
        operation="createJob", summary="Hand in a document; it becomes a job.",
        answers={200: _THERE, 202: _ACCEPTED}, query=SubmitQuery, body=document_schema(),
        headers=_IDEMPOTENT, problems=(409, 422, 507),
    ),
    Route(
        method="POST", path="/v1/render", handler=create_job, scope=Scope.RENDER,
        operation="render", summary="The same as POST /v1/jobs.",
        answers={200: _THERE, 202: _ACCEPTED}, query=SubmitQuery, body=document_schema(),
        headers=_IDEMPOTENT, problems=(409, 422, 507),
    ),
    Route(
        method="GET", path="/v1/jobs", handler=list_jobs, scope=Scope.READ,
        operation="listJobs", summary="Jobs, newest first.",
        answers={200: Answer(description="A page.", model=JobPage,
                             headers={"Link": "RFC 8288, rel=next: the page that follows."})},
        query=JobQuery,
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}", handler=show_job, scope=Scope.READ,
        operation="showJob", summary="A job as it stands.",
        answers={200: Answer(description="The job.", model=JobResource, headers=_SOON)},
    ),
    Route(
        method="POST", path="/v1/jobs/{job_id}/cancel", handler=cancel_job, scope=Scope.RENDER,
        operation="cancelJob", summary="Ask that a job ends.",
        answers={202: Answer(description="Asked; the job as it stands.", model=JobResource,
                             headers=_ACCEPTED.headers)},
        problems=(409,),
    ),
    Route(
        method="POST", path="/v1/jobs/{job_id}/retry", handler=retry_job, scope=Scope.RENDER,
        operation="retryJob", summary="Hand a failed job in anew, as a new job.",
        answers={202: _ACCEPTED}, headers=_IDEMPOTENT, problems=(409, 422, 507),
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}/events", handler=job_events, scope=Scope.READ,
        operation="jobEvents", summary="A job as it goes on, as Server-Sent Events.",
        answers={200: Answer(description="Events `progress`, then `done`; each is the job.",
                             media_type="text/event-stream"),
                 204: Answer(description="The last event was seen; do not come back.")},
        headers={"Last-Event-ID": "The id of the last event that was seen."}, has_head=False,
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}/download", handler=download, scope=Scope.READ,
        operation="downloadBundle", summary="The bundle of a job, as a zip.",
        answers=_file("application/zip"), headers=_ASKED_BY, problems=(409, 410, 416),
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}/files", handler=list_files, scope=Scope.READ,
        operation="listFiles", summary="The files of a job's bundle.",
        answers={200: Answer(description="What the manifest lists.", model=FileList)},
        problems=(409, 410),
    ),
    Route(
        method="GET", path="/v1/jobs/{job_id}/files/{path:.+}", handler=download_file,
        scope=Scope.READ, operation="downloadFile",
        summary="One file of a job's bundle, by its path in the manifest.",
        answers=_file("*/*"), headers=_ASKED_BY, problems=(409, 410, 416),
    ),
)  # fmt: skip

WORKER_ROUTES = (
    Route(
        method="GET", path="/v1/work", handler=find_work, scope=Scope.WORKER,
        operation="findWork", summary="Jobs that wait, those that go first first.", tag="workers",
        answers={200: Answer(description="The jobs.", model=WorkList)}, query=WorkQuery,
    ),
    Route(
        method="PATCH", path="/v1/jobs/{job_id}", handler=move_job, scope=Scope.WORKER,
        operation="moveJob", summary="Take a job, tell how far it is, or give it back.",
        answers={200: Answer(description="The job, with its lease while it is held.",
                             model=Leased)},
        body_model=MoveAsked, problems=(409, 422), tag="workers",
    ),
    Route(
        method="POST", path="/v1/jobs/{job_id}/complete", handler=complete_job,
        scope=Scope.WORKER, operation="completeJob", summary="A job that was taken succeeded.",
        answers={200: Answer(description="The job.", model=JobResource)},
        body_model=CompleteAsked, problems=(409, 422), tag="workers",
    ),
    Route(
        method="POST", path="/v1/jobs/{job_id}/fail", handler=fail_job, scope=Scope.WORKER,
        operation="failJob", summary="A job that was taken failed.",
        answers={200: Answer(description="The job.", model=JobResource)},
        body_model=FailAsked, problems=(409, 422), tag="workers",
    ),
)  # fmt: skip

DOCUMENT_ROUTES = (
    Route(
        method="POST", path="/v1/check", handler=check_document, scope=Scope.RENDER,
        operation="checkDocument", summary="Say whether a document is valid, without a job.",
        answers={200: Answer(description="It is.", model=Checked)},
        body=document_schema(), problems=(409, 422), tag="documents",
    ),
    Route(
        method="GET", path="/v1/schemas", handler=list_schemas, scope=None,
        operation="listSchemas", summary="The published JSON Schemas.",
        answers={200: Answer(description="Their addresses, by name.", model=SchemaNames)},
        tag="documents",
    ),
    Route(
        method="GET", path="/v1/schemas/{name}", handler=show_schema, scope=None,
        operation="showSchema", summary="A JSON Schema.",
        answers={200: Answer(description="The schema.", model=AnySchema,
                             media_type="application/schema+json")},
        tag="documents",
    ),
)  # fmt: skip

_READINESS = Answer(description="What was looked at.", model=Readiness)
HEALTH_ROUTES = (
    Route(
        method="GET", path="/livez", handler=alive, scope=None, operation="livez",
        summary="Whether the server answers.", tag="health",
        answers={200: Answer(description="It does.", model=Alive)},
    ),
    Route(
        method="GET", path="/readyz", handler=ready, scope=None, operation="readyz",
        summary="Whether jobs can be taken and run.", tag="health",
        answers={200: _READINESS, 503: Answer(description="Not now.", model=Readiness)},
    ),
    Route(
        method="GET", path="/health", handler=ready, scope=None, operation="health",
        summary="The same as /readyz.", tag="health",
        answers={200: _READINESS, 503: Answer(description="Not now.", model=Readiness)},
    ),
    Route(
        method="GET", path="/metrics", handler=metrics, scope=METRICS_SCOPE, operation="metrics",
        summary="Counts in the text format of Prometheus.", tag="health",
        answers={200: Answer(description="The counts.", media_type="text/plain")},
    ),
)  # fmt: skip

PEOPLE_ROUTES = (
    Route(
        method="POST", path="/v1/accounts", handler=register, scope=None, is_for_callers=True,
        operation="register", summary="Make an account; for admins, or where anybody may.",
        answers={201: Answer(description="The account.", model=AccountShown)},
        body_model=AccountAsked, problems=(409, 422), tag="people",
    ),
    Route(
        method="GET", path="/v1/accounts", handler=list_accounts, scope=Scope.ADMIN,
        operation="listAccounts", summary="Every account.",
        answers={200: Answer(description="The accounts, oldest first.", model=AccountList)},
        tag="people",
    ),
    Route(
        method="PATCH", path="/v1/accounts/{account_id}", handler=change_account,
        scope=Scope.ADMIN, operation="changeAccount",
        summary="Shut an account with all its sessions and keys, or open it again.",
        answers={200: Answer(description="The account.", model=AccountShown)},
        body_model=AccountChange, problems=(409, 422), tag="people",
    ),
    Route(
        method="POST", path="/v1/sessions", handler=log_in, scope=None, is_for_callers=True,
        operation="logIn", summary="Begin a session; its token comes as a cookie.",
        answers={201: Answer(description="The session.", model=SessionShown)},
        body_model=LoginAsked, problems=(422,), tag="people",
    ),
    Route(
        method="DELETE", path="/v1/sessions", handler=log_out, scope=None, is_for_callers=True,
        operation="logOut", summary="End the session of the cookie.",
        answers={204: Answer(description="It is over.")}, tag="people",
    ),
    Route(
        method="GET", path="/v1/me", handler=me, scope=None, is_for_callers=True,
        operation="me", summary="Who calls, and what they may.",
        answers={200: Answer(description="Who calls.", model=Me)}, tag="people",
    ),
    Route(
        method="PUT", path="/v1/me/password", handler=change_password, scope=None,
        is_for_callers=True, operation="changePassword",
        summary="Another password; every session of the account ends.",
        answers={204: Answer(description="It is changed; log in with it.")},
        body_model=PasswordAsked, problems=(422,), tag="people",
    ),
    Route(
        method="POST", path="/v1/keys", handler=create_key, scope=None, is_for_callers=True,
        operation="createKey", summary="Make a key; it is shown this once.",
        answers={201: Answer(description="The key.", model=NewKeyShown)},
        body_model=KeyAsked, problems=(422,), tag="people",
    ),
    Route(
        method="GET", path="/v1/keys", handler=list_keys, scope=None, is_for_callers=True,
        operation="listKeys", summary="One's own keys; everybody's for an admin.",
        answers={200: Answer(description="The keys, oldest first.", model=KeyList)}, tag="people",
    ),
    Route(
        method="DELETE", path="/v1/keys/{key_id}", handler=revoke_key, scope=None,
        is_for_callers=True, operation="revokeKey", summary="Shut a key for ever.",
        answers={204: Answer(description="It opens nothing any more.")}, tag="people",
    ),
)  # fmt: skip

PAGE_ROUTES = (
    Route(
        method="GET", path="/openapi.json", handler=openapi_document, scope=None,
        operation="openapi", summary="This description.", tag="description",
        answers={200: Answer(description="OpenAPI 3.1.", model=AnySchema)},
    ),
    Route(
        method="GET", path="/docs", handler=docs_page, scope=None, operation="docs",
        summary="This description as a page.", tag="description",
        answers={200: Answer(description="The page.", media_type="text/html")},
    ),
    Route(
        method="GET", path="/docs/{file}", handler=docs_file, scope=None, operation="docsFile",
        summary="What the page is made of.", tag="description",
        answers={200: Answer(description="A script or a style.", media_type="*/*")},
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (
    *JOB_ROUTES, *WORKER_ROUTES, *DOCUMENT_ROUTES, *HEALTH_ROUTES, *PAGE_ROUTES, *PEOPLE_ROUTES,
    *STORAGE_ROUTES, *ASSET_ROUTES, *WORLD_ROUTES, *WEBHOOK_ROUTES,
)  # fmt: skip
"""Every route there is."""
