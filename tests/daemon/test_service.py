"""`reelkiln serve` from outside: only folders, a process, and signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from renderer.bundle import verify

GOOD = """\
reelkiln: 1
output: {size: 64x36, fps: 10, quality: draft}
tracks: [{clips: [{image: a.png, length: 1s}, {text: "Hello", length: 1s}]}]
"""
BROKEN = "reelkiln: 1\ntracks:\n  - clips:\n      - {imagee: a.png}\n"
SLOW = """\
reelkiln: 1
output: {size: 640x360, fps: 30}
tracks: [{clips: [{image: a.png, length: 20s, motion: zoom-in}]}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    Image.new("RGB", (320, 180), "teal").save(tmp_path / "media" / "a.png")
    (tmp_path / "inbox").mkdir()
    return tmp_path


@contextmanager
def serving(
    root: Path, *words: str, launcher: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    argv = [
        *launcher,
        sys.executable,
        "-m",
        "daemon.entry",
        "serve",
        "--root",
        str(root),
        "--log",
        "json",
        "--port",
        "0",
    ]
    with (root / "serve.log").open("ab") as log:
        child = subprocess.Popen([*argv, *words], stderr=log, stdout=log, start_new_session=True)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait(30)


def until(found: Callable[[], Any], child: subprocess.Popen[bytes], root: Path) -> Any:
    """What `found` gives once it gives something; the test fails when the daemon has died."""
    deadline = time.monotonic() + 60
    while not (result := found()):
        assert child.poll() is None, (root / "serve.log").read_text()
        assert time.monotonic() < deadline, (root / "serve.log").read_text()
        time.sleep(0.05)
    return result


def drop(root: Path, name: str, text: str) -> None:
    part = root / f".{name}.part"
    part.write_text(text)
    part.rename(root / "inbox" / name)


def receipts(root: Path) -> list[dict[str, Any]]:
    found = sorted((root / "outbox" / "receipts").glob("*.json"))
    return [json.loads(path.read_bytes()) for path in found]


def statuses(root: Path) -> list[dict[str, Any]]:
    found = sorted((root / ".reelkiln" / "jobs").glob("*.json"))
    return [json.loads(path.read_bytes()) for path in found]


def test_a_dropped_spec_becomes_a_bundle_and_a_broken_one_a_positioned_error(root: Path) -> None:
    with serving(root) as child:
        drop(root, "good.yaml", GOOD)
        drop(root, "broken.yaml", BROKEN)
        until(lambda: len(receipts(root)) == 2, child, root)
        error = root / "inbox" / "rejected" / "broken.yaml.error.json"
        told = json.loads(until(error.is_file, child, root) and error.read_bytes())
    good = next(r for r in receipts(root) if r["name"] == "good.yaml")
    assert good["state"] == "succeeded"
    manifest = verify(root / "outbox" / good["bundle"])
    assert manifest.bundle_digest == good["bundle_digest"]
    (fault,) = told["errors"]
    assert (fault["line"], fault["column"], fault["pointer"]) == (4, 10, "/tracks/0/clips/0/imagee")
    assert "image" in fault["hint"]
    assert (root / "inbox" / "rejected" / "broken.yaml").read_text() == BROKEN
    assert [path.name for path in (root / "inbox").iterdir() if path.is_file()] == []
    assert child.returncode == 0


def test_every_error_file_has_the_documented_fields_whoever_refused(root: Path) -> None:
    with serving(root) as child:
        drop(root, "broken.yaml", BROKEN)  # refused by the render's own checks
        (root / "inbox" / "link.yaml").symlink_to(root / "media" / "a.png")  # never read at all
        until(lambda: len(receipts(root)) == 2, child, root)
        folder = root / "inbox" / "rejected"
        until(lambda: len(list(folder.glob("*.error.json"))) == 2, child, root)
    wanted = {"code", "message", "errors", "stderr", "attempts", "spec_sha256", "version", "job_id"}
    for path in folder.glob("*.error.json"):
        told = json.loads(path.read_bytes())
        assert wanted <= told.keys()
        assert all(fault["line"] and fault["column"] for fault in told["errors"])


def test_a_raised_limit_of_the_document_holds_for_the_daemon_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELKILN_MAX_DOCUMENT_BYTES", "2000000")
    with serving(root) as child:
        drop(root, "long.yaml", GOOD + "# " + "x" * 1_200_000 + "\n")
        until(lambda: receipts(root), child, root)
    assert [r["state"] for r in receipts(root)] == ["succeeded"]


def test_the_same_spec_twice_is_one_bundle_and_two_receipts(root: Path) -> None:
    with serving(root) as child:
        drop(root, "good.yaml", GOOD)
        until(lambda: len(receipts(root)) == 1, child, root)
        drop(root, "good.yaml", GOOD)
        until(lambda: len(receipts(root)) == 2, child, root)
    first, second = receipts(root)
    assert first["bundle"] == second["bundle"]
    bundles = [path for path in (root / "outbox").iterdir() if path.name not in ("receipts",)]
    assert [path.name for path in bundles if not path.name.startswith(".")] == [first["bundle"]]


def test_a_cancel_file_ends_a_running_job(root: Path) -> None:
    with serving(root) as child:
        drop(root, "slow.yaml", SLOW)
        until(lambda: [s for s in statuses(root) if s["state"] == "running"], child, root)
        (root / "inbox" / "slow.yaml.cancel").touch()
        until(lambda: receipts(root), child, root)
    assert [r["state"] for r in receipts(root)] == ["cancelled"]
    assert not (root / "inbox" / "slow.yaml.cancel").exists()


def test_kill_9_loses_nothing_and_the_next_daemon_goes_on(root: Path) -> None:
    with serving(root) as child:
        drop(root, "slow.yaml", SLOW.replace("20s", "4s"))
        until(lambda: [s for s in statuses(root) if s["progress"]["frames_done"]], child, root)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert receipts(root) == []
    with serving(root) as child:
        until(lambda: receipts(root), child, root)
    (receipt,) = receipts(root)
    assert (receipt["state"], receipt["attempt"]) == ("succeeded", 2)
    verify(root / "outbox" / receipt["bundle"])


def test_sigterm_gives_the_job_back_without_using_up_an_attempt(root: Path) -> None:
    with serving(root) as child:
        drop(root, "slow.yaml", SLOW)
        until(lambda: [s for s in statuses(root) if s["state"] == "running"], child, root)
    assert child.returncode == 0
    (status,) = statuses(root)
    assert (status["state"], status["attempt"]) == ("queued", 0)
    assert list((root / ".reelkiln" / "work").iterdir()) == []


def test_two_daemons_share_an_inbox(root: Path) -> None:
    with serving(root) as one, serving(root) as two:
        for number in range(6):
            drop(root, f"{number}.yaml", GOOD.replace("Hello", f"Hello {number}"))
        until(lambda: len(receipts(root)) == 6, one, root)
        assert two.poll() is None
    assert sorted(r["name"] for r in receipts(root)) == [f"{n}.yaml" for n in range(6)]
    assert len({r["bundle"] for r in receipts(root)}) == 6


def test_an_inbox_that_was_removed_is_made_again(root: Path) -> None:
    with serving(root) as child:
        until(lambda: (root / "inbox" / "rejected").is_dir(), child, root)
        shutil.rmtree(root / "inbox")
        until(lambda: (root / "inbox" / "rejected").is_dir(), child, root)
        drop(root, "good.yaml", GOOD)
        until(lambda: receipts(root), child, root)
    assert [r["state"] for r in receipts(root)] == ["succeeded"]


def test_a_job_that_needs_a_missing_source_fails_beside_its_reason(root: Path) -> None:
    with serving(root) as child:
        drop(root, "lost.json", json.dumps({
            "reelkiln": 1, "tracks": [{"clips": [{"image": "b.png", "length": "1s"}]}],
        }))  # fmt: skip
        lost = root / "inbox" / "failed" / "lost.json"
        until(lost.exists, child, root)
        told = json.loads(lost.with_name("lost.json.error.json").read_bytes())
        assert told["errors"][0]["code"] == "source-missing"
        shutil.copy(root / "media" / "a.png", root / "media" / "b.png")
        lost.rename(root / "inbox" / "lost.json")  # retry by hand: the file moves back
        until(lambda: len(receipts(root)) == 2, child, root)
    assert sorted(r["state"] for r in receipts(root)) == ["failed", "succeeded"]
