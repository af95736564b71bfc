"""`explain` says what a change will cost, and a render then does just that."""

import json
from pathlib import Path
from typing import Any

from tests.command import reelkiln

SPEC = """
reelkiln: 1
id: reel
output: {{size: 64x36, fps: 10, quality: draft}}
tracks:
  - clips: [{{gradient: [navy, teal], length: 30s}}]
  - clips: [{{text: "{title}", start: 2s, length: 3s}}, {{text: "Second", start: 6s, length: 2s}}]
"""


def explained(folder: Path, title: str) -> list[dict[str, Any]]:
    (folder / "reel.yaml").write_text(SPEC.format(title=title))
    done = reelkiln("explain", folder / "reel.yaml", "--json", store=folder / "store")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["segments"]
    return rows


def render(folder: Path) -> None:
    out = folder / "out"
    done = reelkiln("render", folder / "reel.yaml", "--outbox", out, store=folder / "store")
    assert done.returncode == 0, done.stderr


def test_a_changed_title_runs_only_the_segments_that_show_it(tmp_path: Path) -> None:
    first = explained(tmp_path, "Ada")
    spans = [row["frames"] for row in first]
    assert spans == ["0..20", "20..50", "50..60", "60..80", "80..160", "160..240", "240..300"]
    assert [row["action"] for row in first] == [
        "run", "run", "run", "run", "run", "repeat", "run"
    ]  # fmt: skip
    assert {row["why"] for row in first if row["action"] == "run"} == {"never drawn"}
    render(tmp_path)
    assert {row["action"] for row in explained(tmp_path, "Ada")} == {"reuse", "repeat"}
    again = explained(tmp_path, "Grace")
    assert [row["frames"] for row in again if row["action"] == "run"] == ["20..50"]
    assert again[1]["why"] == "changed: clip tracks[1][0]"


def test_people_read_a_line_for_each_segment(tmp_path: Path) -> None:
    (tmp_path / "reel.yaml").write_text(SPEC.format(title="Ada"))
    done = reelkiln("explain", tmp_path / "reel.yaml", store=tmp_path / "store")
    lines = done.stdout.splitlines()
    assert len(lines) == 7
    assert lines[5].split(maxsplit=4)[1:] == [
        "160..240", "0:16.000", "repeat", "the same picture as an earlier segment"
    ]  # fmt: skip
