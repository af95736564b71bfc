"""Real faults of a machine, made for one process alone: the doctor finds each, and says a fix."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.places import Places

HOUSE = Path(__file__).parent.parent.parent
ISOLATED = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in Places(tmp_path / "root").folders():
        folder.mkdir(parents=True)
    return tmp_path / "root"


def examined(
    root: Path, *before: str, words: str = "", env: Mapping[str, str] | None = None
) -> dict[str, dict[str, str]]:
    """The findings of a doctor that `before` started, by their check."""
    told = {"PATH": os.environ["PATH"], "HOME": str(root), "PYTHONPATH": str(HOUSE), **(env or {})}
    doctor = [sys.executable, "-m", "daemon.entry", "doctor", "--json", "--root", str(root)]
    argv = [*before, f"{words}; exec {' '.join(doctor)}"] if words else [*before, *doctor]
    done = subprocess.run(argv, capture_output=True, text=True, env=told, timeout=120)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    findings = {finding["check"]: finding for finding in document["findings"]}
    assert all(bool(found["fix"]) == (found["level"] != "ok") for found in findings.values())
    sick = any(found["level"] == "fault" for found in findings.values())
    assert (document["fit"], done.returncode) == (not sick, int(sick))
    return findings


def can_isolate() -> bool:
    if shutil.which("unshare") is None:
        return False
    words = "mount -t tmpfs none /mnt"
    return subprocess.run([*ISOLATED, words], capture_output=True).returncode == 0


needs_isolation = pytest.mark.skipif(not can_isolate(), reason="namespaces are not allowed here")


def test_few_open_files_and_little_memory_are_told(root: Path) -> None:
    bounds = ("--nofile=200", "--fsize=1000000000", f"--as={3 * 1024**3}")
    found = examined(root, "prlimit", *bounds, "--")["resources"]
    assert found["level"] == "warn"
    for words in ("200 open files", "bytes in one file", "bytes of address space"):
        assert words in found["message"]
    assert "LimitNOFILE=65536" in found["fix"]


@needs_isolation
def test_a_kernel_that_gives_no_watch_is_told(root: Path) -> None:
    words = "echo 0 > /proc/sys/user/max_inotify_instances"
    found = examined(root, *ISOLATED, words=words)["inotify"]
    assert (found["level"], "gives no watch" in found["message"]) == ("warn", True)
    assert "max_user_instances" in found["fix"]


@needs_isolation
def test_a_full_disk_is_a_fault(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()
    found = examined(root, *ISOLATED, words=f"mount -t tmpfs -o size=50m none {root}")["space"]
    assert (found["level"], "cache prune" in found["fix"]) == ("fault", True)


@needs_isolation
def test_a_root_that_is_mounted_read_only_is_a_fault(root: Path) -> None:
    words = f"mount --bind {root} {root}; mount -o remount,bind,ro {root}"
    found = examined(root, *ISOLATED, words=words)["writable"]
    assert (found["level"], "Read-only" in found["message"]) == ("fault", True)


@needs_isolation
def test_an_outbox_on_another_disk_is_a_fault(root: Path) -> None:
    words = f"mount -t tmpfs none {root}/outbox"
    found = examined(root, *ISOLATED, words=words)["one-disk"]
    assert (found["level"], str(root / "outbox") in found["message"]) == ("fault", True)


@needs_isolation
def test_a_file_system_without_events_is_told(root: Path) -> None:
    words = (
        f"mount -t tmpfs none /mnt; mkdir /mnt/u /mnt/w; "
        f"mount -t overlay none -o lowerdir={root},upperdir=/mnt/u,workdir=/mnt/w {root}"
    )
    probe = subprocess.run([*ISOLATED, words], capture_output=True)
    if probe.returncode:
        pytest.skip("no overlay may be mounted here")
    found = examined(root, *ISOLATED, words=words)["file-system"]
    assert (found["level"], "overlay" in found["message"]) == ("warn", True)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed here")
@pytest.mark.parametrize(
    ("call", "error", "check"),
    [("renameat2", "EINVAL", "no-replace"), ("renameat2", "ENOSYS", "no-replace"),
     ("fsync", "EINVAL", "sync")],
)  # fmt: skip
def test_a_file_system_that_cannot_what_the_protocol_needs_is_a_fault(
    root: Path, call: str, error: str, check: str
) -> None:
    injected = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:error={error}")
    if subprocess.run([*injected, "true"], capture_output=True).returncode:
        pytest.skip("nothing may be traced here")
    found = examined(root, *injected)[check]
    assert (found["level"], "local file system" in found["fix"]) == ("fault", True)


def test_an_ffmpeg_that_does_not_work_is_a_fault(root: Path) -> None:
    for binary in ("/bin/false", "/nowhere"):
        found = examined(root, env={"REELKILN_FFMPEG": binary})["ffmpeg"]
        assert (found["level"], binary in found["message"]) == ("fault", True)


def test_a_distribution_that_shares_the_module_daemon_is_a_fault(
    root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "site" / "python_daemon-3.1.2.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: python-daemon\nVersion: 3.1.2\n")
    (other / "RECORD").write_text("daemon/__init__.py,,\n")
    env = {"PYTHONPATH": f"{HOUSE}{os.pathsep}{other.parent}"}
    found = examined(root, env=env)["modules"]
    assert (found["level"], "pip uninstall python-daemon" in found["fix"]) == ("fault", True)


def test_a_font_package_without_its_fonts_is_a_fault(root: Path, tmp_path: Path) -> None:
    (tmp_path / "fontpkg_noto_serif").mkdir()
    (tmp_path / "fontpkg_noto_serif" / "__init__.py").touch()  # found before the real one
    found = examined(root, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{HOUSE}"})["fonts"]
    assert (found["level"], "fontpkg_noto_serif" in found["message"]) == ("fault", True)


def test_a_part_of_the_text_engine_that_is_not_installed_is_a_fault(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    findings = examined(root, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{HOUSE}"})
    assert (findings["ffmpeg"]["level"], findings["fonts"]["level"]) == ("fault", "ok")
    assert "uharfbuzz" in findings["ffmpeg"]["message"]


HIDING = """
import importlib.metadata as metadata
version = metadata.version
def hiding(name):
    if name == "uharfbuzz":
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = hiding
"""
