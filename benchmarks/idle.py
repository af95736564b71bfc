"""A daemon like any other whose renderer costs nothing: its outcome is a bundle of two files.

    python -m benchmarks.idle ROOT --journal FILE [--workers 2] [--no-events] [--lease 30]

Every start of an attempt and every publish is a line of the journal, which this process alone
appends to; when the daemon has ended, its last line says how much memory it took at most.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from daemon.child.hearing import Publishing
from daemon.child.job_request import JobRequest
from daemon.fs import RealFs, move_new
from daemon.jobs import Progress
from daemon.logs import LogForm, set_up_logs
from daemon.outcomes import Ended, Outcome
from daemon.places import Places, claim_of
from daemon.promises.contract import Needs, Supply
from daemon.service import ServeSettings, Service


class Journal:
    """Lines of what this process did, each in the file before the next step is taken."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def say(self, what: str, word: str) -> None:
        """Append a line; one write of a line is whole, whatever ends the process."""
        os.write(self._descriptor, f"{what} {word} {time.monotonic():.6f}\n".encode())


@dataclass(frozen=True, slots=True)
class Idle:
    """A runner that draws nothing and publishes as a render does: by one no-replace rename."""

    journal: Journal
    places: Places
    fs: RealFs
    lasts_s: float = 0.0  # before and after the last look whether the attempt is still wanted

    def __call__(
        self,
        request: JobRequest,
        *,
        on_progress: Callable[[Progress], None],
        supply: Callable[[Needs], Supply | None],
        may_publish: Callable[[Publishing], bool],
        should_stop: Callable[[], bool],
    ) -> Outcome:
        """The smallest honest attempt."""
        self.journal.say("start", request.spec.name)
        claim = claim_of(request.spec.name)
        assert claim is not None
        try:
            digest = sha256(request.spec.read_bytes()).hexdigest()
        except FileNotFoundError:
            return Outcome(ended=Ended.STOPPED)  # taken over before the first look
        manifest = json.dumps({"spec": digest}).encode()
        manifest_digest = sha256(manifest).hexdigest()
        name = f"{claim.job_id}.a{claim.attempt}.{secrets.token_hex(8)}"
        built, bundle = self.places.own("work") / name, self.places.outbox / f"idle-{digest[:32]}"
        try:
            self._build(built, manifest)
        except FileNotFoundError:
            return Outcome(ended=Ended.STOPPED)  # taken over, and the folder cleared away
        time.sleep(self.lasts_s / 2)
        try:
            coming = Publishing(
                bundle=bundle.name, bundle_digest=manifest_digest, spec_id="idle", kind="video"
            )
            if should_stop() or not may_publish(coming):
                self._discard(built)
                return Outcome(ended=Ended.STOPPED)
            time.sleep(self.lasts_s / 2)
            self._publish(built, bundle)
        except FileNotFoundError:
            return Outcome(ended=Ended.STOPPED)
        return Outcome(
            ended=Ended.SUCCEEDED, bundle=bundle, bundle_digest=manifest_digest,
            spec_id="idle", kind="video",
        )  # fmt: skip

    def _build(self, built: Path, manifest: bytes) -> None:
        self.fs.make_folder(built)
        self.fs.write_new(built / "video.mp4", b"")
        self.fs.write_new(built / "manifest.json", manifest)
        self.fs.sync_folder(built)

    def _publish(self, built: Path, bundle: Path) -> None:
        try:
            move_new(self.fs, built, bundle)
        except FileExistsError:
            self._discard(built)
            self.journal.say("found", bundle.name)
        else:
            self.journal.say("publish", bundle.name)

    def _discard(self, built: Path) -> None:
        move_new(self.fs, built, self.places.own("trash") / built.name)


def serve(settings: ServeSettings, journal: Journal, lasts_s: float) -> None:
    """A daemon until SIGTERM."""
    places = Places(settings.root.absolute())
    service = Service(settings, runner=Idle(journal, places, RealFs(), lasts_s))
    signal.signal(signal.SIGTERM, lambda number, frame: service.stop())
    journal.say("serve", str(os.getpid()))
    service.run()
    journal.say("memory_kb", most_memory_kb())


def most_memory_kb() -> str:
    """The most that this program held; what getrusage tells counts its parent's before exec."""
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-events", action="store_true")
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--lasts", type=float, default=0.0, help="Seconds of an attempt.")
    chosen = parser.parse_args()
    set_up_logs(LogForm.JSON)
    settings = ServeSettings(
        root=chosen.root, workers=chosen.workers, events=not chosen.no_events,
        lease_s=chosen.lease, beat_s=min(5.0, chosen.lease / 6),
    )  # fmt: skip
    serve(settings, Journal(chosen.journal), chosen.lasts)


if __name__ == "__main__":
    main()
