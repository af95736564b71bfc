"""Problems: every error of whatever origin as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from ulid import ULID

from daemon.database import DatabaseUnavailable
from daemon.logs import logger
from renderer.errors import ReelkilnError

PROBLEM_TYPE = "application/problem+json"
REQUEST_ID = web.RequestKey("reelkiln_request_id", str)
_log = logger("api")
_MEMBERS = ("code", "hint", "retryable", "errors", "legal")


class HttpRefusal(ReelkilnError):
    """A request that HTTP itself has a status for. `headers` go out with the problem."""

    code = "bad-request"
    http_status = 400

    def __init__(
        self, message: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.headers = dict(headers or {})


class NotFound(HttpRefusal):
    """There is no such thing, or it is a stranger's."""

    code = "not-found"
    http_status = 404


class MethodNotAllowed(HttpRefusal):
    """The path exists, and not for this method."""

    code = "method-not-allowed"
    http_status = 405


class RequestTimeout(HttpRefusal):
    """The body took too long."""

    code = "request-timeout"
    http_status = 408


class NotFinished(HttpRefusal):
    """The job has no bundle, or not yet."""

    code = "no-bundle"
    http_status = 409


class LeaseLost(HttpRefusal):
    """Who asks does not run this job, or not any more."""

    code = "lease-lost"
    http_status = 409

    def __init__(self, message: str, *, legal: Iterable[str]) -> None:
        super().__init__(message, hint="stop: another worker has the job, or it has ended")
        self.legal = sorted(legal)

    def as_json(self) -> dict[str, object]:
        """With the moves that are legal for whoever holds the lease."""
        return {**super().as_json(), "legal": list(self.legal)}


class OutputsRefused(HttpRefusal):
    """What a worker calls the result of a job is none."""

    code = "outputs-refused"
    http_status = 422


class NotRetryable(HttpRefusal):
    """The bytes of a failed job are not there to be tried again."""

    code = "not-retryable"
    http_status = 409


class BundleGone(HttpRefusal):
    """The bundle was removed from the outbox."""

    code = "bundle-gone"
    http_status = 410


class BodyTooLarge(HttpRefusal):
    """The body is over its limit."""

    code = "body-too-large"
    http_status = 413


class TypeNotSupported(HttpRefusal):
    """The body is of a type, or in an encoding, that is not read."""

    code = "type-not-supported"
    http_status = 415


class RangeNotThere(HttpRefusal):
    """The range lies outside of the file."""

    code = "range-not-there"
    http_status = 416


class Overloaded(HttpRefusal):
    """There are too many of these just now."""

    code = "overloaded"
    http_status = 503
    retryable = True


class DaemonEnding(HttpRefusal):
    """The daemon ends, and a request did not get so far that it could be answered."""

    code = "daemon-ending"
    http_status = 503
    retryable = True


class Crashed(HttpRefusal):
    """What should not have happened; the log has it under the request's id."""

    code = "internal-error"
    http_status = 500


_BY_STATUS: Mapping[int, type[HttpRefusal]] = {
    kind.http_status: kind
    for kind in (NotFound, MethodNotAllowed, RequestTimeout, BodyTooLarge, TypeNotSupported)
}


def problem(error: ReelkilnError, *, status: int, instance: str, request_id: str) -> dict[str, Any]:
    """The members of a problem document."""
    told = error.as_json()
    return {
        "type": f"urn:reelkiln:problem:{error.code}",
        "title": title_of(status),
        "status": status,
        "detail": error.message,
        "instance": instance,
        "request_id": request_id,
        **{name: told[name] for name in _MEMBERS if told.get(name) is not None},
    }


def title_of(status: int) -> str:
    """The words that HTTP has for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def plain_text(value: Any) -> Any:
    """The value with every lone surrogate replaced: file names may be no text at all."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {plain_text(key): plain_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_text(item) for item in value]
    return value


def problem_response(
    error: ReelkilnError, *, instance: str, request_id: str, status: int = 0
) -> web.Response:
    """The answer for an error of the tree; its own status, unless another is named."""
    status = status or error.http_status
    document = problem(error, status=status, instance=instance, request_id=request_id)
    headers = dict(getattr(error, "headers", {}))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "2")
    return web.Response(
        body=json.dumps(plain_text(document)).encode(),
        status=status,
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def as_refusal(error: web.HTTPException) -> HttpRefusal:
    """What the HTTP library raised, as an error of the tree."""
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    kind = _BY_STATUS.get(error.status, HttpRefusal)
    return kind(_WORDS.get(error.status, error.reason), headers=headers)


_WORDS = {
    404: "nothing is at this address",
    405: "this address does not take that method",
}


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Outermost: gives the request its id, and every error its document."""
    request[REQUEST_ID] = request_id = str(ULID())
    status = 0
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        refusal: ReelkilnError = as_refusal(error)
        status = error.status
    except DatabaseUnavailable as error:  # its words name the server, and who asks may be anybody
        _log.warning("a database is away", request_id=request_id, error=error.message)
        refusal = type(error)(
            "a database of the daemon does not answer",
            hint=f"try again later; the log has it under {request_id}",
        )
    except ReelkilnError as error:
        refusal = error
    except web.RequestPayloadError as error:
        refusal = HttpRefusal(f"the body cannot be read: {error}")
    except ConnectionError:
        raise  # whoever asked is gone
    except Exception:
        _log.exception("a request crashed", request_id=request_id, path=request.path)
        refusal = Crashed(
            "this should not have happened", hint=f"the log has it under {request_id}"
        )
    return problem_response(
        refusal, instance=request.rel_url.raw_path, request_id=request_id, status=status
    )
