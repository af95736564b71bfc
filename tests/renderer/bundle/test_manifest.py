from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from renderer.bundle import BundleContents
from renderer.bundle.manifest import manifest_from_bytes, manifest_from_json, path_faults
from renderer.bundle.manifest_schema import manifest_schema
from renderer.errors import VerifyMismatch

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "manifest-1.schema.json"


def test_a_sealed_manifest_keeps_the_published_schema(sealed: Path) -> None:
    schema = json.loads(SCHEMA_FILE.read_bytes())
    Draft202012Validator(schema).validate(json.loads((sealed / "manifest.json").read_bytes()))


def test_a_manifest_comes_back_as_it_was(contents: BundleContents) -> None:
    assert manifest_from_bytes(contents.manifest.as_bytes) == contents.manifest


def test_other_forms_of_the_same_words_are_refused(contents: BundleContents) -> None:
    data = contents.manifest.as_bytes
    for other in (data + b"\n", json.dumps(json.loads(data), indent=1).encode()):
        with pytest.raises(VerifyMismatch, match="canonical form"):
            manifest_from_bytes(other)


@pytest.mark.parametrize("key", sorted(manifest_schema()["properties"]))
def test_every_part_is_needed(contents: BundleContents, key: str) -> None:
    document = contents.manifest.as_json()
    del document[key]
    with pytest.raises(VerifyMismatch, match=key):
        manifest_from_json(document)


@pytest.mark.parametrize(
    "name", ["../up", "/etc/x", "a//b", "a b", "-rf", ".hidden", "a\n", "é", "a/../b", ""]
)
def test_names_that_could_lead_elsewhere_are_refused(contents: BundleContents, name: str) -> None:
    document = json.loads(contents.manifest.as_bytes)
    document["files"][0]["path"] = name
    with pytest.raises(VerifyMismatch, match=r"files\[0\]\.path"):
        manifest_from_json(document)


@pytest.mark.parametrize(
    "names", [["a", "A"], ["a", "a/b"], ["Manifest.json"], ["bundle.ZIP/x"], ["a/b", "A"]]
)
def test_names_that_cannot_stand_side_by_side_are_faults(names: list[str]) -> None:
    assert list(path_faults(names))


@given(st.sets(st.from_regex(r"[a-z]{1,9}\.[a-z]{3}", fullmatch=True)))
def test_plain_names_are_no_fault(names: set[str]) -> None:
    assert list(path_faults(names)) == []
