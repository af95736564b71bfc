"""`reelkiln worlds`: from files into the catalog, and back as a list."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import reelkiln

NORTH = {
    "world": "north", "title": "The north",
    "claims": ["c1", {"id": "c2", "title": "It is lit"}], "entities": ["e1"],
}  # fmt: skip


def test_a_world_is_imported_again_and_again_and_listed(tmp_path: Path) -> None:
    file, root = tmp_path / "north.json", tmp_path / "root"
    file.write_text(json.dumps(NORTH))
    told = reelkiln("worlds", "import", file, "--root", root, "--json", store=tmp_path / "s")
    assert json.loads(told.stdout) == {"world": "north", "things": 3}, told.stderr
    file.write_text(json.dumps({**NORTH, "title": "Up there"}))
    told = reelkiln("worlds", "import", file, "--root", root, store=tmp_path / "s")
    assert told.stdout == "north: 3 things\n"
    told = reelkiln("worlds", "list", "--root", root, store=tmp_path / "s")
    assert told.stdout == "north\t3\tUp there\n"
    told = reelkiln(
        "worlds", "list", "--root", root, "--owner", "ada", "--json", store=tmp_path / "s"
    )
    assert json.loads(told.stdout) == {"worlds": []}


def test_a_file_that_is_no_world_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "north.json"
    missing = reelkiln("worlds", "import", file, "--root", tmp_path, store=tmp_path / "s")
    assert missing.returncode == 2
    assert "cannot be read" in missing.stderr
    for text, words in (("{", "JSON"), ('{"world": "n", "claimz": []}', "claimz")):
        file.write_text(text)
        told = reelkiln("worlds", "import", file, "--root", tmp_path, store=tmp_path / "s")
        assert told.returncode == 2, told
        assert words in told.stderr
        assert told.stdout == ""
