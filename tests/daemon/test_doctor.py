from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from daemon.doctor import Finding, Level, examine
from daemon.doctor.bounds import inotify_findings
from daemon.doctor.folders import clock_finding, look_at_folders
from daemon.doctor.host import foreign_daemon
from daemon.index import open_index
from daemon.places import Places
from tests.command import reelkiln


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "root")
    places.root.mkdir()
    for folder in places.folders():
        folder.mkdir()
    return places


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}


def by_check(findings: Iterator[Finding] | tuple[Finding, ...]) -> Mapping[str, Finding]:
    return {finding.check: finding for finding in findings}


def tree(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*"))


def test_a_sound_installation_has_no_fault_and_is_left_as_it_was(
    places: Places, environment: dict[str, str]
) -> None:
    before = tree(places.root)
    findings = examine(places.root, environment)
    assert " ".join(finding.check for finding in findings) == (
        "folders one-disk file-system space writable rename no-replace sync case clock "
        "limits ffmpeg fonts inotify resources modules store index"
    )
    faults = [f for f in findings if f.level is Level.FAULT and f.check not in ("space", "modules")]
    assert faults == []
    assert tree(places.root) == before


def test_whatever_is_not_well_comes_with_a_fix(tmp_path: Path, environment: dict[str, str]) -> None:
    broken = environment | {"REELKILN_MAX_FPS": "many", "REELKILN_FFMPEG": "/nowhere/ffmpeg"}
    findings = examine(tmp_path / "nowhere", broken)
    by_name = by_check(findings)
    assert {by_name[name].level for name in ("folders", "limits", "ffmpeg")} == {Level.FAULT}
    assert all(bool(f.fix) == (f.level is not Level.OK) for f in findings)


def test_the_command_prints_each_finding_and_fails_for_a_fault(places: Places) -> None:
    (places.state / "index.sqlite3").write_bytes(b"not a database" * 99)
    done = reelkiln("doctor", "--root", places.root, store=places.root)
    assert done.returncode == 1
    assert "fault index" in done.stdout
    assert "fix: check that its folder is on a local disk" in done.stdout
    (places.state / "index.sqlite3").unlink()
    index = open_index(places.root, {})
    index.close()
    told = json.loads(reelkiln("doctor", "--root", places.root, "--json", store=places.root).stdout)
    assert {"check", "level", "message", "fix"} == set(told["findings"][0])
    assert by_check(tuple(Finding(**f) for f in told["findings"]))["index"].level == "ok"


def test_folders_on_two_disks_are_a_fault(places: Places) -> None:
    other = Path("/dev/shm")  # the one other file system that needs no mount
    if not other.is_dir() or other.stat().st_dev == places.root.stat().st_dev:
        pytest.skip("there is no second file system here")
    places.outbox.rename(places.root / "gone")
    places.outbox.symlink_to(other)
    found = by_check(look_at_folders(places))["one-disk"]
    assert found.level is Level.FAULT
    assert str(places.outbox) in found.message


def test_missing_folders_are_told_and_not_made(places: Places) -> None:
    places.polite.rmdir()
    found = by_check(look_at_folders(places))["folders"]
    assert (found.level, found.message) == (Level.WARN, "not there yet: inbox/.tmp")
    assert not places.polite.exists()


def test_a_root_that_may_not_be_written_is_a_fault(places: Places) -> None:
    places.state.chmod(0o555)
    script = (
        "import sys; from pathlib import Path; from daemon.doctor.folders import look_at_folders\n"
        "from daemon.places import Places\n"
        "print([f.check for f in look_at_folders(Places(Path(sys.argv[1]))) if f.level == 'fault'])"
    )
    command = [sys.executable, "-c", script, str(places.root)]
    if os.geteuid() == 0:
        for parent in places.root.parents[:4]:
            parent.chmod(0o755)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    home = Path(__file__).parents[2]
    env = {"PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=env)
    assert "writable" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("stamp", "level"),
    [(100.0, Level.OK), (98.5, Level.OK), (97.0, Level.WARN), (105.0, Level.WARN)],
)
def test_a_clock_that_is_off_is_told(stamp: float, level: Level) -> None:
    assert clock_finding(stamp, 100.0, 101.0).level is level


def test_few_watches_are_told_with_the_setting_to_raise(tmp_path: Path) -> None:
    (tmp_path / "max_user_watches").write_text("100\n")
    (tmp_path / "max_user_instances").write_text("128\n")
    (found,) = inotify_findings(tmp_path)
    assert (found.level, found.fix) == (Level.WARN, "sysctl -w fs.inotify.max_user_watches=8192")
    (found,) = inotify_findings(tmp_path / "none")
    assert found.level is Level.WARN


def test_another_distribution_of_the_module_daemon_is_a_fault() -> None:
    assert foreign_daemon(["reelkiln"]).level is Level.OK
    found = foreign_daemon(["reelkiln", "python-daemon"])
    assert found.level is Level.FAULT
    assert "pip uninstall python-daemon" in found.fix


def test_a_store_that_is_a_file_is_a_fault(places: Places, environment: dict[str, str]) -> None:
    places.own("store").rmdir()
    places.own("store").write_bytes(b"")
    assert by_check(examine(places.root, environment))["store"].level is Level.FAULT
