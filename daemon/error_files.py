"""`<name>.error.json`: what stands beside a spec that was rejected or failed. Pure."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from daemon.jobs import Job

SUFFIX = ".error.json"
STDERR_LINES = 40
_HALF = re.compile("[\ud800-\udfff]")
_START = {"line": 1, "column": 1}


def error_document(job: Job, error: Mapping[str, Any], stderr: Sequence[str]) -> dict[str, Any]:
    """The content: every fault has a line and a column, what concerns the whole file 1 and 1."""
    tail = str(error.get("tail") or "").splitlines()
    content = {
        **error,
        "reelkiln_error": 1,
        "job_id": job.job_id,
        **_named(job.name),
        "errors": [_placed(fault) for fault in error.get("errors", ())],
        "stderr": [*tail, *stderr][-STDERR_LINES:],
        "attempts": job.attempt,
        "spec_sha256": job.spec_sha256,
        "version": _version(),
    }
    content.pop("tail", None)
    cleaned: dict[str, Any] = _clean(content)
    return cleaned


def _placed(fault: Mapping[str, Any]) -> dict[str, Any]:
    return {**fault, **_START} if fault.get("line") is None else dict(fault)


def _named(name: str) -> dict[str, str]:
    """The name as text, and when it is not UTF-8 its very bytes besides."""
    data = os.fsencode(name)
    shown = data.decode("utf-8", "replace")
    if os.fsencode(shown) == data:
        return {"name": shown}
    return {"name": shown, "name_base64": base64.b64encode(data).decode("ascii")}


def _clean(value: Any) -> Any:
    """`value` without halves of surrogate pairs, which strict readers of JSON refuse."""
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, (list, tuple)) else value


def _version() -> str:
    try:
        return version("reelkiln")
    except PackageNotFoundError:  # a checkout that was never installed
        return ""
