"""Where everything lies below the root of a daemon, and how claims are named. Pure.

inbox/  inbox/high/  inbox/low/      drops; `inbox/.tmp/` for polite clients
inbox/rejected/  inbox/failed/       refused and dead letters, each beside its .error.json
outbox/<bundle>/                     finished bundles; outbox/receipts/<job>.json
.reelkiln/claimed/<priority>.<job>.<owner>.a<attempt>     claims: the only mutual exclusion
.reelkiln/jobs/<job>.json            status documents
.reelkiln/submitted/<job>.json       jobs promised over HTTP whose drop waits in the inbox
.reelkiln/owners/<owner>.json        heartbeats
.reelkiln/intents/<claim>            what is about to be claimed, and under which name it lay
.reelkiln/parts/<owner>.<nonce>      files being written
.reelkiln/cancel/<job>               wishes to cancel
.reelkiln/work/<job>.a<attempt>.<nonce>/                  private
.reelkiln/done/<job>                 spec bytes of finished jobs
.reelkiln/store/                     segments and pins
.reelkiln/assets/                    bytes of assets; incoming/ and manifests/ while in use
.reelkiln/quarantine/  trash/        set aside; to be removed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from daemon.jobs import Priority

_CLAIM = re.compile(r"^(high|normal|low)\.([0-9A-Z]{26})\.([a-z0-9-]{1,60})\.a([0-9]{1,6})$")
UNOWNED = "none"
"""The owner of a claim that was given back: anyone may take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed drop, by the name it has under `claimed/`."""

    job_id: str
    owner: str
    attempt: int
    priority: Priority = Priority.NORMAL

    @property
    def file_name(self) -> str:
        """At most 110 bytes of plain ASCII, whatever the drop was called."""
        return f"{self.priority}.{self.job_id}.{self.owner}.a{self.attempt}"


def claim_of(file_name: str) -> Claim | None:
    """The claim of that name, or None for a stranger."""
    found = _CLAIM.match(file_name)
    if found is None:
        return None
    priority, job_id, owner, attempt = found.groups()
    return Claim(job_id=job_id, owner=owner, attempt=int(attempt), priority=Priority(priority))


@cache
def _own(root: Path, name: str) -> Path:
    return root / ".reelkiln" / name


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one root, all on one file system."""

    root: Path

    @property
    def inbox(self) -> Path:
        """Where clients drop specs."""
        return self.root / "inbox"

    @property
    def rejected(self) -> Path:
        """Specs that will never run, each beside its .error.json."""
        return self.inbox / "rejected"

    @property
    def failed(self) -> Path:
        """Jobs that ran and did not succeed, each beside its .error.json."""
        return self.inbox / "failed"

    @property
    def polite(self) -> Path:
        """Where a client may write before it renames into the inbox."""
        return self.inbox / ".tmp"

    @property
    def outbox(self) -> Path:
        """Finished bundles."""
        return self.root / "outbox"

    @property
    def receipts(self) -> Path:
        """One receipt for each ended job."""
        return self.outbox / "receipts"

    @property
    def state(self) -> Path:
        """What is the daemon's own."""
        return self.root / ".reelkiln"

    def own(self, name: str) -> Path:
        """A folder of the daemon, by the name it has in `folders`."""
        return _own(self.root, name)

    def claimed(self, claim: Claim) -> Path:
        """Where a claimed drop lies."""
        return self.own("claimed") / claim.file_name

    def intent(self, claim: Claim) -> Path:
        """Where the daemon notes what it is about to claim."""
        return self.own("intents") / claim.file_name

    def part(self, owner: str, nonce: str) -> Path:
        """A file that `owner` is writing; it gets its name when it is whole."""
        return self.own("parts") / f"{owner}.{nonce}"

    def heartbeat(self, owner: str) -> Path:
        """The sign of life of a daemon."""
        return self.own("owners") / f"{owner}.json"

    def drops(self, priority: Priority) -> Path:
        """The folder of the inbox that drops of this priority lie in."""
        return self.inbox if priority is Priority.NORMAL else self.inbox / priority

    def status(self, job_id: str) -> Path:
        """The status document of a job."""
        return self.own("jobs") / f"{job_id}.json"

    def submitted(self, job_id: str) -> Path:
        """The record of a job that was promised before its drop was claimed."""
        return self.own("submitted") / f"{job_id}.json"

    def receipt(self, job_id: str) -> Path:
        """The receipt of a job."""
        return self.receipts / f"{job_id}.json"

    def folders(self) -> tuple[Path, ...]:
        """Every folder that must exist before the first scan, parents first."""
        by_priority = (self.inbox / Priority.HIGH, self.inbox / Priority.LOW)
        shared = (self.inbox, *by_priority, self.polite, self.rejected, self.failed)
        own = (
            "claimed", "jobs", "submitted", "owners", "intents", "parts", "cancel", "work", "done",
            "store", "quarantine", "trash",
        )  # fmt: skip
        return (*shared, self.outbox, self.receipts, self.state, *map(self.own, own))
