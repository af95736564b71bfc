"""The JSON Schema of `manifest.json`; `schemas/manifest-1.schema.json` is made from it."""

from __future__ import annotations

from typing import Any

MANIFEST_VERSION = 1

_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"


def manifest_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) as plain JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reelkiln:schema:manifest:1",
        "title": "Reelkiln manifest, version 1",
        "description": "What is in a bundle, byte for byte, and what it was made from.",
        **_object(
            reelkiln_manifest={"const": MANIFEST_VERSION},
            id=_said("What the spec calls itself.", _matching(f"^{_NAME}$", 80)),
            render_key=_said("Digest of spec, pins and toolchain.", _sha256()),
            spec_digest=_said("SHA-256 of spec.json.", _sha256()),
            files=_said("Every file that is not derived, by path.", _list(_file())),
            media=_said("What each film and sound is, by path.", _by_path(_media())),
            toolchain=_said("The programs that decide the bytes.", {"type": "object"}),
            inputs=_said("Every source, pinned, as in lock.json.", _list(_input())),
        ),
    }


def _file() -> dict[str, Any]:
    return _object(
        path=_path(),
        media_type=_matching(r"^[^\s/]+/[^\s/]+$", 200),
        size_bytes=_count(),
        sha256=_sha256(),
    )


def _media() -> dict[str, Any]:
    return _object(
        duration=_said("Seconds.", _fraction()), picture=_or_null(_picture()),
        sound=_or_null(_sound()),
    )  # fmt: skip


def _picture() -> dict[str, Any]:
    return _object(
        codec=_word(), profile=_word(), pixel_format=_word(),
        width=_count(), height=_count(),
        fps=_said("Frames per second.", _fraction()),
        frames=_count(),
        colour=_said("Primaries, transfer and matrix.", _word()),
        range=_said("tv: 16..235, pc: 0..255.", {"enum": ["tv", "pc"]}),
        frames_sha256=_said("Of the digests of all decoded frames, in sequence.", _sha256()),
    )  # fmt: skip


def _sound() -> dict[str, Any]:
    return _object(
        codec=_word(), sample_rate=_count(), channels=_count(),
        samples=_said("For each channel.", _count()),
        pcm_sha256=_said("Of the mix before the encoder, s16le, interleaved.", _sha256()),
    )  # fmt: skip


def _input() -> dict[str, Any]:
    text = {"type": "string"}
    return _object(
        source=_said("As the spec writes it.", {"type": "string", "minLength": 1}),
        sha256=_sha256(),
        size_bytes=_count(),
        media_type=text,
        provenance=_said(
            "Where the bytes came from, in words.",
            {"type": "object", "additionalProperties": text},
        ),
    )


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of `properties` and nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _by_path(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _path(), "additionalProperties": value}


def _path() -> dict[str, Any]:
    return _matching(f"^{_NAME}(/{_NAME})*$", 500)


def _word() -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": 80}


def _sha256() -> dict[str, Any]:
    return _matching("^[0-9a-f]{64}$", 64)


def _fraction() -> dict[str, Any]:
    return _matching("^(0|[1-9][0-9]*)/[1-9][0-9]*$", 60)


def _count() -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}


def _matching(pattern: str, max_length: int) -> dict[str, Any]:
    """Text of that form. Python's `$` lets one line feed pass; ECMA's does not, nor do we."""
    return {
        "type": "string",
        "maxLength": max_length,
        "pattern": pattern,
        "not": {"pattern": "[\\r\\n]"},
    }


def _said(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}
