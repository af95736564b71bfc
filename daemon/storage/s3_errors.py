"""What obstore and boto3 raise, as errors of the tree.

What a server says of itself goes to the log: clients learn no addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daemon.logs import logger
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
# Of lists and deletions obstore has no other words; 408 and 429 are worth another try.
_FINAL = re.compile(r"status code: 4(?!08|29)[0-9]{2}\b")
_log = logger("storage")
_ALL = "a list of everything"
_HINT = "check REELKILN_STORAGE_URL, the credentials and the policy of the bucket"


@contextmanager
def object_errors(key: str, *, is_put: bool = False) -> Iterator[None]:
    """Turns what obstore raises into errors of the tree."""
    from obstore import exceptions

    try:
        yield
    except FileNotFoundError as error:
        if is_put:  # a put misses nothing but its bucket
            raise _refused(key, error) from error
        raise KeyUnknown(key) from error
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
        raise KeyTaken(key) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise _refused(key, error) from error
    except (exceptions.BaseError, OSError) as error:
        is_final = _FINAL.search(str(error)) is not None
        raise (_refused if is_final else _unavailable)(key, error) from error


@contextmanager
def aws_errors(key: str) -> Iterator[None]:
    """Turns what boto3 raises into errors of the tree."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _told(key, error, error.response) from error
    except NoCredentialsError as error:
        raise _refused(key, error) from error
    except BotoCoreError as error:
        raise _unavailable(key, error) from error


def _told(key: str, error: Exception, response: Mapping[str, Mapping[str, Any]]) -> ReelkilnError:
    told = response.get("Error", {})
    code, words = str(told.get("Code", "")), str(told.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchUpload":
        return UploadUnknown(key)
    if code in _TAKEN:
        return KeyTaken(key)
    if code in _BAD_PARTS:
        return UploadRefused(f"the upload of {key} cannot be completed: {words}")
    if code in _BUSY or status >= 500:
        return _unavailable(key, error)
    return _refused(key, error)


def _refused(key: str, error: Exception) -> StorageRefused:
    _log.error("the storage refuses", key=key, error=_first(error))
    return StorageRefused(f"the storage refuses {key or _ALL}; the log has its words", hint=_HINT)


def _unavailable(key: str, error: Exception) -> StorageUnavailable:
    _log.warning("the storage does not answer", key=key, error=_first(error))
    return StorageUnavailable(f"the storage does not answer for {key or _ALL}")


def _first(error: Exception) -> str:
    """The first line: what follows is the server's XML and a trace."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
