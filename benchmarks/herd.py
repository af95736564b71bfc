"""Daemons of one inbox, some paused until others took over, some killed: nothing is done twice.

    python -m benchmarks.herd [8] [20000] [--seed 1] [--root DIR] [--lease 6]

Each daemon is a process. While drops arrive, one at a time is stopped (SIGSTOP) for longer than
its lease and goes on as a zombie (SIGCONT), or is killed and another one starts. Every daemon
keeps a journal of the attempts it started and the bundles it published; in the end the journals,
the receipts and the folders must agree.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.burst import made, serving, spec, wait_for
from daemon.places import Places, claim_of

_LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the journals and the folders say in the end."""

    paused: int
    killed: int
    seconds: float
    starts: int
    again: int
    poisoned: int


@dataclass(slots=True, kw_only=True)
class Herd:
    """The daemons that live, and what was done to them. Made inside an `ExitStack`."""

    folder: Path
    places: Places
    lease_s: float
    stack: ExitStack
    chance: random.Random
    alive: list[subprocess.Popen[bytes]] = field(default_factory=list)
    journals: list[Path] = field(default_factory=list)
    paused: int = 0
    killed: int = 0

    def start(self) -> None:
        """One more daemon."""
        journal = self.folder / f"journal-{len(self.journals)}"
        words = ["--workers", "1", "--lease", str(self.lease_s), "--lasts", "0.02"]
        self.alive.append(self.stack.enter_context(serving(self.places.root, journal, words)))
        self.journals.append(journal)

    def pause(self) -> None:
        """One daemon stands still until the others have taken over what it had, and goes on."""
        sleeper = self.chance.choice(self.alive)
        time.sleep(self.chance.random() / 20)
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(self.lease_s * 2.5)
        sleeper.send_signal(signal.SIGCONT)
        self.paused += 1

    def kill(self) -> None:
        """One daemon dies, and another one comes."""
        victim = self.alive.pop(self.chance.randrange(len(self.alive)))
        time.sleep(self.chance.random() / 20)
        victim.kill()
        self.killed += 1
        self.start()


def main() -> None:
    """Run it in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("daemons", type=int, nargs="?", default=8)
    parser.add_argument("drops", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--root", type=Path, help="A folder on the disk to run on.")
    parser.add_argument("--lease", type=float, default=6.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelkiln-herd-", dir=chosen.root) as folder:
        told = run(Path(folder), chosen.daemons, chosen.drops, chosen.seed, chosen.lease)
    print(
        f"{chosen.daemons} daemons, {chosen.drops} drops, {told.paused} paused and resumed, "
        f"{told.killed} killed, {told.seconds:.0f} s: {told.starts} attempts, {told.again} of them "
        f"after a takeover, {told.poisoned} given up; none claimed twice, none published twice"
    )


def run(
    folder: Path, daemons: int, drops: int, seed: int, lease_s: float, most: int = 10**9
) -> Told:
    """Drop, disturb `most` times, wait for the end and compare. Raises AssertionError."""
    began, places = time.monotonic(), made(folder / "root")
    with ExitStack() as stack:
        herd = Herd(
            folder=folder, places=places, lease_s=lease_s, stack=stack,
            chance=random.Random(seed),
        )  # fmt: skip
        for _ in range(daemons):
            herd.start()
        wait_for(lambda: len(os.listdir(places.own("owners"))) == daemons)
        _drop_all(places, drops)
        deadline = time.monotonic() + _LONGEST_S
        while len(os.listdir(places.receipts)) < drops or os.listdir(places.own("claimed")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(os.listdir(places.receipts))} of {drops} ended")
            if herd.paused + herd.killed < most and len(os.listdir(places.receipts)) < 0.9 * drops:
                herd.kill() if herd.paused > 2 * herd.killed else herd.pause()
            time.sleep(0.05)
        seconds = time.monotonic() - began
        time.sleep(lease_s)  # for what the last zombie may still do
    told = _told(herd, drops, seconds)
    assert told.paused, "too few drops for a zombie"
    return told


def _drop_all(places: Places, drops: int) -> None:
    for number in range(drops):
        part = places.polite / f"{number}.json"
        part.write_bytes(spec(number))
        part.rename(places.inbox / f"film-{number:06d}.json")


def _told(herd: Herd, drops: int, seconds: float) -> Told:
    """Compare what every daemon wrote down with what lies in the folders."""
    said = [
        tuple(line.split()[:2])
        for journal in herd.journals
        if journal.exists()
        for line in journal.read_text().splitlines()
    ]
    claims = [claim for what, word in said if what == "start" and (claim := claim_of(word))]
    attempts = Counter((claim.job_id, claim.attempt) for claim in claims)
    assert set(attempts.values()) <= {1}, "an attempt was claimed by two daemons"
    published = Counter(word for what, word in said if what == "publish")
    assert set(published.values()) <= {1}, "a bundle was published twice"
    receipts = [json.loads(path.read_bytes()) for path in herd.places.receipts.iterdir()]
    names = Counter(receipt["name"] for receipt in receipts)
    assert names == Counter(f"film-{number:06d}.json" for number in range(drops))
    poisoned = [receipt for receipt in receipts if receipt["state"] != "succeeded"]
    assert all((receipt["error"] or {}).get("code") == "poison" for receipt in poisoned)
    _folders_hold(herd, receipts, published)
    again = sum(claim.attempt > 1 for claim in claims)
    return Told(
        paused=herd.paused, killed=herd.killed, seconds=seconds, starts=len(claims), again=again,
        poisoned=len(poisoned),
    )  # fmt: skip


def _folders_hold(herd: Herd, receipts: list[dict[str, object]], published: Counter[str]) -> None:
    places = herd.places
    won = [receipt for receipt in receipts if receipt["state"] == "succeeded"]
    bundles = {path.name for path in places.outbox.iterdir()} - {"receipts"}
    assert {receipt["bundle"] for receipt in won} <= bundles
    assert len({receipt["bundle"] for receipt in won}) == len(won), "two jobs of one bundle"
    unsaid = bundles - set(published)  # a kill may fall between the rename and the journal
    assert len(unsaid) <= herd.killed, unsaid
    assert set(published) <= bundles
    ids = {str(receipt["job_id"]) for receipt in won}
    assert set(os.listdir(places.own("done"))) == ids, "a spec is lost or left over"
    assert os.listdir(places.own("claimed")) == []
    assert not [entry for entry in os.scandir(places.inbox) if entry.is_file()]


if __name__ == "__main__":
    main()
