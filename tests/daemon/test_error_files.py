import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.error_files import STDERR_LINES, error_document
from daemon.jobs import Job, JobState
from renderer.errors import CommandFailed, Fault, Position, SpecInvalid

FAULT = Fault(
    code="wrong-type",
    message="expected text, got 5",
    path=("tracks", 0),
    hint="put it in quotes",
    position=Position(line=3, column=7),
    excerpt="text: 5\n      ^",
)
HOSTILE = [
    "a\nb.json",
    "-rf.json",
    "..json",
    "caf\u00e9.json",
    "\udcff\udcfe.json",
    "\u202egpj.json",
    "x" * 250 + ".json",
    "\u00e9" * 125 + ".json",
    '"; rm -rf ~; ".json',
    "$(id).yaml",
    "<script>.json",
    "\t\x01\x7f.yml",
    "\udce2\udc82.json",
    ".json",
    " .json",
]


def job(name: str = "a.json") -> Job:
    return Job(job_id="0" * 26, name=name, state=JobState.FAILED, attempt=2, spec_sha256="ab" * 32)


def parsed(content: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(content))
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair
    return document


def test_a_rejected_spec_says_what_is_wrong_where_and_what_to_do() -> None:
    document = parsed(error_document(job(), SpecInvalid([FAULT], document="a.json").as_json(), ()))
    assert document["code"] == "spec-invalid"
    assert document["errors"] == [
        {
            "pointer": "/tracks/0",
            "line": 3,
            "column": 7,
            "code": "wrong-type",
            "message": "expected text, got 5",
            "hint": "put it in quotes",
            "excerpt": "text: 5\n      ^",
        }
    ]
    assert document["spec_sha256"] == "ab" * 32
    assert (document["attempts"], document["name"], document["job_id"]) == (2, "a.json", "0" * 26)
    assert "version" in document


def test_what_concerns_the_whole_file_stands_at_its_beginning() -> None:
    error = SpecInvalid([Fault(code="document-too-large", message="too large")])
    (fault,) = error_document(job(), error.as_json(), ())["errors"]
    assert (fault["line"], fault["column"]) == (1, 1)


def test_the_last_words_are_those_of_ffmpeg_and_then_of_the_process() -> None:
    error = CommandFailed("no", status=1, tail="\n".join(f"f{n}" for n in range(20)))
    said = [f"p{n}" for n in range(100)]
    document = error_document(job(), error.as_json(), said)
    assert document["stderr"] == said[-STDERR_LINES:]
    assert error_document(job(), error.as_json(), ["p"])["stderr"][-2:] == ["f19", "p"]
    assert "tail" not in document


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_any_name_can_be_told_and_its_bytes_recovered(name: str) -> None:
    document = parsed(error_document(job(name), SpecInvalid([FAULT]).as_json(), ()))
    if "name_base64" in document:
        import base64

        assert base64.b64decode(document["name_base64"]) == os.fsencode(name)
        assert "\ufffd" in document["name"]
    else:
        assert document["name"] == name


@given(st.text(st.characters(categories=("L", "Cs", "Cc")), max_size=20))
def test_any_text_of_an_error_becomes_json_that_strict_readers_take(text: str) -> None:
    error = {"code": "x", "message": text, "hint": None, "errors": [{"message": text}]}
    parsed(error_document(job(), error, (text,)))
