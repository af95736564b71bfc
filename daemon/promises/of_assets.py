"""`AssetPromises`: the assets of the catalog as the jobs that wait for them see them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ulid import ULID

from daemon.assets.service import AssetService
from daemon.catalog import AssetFilters
from daemon.catalog.refusals import AssetContentRefused, AssetNotThere
from daemon.jobs import Job
from daemon.promises.contract import Promised, Standing, Wanted
from renderer.assets import Asset, AssetState, IllegalAssetMove, Visibility

_BATCH = 500
_STANDINGS = {
    AssetState.PENDING: Standing.PENDING,
    AssetState.AVAILABLE: Standing.AVAILABLE,
    AssetState.FAILED: Standing.FAILED,
    AssetState.DELETED: Standing.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPromises:
    """The promises of one root; `part` gives a new name on the disk of the assets."""

    assets: AssetService
    part: Callable[[], Path]

    def look(self, asset_ids: Collection[str], owner: str) -> Mapping[str, Promised]:
        """As `Promises.look`."""
        return {
            asset.asset_id: self._promised(asset)
            for asset in self._found(asset_ids)
            if _may_see(asset, owner)
        }

    def bring(self, asset_id: str, go_on: Callable[[], None]) -> Path:
        """As `Promises.bring`."""
        return self.assets.fetched(self.assets.catalog.assets.get(asset_id), go_on)

    def names(self, job_id: str, makes: Collection[Wanted]) -> Mapping[str, str]:
        """As `Promises.names`."""
        return {one.label: one.asset or asset_id_of(job_id, one.label) for one in makes}

    def promise(self, job: Job, makes: Collection[Wanted]) -> None:
        """As `Promises.promise`."""
        for one in makes:
            if one.asset:
                asset = self.assets.catalog.assets.get(one.asset)
                if asset.state is AssetState.PENDING and not asset.created_by_job:
                    self.assets.catalog.assets.change(
                        one.asset, now=job.updated_at, created_by_job=job.job_id
                    )
            else:
                self.assets.create_pending_asset(
                    job.job_id, one.label, one.media_type, owner=job.owner, world=job.world,
                    asset_id=asset_id_of(job.job_id, one.label),
                )  # fmt: skip

    def fulfil(self, asset_id: str, file: Path, job: Job) -> None:
        """As `Promises.fulfil`."""
        if not self._is_open(asset_id, job):
            return
        part = self.part()
        try:
            shutil.copyfile(file, part)
            self.assets.fulfill_asset(asset_id, part)
        except IllegalAssetMove:
            return  # another daemon was faster
        except AssetContentRefused as error:
            self.fail(asset_id, error.message, job)
        finally:
            part.unlink(missing_ok=True)

    def fail(self, asset_id: str, reason: str, job: Job) -> None:
        """As `Promises.fail`."""
        if self._is_open(asset_id, job):
            with suppress(IllegalAssetMove):  # another daemon was faster
                self.assets.fail_asset(asset_id, reason)

    def open(self) -> Mapping[str, str]:
        """As `Promises.open`."""
        return {
            asset.asset_id: asset.created_by_job
            for asset in self._pending()
            if asset.created_by_job
        }

    def _found(self, asset_ids: Collection[str]) -> Iterator[Asset]:
        rest = iter(sorted(set(asset_ids)))
        while batch := list(islice(rest, _BATCH)):
            yield from self.assets.catalog.assets.find(batch).values()

    def _pending(self) -> Iterator[Asset]:
        filters, cursor = AssetFilters(state=AssetState.PENDING), ""
        while True:
            page = self.assets.catalog.assets.page(filters, cursor=cursor, limit=_BATCH)
            yield from page.assets
            cursor = page.cursor
            if not cursor:
                return

    def _is_open(self, asset_id: str, job: Job) -> bool:
        asset = self.assets.catalog.assets.find([asset_id]).get(asset_id)
        return (
            asset is not None
            and asset.state is AssetState.PENDING
            and asset.created_by_job == job.job_id
        )

    def _promised(self, asset: Asset) -> Promised:
        standing, reason, path = _STANDINGS[asset.state], asset.status_reason, None
        if standing is Standing.FAILED:
            reason = reason or f"it was {asset.state}"
        elif standing is Standing.AVAILABLE and self.assets.lies_here(asset):
            try:
                path = self.assets.path_of(asset)
            except AssetNotThere as error:
                standing, reason = Standing.FAILED, error.message
        return Promised(
            standing=standing, path=path, sha256=asset.sha256, value=asset.value,
            reason=reason, made_by=asset.created_by_job, asset_id=asset.asset_id,
            label=asset.label, media_type=asset.media_type, size_bytes=asset.size_bytes or 0,
        )  # fmt: skip


def asset_id_of(job_id: str, label: str) -> str:
    """The id of what a job makes: the time of the job, and a digest of both names."""
    digest = sha256(f"{job_id}/{label}".encode()).digest()
    return str(ULID(ULID.from_str(job_id).bytes[:6] + digest[:10]))


def _may_see(asset: Asset, owner: str) -> bool:
    return not owner or asset.owner == owner or asset.visibility is Visibility.PUBLIC
