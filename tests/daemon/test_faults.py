"""Full disks, read-only and forbidden folders, through the real service: it waits, and goes on."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from daemon.places import Places
from daemon.service import ServeSettings, Service
from renderer.bundle import verify
from tests.daemon.faulty_fs import CHANGES, WRITES, FaultyFs
from tests.daemon.small_fs import fill, read_only, small_disk
from tests.daemon.test_service import BROKEN, GOOD, drop, receipts, serving, statuses, until

NOISY = """\
reelkiln: 1
output: {size: 320x180, fps: 20}
tracks: [{clips: [{image: a.png, length: 3s, motion: zoom-in}]}]
"""


FASTER = 8


def furnished(root: Path, size: tuple[int, int] = (320, 180)) -> Path:
    (root / "media").mkdir(parents=True)
    Image.effect_noise(size, 60).convert("RGB").save(root / "media" / "a.png")
    return root


@contextmanager
def served(root: Path, fs: FaultyFs | None = None, least_free: int = 0) -> Iterator[Service]:
    service = Service(
        ServeSettings(root=root, jobs=1, least_free=least_free, environment={}),
        monotonic=lambda: time.monotonic() * FASTER,  # each pause is longer than the last
        fs=fs,
    )
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        eventually(lambda: list((root / ".reelkiln" / "owners").glob("*.json")))
        yield service
    finally:
        service.stop()
        thread.join(30)
    assert not thread.is_alive()


def eventually(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


def codes(service: Service) -> set[str]:
    return {condition.code for condition in service.conditions.current()}


def residue(root: Path) -> list[str]:
    """What unfinished work would leave."""
    folders = [root / ".reelkiln" / "store" / "work", *(root / ".reelkiln" / n for n in _SCRATCH)]
    left = [str(path) for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return left + [str(path) for path in (root / "outbox").glob(".staging-*")]


_SCRATCH = ("claimed", "intents", "parts", "work", "trash")


def test_a_render_that_fills_the_disk_waits_for_room_and_then_succeeds(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 12) as root:
        furnished(root)
        with served(root) as service:
            filler = fill(root, leave=200_000)
            drop(root, "film.yaml", NOISY)
            eventually(lambda: "machine-fault" in codes(service))
            (condition,) = service.conditions.current()
            assert any(word in condition.message for word in ("full", "room", "space"))
            eventually(lambda: statuses(root)[0]["state"] == "queued")
            (status,) = statuses(root)
            assert (status["attempt"], status["retries"], status["error"]) == (0, 0, None)
            assert receipts(root) == []
            filler.unlink()
            eventually(lambda: receipts(root))
        (receipt,) = receipts(root)
        assert (receipt["state"], receipt["attempt"], receipt["retries"]) == ("succeeded", 1, 0)
        verify(root / "outbox" / receipt["bundle"])
        assert residue(root) == []


def test_nothing_is_taken_from_the_inbox_while_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as root:
        furnished(root)
        with served(root, least_free=1 << 20) as service:
            filler = fill(root, leave=200_000)
            eventually(lambda: codes(service) == {"disk-full"})
            drop(root, "film.yaml", GOOD)
            drop(root, "broken.yaml", BROKEN)
            eventually(lambda: service.watch.hints.of(str(root / "inbox" / "broken.yaml")))
            eventually(lambda: not service.wake.is_set())
            assert not service.intake.is_open()
            assert statuses(root) == []
            filler.unlink()
            eventually(lambda: len(receipts(root)) == 2)
            assert codes(service) == set()
        assert {r["name"]: r["state"] for r in receipts(root)} == {
            "film.yaml": "succeeded", "broken.yaml": "failed",
        }  # fmt: skip
        assert {r["attempt"] for r in receipts(root)} == {1}


def test_a_read_only_outbox_fails_no_job_and_publishing_goes_on_after(tmp_path: Path) -> None:
    root = furnished(tmp_path / "root")
    with served(root) as service:
        drop(root, "film.yaml", NOISY)
        eventually(lambda: [s for s in statuses(root) if s["state"] == "running"])
        with read_only(root / "outbox"):
            eventually(lambda: "outbox-unusable" in codes(service))
            drop(root, "broken.yaml", BROKEN)  # even its error could not be told
            eventually(lambda: statuses(root)[0]["state"] == "queued")
            assert len(statuses(root)) == 1
            assert receipts(root) == []
        eventually(lambda: len(receipts(root)) == 2)
    assert {(r["name"], r["state"], r["attempt"]) for r in receipts(root)} == {
        ("film.yaml", "succeeded", 1), ("broken.yaml", "failed", 1),
    }  # fmt: skip
    assert residue(root) == []


@pytest.mark.parametrize(
    ("folder", "code"),
    [("inbox", "inbox-unusable"), ("outbox/receipts", "outbox-unusable"),
     (".reelkiln/store", "state-unusable")],
)  # fmt: skip
def test_a_forbidden_folder_is_told_once_and_nothing_is_lost(
    tmp_path: Path, folder: str, code: str
) -> None:
    root = furnished(tmp_path / "root")
    with serving(root, launcher=unprivileged()) as child:
        made = (root / "inbox" / "rejected", root / folder)
        until(lambda: all(one.is_dir() for one in made), child, root)
        (root / folder).chmod(0o555)
        until(lambda: told(root, "intake pauses"), child, root)
        drop_as_root(root, "film.yaml", GOOD)
        time.sleep(1.5)  # long enough for a claim, were there one
        assert (root / "inbox" / "film.yaml").exists()
        (root / folder).chmod(0o755)
        until(lambda: receipts(root), child, root)
    assert [(r["state"], r["attempt"]) for r in receipts(root)] == [("succeeded", 1)]
    assert [line["code"] for line in told(root, "intake pauses")] == [code]
    assert [line["code"] for line in told(root, "intake resumes")] == [code]


def unprivileged() -> tuple[str, ...]:
    """Root obeys permissions only without these capabilities; others obey them anyway."""
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root without setpriv may write everywhere")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search", "--")


def told(root: Path, event: str) -> list[Mapping[str, Any]]:
    text = (root / "serve.log").read_text()  # its first line is the address of the API
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def drop_as_root(root: Path, name: str, text: str) -> None:
    """Into a folder that may be forbidden to its owner too."""
    mode = (root / "inbox").stat().st_mode
    (root / "inbox").chmod(0o755)
    drop(root, name, text)
    (root / "inbox").chmod(mode)


FAULTS = [
    ("ENOSPC", WRITES), ("EDQUOT", WRITES), ("EACCES", CHANGES),
    ("EIO", ("sync_folder",)), ("EIO", ("rename", "rename_new")),
]  # fmt: skip


def test_faults_of_every_call_pause_the_intake_and_cost_nothing(tmp_path: Path) -> None:
    root, fs = furnished(tmp_path / "root"), FaultyFs()
    names = [f"{number}.yaml" for number in range(len(FAULTS))]
    with served(root, fs) as service:
        for name, (word, calls) in zip(names, FAULTS, strict=True):
            eventually(lambda: service.intake.is_open())
            fs.fail(getattr(errno, word), calls)
            drop(root, name, BROKEN)
            eventually(lambda: fs.met)
            eventually(lambda: "machine-fault" in codes(service))
            fs.heal()
            eventually(lambda name=name: [r for r in receipts(root) if r["name"] == name])
        eventually(lambda: not os.listdir(root / ".reelkiln" / "claimed"))
    assert sorted(r["name"] for r in receipts(root)) == names
    assert {(r["state"], r["attempt"], r["refused"]) for r in receipts(root)} == {
        ("failed", 1, True)
    }
    left = [path for path in residue(root) if "/parts/" not in path]  # swept when we are gone
    assert left == []
    assert [path.name for path in (root / "inbox").iterdir() if path.is_file()] == []


def test_a_receipt_that_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    root, fs = furnished(tmp_path / "root"), FaultyFs()
    with served(root, fs) as service:
        fs.fail(errno.EROFS, CHANGES, lambda path: path.parent == Places(root).receipts)
        drop(root, "film.yaml", GOOD)
        eventually(lambda: "machine-fault" in codes(service))
        assert receipts(root) == []
        fs.heal()
        eventually(lambda: receipts(root))
    (receipt,) = receipts(root)
    assert (receipt["state"], receipt["attempt"]) == ("succeeded", 1)
    verify(root / "outbox" / receipt["bundle"])
    assert residue(root) == []


def test_a_status_that_cannot_be_written_does_not_end_a_render(tmp_path: Path) -> None:
    root, fs = furnished(tmp_path / "root"), FaultyFs()
    with served(root, fs) as service:
        drop(root, "film.yaml", NOISY)
        eventually(lambda: [s for s in statuses(root) if s["state"] == "running"])
        fs.fail(errno.EDQUOT, WRITES)
        eventually(lambda: "machine-fault" in codes(service))
        assert list(service._running.values())
        fs.heal()
        eventually(lambda: receipts(root))
    assert [(r["state"], r["attempt"]) for r in receipts(root)] == [("succeeded", 1)]


def test_a_daemon_told_to_end_on_a_full_disk_gives_its_job_back(tmp_path: Path) -> None:
    root, fs = furnished(tmp_path / "root"), FaultyFs()
    with served(root, fs):
        drop(root, "film.yaml", NOISY.replace("3s", "30s"))
        eventually(lambda: [s for s in statuses(root) if s["state"] == "running"])
        fs.fail(errno.ENOSPC, WRITES)
    (claim,) = os.listdir(root / ".reelkiln" / "claimed")
    assert claim.endswith(".none.a0")


def test_a_root_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    argv = (
        sys.executable,
        "-m",
        "daemon.entry",
        "serve",
        "--root",
        str(tmp_path / "root"),
        "--no-api",
    )
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be made" in done.stderr
    assert "Traceback" not in done.stderr
