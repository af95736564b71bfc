"""`AssetService`: assets as rows in the catalog and bytes in a storage, kept together.

Bytes are stored before the row says that they are there, and the row says that they are gone
before they are removed: whatever dies in between leaves bytes that nothing names, never a row
without its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from daemon.assets.input_manifest import InputManifest, sweep_manifests
from daemon.assets.measuring import Measured, measure
from daemon.assets.storage import AssetStorage, generated_key, upload_key
from daemon.catalog import Catalog
from daemon.catalog.refusals import AssetNotThere
from daemon.places import Places
from daemon.storage.contract import Signed
from daemon.storage.errors import KeyTaken, KeyUnknown, StorageUnavailable
from renderer.assets import Asset, AssetKind, AssetState, IllegalAssetMove, Visibility
from renderer.disk import full_disk_told, private_folder, sweep_folders
from renderer.errors import StoreCorrupt
from renderer.limits import Limits
from renderer.store import LocalStore

JSON_TYPE, TEXT_TYPE = "application/json", "text/plain"
_COMING = "coming-"


class ProvenUpload(Protocol):
    """An upload whose bytes lie in the storage and were proven to be these."""

    @property
    def upload_id(self) -> str:
        """The id of the upload, which becomes that of the asset."""
        ...

    @property
    def key(self) -> str:
        """Where it lies in the storage."""
        ...

    @property
    def owner(self) -> str:
        """Whose it is."""
        ...

    @property
    def media_type(self) -> str:
        """What it was found to be."""
        ...

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        ...

    @property
    def sha256(self) -> str:
        """Its digest."""
        ...

    @property
    def file_name(self) -> str:
        """What the client calls it."""
        ...

    @property
    def world(self) -> str:
        """The world that its asset belongs to."""
        ...

    @property
    def fulfils(self) -> str:
        """The pending asset that it keeps the promise of; empty for an asset of its own."""
        ...

    @property
    def duration_ms(self) -> int | None:
        """The length of video and sound."""
        ...


class AssetService:
    """The assets of one root. `changed` hears of each asset that is kept or failed.

    Every method raises KeptUnavailable, OSError, and what the storage does.
    """

    def __init__(
        self, catalog: Catalog, storage: AssetStorage, *, places: Places,
        clock: Callable[[], float], new_id: Callable[[], str], limits: Limits | None = None,
        changed: Callable[[Asset], None] = lambda asset: None,
    ) -> None:  # fmt: skip
        self.catalog, self.storage, self.places = catalog, storage, places
        self._clock, self._new_id, self._limits = clock, new_id, limits or Limits()
        self._changed = changed

    def create_upload_asset(
        self, file_path: Path | None, label: str, media_type: str, *, owner: str = "",
        world: str = "", tags: Iterable[str] = (), visibility: Visibility = Visibility.PRIVATE,
        asset_type: str = "", kind: AssetKind = AssetKind.FILE, value: Any = None,
    ) -> Asset:  # fmt: skip
        """An asset of a file, which is moved into the storage, or of a `value` (any JSON).

        Raises AssetContentRefused for a file that is not of its `media_type`.
        """
        asset = self._new(label, owner=owner, world=world, tags=tuple(tags), kind=kind,
                          visibility=visibility, asset_type=asset_type)  # fmt: skip
        if kind is AssetKind.VALUE:
            return self._kept(replace(asset, state=AssetState.AVAILABLE, value=value,
                                    media_type=_type_of(value)))  # fmt: skip
        if file_path is None:
            raise ValueError("a FILE asset is made of a file")
        found = measure(file_path, media_type, self._limits)
        key = upload_key(asset.asset_id, asset.created_at)
        self.storage.put_file(key, file_path, media_type=found.media_type, move=True)
        return self._kept(replace(asset, state=AssetState.AVAILABLE, key=key, **_facts(found)))

    def create_pending_asset(
        self, task_id: str, label: str, media_type: str, *, owner: str = "", world: str = "",
        tags: Iterable[str] = (), visibility: Visibility = Visibility.PRIVATE,
        asset_type: str = "", kind: AssetKind = AssetKind.FILE, asset_id: str = "",
    ) -> Asset:  # fmt: skip
        """A promise of the job `task_id`. One of the same `asset_id` is given as it is."""
        asset = self._new(label, owner=owner, world=world, tags=tuple(tags), kind=kind,
                          visibility=visibility, asset_type=asset_type)  # fmt: skip
        asset = replace(asset, created_by_job=task_id, media_type=media_type,
                      asset_id=asset_id or asset.asset_id)  # fmt: skip
        return self.catalog.assets.add(asset)

    def fulfill_asset(self, asset_id: str, actual_file_path: Path) -> Asset:
        """Keep a promise with a file, which is moved into the storage.

        The same bytes may come again. Raises AssetUnknown, IllegalAssetMove, AssetContentRefused.
        """
        asset = self.catalog.assets.get(asset_id)
        found = measure(actual_file_path, asset.media_type, self._limits)
        if asset.state is AssetState.AVAILABLE and asset.sha256 == found.sha256:
            actual_file_path.unlink(missing_ok=True)
            return asset
        self._see_pending(asset)
        key = generated_key(asset.created_by_job, asset_id, found.sha256)
        with suppress(KeyTaken):  # the same bytes: by a try that died, or one that runs just now
            self.storage.put_file(key, actual_file_path, media_type=found.media_type, move=True)
        actual_file_path.unlink(missing_ok=True)
        try:
            return self._moved(asset_id, AssetState.AVAILABLE, key=key, **_facts(found))
        except IllegalAssetMove:
            now = self.catalog.assets.get(asset_id)
            if now.key == key:  # somebody kept it with these very bytes meanwhile
                return now
            self.storage.delete(key)
            raise

    def fulfill_value(self, asset_id: str, value: Any) -> Asset:
        """Keep the promise of a VALUE asset. Raises AssetUnknown, IllegalAssetMove."""
        return self._moved(
            asset_id, AssetState.AVAILABLE, kind=AssetKind.VALUE, value=value,
            media_type=_type_of(value),
        )  # fmt: skip

    def fail_asset(self, asset_id: str, reason: str) -> Asset:
        """Say that a promise is not kept, and why. Raises AssetUnknown, IllegalAssetMove."""
        return self._moved(asset_id, AssetState.FAILED, status_reason=reason)

    def fulfil_upload(self, upload: ProvenUpload) -> str:
        """The id of the asset of a proven upload: a new one, or the promise that it keeps.

        Idempotent. Raises AssetUnknown, IllegalAssetMove for a promise that was settled otherwise.
        """
        facts: dict[str, Any] = {
            "key": upload.key, "media_type": upload.media_type, "size_bytes": upload.size_bytes,
            "sha256": upload.sha256, "duration_ms": upload.duration_ms,
        }  # fmt: skip
        if upload.fulfils:
            try:
                self._moved(upload.fulfils, AssetState.AVAILABLE, **facts)
            except IllegalAssetMove:
                if not self.stands_on(upload):
                    raise
            return upload.fulfils
        asset = replace(
            self._new(upload.file_name, owner=upload.owner, world=upload.world),
            asset_id=upload.upload_id, state=AssetState.AVAILABLE, **facts,
        )  # fmt: skip
        return self._kept(asset).asset_id

    def stands_on(self, upload: ProvenUpload) -> bool:
        """Whether an asset is made of the bytes of an upload."""
        asset_id = upload.fulfils or upload.upload_id
        there = self.catalog.assets.find([asset_id]).get(asset_id)
        return there is not None and there.key == upload.key

    def delete_asset(self, asset_id: str) -> Asset:
        """Delete an asset and its bytes; lineage keeps its row. Raises as `fail_asset`.

        A file of a bundle stays in the bundle.
        """
        gone = self._moved(asset_id, AssetState.DELETED, value=None)
        with suppress(StorageUnavailable):  # the next sweep removes them
            self._clear(gone)
        return gone

    def adopt(self, asset_ids: Iterable[str], job_id: str) -> None:
        """Say that a job made these assets; one that another job made stays that one's."""
        found = self.catalog.assets.find(asset_ids)
        for asset_id, asset in sorted(found.items()):
            if not asset.created_by_job:
                self.catalog.assets.change(asset_id, now=self._clock(), created_by_job=job_id)

    def set_visibility(self, asset_id: str, visibility: Visibility) -> Asset:
        """Say who may read it. Raises AssetUnknown."""
        return self.catalog.assets.change(asset_id, now=self._clock(), visibility=visibility)

    def path_of(self, asset: Asset) -> Path:
        """The file of an asset. Raises AssetNotThere."""
        if asset.kind is AssetKind.FILE and asset.state is AssetState.AVAILABLE:
            path = self._lies_at(asset)
            if path is not None:
                return path
        raise AssetNotThere(
            f"asset {asset.asset_id} has no file: it is {asset.kind} and {asset.state}"
            + (f" ({asset.status_reason})" if asset.status_reason else ""),
            hint="wait until it is available, or make it again",
        )

    def lies_here(self, asset: Asset) -> bool:
        """Whether its file, if it has one, can be read in place."""
        return asset.kind is AssetKind.FILE and (self.storage.is_here or not asset.key)

    def fetched(self, asset: Asset, go_on: Callable[[], None] = lambda: None) -> Path:
        """The file of an asset on this machine. One that lies elsewhere is fetched and proven;
        it then lies in the store, by its digest, until that is pruned.

        `go_on` is called for each piece, and what it raises ends this. Raises AssetNotThere,
        StorageUnavailable, StorageFull.
        """
        if self.lies_here(asset) or asset.state is not AssetState.AVAILABLE or not asset.sha256:
            return self.path_of(asset)
        store = LocalStore(self.places.own("store"))
        with suppress(StoreCorrupt):
            return store.path(asset.sha256)
        with store.workdir() as folder, full_disk_told(folder):
            part = folder / "data"
            try:
                with part.open("xb") as stream:
                    for piece in self.storage.open_range(asset.key):
                        go_on()
                        stream.write(piece)
            except KeyUnknown as error:
                raise AssetNotThere(f"asset {asset.asset_id}: {error.message}") from error
            if store.put_file(part, move=True).sha256 != asset.sha256:
                raise AssetNotThere(f"asset {asset.asset_id} has other bytes than were proven")
        return store.path(asset.sha256)

    def link_to(self, asset: Asset, expires_s: int) -> Signed | None:
        """A request that fetches a file of the storage; None for what lies elsewhere."""
        if not asset.key or asset.state is not AssetState.AVAILABLE:
            return None
        name = asset.label.rpartition("/")[2].strip() or asset.asset_id
        return self.storage.presign("GET", asset.key, expires_s=expires_s, file_name=name)

    def get_manifest_path(
        self, asset_mappings: Mapping[str, str], config_params: Mapping[str, Any]
    ) -> InputManifest:
        """A manifest of assets (by the names of inputs, their ids) and plain parameters.

        Use it in a `with`, or `close` it: the files that were made for it go with it. Raises
        AssetUnknown, AssetNotThere, UsageError for a name that is none or is there twice.
        """
        found = {name: self.catalog.assets.get(one) for name, one in asset_mappings.items()}
        values = {name: asset for name, asset in found.items() if asset.kind is AssetKind.VALUE}
        for asset in values.values():
            if asset.state is not AssetState.AVAILABLE:
                self.path_of(asset)  # raises, in the words for it
        return InputManifest(
            self._manifests,
            files={name: self.fetched(one) for name, one in found.items() if name not in values},
            values={name: asset.value for name, asset in values.items()},
            params=config_params,
        )

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A name for a file that is coming in; whatever was not taken is removed at the end."""
        with private_folder(self.places.own("incoming"), _COMING) as folder:
            yield folder / "data"

    def sweep(self) -> None:
        """Remove what processes that died left: manifests, and bytes of deleted assets."""
        sweep_manifests(self._manifests)
        if self.places.own("incoming").is_dir():
            sweep_folders(self.places.own("incoming"), _COMING)
        for asset in self.catalog.assets.to_clear():
            self._clear(asset)

    # -- below -----------------------------------------------------------------------------

    @property
    def _manifests(self) -> Path:
        return self.places.own("manifests")

    def _new(self, label: str, *, kind: AssetKind = AssetKind.FILE, **said: Any) -> Asset:
        now = self._clock()
        return Asset(asset_id=self._new_id(), kind=kind, label=label, created_at=now,
                     updated_at=now, **said)  # fmt: skip

    def _kept(self, asset: Asset) -> Asset:
        kept = self.catalog.assets.add(asset)
        self._changed(kept)
        return kept

    def _moved(self, asset_id: str, to: AssetState, **changes: Any) -> Asset:
        moved = self.catalog.assets.move(asset_id, to, now=self._clock(), **changes)
        self._changed(moved)
        return moved

    def _see_pending(self, asset: Asset) -> None:
        if asset.state is not AssetState.PENDING:
            raise IllegalAssetMove(asset.asset_id, asset.state, AssetState.AVAILABLE)

    def _clear(self, asset: Asset) -> None:
        if asset.key:
            self.storage.delete(asset.key)
            self.catalog.assets.change(asset.asset_id, now=self._clock(), key="")

    def _lies_at(self, asset: Asset) -> Path | None:
        if asset.key:
            return self.storage.local_path(asset.key)
        bundle, name = (str(asset.metadata.get(one, "")) for one in ("bundle", "path"))
        if not bundle or "/" in bundle or bundle.startswith("."):
            return None
        folder = self.places.outbox / bundle
        path = folder / name
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
        return path if inside and path.is_file() else None


def _facts(found: Measured) -> dict[str, Any]:
    return {"media_type": found.media_type, "size_bytes": found.size_bytes,
            "sha256": found.sha256, "duration_ms": found.duration_ms}  # fmt: skip


def _type_of(value: Any) -> str:
    return TEXT_TYPE if isinstance(value, str) else JSON_TYPE
