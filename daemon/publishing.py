"""Finished bundles go to the storage by themselves, where the operator wishes it.

The receipts are the truth and the storage says what it has, so nothing is kept here: what a crash
or an absent storage cut off is published by the next look.
"""

from __future__ import annotations

from collections.abc import Mapping

from daemon.following import Following
from daemon.fs import Fs
from daemon.logs import logger
from daemon.places import Places
from daemon.records import ids_in, read_job
from daemon.storage.contract import Storage
from daemon.storage.keys import checked_key
from daemon.storage.publishing import publish_bundle
from renderer.bundle.manifest import MANIFEST
from renderer.errors import ReelkilnError

SETTING = "REELKILN_PUBLISH"
AGAIN_S = 15.0
_log = logger("publishing")


def publish_prefix(environment: Mapping[str, str]) -> str:
    """Below which key bundles are published; empty: they are not. Raises KeyRefused."""
    prefix = environment.get(SETTING, "").strip().strip("/")
    return checked_key(prefix) if prefix else ""


class BundlePublisher:
    """Publishes the bundles of one root below `prefix`, on a thread of its own."""

    def __init__(
        self, storage: Storage, *, fs: Fs, places: Places, prefix: str, again_s: float = AGAIN_S
    ) -> None:
        self._storage, self._fs, self._places = storage, fs, places
        self._prefix, self._again_s = prefix, again_s
        self._seen: set[str] = set()
        self._following = Following("publishing", self._run)

    def start(self) -> None:
        """Begin with what an earlier daemon left; nothing without a prefix."""
        if self._prefix:
            self._following.start()

    def stop(self) -> None:
        """End; the next start makes up for the rest."""
        self._following.stop()

    def hint(self, job_id: str) -> None:
        """A job has probably ended. Never waits for the storage."""
        if self._prefix:
            self._following.hint(job_id)

    def reconcile(self) -> bool:
        """Publish the bundle of every receipt that was not seen; whether all went well."""
        ended = ids_in(self._fs, self._places.receipts)
        went_well = [self.publish(job_id) for job_id in ended]  # each is tried
        return all(went_well)

    def publish(self, job_id: str) -> bool:
        """Publish the bundle of one job, if it has one; False when that is worth another try."""
        if job_id in self._seen or self._following.is_over:
            return True
        receipt = self._places.receipt(job_id)
        if self._fs.stat(receipt) is None:
            return True  # it has not ended; who ends it says so
        try:
            job = read_job(self._fs, receipt)
            if job.state.has_results and job.bundle:
                self._publish(job.bundle)
        except (ReelkilnError, OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("a bundle is not published", job_id=job_id, error=str(error))
            if getattr(error, "retryable", False):
                return False
        self._seen.add(job_id)
        return True

    def _publish(self, bundle: str) -> None:
        if self._storage.exists(f"{self._prefix}/{bundle}/{MANIFEST}"):
            return
        folder = self._places.outbox / bundle
        if not folder.is_dir():
            return  # it went, by the operator's wish
        done = publish_bundle(folder, self._storage, self._prefix)
        _log.info("published", manifest=done.manifest_key, files=len(done.sent))

    def _run(self) -> None:
        is_behind = True
        while not self._following.is_over:
            try:
                is_behind = not (self.reconcile() if is_behind else self._heed_hints())
            except OSError as error:
                _log.warning("receipts cannot be read", error=str(error))
                is_behind = True
            self._following.wait(self._again_s if is_behind else None)

    def _heed_hints(self) -> bool:
        """Whether all went well."""
        went_well = [self.publish(job_id) for job_id in self._following.hinted()]
        return all(went_well)
