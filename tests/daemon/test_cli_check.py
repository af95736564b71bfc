import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.cli import main
from tests.renderer.spec.broken_documents import BROKEN_DOCUMENTS, Broken

pytestmark = pytest.mark.usefixtures("_built_command")


class Ran:
    """How a command ended and what it said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(json.loads(self.out)["errors"])


@pytest.fixture
def reelkiln(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["reelkiln", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as error:
            status = int(error.code or 0)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


def test_there_are_enough_broken_documents() -> None:
    assert len({broken.data for broken in BROKEN_DOCUMENTS}) >= 200


@pytest.mark.parametrize("broken", BROKEN_DOCUMENTS, ids=lambda broken: broken.name)
def test_a_broken_document_is_told_where_and_why(
    broken: Broken, reelkiln: Any, tmp_path: Path
) -> None:
    spec = tmp_path / f"spec.{broken.suffix}"
    spec.write_bytes(broken.data)
    told = reelkiln("check", spec, "--json")
    assert told.status == broken.exit_status
    found = [(e["code"], (e["line"], e["column"])) for e in told.errors]
    assert found == list(zip(broken.codes, broken.places, strict=True))
    for error in told.errors:
        assert error["message"]
        assert error["excerpt"].endswith("^")
    words = reelkiln("check", spec)
    assert words.status == broken.exit_status
    assert words.out == ""
    assert "Traceback" not in words.err
    for line, column in broken.places:
        assert f"{spec}:{line}:{column}  " in words.err


_MANY = "reelkiln: 1\ntracks:\n  - clips: [{text: one}, {text: two}]\n  - clips: [{text: three}]\n"
_DEEP = "reelkiln: 1\nvariables: {a: [[[1]]]}\ntracks: [{clips: [{text: one}]}]\n"
_LONG = "reelkiln: 1\noutput: {size: 640x360, fps: 30, duration: 60s}\ntracks: [{clips: []}]\n"


@pytest.mark.parametrize(
    ("limit", "allowed", "refused", "text", "code", "place"),
    [
        ("max_document_bytes", 200, 20, _MANY, "document-too-large", (None, None)),
        ("max_depth", 6, 4, _DEEP, "too-deep", (2, 18)),
        ("max_nodes", 20, 5, _MANY, "too-many-values", None),
        ("max_tracks", 2, 1, _MANY, "over-limit", (3, 3)),
        ("max_clips", 3, 2, _MANY, "over-limit", (3, 3)),
        ("max_text_characters", 5, 4, _MANY, "over-limit", (4, 20)),
        ("max_duration_s", 60, 59, _LONG, "over-limit", (2, 44)),
        ("max_pixels", 640 * 360, 640 * 360 - 1, _LONG, "over-limit", (2, 16)),
        ("max_fps", 30, 29, _LONG, "over-limit", (2, 30)),
    ],
)
def test_each_limit_is_a_setting_and_its_refusal_names_both(
    limit: str, allowed: int, refused: int, text: str, code: str, place: Any,
    reelkiln: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    spec = tmp_path / "spec.yaml"
    spec.write_text(text)
    setting = f"REELKILN_{limit.upper()}"
    monkeypatch.setenv(setting, str(allowed))
    assert reelkiln("check", spec).status == 0
    monkeypatch.setenv(setting, str(refused))
    told = reelkiln("check", spec, "--json")
    assert told.status == 3
    error = told.errors[0]
    assert error["code"] == code
    assert f"{refused} ({limit}, setting {setting})" in error["message"]
    if place:
        assert (error["line"], error["column"]) == place


def test_a_setting_that_is_no_number_is_a_usage_error(
    reelkiln: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(_MANY)
    monkeypatch.setenv("REELKILN_MAX_TRACKS", "lots")
    told = reelkiln("check", spec, "--json")
    assert told.status == 2
    assert json.loads(told.out)["code"] == "usage"


def test_the_hint_of_a_slip_names_what_was_meant(reelkiln: Any, tmp_path: Path) -> None:
    slips = {
        "{txt: a}": "text", "{image: a, lenght: 1}": "length", "{transition: disolve}": "dissolve",
        "{text: a, style: headlin}": "headline", "{text: a, anchor: botom}": "bottom",
        "{colour: nvy}": "navy", "{text: a, start: aut}": "auto", "{image: a, fit: cvoer}": "cover",
    }  # fmt: skip
    for clip, meant in slips.items():
        spec = tmp_path / "spec.yaml"
        spec.write_text(f"reelkiln: 1\ntracks: [{{clips: [{clip}]}}]\n")
        (error,) = reelkiln("check", spec, "--json").errors
        assert error["hint"] == f'did you mean "{meant}"?', clip


def test_two_kinds_in_one_clip_are_told_as_that(reelkiln: Any, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("reelkiln: 1\ntracks: [{clips: [{text: a, image: b}]}]\n")
    (error,) = reelkiln("check", spec, "--json").errors
    assert error["message"] == '"image" and "text" cannot stand together'
    assert "did you mean" not in error["hint"]


def test_ninety_seconds_may_be_written_as_a_clock_shows_them(
    reelkiln: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("reelkiln: 1\noutput: {duration: 1:30}\ntracks: [{clips: [{text: a}]}]\n")
    monkeypatch.setenv("REELKILN_MAX_DURATION_S", "90")
    assert reelkiln("check", spec).status == 0
    monkeypatch.setenv("REELKILN_MAX_DURATION_S", "89")
    assert reelkiln("check", spec).status == 3


def test_variables_of_the_command_line_are_json_or_else_text(reelkiln: Any, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text('reelkiln: 1\ntracks: [{clips: [{text: a, opacity: "{{o}}"}]}]\n')
    assert reelkiln("check", spec, "--var", "o=0.5").status == 0
    for wrong in ("o=half", "o=NaN", "o=-Infinity", "o=" + "9" * 5000, 'o="0.5"', "o=1e999", "p=1"):
        told = reelkiln("check", spec, "--var", wrong, "--json")
        assert told.status == 3, wrong
        assert told.errors[0]["line"] == 2
    assert reelkiln("check", spec, "--var", "o").status == 2


def test_a_spec_from_standard_input_is_told_the_same(
    reelkiln: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b'{"reelkiln": 1, "tracks": [{"clips": [{"txt": 1}]}]}'))
    monkeypatch.setattr(sys, "stdin", stream)
    told = reelkiln("check", "-", "--json")
    assert told.status == 3
    assert (told.errors[0]["line"], told.errors[0]["column"]) == (1, 40)


def test_schema_prints_the_shipped_schema(reelkiln: Any) -> None:
    for words in (("schema",), ("schema", "spec")):
        told = reelkiln(*words)
        assert told.status == 0
        assert json.loads(told.out)["$id"] == "urn:reelkiln:spec-1"
    assert reelkiln("schema", "spce").status == 2
