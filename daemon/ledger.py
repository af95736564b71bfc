"""Documents of the daemon: written beside, then given their name at once, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daemon.fs import Fs
from daemon.jobs import Job
from daemon.places import Places
from daemon.records import job_or_none

_LIMIT = 16 * 1024 * 1024


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

    def replace(self, path: Path, document: Mapping[str, Any]) -> None:
        """Give `path` a new document; readers see the old one or the new one. Durable."""
        self._put(path, document, self.fs.rename)

    def create(self, path: Path, document: Mapping[str, Any]) -> bool:
        """Write a document unless there is one; whether this call wrote it. Durable either way."""
        try:
            self._put(path, document, self.fs.rename_new)
        except FileExistsError:
            self.fs.sync_folder(path.parent)  # the one there may be a moment old
            return False
        return True

    def part(self) -> Path:
        """A new name for a file that is being written."""
        return self.places.part(self.owner, self.nonce())

    def _put(
        self, path: Path, document: Mapping[str, Any], name: Callable[[Path, Path], None]
    ) -> None:
        part = self.part()
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        try:
            self.fs.write_new(part, text.encode())
            name(part, path)
        except OSError:
            self.fs.unlink(part)
            raise
        self.fs.sync_folder(path.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The status documents, one a job. `rev` only grows."""

    papers: Papers

    def read(self, job_id: str) -> Job | None:
        """The job, or None when there is no readable document."""
        return job_or_none(self.papers.fs, self._path(job_id))

    def write(self, job: Job) -> Job:
        """Keep the job; what is kept has a higher `rev` than what was there. Durable."""
        there = self.read(job.job_id)
        kept = replace(job, rev=max(job.rev, there.rev + 1)) if there else job
        self.papers.replace(self._path(job.job_id), kept.as_json())
        return kept

    def _path(self, job_id: str) -> Path:
        return self.papers.places.status(job_id)
