"""References answered: where an asset, or a file of a job's bundle, lies now.

The folder says what became of a job; assets are asked for all at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon.fs import Fs
from daemon.jobs import Job
from daemon.places import Places
from daemon.promises.contract import UNKNOWN, Needs, Promised, Promises, Standing, Supply
from daemon.promises.cycles import cycle_of, cycle_text
from daemon.records import find_job
from renderer.errors import UsageError

_MANIFEST_BYTES = 64 << 20
_BY_KIND = {
    "video": ("video.mp4",),
    "audio": ("audio.m4a",),
    "thumbnail": ("thumbnail.jpg",),
    "captions": ("captions.vtt", "captions.srt"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The assets and jobs of one root. Methods raise OSError when the disk does."""

    fs: Fs
    places: Places
    promises: Promises

    def look(self, references: Collection[str], owner: str) -> Mapping[str, Promised]:
        """How it stands with each reference, as the owner (empty: a dropped file) may know it."""
        assets = [name for one in references if (name := _asset_of(one))]
        found = self.promises.look(assets, owner) if assets else {}
        return {
            one: found.get(_asset_of(one), UNKNOWN) if _asset_of(one) else self._of_job(one, owner)
            for one in references
        }

    def supply(self, job: Job, needs: Needs) -> Supply:
        """The answer to a job that says what it needs, or that is about to be handed in."""
        found = self.look(needs.references, job.owner)
        refused = dict(self._not_to_be_made(job, needs))
        way = self.cycle(job.job_id, unkept(found), [w.asset for w in needs.makes if w.asset])
        if way:
            refused[way[0]] = f"it would wait for itself: {cycle_text(way)}"
        return Supply(found=found, refused=refused)

    def _not_to_be_made(self, job: Job, needs: Needs) -> Iterator[tuple[str, str]]:
        """Assets that a document wants to fulfil and may not, with the reason."""
        asked = sorted({wanted.asset for wanted in needs.makes if wanted.asset})
        known = self.promises.look(asked, job.owner) if asked else {}
        for asset_id in asked:
            it = known.get(asset_id, UNKNOWN)
            if it.made_by == job.job_id:
                continue  # it was promised before
            if it.standing is not Standing.PENDING:
                yield f"asset:{asset_id}", f"asset {asset_id} is {it.standing}, not pending"
            elif it.made_by:
                words = f"asset {asset_id} is made by the job {it.made_by}"
                yield f"asset:{asset_id}", words

    def cycle(self, job_id: str, needs: Collection[str], makes: Collection[str]) -> tuple[str, ...]:
        """The way on which a job would wait for itself; empty when it would not."""
        return cycle_of(job_id, needs, makes, self._waits_of, self._maker_of)

    def _waits_of(self, job_id: str) -> tuple[str, ...]:
        job = self._job(job_id)
        return () if job is None or job.state.is_final else job.waits_for

    def _maker_of(self, asset_id: str) -> str:
        found = self.promises.look([asset_id], "").get(asset_id)
        return found.made_by if found and found.standing is Standing.PENDING else ""

    def _of_job(self, reference: str, owner: str) -> Promised:
        job_id, _, file = reference.removeprefix("job:").partition("#")
        job = self._job(job_id)
        if job is None or (owner and job.owner != owner):
            return UNKNOWN
        if job.state.has_results:
            return self._file(job, file) if job.bundle else self._of_outputs(job, file)
        if job.state.is_final:
            why = str((job.error or {}).get("message", "")) or f"it was {job.state}"
            return Promised(standing=Standing.FAILED, reason=why)
        return Promised(standing=Standing.PENDING)

    def _job(self, job_id: str) -> Job | None:
        try:
            return find_job(self.fs, self.places, job_id)
        except (UsageError, FileNotFoundError):
            return None

    def _file(self, job: Job, file: str) -> Promised:
        """A file of a bundle, by its kind or its path in the manifest."""
        folder = self.places.outbox / job.bundle
        digests = self._digests(folder / "manifest.json")
        for name in _BY_KIND.get(file, (file,)):
            if name in digests:
                path = folder / name
                return Promised(standing=Standing.AVAILABLE, path=path, sha256=digests[name])
        listed = ", ".join(sorted(digests)) or "nothing any more"
        return Promised(standing=Standing.FAILED, reason=f"its bundle has no {file}, but {listed}")

    def _of_outputs(self, job: Job, file: str) -> Promised:
        """A file of a job whose result are assets: by its name, or the first of its kind."""
        found = self.promises.look(job.outputs, "")
        made = [found[one] for one in job.outputs if one in found]
        names = _BY_KIND.get(file, (file,))
        by_name = [it for it in made if it.label in names]
        by_type = [it for it in made if it.media_type.partition("/")[0] == file]
        for it in (*by_name, *by_type):
            return it
        listed = ", ".join(it.label or it.media_type for it in made) or "nothing any more"
        return Promised(standing=Standing.FAILED, reason=f"it made no {file}, but {listed}")

    def _digests(self, manifest: Path) -> Mapping[str, str]:
        try:
            document = json.loads(self.fs.read(manifest, _MANIFEST_BYTES))
            return {entry["path"]: entry["sha256"] for entry in document["files"]}
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return {}


def unkept(found: Mapping[str, Promised]) -> tuple[str, ...]:
    """The references that are not there."""
    return tuple(one for one, it in sorted(found.items()) if it.standing is not Standing.AVAILABLE)


def _asset_of(reference: str) -> str:
    """The id in `asset:ID`; empty for a job."""
    return reference.removeprefix("asset:") if reference.startswith("asset:") else ""
