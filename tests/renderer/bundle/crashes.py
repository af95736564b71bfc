"""Seals in a process of its own, so that it can be killed, or its disk can be small.

`killed MEDIA FOLDER` kills a sealing before each of its writes to the disk, one after
another, checks what is left each time, and prints how many moments there were.
`full MEDIA FOLDER` seals into FOLDER/out, which is too small, and prints the refusal.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from renderer import disk
from renderer.bundle import BundleContents, seal, sealing, verify
from renderer.errors import StorageFull
from renderer.store import LocalStore
from tests.renderer.bundle.sealed import contents_of


def main(what: str, media: Path, folder: Path) -> None:
    names = ("video.mp4", "audio.m4a", "thumbnail.jpg")
    store = LocalStore(folder / "store")
    contents = contents_of(store, {name: media / name for name in names})
    if what == "full":
        full(contents, store, folder / "out")
    else:
        print(killed(contents, store, folder))


def full(contents: BundleContents, store: LocalStore, outbox: Path) -> None:
    try:
        seal(contents, store, outbox)
    except StorageFull as error:
        print(error.message)
    assert os.listdir(outbox) == []


def killed(contents: BundleContents, store: LocalStore, folder: Path) -> int:
    for moment in range(1, 100):
        outbox = folder / f"out{moment}"
        child = os.fork()
        if child == 0:
            die_at(moment)
            seal(contents, store, outbox)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return moment
        assert os.WTERMSIG(status) == signal.SIGKILL
        visible = [name for name in os.listdir(outbox) if not name.startswith(".")]
        for name in visible:
            verify(outbox / name)
        with disk.private_folder(outbox, ".staging-") as alive:
            bundle = seal(contents, store, outbox)
            assert alive.exists()
        assert bundle.reused is bool(visible)
        verify(bundle.path)
        assert os.listdir(outbox) == [bundle.path.name]
    raise AssertionError("never done")


def die_at(moment: int) -> None:
    """Be killed before the call number `moment` of those that write."""
    calls = 0

    def deadly(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments, **named)

        return call

    disk.sync = deadly(disk.sync)
    disk._renameat2 = deadly(disk._renameat2)
    sealing.copy_summed = deadly(sealing.copy_summed)  # type: ignore[attr-defined]
    sealing.write_zip = deadly(sealing.write_zip)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
