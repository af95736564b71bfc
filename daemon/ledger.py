"""Documents of the daemon: written beside, then given their name at once, whole or not at all.

A document about a job is fenced by the claim of whoever writes it: the bytes are written, the claim
is looked for, the name is given, in this order. Whoever takes a job over renames the claim and then
sweeps what others were writing about the job, so that a daemon which slept through it either misses
its claim or misses its bytes, and never overwrites what came after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daemon.fs import Fs
from daemon.jobs import Job
from daemon.places import Claim, Places
from daemon.records import job_or_none

_LIMIT = 16 * 1024 * 1024
_encoded = json.JSONEncoder(sort_keys=True).encode


class Overtaken(Exception):
    """The claim is another's by now: nothing was written, and whoever is told this stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Reads and writes JSON documents; `nonce` must never give the same word twice."""

    fs: Fs
    places: Places
    owner: str
    nonce: Callable[[], str]

    def read(self, path: Path) -> Mapping[str, Any] | None:
        """The document, or None when there is none or it is not a JSON object."""
        try:
            data = json.loads(self.fs.read(path, _LIMIT))
        except (FileNotFoundError, ValueError):
            return None
        return data if isinstance(data, dict) else None

    def replace(self, path: Path, document: Mapping[str, Any], claim: Claim | None = None) -> None:
        """Give `path` a new document; readers see the old one or the new one. Durable.

        Raises Overtaken when it was to be written by the holder of a claim that is gone.
        """
        self.replace_soon(path, document, claim)
        self.fs.sync_folder(path.parent)

    def replace_soon(
        self, path: Path, document: Mapping[str, Any], claim: Claim | None = None
    ) -> None:
        """As `replace`, but when the power goes the old document may come back, whole."""
        self._put(path, document, self.fs.rename, claim)

    def replace_loosely(self, path: Path, document: Mapping[str, Any]) -> None:
        """As `replace`, but when the power goes nothing readable may be left."""
        part = self.part()
        try:
            self.fs.write_soon(part, _lines(document).encode())
            self.fs.rename(part, path)
        except OSError:
            self.fs.unlink(part)
            raise

    def create(self, path: Path, document: Mapping[str, Any], claim: Claim | None = None) -> bool:
        """Write a document unless there is one; whether this call wrote it. Durable either way.

        Raises Overtaken as `replace`.
        """
        try:
            self._put(path, document, self.fs.rename_new, claim)
            is_new = True
        except FileExistsError:  # the one there may be a moment old
            is_new = False
        self.fs.sync_folder(path.parent)
        return is_new

    def part(self, about: str = "") -> Path:
        """A new name for a file that is being written, `about` a job perhaps."""
        return self.places.part(self.owner, self.nonce() + (f".{about}" if about else ""))

    def holds(self, claim: Claim) -> bool:
        """Whether nobody took the claim away."""
        return self.fs.stat(self.places.claimed(claim)) is not None

    def sweep(self, job_id: str) -> None:
        """Remove what other daemons were writing about a job; to be called once it is ours."""
        parts = self.places.own("parts")
        for name in self.fs.names(parts):
            owner, _, rest = name.partition(".")
            if rest.endswith(f".{job_id}") and owner != self.owner:
                self.fs.unlink(parts / name)

    def _put(
        self,
        path: Path,
        document: Mapping[str, Any],
        name: Callable[[Path, Path], None],
        claim: Claim | None,
    ) -> None:
        part = self.part(claim.job_id if claim else "")
        try:
            self.fs.write_new(part, _lines(document).encode())
            if claim and not self.holds(claim):
                raise Overtaken
            name(part, path)
        except FileNotFoundError as error:
            if claim and self.fs.stat(part) is None:
                raise Overtaken from error
            self.fs.unlink(part)
            raise
        except (OSError, Overtaken):
            self.fs.unlink(part)
            raise


def _lines(document: Mapping[str, Any]) -> str:
    """The document as JSON with a line for each field; `indent` would take five times as long."""
    fields = (f" {_encoded(key)}: {_encoded(document[key])}" for key in sorted(document))
    return "{\n" + ",\n".join(fields) + "\n}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The status documents, one a job. `rev` only grows."""

    papers: Papers

    def read(self, job_id: str) -> Job | None:
        """The job, or None when there is no readable document."""
        return job_or_none(self.papers.fs, self._path(job_id))

    def write(self, job: Job, claim: Claim) -> Job:
        """Keep the job; what is kept has a higher `rev` than what was there. Durable.

        Raises Overtaken when the claim is gone.
        """
        kept = self.write_soon(job, claim)
        self.papers.fs.sync_folder(self._path(job.job_id).parent)
        return kept

    def write_soon(self, job: Job, claim: Claim) -> Job:
        """As `write`, but when the power goes the record before it may come back."""
        there = self.read(job.job_id)
        kept = replace(job, rev=max(job.rev, there.rev + 1)) if there else job
        self.papers.replace_soon(self._path(job.job_id), kept.as_json(), claim)
        return kept

    def _path(self, job_id: str) -> Path:
        return self.papers.places.status(job_id)
