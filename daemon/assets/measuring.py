"""What a file is: type, size, digest, length. Measured from its bytes, never believed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from daemon.catalog.refusals import AssetContentRefused
from renderer.digest import digest_of_stream
from renderer.errors import SourceRefused
from renderer.limits import Limits
from renderer.media import MediaInfo
from renderer.probe import probe

UNKNOWN_TYPE = "application/octet-stream"
_MEDIA = ("video", "audio", "image", "font")
_TEXTS = frozenset({"text/plain", "text/vtt", "text/markdown", "text/csv", "application/x-subrip"})
_MAX_TEXT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The facts of a file; `duration_ms` of video and sound alone."""

    media_type: str
    size_bytes: int
    sha256: str
    duration_ms: int | None = None


def measure(path: Path, claimed: str, limits: Limits | None = None) -> Measured:
    """The facts of a plain file that is claimed to be of a media type.

    What is claimed to be a picture, sound, video or font must be one, and has the type that it
    is found to have. JSON and text must be that; whatever else there may be is just bytes.
    Raises AssetContentRefused, and OSError.
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise AssetContentRefused(f"{path.name} is no plain file")
    with path.open("rb") as stream:
        sha256, size = digest_of_stream(stream), os.fstat(stream.fileno()).st_size
    claimed = claimed.partition(";")[0].strip().casefold()
    found = _media(path, claimed, limits or Limits())
    if found is None:
        return Measured(media_type=_plain(path, claimed, size), size_bytes=size, sha256=sha256)
    length = None if found.duration is None else round(found.duration * 1000)
    return Measured(media_type=found.media_type, size_bytes=size, sha256=sha256, duration_ms=length)


def _media(path: Path, claimed: str, limits: Limits) -> MediaInfo | None:
    must = claimed.partition("/")[0] in _MEDIA
    try:
        found = probe(path, max_pixels=limits.max_image_pixels)
    except SourceRefused as error:
        if must:
            raise AssetContentRefused(
                f"this is claimed to be {claimed}: {error.message}", hint=error.hint
            ) from error
        return None
    kind = claimed.partition("/")[0]
    if must and found.media_type.partition("/")[0] != kind:
        raise AssetContentRefused(
            f"this is claimed to be {claimed}, and is {found.media_type}", hint="say what it is"
        )
    return found


def _plain(path: Path, claimed: str, size: int) -> str:
    """The type of what is no media: JSON and text if they are that, else just bytes."""
    if claimed != "application/json" and claimed not in _TEXTS:
        return UNKNOWN_TYPE
    if size > _MAX_TEXT_BYTES:
        raise AssetContentRefused(f"{claimed} of over {_MAX_TEXT_BYTES} bytes is not taken")
    try:
        text = path.read_bytes().decode("utf-8")
        if claimed == "application/json":
            json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AssetContentRefused(
            f"this is claimed to be {claimed}, and is not: {error}", hint="in UTF-8, whole"
        ) from error
    return claimed
