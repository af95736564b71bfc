"""Texts that others made for breaking readers; tests/data/README.md says who."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_DATA = Path(__file__).parent.parent / "data"


class YamlCase(NamedTuple):
    """A text of the yaml-test-suite: to be refused, or with the JSON of its documents."""

    text: bytes
    must_fail: bool
    json: str | None


@cache
def json_test_suite() -> dict[str, bytes]:
    """The 318 texts of JSONTestSuite: y_ must be taken, n_ refused, of i_ opinions differ."""
    return {name: _bytes_of(told) for name, told in _read("json_test_suite").items()}


@cache
def yaml_test_suite() -> dict[str, YamlCase]:
    """The 402 texts of the yaml-test-suite; 94 are no YAML."""
    return {
        name: YamlCase(case["yaml"].encode(), "fail" in case, case.get("json"))
        for name, case in _read("yaml_test_suite").items()
    }


@cache
def naughty_strings() -> tuple[str, ...]:
    """The big list of naughty strings."""
    return tuple(_read("naughty_strings"))


def _bytes_of(told: Any) -> bytes:
    """Each character stands for one byte; the two long texts are told by what they repeat."""
    text = told if isinstance(told, str) else told["repeat"] * told["times"] + told["end"]
    return str(text).encode("latin-1")


def _read(name: str) -> Any:
    return json.loads((_DATA / f"{name}.json").read_bytes())
