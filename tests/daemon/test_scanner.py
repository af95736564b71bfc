import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.jobs import Priority
from daemon.places import Places
from daemon.watching.drops import Arrival, DropKind, Hint
from daemon.watching.filesystems import FileSystem, file_system_in
from daemon.watching.scanner import Scanner, ScanResult

JSON = b'{"reelkiln": 1, "tracks": []}'
YAML = b"reelkiln: 1\nid: launch\ntracks:\n  - id: picture\n    clips: []\n"


class Inbox:
    """A real inbox with a clock that only tests move."""

    def __init__(self, root: Path, **options: object) -> None:
        self.places = Places(root)
        for folder in self.places.folders():
            folder.mkdir(parents=True, exist_ok=True)
        self.path = self.places.inbox
        self.hint_book: dict[str, Hint] = {}
        self.scanner = Scanner(places=self.places, hints=self.hint_book.get, **options)  # type: ignore[arg-type]
        self.now = 1000.0

    def scan(self, after: float = 0.0) -> ScanResult:
        self.now += after
        return self.scanner.scan(self.now)

    def ready(self, after: float = 0.0) -> list[str]:
        return [drop.name for drop in self.scan(after).ready]

    def codes(self, after: float = 0.0) -> list[str]:
        return [refused.fault.code for refused in self.scan(after).refused]

    def hint(self, name: str, arrival: Arrival) -> None:
        self.hint_book[str(self.path / name)] = Hint(arrival, self.now)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def test_json_is_ready_when_unchanged_for_a_quarter_of_a_second(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON)
    first = inbox.scan()
    assert (first.ready, first.waiting, first.next_at) == ((), 1, inbox.now + 0.25)
    assert inbox.ready(0.2) == []
    result = inbox.scan(0.05)
    (drop,) = result.ready
    assert (drop.name, drop.kind, drop.priority) == ("a.json", DropKind.JSON, Priority.NORMAL)
    assert drop.path == inbox.path / "a.json"
    assert drop.signature.inode == drop.path.stat().st_ino
    assert result.waiting == 0
    assert result.next_at is None


def test_yaml_waits_two_seconds_unless_it_says_that_it_ends(inbox: Inbox) -> None:
    (inbox.path / "a.yaml").write_bytes(YAML)
    (inbox.path / "b.yml").write_bytes(YAML + b"...\n")
    inbox.scan()
    assert inbox.ready(0.25) == ["b.yml"]
    os.unlink(inbox.path / "b.yml")
    assert inbox.ready(1.7) == []
    assert inbox.ready(0.05) == ["a.yaml"]


@pytest.mark.parametrize("step", [1, 3, 7])
@pytest.mark.parametrize(("name", "text"), [("a.json", JSON), ("a.yaml", YAML)])
@pytest.mark.parametrize("pause", [0.3, 1.9])
def test_a_slow_writer_is_never_read_too_early(
    inbox: Inbox, name: str, text: bytes, step: int, pause: float
) -> None:
    for start in range(0, len(text), step):
        with open(inbox.path / name, "ab") as stream:  # closed each time: no lease helps
            stream.write(text[start : start + step])
        if start + step < len(text):
            assert inbox.ready() == []
            assert inbox.ready(pause) == []
    inbox.scan()
    assert inbox.ready(2.0) == [name]


def test_a_writer_that_holds_the_file_open_may_pause_as_long_as_it_likes(inbox: Inbox) -> None:
    with open(inbox.path / "a.yaml", "wb", buffering=0) as stream:
        for part in (YAML[:12], YAML[12:24], YAML[24:]):
            stream.write(part)
            assert inbox.ready() == []
            assert inbox.ready(9.0) == []
        inbox.scan(60.0)
        assert [oddity.code for oddity in inbox.scan(1.0).oddities] == ["drop-held-open"]
    inbox.scan(1.0)
    assert inbox.ready(2.0) == ["a.yaml"]


