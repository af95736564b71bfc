import json
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.cli import main
from tests.renderer.spec.broken_documents import BROKEN_DOCUMENTS, Broken


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
