from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from renderer import disk
from renderer.disk import (
    full_disk_told,
    made_at_ns,
    private_folder,
    private_folders,
    rename_new,
    sweep_folders,
)
from renderer.errors import StorageFull


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "f").write_text(text)
    return path


def test_a_rename_never_replaces_not_even_an_empty_folder(tmp_path: Path) -> None:
    source = folder_with(tmp_path / "a", "a")
    (tmp_path / "b").mkdir()
    assert not rename_new(source, tmp_path / "b")
    assert source.exists()
    assert rename_new(source, tmp_path / "c")
    assert (tmp_path / "c" / "f").read_text() == "a"


def test_where_the_system_cannot_a_plain_rename_still_replaces_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_renameat2", lambda *_: errno.EINVAL)
    source, target = folder_with(tmp_path / "a", "a"), folder_with(tmp_path / "b", "b")
    assert not rename_new(source, target)
    assert (target / "f").read_text() == "b"
    assert rename_new(source, tmp_path / "c")


def test_a_rename_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rename_new(tmp_path / "none", tmp_path / "c")


def test_a_private_folder_tells_when_it_was_made_and_goes_away(tmp_path: Path) -> None:
    before = time.time_ns()

    def fail_within() -> None:
        with private_folder(tmp_path / "new", ".x-") as folder:
            assert before <= made_at_ns(folder, ".x-") <= time.time_ns()
            (folder / "half").write_text("half")
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        fail_within()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_private_folder_that_was_renamed_away_stays(tmp_path: Path) -> None:
    with private_folder(tmp_path, ".x-") as folder:
        (folder / "f").write_text("whole")
        assert rename_new(folder, tmp_path / "kept")
    assert (tmp_path / "kept" / "f").read_text() == "whole"


def test_a_sweep_removes_the_dead_and_spares_the_living_and_strangers(tmp_path: Path) -> None:
    (tmp_path / ".x-1-dead").mkdir()
    (tmp_path / ".x-1-dead" / "f").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / ".x-file").write_text("")
    (tmp_path / ".x-link").symlink_to(tmp_path / "other")
    with private_folder(tmp_path, ".x-") as mine:
        sweep_folders(tmp_path, ".x-")
        left = {".x-file", ".x-link", "other", mine.name}
        assert set(os.listdir(tmp_path)) == left
        assert (tmp_path / "other").is_dir()


def test_sweeping_never_takes_a_folder_from_its_owner(tmp_path: Path) -> None:
    done = threading.Event()

    def sweep() -> None:
        while not done.is_set():
            sweep_folders(tmp_path, ".x-")

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for _ in range(300):
            with private_folder(tmp_path, ".x-") as folder:
                (folder / "f").write_text("mine")
                assert (folder / "f").read_text() == "mine"
    finally:
        done.set()
        sweeper.join()
    assert private_folders(tmp_path, ".x-") == ()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_in_our_words(tmp_path: Path, code: int) -> None:
    with pytest.raises(StorageFull, match="nothing was published"), full_disk_told(tmp_path):
        raise OSError(code, "no")


def test_other_errors_of_a_disk_pass_through(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), full_disk_told(tmp_path):
        raise OSError(errno.EACCES, "no")