def test_json_that_ends_in_the_middle_is_ready_after_ten_seconds(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON[:-1])
    inbox.scan()
    assert inbox.ready(9.0) == []
    assert inbox.ready(1.0) == ["a.json"]


def test_json_with_another_fault_is_ready_at_once(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(b'{"a": nope}')
    inbox.scan()
    assert inbox.ready(0.25) == ["a.json"]


def test_a_ready_file_vouches_for_its_drop(inbox: Inbox) -> None:
    (inbox.path / "a.yaml").write_bytes(YAML)
    (inbox.path / "a.yaml.ready").touch()
    (drop,) = inbox.scan().ready
    assert drop.ready_file


def test_a_ready_file_left_over_does_not_vouch_for_the_next_drop(inbox: Inbox) -> None:
    (inbox.path / "a.yaml.ready").touch()
    while not (inbox.path / "a.yaml").exists() or _ctime(inbox, "a.yaml") <= _ctime(
        inbox, "a.yaml.ready"
    ):
        (inbox.path / "a.yaml").write_bytes(YAML)
    assert inbox.ready() == []
    assert inbox.scan(60.0).leftovers == ()
    os.unlink(inbox.path / "a.yaml")
    assert inbox.scan().leftovers == (inbox.path / "a.yaml.ready",)


def _ctime(inbox: Inbox, name: str) -> int:
    return (inbox.path / name).stat().st_ctime_ns


def test_a_rename_is_believed_at_once_and_a_close_after_a_moment(inbox: Inbox) -> None:
    for name in ("moved.yaml", "closed.json", "closed.yaml"):
        (inbox.path / name).write_bytes(YAML if name.endswith("yaml") else JSON)
        inbox.hint(name, Arrival.RENAMED if name.startswith("moved") else Arrival.CLOSED)
    assert inbox.ready() == ["moved.yaml"]
    assert inbox.ready(0.05) == ["moved.yaml", "closed.json"]


def test_a_rename_of_half_a_json_is_not_believed(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON[:9])
    inbox.hint("a.json", Arrival.RENAMED)
    assert inbox.ready() == []


@pytest.mark.parametrize("date", [0, 4_000_000_000])
def test_the_dates_in_a_file_say_nothing(inbox: Inbox, date: int) -> None:
    (inbox.path / "a.json").write_bytes(JSON)
    os.utime(inbox.path / "a.json", (date, date))  # as cp -p and touch -d do
    assert inbox.ready() == []
    assert inbox.ready(0.25) == ["a.json"]


def test_truncating_and_writing_starts_the_clock_anew(inbox: Inbox) -> None:
    path = inbox.path / "a.json"
    path.write_bytes(JSON)
    inbox.scan()
    path.write_bytes(b"")
    assert inbox.ready(0.25) == []
    path.write_bytes(JSON)
    assert inbox.ready(0.1) == []
    assert inbox.ready(0.25) == ["a.json"]


def test_a_file_that_takes_the_place_of_another_is_another(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON)
    inbox.scan()
    (inbox.path / "b").write_bytes(JSON)
    os.rename(inbox.path / "b", inbox.path / "a.json")
    assert inbox.ready(0.25) == []
    assert inbox.ready(0.25) == ["a.json"]


def test_an_empty_file_is_never_ready_and_refused_after_a_minute(inbox: Inbox) -> None:
    (inbox.path / "a.json").touch()
    (inbox.path / "download.json").touch()
    (inbox.path / "download.json.part").touch()
    inbox.scan()
    result = inbox.scan(59.0)
    assert (result.ready, result.refused, result.waiting) == ((), (), 2)
    (refused,) = inbox.scan(1.0).refused
    assert (refused.drop.name, refused.fault.code) == ("a.json", "empty-document")


def test_a_file_too_large_for_a_spec_is_refused_unread(inbox: Inbox) -> None:
    with open(inbox.path / "a.json", "wb") as stream:
        stream.truncate(1_048_577)
    inbox.scan()
    assert inbox.codes(10.0) == ["document-too-large"]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _device(path: Path) -> None:
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero


@pytest.mark.parametrize("make", [_fifo, _link, Path.mkdir, _device])
def test_what_is_no_file_is_refused_without_opening_it(
    inbox: Inbox, make: Callable[[Path], None]
) -> None:
    try:
        make(inbox.path / "a.json")
    except PermissionError:
        pytest.skip("devices are made by root alone")
    inbox.scan()
    (refused,) = inbox.scan(0.25).refused
    assert refused.fault.code == "drop-not-a-file"
    assert "root:" not in refused.fault.message


def test_files_of_others_and_the_polite_folder_are_left_alone(inbox: Inbox) -> None:
    for name in (
        ".tmp/a.json",
        ".a.json.swp",
        "4913",
        "a.json~",
        "~$b.json",
        "clip.mp4",
        "failed/c.json",
    ):
        (inbox.path / name).write_bytes(JSON)
    result = inbox.scan()
    assert result == ScanResult()


NASTY = [
    b"new\nline.json", b"-rf.json", b"--help.json", b"\xff\xfe\x80.json", b" .json",
    b"'; rm *.json", b"a" * 250 + b".json", "\u202egnp.json".encode(), b"%s%n.json",
    b"$(id).json", b"a\t\x1b[31m.json", b"nul.json", b"*?.json", b"A.JSON",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_work(inbox: Inbox, name: bytes) -> None:
    with open(os.fsencode(inbox.path) + b"/" + name, "wb") as stream:
        stream.write(JSON)
    inbox.scan()
    assert inbox.ready(0.25) == [os.fsdecode(name)]


def test_folders_give_priority_and_the_first_come_goes_first(inbox: Inbox) -> None:
    for name in ("low/a.json", "b.json", "a.json", "high/z.json"):
        (inbox.path / name).write_bytes(JSON)
        while _ctime(inbox, name) == _ctime(inbox, "low/a.json") and name != "low/a.json":
            os.utime(inbox.path / name, (0, 0))
    os.utime(inbox.path / "a.json", (0, 0))
    inbox.scan()
    result = inbox.scan(0.25)
    assert [(str(d.priority), d.name) for d in result.ready] == [
        ("high", "z.json"), ("normal", "b.json"), ("normal", "a.json"), ("low", "a.json"),
    ]  # fmt: skip


def test_cancel_files_are_told(inbox: Inbox) -> None:
    (inbox.path / "a.yaml.cancel").touch()
    (inbox.path / "notes.cancel").touch()
    assert inbox.scan().cancels == (inbox.path / "a.yaml.cancel",)


def test_a_removed_inbox_is_not_an_empty_one(inbox: Inbox) -> None:
    inbox.scan()
    shutil.rmtree(inbox.path)
    (oddity,) = inbox.scan().oddities
    assert oddity.code == "inbox-gone"
    inbox.path.mkdir()
    (inbox.path / "a.json").write_bytes(JSON)
    result = inbox.scan()
    assert [o.code for o in result.oddities] in ([], ["inbox-replaced"])  # inodes come again
    assert inbox.ready(0.25) == ["a.json"]


def test_a_replaced_inbox_is_told_once_and_scanned_afresh(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON)
    inbox.scan()
    os.rename(inbox.path, inbox.path.with_name("old"))
    inbox.path.mkdir()
    os.rename(inbox.path.with_name("old") / "a.json", inbox.path / "a.json")
    result = inbox.scan(0.25)
    assert [oddity.code for oddity in result.oddities] == ["inbox-replaced"]
    assert result.ready == ()
    result = inbox.scan(0.25)
    assert (result.oddities, len(result.ready)) == ((), 1)


def test_an_inbox_on_another_file_system_is_told_and_not_scanned(inbox: Inbox) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == inbox.path.stat().st_dev:
        pytest.skip("there is no second file system")
    inbox.scan()
    elsewhere = shared / f"reelkiln-test-{os.getpid()}"
    elsewhere.mkdir()
    try:
        (elsewhere / "a.json").write_bytes(JSON)
        os.rename(inbox.path, inbox.path.with_name("old"))
        inbox.path.symlink_to(elsewhere)
        for _ in range(3):
            result = inbox.scan(1.0)
            assert [oddity.code for oddity in result.oddities] == ["inbox-elsewhere"]
            assert result.ready == ()
        inbox.path.unlink()
        os.rename(inbox.path.with_name("old"), inbox.path)
        assert inbox.scan().oddities == ()
    finally:
        shutil.rmtree(elsewhere)


def test_an_inbox_that_cannot_be_read_is_told_and_its_clocks_run_on(inbox: Inbox) -> None:
    (inbox.path / "a.json").write_bytes(JSON)
    inbox.scan()
    os.rename(inbox.path, inbox.path.with_name("old"))
    inbox.path.write_text("not a folder")
    assert [oddity.code for oddity in inbox.scan(0.1).oddities] == ["inbox-unreadable"]
    inbox.path.unlink()
    os.rename(inbox.path.with_name("old"), inbox.path)
    assert inbox.ready(0.15) == ["a.json"]


def test_a_batch_at_most_is_opened_in_one_scan_and_none_is_forgotten(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, batch=10)
    for index in range(95):
        (inbox.path / f"{index:02d}.json").write_bytes(JSON)
    (inbox.path / "half.json").write_bytes(JSON[:5])
    inbox.scan()
    taken: list[str] = []
    inbox.now += 0.25
    while batch := inbox.scan().ready:
        assert len(batch) <= 10
        for drop in batch:
            drop.path.unlink()
            taken.append(drop.name)
    assert taken == [f"{index:02d}.json" for index in range(95)]
    assert inbox.ready(10.0) == ["half.json"]


def test_a_drop_that_changes_while_it_is_queued_is_not_ready(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, batch=1)
    for name in ("a.json", "b.json"):
        (inbox.path / name).write_bytes(JSON)
        os.utime(inbox.path / name)
    inbox.scan()
    inbox.now += 0.25
    (first,) = inbox.scan().ready
    first.path.unlink()
    other = "b.json" if first.name == "a.json" else "a.json"
    (inbox.path / other).write_bytes(JSON[:10])
    assert inbox.ready() == []


def test_a_writer_who_comes_during_the_look_does_not_end_the_process(tmp_path: Path) -> None:
    script = """
import os, sys, threading
from daemon.watching.leases import has_writer
path = sys.argv[1]
stop = threading.Event()
def write():
    while not stop.is_set():
        os.close(os.open(path, os.O_WRONLY))
threads = [threading.Thread(target=write) for _ in range(2)]
for thread in threads: thread.start()
for _ in range(3000):
    fd = os.open(path, os.O_RDONLY)
    has_writer(fd)
    os.close(fd)
stop.set()
for thread in threads: thread.join()
print("alive")
"""
    path = tmp_path / "a.json"
    path.write_bytes(JSON)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.stdout == "alive\n", (done.returncode, done.stderr)


def vim(path: Path, text: bytes) -> None:
    """A probe file, the old text renamed to a backup, a new file under the name."""
    probe = path.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = path.with_name(path.name + "~")
    if path.exists():
        os.rename(path, backup)
    path.with_name(f".{path.name}.swp").write_bytes(b"b0VIM")
    _write(path, text)
    backup.unlink(missing_ok=True)
    path.with_name(f".{path.name}.swp").unlink()


def vs_code(path: Path, text: bytes) -> None:
    """In place: truncated, then written."""
    _write(path, text)


def gedit(path: Path, text: bytes) -> None:
    """A file beside it, the old one linked to a backup, a rename over it."""
    part = path.with_name(".goutputstream-4F8XQ2")
    _write(part, text)
    if path.exists():
        os.link(path, path.with_name(path.name + "~"))
    os.rename(part, path)
    path.with_name(path.name + "~").unlink(missing_ok=True)


def rsync(path: Path, text: bytes) -> None:
    part = path.with_name(f".{path.name}.Qx81Zb")
    _write(part, text)
    os.utime(part, (0, 0))
    os.rename(part, path)


def cp_p(path: Path, text: bytes) -> None:
    source = path.parent.parent / "source"
    source.write_bytes(text)
    os.utime(source, (0, 0))
    subprocess.run(["cp", "-p", str(source), str(path)], check=True)


def _write(path: Path, text: bytes) -> None:
    with open(path, "wb", buffering=0) as stream:
        for start in range(0, len(text), 16):
            stream.write(text[start : start + 16])
        os.fsync(stream.fileno())


@pytest.mark.parametrize("save", [vim, vs_code, gedit, rsync, cp_p])
@pytest.mark.parametrize(("name", "text"), [("a.json", JSON), ("a.yaml", YAML)])
def test_saves_of_programs_are_read_whole(
    inbox: Inbox, save: Callable[[Path, bytes], None], name: str, text: bytes
) -> None:
    longer = text.replace(b"1", b"1 ", 1)
    for version in (text, longer, text):  # saved three times while the daemon looks away
        save(inbox.path / name, version)
        inbox.scan(0.1)
    inbox.now += 1.0
    save(inbox.path / name, longer)
    inbox.scan()
    result = inbox.scan(2.0)
    assert [drop.name for drop in result.ready] == [name]
    assert result.refused == ()
    assert result.ready[0].path.read_bytes() == longer


@pytest.mark.parametrize("save", [vim, vs_code, gedit, rsync])
def test_at_no_moment_of_a_save_is_half_a_text_ready(
    inbox: Inbox, save: Callable[[Path, bytes], None]
) -> None:
    texts = {b'{"v": %d, "pad": "%s"}' % (v, b"x" * 300) for v in range(4)}
    done = threading.Event()

    def write() -> None:
        for text in sorted(texts) * 10:
            save(inbox.path / "a.json", text)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        for drop in inbox.scan(0.25).ready:
            try:
                data = drop.path.read_bytes()
            except FileNotFoundError:  # vim has just renamed it; a claim would find it gone
                continue
            unchanged = inbox.scan().ready == (drop,)
            assert data in texts or not unchanged
    writer.join()
    inbox.scan()
    assert inbox.ready(0.25) == ["a.json"]


def test_two_thousand_files_are_found_without_events(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, batch=300)
    for index in range(2000):
        (inbox.path / f"{index}.json").write_bytes(JSON)
    inbox.scan()
    inbox.now += 0.25
    found = set()
    while batch := inbox.scan().ready:
        for drop in batch:
            found.add(drop.name)
            os.rename(drop.path, inbox.places.own("claimed") / drop.name)
    assert len(found) == 2000


TABLE = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /srv/in\\040box rw - nfs4 host:/x rw
31 21 0:41 / /srv rw - tmpfs tmpfs rw
32 21 0:42 / /over rw - ext4 /dev/sdb rw
33 32 0:43 / /over rw master:2 - fuse.sshfs host: rw
odd line
"""


@pytest.mark.parametrize(
    ("place", "kind", "watched"),
    [
        ("/home/a", "ext4", True),
        ("/srv/in box/inbox", "nfs4", False),
        ("/srv/in boxes", "tmpfs", True),
        ("/over/x", "fuse.sshfs", False),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(place: str, kind: str, watched: bool) -> None:
    found = file_system_in(TABLE, Path(place))
    assert (found.kind, found.is_watched) == (kind, watched)


@pytest.mark.parametrize(
    ("kind", "near"),
    [("ext4", True), ("overlay", True), ("nfs4", False), ("fuse.sshfs", False), ("autofs", False),
     ("unknown", False)],
)  # fmt: skip
def test_what_is_layered_of_local_disks_is_near_though_not_watched(kind: str, near: bool) -> None:
    assert FileSystem(kind=kind).is_near is near


def test_without_a_mount_table_the_inbox_is_only_scanned() -> None:
    from daemon.watching.drops import Patience

    found = file_system_in("", Path("/a"))
    assert found.kind == "unknown"
    assert found.patience(Patience()).yaml_s == 8.0
    assert "scanned" in found.words()
