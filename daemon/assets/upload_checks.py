"""What an upload turns out to be: its digest and its kind, by its bytes and never by its name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from daemon.storage.errors import UploadRefused
from renderer.digest import digest_of_stream
from renderer.errors import Rejected
from renderer.limits import Limits
from renderer.probe import probe

_TEXTS = frozenset({"text/plain", "text/vtt", "application/x-subrip", "application/json"})
_MAX_TEXT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the bytes of an upload are; `duration_ms` of video and sound alone."""

    media_type: str
    duration_ms: int | None = None


def measured(path: Path, media_type: str, sha256: str, limits: Limits) -> Facts:
    """The facts of a file that was promised as this. Raises UploadRefused when it is not."""
    with path.open("rb") as stream:
        found = digest_of_stream(stream)
    if found != sha256:
        raise UploadRefused(f"the bytes have the sha256 {found}, not the promised one")
    if media_type in _TEXTS:
        _see_text(path, media_type)
        return Facts(media_type=media_type)
    return _probed(path, media_type, limits)


def _probed(path: Path, media_type: str, limits: Limits) -> Facts:
    try:
        found = probe(path, max_pixels=limits.max_image_pixels)
    except Rejected as error:
        raise UploadRefused(f"the upload is refused: {error.message}", hint=error.hint) from error
    if found.media_type.partition("/")[0] != media_type.partition("/")[0]:
        raise UploadRefused(
            f"the upload is {found.media_type}, and was promised as {media_type}",
            hint="promise what it is",
        )
    length = None if found.duration is None else round(found.duration * 1000)
    return Facts(media_type=found.media_type, duration_ms=length)


def _see_text(path: Path, media_type: str) -> None:
    if path.stat().st_size > _MAX_TEXT_BYTES:
        raise UploadRefused(f"a text of over {_MAX_TEXT_BYTES} bytes", hint="send a shorter one")
    try:
        text = path.read_bytes().decode()
        if media_type == "application/json":
            json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UploadRefused(f"the upload is no {media_type} in UTF-8: {error}") from error
