"""Web fonts as the plain fonts inside them, without trusting what they unpack to."""

from __future__ import annotations

import struct
from io import BytesIO

import brotli
from fontTools.ttLib import TTFont
from fontTools.ttLib.woff2 import WOFF2DirectoryEntry

_WOFF, _WOFF2 = b"wOFF", b"wOF2"
_HEADER = struct.Struct(">4s4sLHHLLHHLLLLL")
_TABLES, _PACKED_BYTES = 3, 6
_LARGEST_UNPACKED_BYTES = 128 << 20


def plain_font(data: bytes) -> bytes:
    """The TrueType or OpenType file in a WOFF2 file; any other font as it is.

    Raises ValueError for what is refused; what fontTools and brotli raise on damage.
    """
    if data[:4] == _WOFF:
        raise ValueError("it is packed as WOFF 1.0, only WOFF2 is unpacked")
    if data[:4] != _WOFF2:
        return data
    _refuse_bomb(data)
    font = TTFont(BytesIO(data), recalcTimestamp=False, recalcBBoxes=False)
    font.flavor = None
    plain = BytesIO()
    font.save(plain)
    return plain.getvalue()


def _refuse_bomb(data: bytes) -> None:
    """Raise when a file unpacks to more than any font needs; fontTools has no limit."""
    header = _HEADER.unpack_from(data)
    directory = BytesIO(data)
    directory.seek(_HEADER.size)
    for _ in range(header[_TABLES]):
        WOFF2DirectoryEntry().fromFile(directory)
    unpacking = brotli.Decompressor()
    packed = directory.read(header[_PACKED_BYTES])
    unpacking.process(packed, output_buffer_limit=_LARGEST_UNPACKED_BYTES)
    if not unpacking.is_finished():
        raise ValueError(f"it unpacks to more than {_LARGEST_UNPACKED_BYTES >> 20} MiB")
