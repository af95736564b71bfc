"""What clients are told at the end: receipts, and error files beside the specs they are about."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.error_files import SUFFIX, error_document
from daemon.fs import is_same_file, move_new
from daemon.jobs import Job
from daemon.ledger import Papers
from daemon.places import Claim
from daemon.records import job_or_none

_NAME_BYTES = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Receipts and error files. A receipt is the moment at which the end of a job is decided."""

    papers: Papers

    def receipt(self, job_id: str) -> Job | None:
        """The job as its receipt has it, or None while nothing is decided."""
        return job_or_none(self.papers.fs, self.papers.places.receipt(job_id))

    def decide(self, ended: Job, claim: Claim) -> Job:
        """Write the receipt unless there is one; what the receipt says, which may differ.

        Raises Overtaken when the claim is gone.
        """
        self.papers.create(self.papers.places.receipt(ended.job_id), ended.as_json(), claim)
        return self.receipt(ended.job_id) or ended

    def explain(self, job: Job, folder: Path, claim: Claim) -> Path:
        """Write the error file of a job; where its spec belongs. Safe to repeat.

        Raises Overtaken when the claim is gone.
        """
        error, lies = job.error or {}, self.papers.places.claimed(claim)
        document = error_document(job, error, error.get("stderr", ()))
        for target in places_for(folder, job.name, job.job_id):
            is_taken = self.papers.fs.stat(target) is not None
            if is_taken and not is_same_file(self.papers.fs, lies, target):
                continue
            error_file = target.with_name(target.name + SUFFIX)
            is_new = self.papers.create(error_file, document, claim)
            if is_new or self._is_of(error_file, job.job_id):
                return target
        raise FileExistsError(f"{folder}: every name for {job.name!r} is taken")

    def _is_of(self, path: Path, job_id: str) -> bool:
        data: Mapping[str, Any] = self.papers.read(path) or {}
        return data.get("job_id") == job_id


def places_for(folder: Path, name: str, job_id: str) -> Iterator[Path]:
    """Where a spec may go, best first: its own name, then one that nobody else uses."""
    if len(os.fsencode(name + SUFFIX)) <= _NAME_BYTES:
        yield folder / name
    stem, dot, extension = name.rpartition(".")
    ending = f".{job_id}{dot}{extension}" if stem and len(extension) <= 8 else f".{job_id}"
    room = _NAME_BYTES - len(os.fsencode(ending + SUFFIX))
    yield folder / (os.fsdecode(os.fsencode(stem or name)[:room]) + ending)


def set_aside(papers: Papers, old: Path, folder: Path, job: Job) -> Path:
    """Move a spec into a folder under the first name that is free. Raises FileNotFoundError."""
    for target in places_for(folder, job.name, job.job_id):
        try:
            move_new(papers.fs, old, target)
        except FileExistsError:
            continue
        return target
    raise FileExistsError(f"{folder}: every name for {job.name!r} is taken")
