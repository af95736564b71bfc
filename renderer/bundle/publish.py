"""Publishing: a finished folder appears under its name at once, whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from renderer.disk import full_disk_told, private_folder, rename_new, sweep_folders, sync_tree
from renderer.errors import RenderFailed

STAGING = ".staging-"
"""Begins the names of folders that are being filled."""

BeforePublish = Callable[[str, str], None]
"""Told the name and the digest of a bundle, its bytes being safe; what it raises stops it."""

QUARANTINE = ".quarantine"
"""Folder of an outbox for what was refused or damaged; nothing in it is ever replaced."""


@contextmanager
def staging_folder(outbox: Path) -> Iterator[Path]:
    """A new folder in `outbox` to fill, gone afterwards unless it was renamed away.

    Removes what killed processes left behind. Raises StorageFull when the disk is full,
    RenderFailed when it cannot be written.
    """
    try:
        with full_disk_told(outbox):
            outbox.mkdir(parents=True, exist_ok=True)
            sweep_folders(outbox, STAGING)
            with private_folder(outbox, STAGING) as folder:
                yield folder
    except OSError as error:
        raise RenderFailed(
            f"{outbox} cannot be written: {error}; nothing was published",
            hint="check the folder's owner and permissions, or name another --outbox",
        ) from error


def at_once(name: str, digest: str) -> None:
    """Nobody needs to know before a bundle is published."""


def publish(folder: Path, target: Path, before: Callable[[], None]) -> bool:
    """Flush `folder`, call `before`, give it its name; False when that is taken."""
    sync_tree(folder)
    before()
    return rename_new(folder, target)


def move_to_quarantine(thing: Path, outbox: Path, name: str) -> Path:
    """Move `thing` to `<outbox>/.quarantine/<name>`, or to `<name>-2` and so on if taken.

    Raises FileNotFoundError when `thing` is gone.
    """
    quarantine = outbox / QUARANTINE
    quarantine.mkdir(exist_ok=True)
    for number in count(1):
        target = quarantine / (name if number == 1 else f"{name}-{number}")
        if rename_new(thing, target):
            return target
    raise AssertionError("count() never ends")
