"""Canonical JSON and SHA-256: the only file that turns values into digests.

Digests are written as bare lowercase hex. Values are canonicalised by RFC 8785 after
every string has been put into Unicode NFC, so that two spellings of one é are one value.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import BinaryIO

import rfc8785

_CHUNK_BYTES = 1 << 20


def canonical_json(value: object) -> bytes:
    """`value` as RFC 8785 bytes. Accepts mappings, sequences, strings, bools, numbers, None.

    Raises ValueError for what has no canonical form: NaN, integers past 2**53, odd keys.
    """
    return rfc8785.dumps(_normal(value))  # type: ignore[arg-type]


def digest_of(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_of_bytes(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of_stream(stream: BinaryIO) -> str:
    """SHA-256 of everything left in `stream`, as 64 hex digits."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _normal(value: object) -> object:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value))
    if isinstance(value, Mapping):
        return {_normal(key): _normal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    return value
