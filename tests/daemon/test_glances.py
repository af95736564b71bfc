import os
from pathlib import Path

import pytest

from daemon.watching.glances import Glanced, glance, signature_of


@pytest.fixture
def folder(tmp_path: Path) -> int:
    return os.open(tmp_path, os.O_RDONLY)


def test_a_pipe_or_link_put_in_place_of_a_file_is_not_read(tmp_path: Path, folder: int) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    expected = signature_of(path.stat())
    assert glance(folder, "a.json", expected).text == b"{}"
    os.rename(path, tmp_path / "b.json")
    assert glance(folder, "a.json", expected).outcome is Glanced.GONE
    path.symlink_to(tmp_path / "b.json")
    assert glance(folder, "a.json", expected).outcome is Glanced.UNREADABLE
    path.unlink()
    os.mkfifo(path)
    assert glance(folder, "a.json", expected).outcome is Glanced.CHANGED
    os.close(folder)


def test_a_file_that_another_replaced_is_not_read(tmp_path: Path, folder: int) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    expected = signature_of(path.stat())
    (tmp_path / "b").write_bytes(b"[]")
    os.rename(tmp_path / "b", path)
    assert glance(folder, "a.json", expected).outcome is Glanced.CHANGED
    os.close(folder)
