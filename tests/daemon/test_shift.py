"""A job from claim to end with a real render: what is published, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from daemon import worker
from daemon.fs import RealFs
from daemon.inbox import Claimed, Inbox
from daemon.jobs import JobState, Priority
from daemon.owners import Owners
from daemon.places import UNOWNED, Places
from daemon.shift import Shift
from renderer.bundle import verify

SPEC = {
    "reelkiln": 1,
    "id": "t",
    "output": {"size": "64x36", "fps": 10, "quality": "draft"},
    "tracks": [{"clips": [{"colour": "navy", "length": "0.5s"}]}],
}
DIES_AT = """
import os, signal, sys, threading
from pathlib import Path
import daemon.worker
from daemon.service import ServeSettings, Service

take = daemon.worker.Talk._take

def deadly(self, said):
    if said["event"] == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    take(self, said)

daemon.worker.Talk._take = deadly
Service(ServeSettings(root=Path(sys.argv[1]), jobs=1)).run()
"""


class Works:
    """One daemon's inbox and shift over real folders."""

    def __init__(self, root: Path, owner: str, numbers: count[int]) -> None:
        self.places, self.fs = Places(root), RealFs()
        for folder in self.places.folders():
            self.fs.make_folder(folder)
        self.inbox = Inbox(
            self.fs, self.places, owner, time.time,
            lambda: f"{next(numbers):026d}", lambda: f"n{next(numbers)}",
        )  # fmt: skip
        self.draining = threading.Event()
        self.shift = Shift(
            inbox=self.inbox, places=self.places, clock=time.time, draining=self.draining,
            changed=lambda job_id: None, held=lambda why: pytest.fail(why), well=lambda: None,
        )  # fmt: skip

    def claim(self, name: str = "a.json") -> Claimed:
        path = self.places.inbox / name
        path.write_text(json.dumps(SPEC))
        claimed = self.inbox.claim(path, path.stat(), Priority.NORMAL)
        assert claimed is not None
        return claimed

    @property
    def bundles(self) -> list[str]:
        return [p.name for p in self.places.outbox.iterdir() if p.name != "receipts"]

    @property
    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(p.read_bytes()) for p in sorted(self.places.receipts.iterdir())]


@pytest.fixture
def works(tmp_path: Path) -> Works:
    return Works(tmp_path, "d1", count(1))


def test_the_record_names_the_bundle_before_anybody_can_see_it(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce, seen = Inbox.announce, []

    def looked(self: Inbox, *arguments: Any, **named: Any) -> Claimed | None:
        told = announce(self, *arguments, **named)
        seen.append((works.bundles, self.ledger.read(told.job.job_id) if told else None))
        return told

    monkeypatch.setattr(Inbox, "announce", looked)
    works.shift.work(works.claim())
    ((before, job),) = seen
    (receipt,) = works.receipts
    assert [name for name in before if not name.startswith(".")] == []
    assert job is not None
    assert (job.bundle, job.bundle_digest) == (receipt["bundle"], receipt["bundle_digest"])
    assert (job.spec_id, job.kind) == (receipt["spec_id"], receipt["kind"]) == ("t", "video")
    assert works.bundles == [job.bundle]
    assert verify(works.places.outbox / job.bundle).bundle_digest == job.bundle_digest


def test_a_cancel_before_the_leave_publishes_nothing(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = Inbox.announce

    def cancelled(self: Inbox, *arguments: Any, **named: Any) -> Claimed | None:
        (works.places.inbox / "a.json.cancel").touch()
        return announce(self, *arguments, **named)

    monkeypatch.setattr(Inbox, "announce", cancelled)
    works.shift.work(works.claim())
    assert [receipt["state"] for receipt in works.receipts] == ["cancelled"]
    assert works.bundles == []


def test_a_cancel_after_the_leave_is_too_late(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = Inbox.announce

    def too_late(self: Inbox, *arguments: Any, **named: Any) -> Claimed | None:
        told = announce(self, *arguments, **named)
        (works.places.inbox / "a.json.cancel").touch()
        works.draining.set()
        return told

    monkeypatch.setattr(Inbox, "announce", too_late)
    works.shift.work(works.claim())
    (receipt,) = works.receipts
    assert receipt["state"] == "succeeded"
    assert works.bundles == [receipt["bundle"]]
    assert not (works.places.inbox / "a.json.cancel").exists()


def test_a_job_that_was_taken_over_publishes_nothing(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = Inbox.announce

    def overtaken(self: Inbox, claimed: Claimed, *more: Any, **named: Any) -> Claimed | None:
        self.release(claimed.claim)  # as a daemon does that thinks us dead
        return announce(self, claimed, *more, **named)

    monkeypatch.setattr(Inbox, "announce", overtaken)
    works.shift.work(works.claim())
    assert works.receipts == []
    assert works.bundles == []
    assert [claim.owner for claim in works.inbox.claims()] == [UNOWNED]


def test_a_bundle_that_is_there_is_told_whatever_became_of_its_render(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = worker.Talk._take

    def deaf(self: Any, said: Any) -> None:
        if said["event"] != "result":
            take(self, said)

    monkeypatch.setattr(worker.Talk, "_take", deaf)
    works.shift.work(works.claim())
    assert [receipt["state"] for receipt in works.receipts] == ["succeeded"]


@pytest.mark.parametrize(("moment", "renders"), [("result", 1), ("publishing", 2)])
def test_a_daemon_killed_around_publishing_is_followed_by_a_receipt(
    moment: str, renders: int, tmp_path: Path
) -> None:
    works = Works(tmp_path, "d1", count(1))
    (works.places.inbox / "a.json").write_text(json.dumps(SPEC))
    argv = [sys.executable, "-c", DIES_AT, str(tmp_path), moment]
    house = str(Path(__file__).parents[2])
    killed = subprocess.run(
        argv, env={**os.environ, "PYTHONPATH": house}, timeout=60, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert works.receipts == []
    published = [name for name in works.bundles if not name.startswith(".")]
    assert len(published) == (renders == 1)
    (claim,) = works.inbox.claims()
    assert Owners(papers=works.inbox.papers, monotonic=time.monotonic).is_dead(claim.owner)
    works.inbox.release(claim)
    (free,) = works.inbox.waiting()
    again = works.inbox.take(free)
    assert (again is None) == (renders == 1), "rendered again though the bundle is there"
    if again is not None:
        works.shift.work(again)
    (receipt,) = works.receipts
    assert (receipt["state"], receipt["attempt"]) == (JobState.SUCCEEDED, 2)
    assert (receipt["spec_id"], receipt["kind"]) == ("t", "video")
    assert verify(works.places.outbox / receipt["bundle"])
    assert [name for name in works.bundles if not name.startswith(".")] == [receipt["bundle"]]
