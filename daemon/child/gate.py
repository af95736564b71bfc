"""A claimed file becomes a spec, or is refused with every fault by the models and the schema."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

from daemon.child.job_request import JobRequest

if TYPE_CHECKING:  # slow to import; the child is tied to its parent before
    from renderer.branding import Supplied
    from renderer.spec.loading import Loaded

_FAULTS_OF_THE_DROP = frozenset({
    errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EINVAL,
})  # fmt: skip


def load_through_gate(request: JobRequest, supplied: Supplied | None = None) -> Loaded:
    """The spec, once the models and the published JSON Schema both take it.

    `supplied` gives out brand kits that are no files. Raises SpecInvalid, SourceRefused for a
    brand kit that is not there; OSError when the disk fails or the claim is no longer there.
    """
    from daemon.promises.kits import load_with_kit
    from renderer.branding import nobody

    loaded = load_with_kit(
        _read(request), name=request.name, media=request.media, limits=request.limits,
        supplied=supplied or nobody,
    )  # fmt: skip
    check_schema(loaded)
    return loaded


def _read(request: JobRequest) -> bytes:
    """The bytes of the claimed file. That they may not be read is a fault of the drop."""
    from daemon.fs import RealFs
    from renderer.errors import Fault, SpecInvalid

    try:
        return RealFs().read(request.spec, request.limits.max_document_bytes + 1)
    except OSError as error:
        if error.errno not in _FAULTS_OF_THE_DROP:
            raise
        words = f"the file cannot be read ({error.strerror})"
        hint = "drop a plain file that the daemon's user may read"
        fault = Fault(code="spec-unreadable", message=words, hint=hint)
        raise SpecInvalid([fault], document=request.name) from error


def check_schema(loaded: Loaded) -> None:
    """Raises SpecInvalid for what the published schema refuses, whatever the models say."""
    from jsonschema import Draft202012Validator

    from renderer.errors import Fault, SpecInvalid
    from renderer.schemas import schema_file
    from renderer.spec.schema import filled_in
    from renderer.spec.variables import substitute

    schema = json.loads(schema_file("spec").read_text(encoding="utf-8"))
    value, _ = substitute(loaded.document.value, {}, loaded.limits)
    faults = [
        Fault(code="schema-refused", path=tuple(found.absolute_path), message=found.message[:300])
        for found in Draft202012Validator(filled_in(schema)).iter_errors(value)
    ]
    if faults:
        raise loaded.located(SpecInvalid(faults))
