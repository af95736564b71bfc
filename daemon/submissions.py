"""How a document that somebody handed over becomes a drop whose job has an id already.

Two steps, each durable before the next: the record `.reelkiln/submitted/<job>.json`, then the
drop `inbox/<job>.json`. Whoever claims the drop gives the job the id and the owner of its record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from daemon.jobs import Job, JobState, Priority, job_from_json
from daemon.ledger import Papers
from daemon.places import Places, claim_of

SUFFIXES = (".json", ".yaml")
_ID = re.compile(r"^[0-9A-Z]{26}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a document before it is claimed; `retry_of` the job that it failed in.

    `waits_for` and `promised` are as in the job.
    """

    kind: str = ""
    spec_digest: str = ""
    retry_of: str = ""
    waits_for: tuple[str, ...] = ()
    promised: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = About()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """The submitted jobs of one root; `new_id` must never give the same ULID twice."""

    papers: Papers
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def submit(
        self, document: bytes, *, suffix: str = ".json", priority: Priority = Priority.NORMAL,
        owner: str = "", world: str = "", job_id: str = "", about: About = NOTHING_KNOWN,
    ) -> Job:  # fmt: skip
        """Put a document into the inbox; the job it becomes, which no crash takes back.

        `job_id` is a ULID that `new_id` gave before, for a caller that had to know it first;
        `about` is what that caller knows of the document.

        Raises ValueError for a suffix that is not in SUFFIXES, OSError when the disk does; then
        there is no job.
        """
        if suffix not in SUFFIXES:
            raise ValueError(f"a submission ends in one of {SUFFIXES}, not in {suffix!r}")
        now, job_id = self.clock(), job_id or self.new_id()
        job = Job(
            job_id=job_id, name=job_id + suffix, state=JobState.QUEUED, priority=priority,
            spec_sha256=sha256(document).hexdigest(), created_at=now, updated_at=now,
            owner=owner, world=world, kind=about.kind, spec_digest=about.spec_digest,
            retry_of=about.retry_of, waits_for=about.waits_for, promised=dict(about.promised),
        )  # fmt: skip
        record = self.papers.places.submitted(job_id)
        self.papers.create(record, {**job.as_json(), "submitted_by": self.papers.owner})
        try:
            self._drop(document, self.papers.places.drops(priority) / job.name)
        except OSError:
            self.papers.fs.unlink(record)
            raise
        return job

    def _drop(self, document: bytes, target: Path) -> None:
        fs, part = self.papers.fs, self.papers.part()
        try:
            fs.write_new(part, document)
            fs.rename_new(part, target)
        except OSError:
            fs.unlink(part)
            raise
        fs.sync_folder(target.parent)


def suffix_of(name: str) -> str:
    """The suffix that a drop of this name has when it is handed in."""
    return ".json" if name.lower().endswith(".json") else ".yaml"


def submitted(papers: Papers, path: Path) -> Job | None:
    """The job that was promised to whoever submitted this drop; None for any other drop.

    A promise is kept once: a file that goes by the name of a job which ended is a new drop.
    """
    places = papers.places
    if path.suffix not in SUFFIXES or not _ID.match(path.stem):
        return None
    record = papers.read(places.submitted(path.stem))
    if record is None or _has_ended(papers, path.stem):
        return None
    return job_from_json(record)


def drops_of(places: Places, job_id: str) -> Iterator[tuple[Path, Priority]]:
    """Where the drop of a submitted job may lie."""
    for priority in Priority:
        for suffix in SUFFIXES:
            yield places.drops(priority) / (job_id + suffix), priority


def promise_kept(papers: Papers, job_id: str) -> None:
    """The promise is kept: its job has a receipt."""
    papers.fs.unlink(papers.places.submitted(job_id))


def sweep_submitted(papers: Papers, is_dead: Callable[[str], bool]) -> None:
    """Remove records of jobs that ended, and those whose submitter died before the drop.

    What lies in the inbox or is claimed is neither, nearly always: only the rest is read.
    """
    fs, places = papers.fs, papers.places
    records = fs.names(places.own("submitted"))
    under_way = _names_under_way(papers) if records else frozenset()
    for name in records:
        job_id = name.removesuffix(".json")
        if job_id in under_way:
            continue
        if _has_ended(papers, job_id) or _was_never_dropped(papers, is_dead, job_id):
            fs.unlink(places.own("submitted") / name)


def _names_under_way(papers: Papers) -> frozenset[str]:
    """Ids of drops and claims, by the names alone."""
    fs, places = papers.fs, papers.places
    drops = (name for priority in Priority for name in fs.names(places.drops(priority)))
    claims = map(claim_of, fs.names(places.own("claimed")))
    return frozenset(name.partition(".")[0] for name in drops) | {
        claim.job_id for claim in claims if claim is not None
    }


def _has_ended(papers: Papers, job_id: str) -> bool:
    return papers.fs.stat(papers.places.receipt(job_id)) is not None


def _was_never_dropped(papers: Papers, is_dead: Callable[[str], bool], job_id: str) -> bool:
    """Whether nobody was ever told of the job: it lies nowhere and never will."""
    record = papers.read(papers.places.submitted(job_id))
    if record is None or not is_dead(str(record.get("submitted_by", ""))):
        return False
    return not (
        _lies_in_inbox(papers, job_id)
        or _is_claimed(papers, job_id)
        or _lies_in_inbox(papers, job_id)  # put back meanwhile
        or _has_ended(papers, job_id)
    )


def _lies_in_inbox(papers: Papers, job_id: str) -> bool:
    return any(papers.fs.stat(path) is not None for path, _ in drops_of(papers.places, job_id))


def _is_claimed(papers: Papers, job_id: str) -> bool:
    claims = map(claim_of, papers.fs.names(papers.places.own("claimed")))
    return any(claim is not None and claim.job_id == job_id for claim in claims)
