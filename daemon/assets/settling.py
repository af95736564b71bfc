"""Jobs that ended are taken into the catalog: what they made, and what that rests on.

The receipts are the truth; what the daemon says of ended jobs is a hint to look sooner. A job is
settled in one transaction, so that a crash leaves it settled or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from daemon.assets.requesting import request_of
from daemon.assets.service import AssetService
from daemon.catalog.requests import Request
from daemon.following import Following
from daemon.fs import Fs
from daemon.jobs import Job
from daemon.logs import logger
from daemon.places import Places
from daemon.reading import Reading
from daemon.records import ids_in, read_job
from daemon.storage.errors import StorageRefused, StorageUnavailable
from daemon.webhooks.callbacks import bytes_of
from renderer.assets import Asset, AssetKind, AssetState, IllegalAssetMove
from renderer.bundle.manifest import MANIFEST, FileEntry, manifest_from_bytes
from renderer.digest import digest_of_bytes
from renderer.errors import ReelkilnError, Rejected, UsageError

EVERY_S = 15.0
_AGAIN_S = 2.0
_NAMED = frozenset({"thumbnail", "contact-sheet", "captions"})
_MEDIA = frozenset({"video", "audio", "image"})
_log = logger("settling")


class Settling:
    """Takes the ended jobs of one root into the catalog, on a thread of its own."""

    def __init__(
        self, assets: AssetService, *, fs: Fs, places: Places, clock: Callable[[], float],
        new_id: Callable[[], str], reading: Reading,
    ) -> None:  # fmt: skip
        self.assets, self._catalog = assets, assets.catalog
        self._fs, self._places, self._clock, self._new_id = fs, places, clock, new_id
        self._reading = reading
        self._known: set[str] = set()
        self._following = Following("settling", self._run)

    def start(self) -> None:
        """Begin to follow."""
        self._following.start()

    def stop(self) -> None:
        """Settle what was hinted at, and end; the next start makes up for the rest."""
        self._following.stop()
        self._catalog.close()

    def hint(self, job_id: str) -> None:
        """A job has probably ended. Never waits for the database."""
        self._following.hint(job_id)

    def reconcile(self) -> int:
        """Settle every job that has a receipt and is not settled; how many those were."""
        self._known |= self._catalog.settled.known() if not self._known else set()
        ended = ids_in(self._fs, self._places.receipts)
        owed = [job_id for job_id in ended if job_id not in self._known]
        for job_id in owed:
            self.settle(job_id)
        return len(owed)

    def settle(self, job_id: str) -> None:
        """Take one job in. Nothing while it has no receipt, and nothing twice."""
        receipt = self._places.receipt(job_id)
        if job_id in self._known or self._fs.stat(receipt) is None:
            return
        try:
            job = read_job(self._fs, receipt)
            made = tuple(self._made(job)) if job.state.has_results else ()
            request = self._request(job)
        except (UsageError, ValueError, KeyError, TypeError, OSError) as error:
            _log.warning("a job that ended cannot be settled", job_id=job_id, error=str(error))
        else:
            self._catalog.settled.settle(job_id, made, request)
            if not job.state.has_results:
                self._fail_promises(job)
        self._known.add(job_id)  # a receipt that could not be read is tried at the next start

    # -- below -----------------------------------------------------------------------------

    def _run(self) -> None:
        is_behind = True
        while True:
            try:
                for job_id in self._following.hinted():
                    self.settle(job_id)
                if is_behind and not self._following.is_over:
                    self.reconcile()
                    self._sweep()
                is_behind = False
            except (ReelkilnError, OSError) as error:
                _log.warning("the catalog is behind", error=str(error))
                is_behind = True  # what a hint told of is found again among the receipts
            if self._following.is_over:
                return
            is_behind = not self._following.wait(_AGAIN_S if is_behind else EVERY_S) or is_behind

    def _sweep(self) -> None:
        """A storage that is away keeps nobody from settling."""
        try:
            self.assets.sweep()
        except (StorageUnavailable, StorageRefused) as error:
            _log.warning("bytes of deleted assets are still there", error=str(error))

    def _request(self, job: Job) -> Request | None:
        """What a dropped document says of itself; one that came over HTTP is on record."""
        if self._catalog.requests.get(job.job_id) is not None:
            return None
        data = bytes_of(self._fs, self._places, job, self._reading.limits)
        if not data:
            return None
        try:
            loaded = self._reading.load(data, name=job.name, owner=job.owner)
        except Rejected:
            return None
        return request_of(
            loaded, job_id=job.job_id, owner=job.owner, world=job.world, created_at=job.created_at
        )

    def _made(self, job: Job) -> Iterator[Asset]:
        """The media of a job's bundle, as assets whose bytes stay in the bundle."""
        folder = self._places.outbox / job.bundle
        for entry in _entries(folder, job):
            asset_type = _asset_type(entry.path, entry.media_type)
            if asset_type and entry.path not in job.promised:  # that is an asset already
                yield Asset(
                    asset_id=self._new_id(), kind=AssetKind.FILE, state=AssetState.AVAILABLE,
                    label=entry.path, asset_type=asset_type, media_type=entry.media_type,
                    size_bytes=entry.size_bytes, sha256=entry.sha256, owner=job.owner,
                    metadata={"bundle": job.bundle, "path": entry.path}, world=job.world,
                    created_by_job=job.job_id, created_at=job.updated_at,
                    updated_at=job.updated_at,
                )  # fmt: skip

    def _fail_promises(self, job: Job) -> None:
        """What a job promised and did not make will not come any more."""
        why = str((job.error or {}).get("message", "")) or f"job {job.job_id} is {job.state}"
        for asset in self._catalog.assets.promised_by(job.job_id):
            try:
                self.assets.fail_asset(asset.asset_id, why)
            except IllegalAssetMove:
                continue  # the keeper of promises was faster
            except ReelkilnError as error:
                _log.warning("a promise is not failed", asset=asset.asset_id, error=str(error))


def _entries(folder: Path, job: Job) -> tuple[FileEntry, ...]:
    try:
        data = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return manifest_from_bytes(data).files if digest_of_bytes(data) == job.bundle_digest else ()


def _asset_type(path: str, media_type: str) -> str:
    """What a file of a bundle is for; nothing for those about the bundle itself."""
    stem = path.rpartition("/")[2].partition(".")[0]
    family = media_type.partition("/")[0]
    return stem if stem in _NAMED else family if family in _MEDIA else ""
