"""What obstore and boto3 raise, as errors of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.storage.errors import (
    KeyTaken,
    KeyUnknown,
    StorageRefused,
    StorageUnavailable,
    UploadRefused,
    UploadUnknown,
)
from renderer.errors import ReelkilnError

_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_BAD_PARTS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"})
_BUSY = frozenset({"RequestTimeout", "SlowDown", "ThrottlingException", "RequestTimeTooSkewed"})
_HINT = "check REELKILN_STORAGE_URL, the credentials and the policy of the bucket"


@contextmanager
def object_errors(key: str, *, is_put: bool = False) -> Iterator[None]:
    """Turns what obstore raises into errors of the tree."""
    from obstore import exceptions

    try:
        yield
    except FileNotFoundError as error:
        if is_put:  # a put misses nothing but its bucket
            raise StorageRefused(f"the bucket is not there: {_first(error)}", hint=_HINT) from error
        raise KeyUnknown(key) from error
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
        raise KeyTaken(key) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise StorageRefused(f"{key} is refused: {_first(error)}", hint=_HINT) from error
    except (exceptions.BaseError, OSError) as error:
        raise StorageUnavailable(f"{key} cannot be had: {_first(error)}") from error


@contextmanager
def aws_errors(key: str) -> Iterator[None]:
    """Turns what boto3 raises into errors of the tree."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _told(key, error.response) from error
    except NoCredentialsError as error:
        raise StorageRefused("there are no credentials for the storage", hint=_HINT) from error
    except BotoCoreError as error:
        raise StorageUnavailable(f"{key} cannot be had: {_first(error)}") from error


def _told(key: str, response: dict[str, dict[str, object]]) -> ReelkilnError:
    error = response.get("Error", {})
    code, words = str(error.get("Code", "")), str(error.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "NoSuchUpload":
        return UploadUnknown(key)
    if code in _TAKEN:
        return KeyTaken(key)
    if code in _BAD_PARTS:
        return UploadRefused(f"the upload of {key} cannot be completed: {words}")
    if code in _BUSY or (isinstance(status, int) and status >= 500):
        return StorageUnavailable(f"{key} cannot be had: {code} {words}")
    return StorageRefused(f"{key} is refused: {code} {words}", hint=_HINT)


def _first(error: BaseException) -> str:
    """The first line: what follows is the server's XML and a trace."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
