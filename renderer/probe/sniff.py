"""What a file is by its first bytes, and which forms are refused before any parser sees them.

Refused is whatever can name other files or run long before it shows a picture: playlists,
concat scripts, SVG, session descriptions. Each refusal says what the file is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 4096
_FONTS = {
    b"\x00\x01\x00\x00": "font/ttf",
    b"true": "font/ttf",
    b"OTTO": "font/otf",
    b"ttcf": "font/collection",
    b"wOFF": "font/woff",
    b"wOF2": "font/woff2",
}
_STILLS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_DEMUXERS = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
)
_RIFF = {b"WAVE": "wav", b"AVI ": "avi"}
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_HEIF_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_TEXTS = (
    ("#extm3u", "an HLS playlist"),
    ("ffconcat", "an FFmpeg concat script"),
    ("v=0", "an SDP session description"),
    ("[playlist]", "a playlist"),
    ("%pdf", "a PDF document"),
    ("%!ps", "a PostScript document"),
    (";ffmetadata", "an FFmpeg metadata file"),
)
_TAGS = (
    ("<mpd", "a DASH manifest"),
    ("<svg", "an SVG drawing"),
    ("<smoothstreamingmedia", "a Smooth Streaming manifest"),
    ("<smil", "a SMIL document"),
    ("<html", "a web page"),
)
_OTHERS_FILES = "it can name other files; give the media itself, as MP4, MKV, WAV, PNG or JPEG"
_DRAWING = "draw it to a PNG first"
_SEGMENT = b"\x18\x53\x80\x67"
_UNTOLD = 0x7FFFFF00
_SYNC = 0x47  # every 188th (or 192nd) byte of a transport stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """One of: a refusal with a hint, a font's media type, a still's form, a demuxer.

    With none of them the first bytes are not known. `brand` tells the flavour of a
    container: "qt" for QuickTime, "webm" for WebM.
    """

    refusal: str = ""
    hint: str = ""
    font: str = ""
    still: str = ""
    demuxer: str = ""
    brand: str = ""


def sniff(path: Path) -> Sniffed:
    """What the file at `path` is by content. Raises OSError when it cannot be read."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if head[:3] == b"ID3" and len(head) >= 10:
            stream.seek(10 + _id3_size(head))
            return _after_id3(stream.read(4))
    if not head:
        return Sniffed(refusal="the file is empty", hint="is it complete?")
    return _binary(head, path) or _text(head)


def _binary(head: bytes, path: Path) -> Sniffed | None:
    if font := _FONTS.get(head[:4]):
        return _font(head, path, font)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Sniffed(still="WEBP")
    for magic, form in _STILLS:
        if head.startswith(magic):
            return Sniffed(still=form)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        if b"avif" in head[8 : int.from_bytes(head[:4], "big")]:
            return Sniffed(still="AVIF")
        return Sniffed(refusal="the file is a HEIC picture", hint="convert it to PNG or JPEG")
    return _container(head)


def _container(head: bytes) -> Sniffed | None:
    if head[4:8] in _BOXES:
        return Sniffed(demuxer="mov", brand="qt" if head[8:12] == b"qt  " else "")
    for magic, demuxer in _DEMUXERS:
        if head.startswith(magic):
            brand = "webm" if demuxer == "matroska" and b"webm" in head[:64] else ""
            return Sniffed(demuxer=demuxer, brand=brand)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] in _RIFF:
        return Sniffed(demuxer=_RIFF[head[8:12]])
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        return Sniffed(demuxer="mp3" if head[1] & 0x06 else "aac")
    if _is_transport_stream(head):
        return Sniffed(demuxer="mpegts")
    return None


def _is_transport_stream(head: bytes) -> bool:
    def synced(first: int, packet: int) -> bool:
        places = range(first, len(head), packet)
        return len(places) > 1 and all(head[at] == _SYNC for at in places)

    return synced(0, 188) or synced(4, 192)


def _id3_size(head: bytes) -> int:
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size


def _after_id3(head: bytes) -> Sniffed:
    """A tag may stand before MP3, ADTS or FLAC; padding after it is MP3's habit."""
    if head == b"fLaC":
        return Sniffed(demuxer="flac")
    is_adts = head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0
    return Sniffed(demuxer="aac" if is_adts else "mp3")


def _text(head: bytes) -> Sniffed:
    words = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    for opening, name in _TEXTS:
        if words.startswith(opening):
            return Sniffed(refusal=f"the file is {name}", hint=_OTHERS_FILES)
    if words.startswith("<"):
        for tag, name in _TAGS:
            if tag in words:
                hint = _DRAWING if tag == "<svg" else _OTHERS_FILES
                return Sniffed(refusal=f"the file is {name}", hint=hint)
        return Sniffed(refusal="the file is an XML or HTML document", hint=_OTHERS_FILES)
    return Sniffed(refusal="" if b"\x00" in head else _plain_text(head))


def _plain_text(head: bytes) -> str:
    try:
        head[:1024].decode("ascii")
    except UnicodeDecodeError:
        return ""
    return "the file is plain text, not media"


def _font(head: bytes, path: Path, media_type: str) -> Sniffed:
    """A font whose table directory fits the file; a torn one is refused."""
    torn = Sniffed(refusal="the font file is cut short or damaged", hint="fetch it again")
    if media_type not in ("font/ttf", "font/otf"):
        return Sniffed(font=media_type)
    count = int.from_bytes(head[4:6], "big")
    directory = head[12 : 12 + 16 * count]
    if not count or len(directory) < 16 * count:
        return torn
    size = path.stat().st_size
    for _, _, offset, length in struct.iter_unpack(">4sIII", directory):
        if offset + length > size:
            return torn
    return Sniffed(font=media_type)


def is_cut_short(path: Path, demuxer: str) -> bool:
    """Whether an MP4, MOV, Matroska, WAV or AVI file ends before its outermost parts do."""
    ends = {"mov": _boxes_end, "matroska": _segment_end, "wav": _riff_end, "avi": _riff_end}
    if demuxer not in ends:
        return False
    size = path.stat().st_size
    with path.open("rb") as stream:
        return ends[demuxer](stream, size) > size


def _riff_end(stream: BinaryIO, size: int) -> int:
    """Where a RIFF says it ends; recorders that cannot know write no size, or the largest."""
    head = stream.read(8)
    told = int.from_bytes(head[4:], "little")
    return size if head[:4] != b"RIFF" or told >= _UNTOLD else told + 8


def _boxes_end(stream: BinaryIO, size: int) -> int:
    """Where the last top-level box says it ends."""
    at = 0
    while at + 8 <= size:
        stream.seek(at)
        header = stream.read(16)
        box = int.from_bytes(header[:4], "big")
        if box == 1:
            box = int.from_bytes(header[8:16], "big")
        elif box == 0:  # up to the end of the file
            return size
        if box < 8:  # not a box but trailing junk, which players skip
            return size
        at += box
    return at


def _segment_end(stream: BinaryIO, size: int) -> int:
    """Where the Matroska segment says it ends; live recordings do not say."""
    head = stream.read(_HEAD_BYTES)
    length, used = _vint(head, 4)
    at = 4 + used + length
    if head[at : at + 4] != _SEGMENT:
        return size
    length, used = _vint(head, at + 4)
    return size if length == (1 << 7 * used) - 1 else at + 4 + used + length


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """An EBML length and how many bytes it takes."""
    first = data[at] if at < len(data) else 0x80
    used = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + used], "big")
    return value & (1 << 7 * used) - 1, used
