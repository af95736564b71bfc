from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from renderer import archive
from renderer.archive import Member, copy_summed, directory, local_header, write_zip

FILES = {"b/b.txt": b"bb", "a.bin": bytes(range(256)) * 9, "ü.txt": b"", "c": b"c" * 5000}


def zipped(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    folder.mkdir()
    members, paths = [], {}
    for name, data in files.items():
        paths[name] = folder / f"{len(paths)}"
        paths[name].write_bytes(data)
        members.append(Member(name=name, size_bytes=len(data), crc32=zlib.crc32(data)))
    write_zip(folder / "out.zip", members, paths)
    return folder / "out.zip"


def read_back(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_an_archive_gives_back_every_file(tmp_path: Path) -> None:
    assert read_back(zipped(tmp_path / "z")) == FILES


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_reads_it(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z")
    subprocess.run(["unzip", "-q", path, "-d", tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "b" / "b.txt").read_bytes() == b"bb"
    assert (tmp_path / "out" / "a.bin").read_bytes() == FILES["a.bin"]


def test_members_in_any_order_and_files_of_any_age_give_the_same_bytes(tmp_path: Path) -> None:
    one = zipped(tmp_path / "one")
    two = zipped(tmp_path / "two", dict(reversed(FILES.items())))
    assert one.read_bytes() == two.read_bytes()


def test_entries_are_stored_sorted_and_dated_1980(tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped(tmp_path / "z")) as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == sorted(FILES)
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_an_existing_archive_is_not_written_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z")
    with pytest.raises(FileExistsError):
        write_zip(path, [], {})


def test_a_member_behind_five_gigabytes_is_read_back(tmp_path: Path) -> None:
    large = Member(name="a", size_bytes=5 << 30, crc32=0)
    small = Member(name="b", size_bytes=4, crc32=zlib.crc32(b"here"))
    path = tmp_path / "large.zip"
    with path.open("wb") as out:  # a hole stands for the content of `a`
        out.write(local_header(large))
        out.seek(5 << 30, io.SEEK_CUR)
        out.write(local_header(small) + b"here" + directory([small, large]))
    with zipfile.ZipFile(path) as opened:
        assert [entry.file_size for entry in opened.infolist()] == [5 << 30, 4]
        assert opened.read("b") == b"here"
        with opened.open("a") as stream:
            assert stream.read(16) == bytes(16)


def test_more_members_than_the_old_form_counts_are_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MANY", 3)
    assert read_back(zipped(tmp_path / "z")) == FILES


def test_sums_say_what_was_copied_and_no_more_than_the_limit() -> None:
    target = io.BytesIO()
    sums = copy_summed(io.BytesIO(b"abcdef"), target, 4)
    assert target.getvalue() == b"abcd"
    assert (sums.size_bytes, sums.crc32) == (4, zlib.crc32(b"abcd"))
    assert copy_summed(io.BytesIO(b"ab"), None, 4).size_bytes == 2
