"""The uploads of a daemon as its settings have them, and the folder that signed requests reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ulid import ULID

from daemon.assets.uploads import Fulfils, NoAssets, Uploads
from daemon.fs import Fs
from daemon.places import Places
from daemon.signing_keys import signing_keys
from daemon.storage.contract import Storage
from daemon.storage.local import LocalStorage
from daemon.storage.opening import open_storage
from renderer.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadService:
    """`storage` is where all bytes lie, `folder` the same when that is a folder of ours."""

    uploads: Uploads
    storage: Storage
    folder: LocalStorage | None


def open_uploads(
    places: Places, fs: Fs, environment: Mapping[str, str], *, limits: Limits,
    clock: Callable[[], float], assets: Fulfils | None = None,
) -> UploadService:  # fmt: skip
    """Raises UsageError for bad settings, ToolchainUnfit without the `s3` extra for a bucket."""
    storage = open_storage(
        environment, places.own("assets"), clock=clock,
        keys=lambda: signing_keys(places.root, environment),
    )  # fmt: skip
    uploads = Uploads(
        storage=storage, folder=places.own("uploads"), fs=fs, clock=clock,
        new_id=lambda: str(ULID()), limits=limits, assets=assets or NoAssets(),
    )  # fmt: skip
    folder = storage if isinstance(storage, LocalStorage) else None
    return UploadService(uploads=uploads, storage=storage, folder=folder)
