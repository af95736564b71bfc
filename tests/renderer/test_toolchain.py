from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest

from renderer import toolchain as module
from renderer.digest import digest_of_bytes
from renderer.errors import ToolchainUnfit
from renderer.toolchain import Toolchain, find_toolchain

REAL = imageio_ffmpeg.get_ffmpeg_exe()


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": os.environ["PATH"], **more}


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def wrapper(path: Path, version: str = "") -> Path:
    """A small program that answers as FFmpeg does, so that no test hashes 173 MB."""
    answer = f'case "$*" in *-version*) echo "{version}"; exit 0;; esac\n' if version else ""
    return program(path, f'{answer}exec "{REAL}" "$@"')


def test_the_bundled_ffmpeg_is_fit_and_named(tmp_path: Path) -> None:
    found = find_toolchain(environ(tmp_path))
    assert found.ffmpeg == Path(REAL).resolve()
    assert found.ffmpeg_version.startswith("ffmpeg version ")
    assert set(found.libraries) == {"av", "pillow"}


def test_the_second_look_comes_from_the_cache(tmp_path: Path) -> None:
    ours = environ(tmp_path, REELKILN_FFMPEG=str(wrapper(tmp_path / "ffmpeg")))
    first = find_toolchain(ours)
    began = time.perf_counter()
    assert find_toolchain(ours) == first
    assert time.perf_counter() - began < 0.05


def test_a_changed_binary_is_looked_at_again(tmp_path: Path) -> None:
    binary = wrapper(tmp_path / "ffmpeg")
    ours = environ(tmp_path, REELKILN_FFMPEG=str(binary))
    first = find_toolchain(ours)
    wrapper(binary, "ffmpeg version 8.0 of ours")
    second = find_toolchain(ours)
    assert second.ffmpeg_sha256 == digest_of_bytes(binary.read_bytes()) != first.ffmpeg_sha256
    assert second.ffmpeg_version == "ffmpeg version 8.0 of ours"
    assert second.digest != first.digest


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"x": 3}'])
def test_a_damaged_cache_is_made_again(tmp_path: Path, damage: str) -> None:
    ours = environ(tmp_path, REELKILN_FFMPEG=str(wrapper(tmp_path / "ffmpeg")))
    first = find_toolchain(ours)
    cache = tmp_path / "cache" / "reelkiln" / "toolchain.json"
    entry = json.loads(cache.read_text())
    cache.write_text(damage)
    assert find_toolchain(ours) == first
    assert entry.items() <= json.loads(cache.read_text()).items()


def test_an_unwritable_cache_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    ours = environ(tmp_path, REELKILN_FFMPEG=str(wrapper(tmp_path / "ffmpeg")))
    assert find_toolchain(ours).ffmpeg.name == "ffmpeg"


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        ("ffmpeg version 6.1.1 Copyright", False),
        ("ffmpeg version n7.0.2-static", True),
        ("ffmpeg version 10.0", True),
        ("ffmpeg version N-12345-gabcdef", True),
        ("something else", False),
    ],
)
def test_old_versions_are_refused_with_a_way_out(tmp_path: Path, version: str, fit: bool) -> None:
    ours = environ(tmp_path, REELKILN_FFMPEG=str(wrapper(tmp_path / "ffmpeg", version)))
    if fit:
        assert find_toolchain(ours).ffmpeg_version == version
        return
    with pytest.raises(ToolchainUnfit, match=r"7\.0 or newer") as caught:
        find_toolchain(ours)
    assert "REELKILN_FFMPEG" in caught.value.hint


def test_a_missing_filter_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEEDED_FILTERS", ("overlay", "reticulate"))
    ours = environ(tmp_path, REELKILN_FFMPEG=str(wrapper(tmp_path / "ffmpeg")))
    with pytest.raises(ToolchainUnfit, match="lacks filter reticulate"):
        find_toolchain(ours)


def test_a_build_that_cannot_read_graph_files_is_refused(tmp_path: Path) -> None:
    body = f'case "$*" in *-/filter*) exit 8;; esac\nexec "{REAL}" "$@"'
    ours = environ(tmp_path, REELKILN_FFMPEG=str(program(tmp_path / "ffmpeg", body)))
    with pytest.raises(ToolchainUnfit, match="-/filter_complex"):
        find_toolchain(ours)


def test_a_path_that_is_no_program_is_refused(tmp_path: Path) -> None:
    for name in ("absent", "plain"):
        (tmp_path / "plain").write_text("text")
        with pytest.raises(ToolchainUnfit, match="REELKILN_FFMPEG names"):
            find_toolchain(environ(tmp_path, REELKILN_FFMPEG=str(tmp_path / name)))


def test_a_program_that_fails_is_refused(tmp_path: Path) -> None:
    ours = environ(tmp_path, REELKILN_FFMPEG=str(program(tmp_path / "ffmpeg", "exit 1")))
    with pytest.raises(ToolchainUnfit, match="does not run"):
        find_toolchain(ours)


def test_another_ffmpeg_module_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ffmpeg").mkdir()
    (tmp_path / "ffmpeg" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ffmpeg", raising=False)
    with pytest.raises(ToolchainUnfit, match="ffmpeg-python is not usable"):
        find_toolchain(environ(tmp_path))


def test_the_digest_is_that_of_what_decides_bytes() -> None:
    plain = Toolchain(ffmpeg=Path("/a"), ffmpeg_version="v", ffmpeg_sha256="0" * 64)
    assert plain.digest == replace(plain, ffmpeg=Path("/b"), cpuflags="sse4.2").digest
    others = (
        replace(plain, ffmpeg_sha256="1" * 64),
        replace(plain, recipe=2),
        replace(plain, text_engine={"raqm": "0.11"}),
        replace(plain, libraries={"av": "1"}),
    )
    assert len({plain.digest, *(other.digest for other in others)}) == 5


def test_cpuflags_come_from_the_environment(tmp_path: Path) -> None:
    found = find_toolchain(environ(tmp_path, REELKILN_CPUFLAGS="sse4.2"))
    assert found.cpuflags == "sse4.2"
