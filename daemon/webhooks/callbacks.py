"""The `callback` of a spec, read from the bytes that were dropped, also of one that was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from daemon.fs import Fs
from daemon.jobs import Job
from daemon.outbox import places_for
from daemon.places import Places
from renderer.errors import SpecInvalid
from renderer.limits import Limits
from renderer.spec.document import read_document
from renderer.spec.envelope import Callback, CallbackUrl
from renderer.spec.variables import substitute

_FORM: TypeAdapter[str | Callback] = TypeAdapter(CallbackUrl | Callback)


def callback_of(data: bytes, name: str, limits: Limits) -> Callback | None:
    """The callback that a document names; None when it names none that could be told."""
    if b"callback" not in data:  # most have none and need not be read
        return None
    try:
        document = read_document(data, name=name, limits=limits)
        said = {key: document.value.get(key) or {} for key in ("variables", "callback")}
        filled, _ = substitute(said, {}, limits)
        found = _FORM.validate_python(filled.get("callback"))
    except (SpecInvalid, ValidationError):
        return None
    return Callback(url=found) if isinstance(found, str) else found


def bytes_of(fs: Fs, places: Places, job: Job, limits: Limits) -> bytes:
    """What was dropped, wherever it lies now that the job has ended; empty when it is gone."""
    for path in _lies_at(fs, places, job):
        with suppress(OSError):  # moved on meanwhile, or no plain file
            data = fs.read(path, limits.max_document_bytes + 1)
            if sha256(data).hexdigest() == job.spec_sha256:
                return data
    return b""


def _lies_at(fs: Fs, places: Places, job: Job) -> Iterator[Path]:
    """Where it may be; the claim first, for it leaves its place last."""
    claims = [name for name in fs.names(places.own("claimed")) if job.job_id in name]
    yield from (places.own("claimed") / name for name in claims)
    yield places.own("done") / job.job_id
    for folder in (places.failed, places.rejected):
        yield from places_for(folder, job.name, job.job_id)
