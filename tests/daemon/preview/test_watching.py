import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.preview.watching import Sight, look, saved


def seen_after(files: list[Path], act: Callable[[], object]) -> Sight:
    """What is told of the files when something happens to them while they are watched."""

    async def watched() -> Sight:
        seen = look(files)
        waiting = asyncio.create_task(saved(files, seen))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        act()
        return await waiting

    return asyncio.run(watched())


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / "spec.yaml", tmp_path / "a.png"]
    for path in made:
        path.write_text("first")
    return made


def test_a_file_written_in_place_is_seen(files: list[Path]) -> None:
    told = seen_after(files, lambda: files[0].write_text("second, longer"))
    assert told == look(files)


def test_a_file_put_in_the_place_of_another_is_seen(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "new").write_text("first")
    assert seen_after(files, lambda: os.replace(tmp_path / "new", files[1])) == look(files)


def test_a_file_that_goes_or_comes_is_seen(files: list[Path]) -> None:
    assert seen_after(files, files[1].unlink)[1] is None
    assert seen_after(files, lambda: files[1].write_text("again"))[1] is not None


def test_a_file_that_is_back_as_it_was_was_not_saved(files: list[Path]) -> None:
    """Only what stays changed is told: an editor empties a file before it writes it."""

    async def blinked() -> bool:
        whole, status = files[0].read_text(), files[0].stat()
        waiting = asyncio.create_task(saved(files, look(files)))
        await asyncio.sleep(0)
        files[0].write_text("")
        files[0].write_text(whole)
        os.utime(files[0], ns=(status.st_atime_ns, status.st_mtime_ns))
        await asyncio.sleep(0.1)
        was_told = waiting.done()
        waiting.cancel()
        return was_told

    assert not asyncio.run(blinked())
