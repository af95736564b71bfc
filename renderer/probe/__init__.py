"""A file as facts. What it is goes by content, never by its name."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import av
import brotli
from fontTools.ttLib import TTFont, TTLibError
from PIL import __version__ as _pillow_version

from renderer.limits import Limits
from renderer.media import MediaInfo, MediaKind
from renderer.probe.sniff import sniff
from renderer.probe.stills import is_still_gif, probe_still
from renderer.probe.streams import probe_streams
from renderer.refusals import CONVERT, refused, unreadable
from renderer.webfont import plain_font

PROBER = f"2-av{av.__version__}-pillow{_pillow_version}"
"""Version of these facts. They depend on the libraries, so it is part of every cache key."""

_MAX_FONT_BYTES = 64 * 1024**2
_FONT_ERRORS = (
    TTLibError, brotli.error, OSError, ValueError, KeyError, IndexError, AssertionError, EOFError,
    struct.error,
)  # fmt: skip


def probe(path: Path, *, max_pixels: int = Limits().max_image_pixels) -> MediaInfo:
    """The facts of the file at `path`; no picture in it may have more than `max_pixels`.

    An animated WebP or PNG is a still: its first frame. A GIF of one frame is a still,
    of several a video. Raises SourceRefused (`source-unreadable`, `source-form`,
    `source-too-large`), OSError when the file cannot be opened at all.
    """
    found = sniff(path)
    if found.refusal:
        raise refused("source-form", found.refusal, found.hint or CONVERT)
    if found.font:
        return _font(path, found.font)
    if found.still:
        return probe_still(path, found.still, max_pixels)
    if found.demuxer == "gif" and is_still_gif(path, max_pixels):
        return probe_still(path, "GIF", max_pixels)
    return probe_streams(path, found, max_pixels)


def _font(path: Path, media_type: str) -> MediaInfo:
    """A font's facts: the name of its family, the first one of a collection."""
    try:
        if path.stat().st_size > _MAX_FONT_BYTES:
            raise refused("source-too-large", "a font of over 64 MiB", "choose a smaller one")
        plain = BytesIO(plain_font(path.read_bytes()))
        with TTFont(plain, fontNumber=0, lazy=True) as font:
            if not font.getBestCmap():
                raise TTLibError("it maps no characters to glyphs")
            family = str(font["name"].getBestFamilyName() or "")
    except _FONT_ERRORS as error:
        raise unreadable(
            f"the font cannot be read: {error}", "give a .ttf, .otf, .ttc or .woff2"
        ) from error
    return MediaInfo(kind=MediaKind.FONT, media_type=media_type, demuxer="", family=family)
