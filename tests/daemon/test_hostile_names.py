"""Names that break programs: each drop is taken and told under its very name, or left alone."""

import json
import os
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.error_files import SUFFIX
from daemon.fs import RealFs
from daemon.jobs import JobState
from daemon.places import Places
from daemon.watching.drops import kind_of
from tests.command import run_command
from tests.daemon.corpora import naughty_strings
from tests.daemon.small_daemon import REFUSAL, SmallDaemon, World
from tests.daemon.test_hostile_drops import GOOD
from tests.daemon.test_scanner import Inbox
from tests.daemon.test_service import receipts, serving, until

LONGEST = 255
HOSTILE = [
    b"new\nline.json", b"\n.json", b"-rf.json", b"--help.json", b"-.json", b"\xff\xfe\x80.json",
    b"a" * 250 + b".json", "\u00e9".encode() * 125 + b".json", "\u202egnp.json".encode(),
    b"twin.json", b"TWIN.json", b"Twin.JSON", "stra\u00dfe.json".encode(), b"strasse.json",
    "e\u0301.json".encode(), "\u00e9.json".encode(), b" .json", b"a .json", b"%s%n%x.json",
    b"$(id).json", b"`id`.json", b"'; rm -rf *; '.json", b'"\\".json', b"*?[a].json", b"|a&b;.json",
    b"a\t\x1b[31mred\x07.json", b"\x7f\x01.json", b"nul.json", b"con.json", b"..a.json", b"~a.json",
    b".json", b"...json", b"a.json.json", b"a.error.json", b"a.b.error.json", b"{{name}}.json",
    "\U0001f4a9.json".encode(), "\ufeffbom.json".encode(), "\u2028line.json".encode(),
    "\ufffd.json".encode(), b"\xed\xa0\x80.json", b"\xc0\xaf.json", b"%2e%2e%2f.json",
]  # fmt: skip


def named(text: str) -> bytes:
    """A name from any text: what no file system takes is replaced, the rest cut to fit."""
    data = os.fsencode(text.replace("/", "_").replace("\0", "_"))
    return data[: LONGEST - len(".json")] + b".json"


def placed(inbox: Inbox, names: list[bytes]) -> list[str]:
    for name in names:
        with open(os.fsencode(inbox.path) + b"/" + name, "wb") as stream:
            stream.write(b"refuse " + name if len(name) % 2 else b"{} " + name)
    return sorted(os.fsdecode(name) for name in names)


def worked_off(inbox: Inbox, daemon: SmallDaemon) -> None:
    """What a daemon does with all that its scanner finds; every second drop is refused."""
    inbox.scan()
    while found := inbox.scan(60.0).ready:
        for drop in found:
            claimed = daemon.inbox.claim(drop.path, os.lstat(drop.path), drop.priority)
            assert claimed is not None
            assert claimed.data.endswith(os.fsencode(drop.name))
            if claimed.data.startswith(b"refuse"):
                daemon.inbox.reject(claimed, REFUSAL)
            else:
                daemon.inbox.succeed(claimed, "bundle", "0" * 64)


def told_name(error: Mapping[str, Any]) -> bytes:
    if "name_base64" in error:
        return b64decode(error["name_base64"])
    return os.fsencode(error["name"])


def every_name_is_told(places: Places, names: list[str]) -> None:
    """One receipt for each drop; each refused one lies beside an error file with its name."""
    found = [json.loads(path.read_bytes()) for path in places.receipts.iterdir()]
    assert sorted(receipt["name"] for receipt in found) == names
    errors = sorted(os.listdir(places.rejected))
    specs = [name for name in errors if not name.endswith(SUFFIX) or name + SUFFIX in errors]
    assert len(errors) == 2 * len(specs)
    told = []
    for name in specs:
        data = (places.rejected / name).read_bytes()
        error = json.loads((places.rejected / (name + SUFFIX)).read_bytes().decode("ascii"))
        assert data == b"refuse " + told_name(error)
        told.append(os.fsdecode(told_name(error)))
    refused = [r["name"] for r in found if r["state"] == JobState.FAILED]
    assert sorted(told) == sorted(refused)


class HastyFs(RealFs):
    """Real files that need not outlast the power: here it is about names."""

    def write_new(self, path: Path, data: bytes) -> None:
        with open(path, "xb") as stream:
            stream.write(data)

    def sync_folder(self, path: Path) -> None:
        assert path.is_dir()


def small_daemon(root: Path) -> tuple[Inbox, SmallDaemon]:
    inbox = Inbox(root)
    return inbox, SmallDaemon(HastyFs(), inbox.places, World(), "d0")


def test_naughty_and_hostile_names_are_told_as_they_are(tmp_path: Path) -> None:
    inbox, daemon = small_daemon(tmp_path)
    names = placed(inbox, sorted({*map(named, naughty_strings()), *HOSTILE}))
    mine = [name for name in names if kind_of(name)]
    assert len(mine) > 480
    worked_off(inbox, daemon)
    every_name_is_told(inbox.places, mine)
    left = {path.name for path in inbox.path.iterdir() if path.is_file()}
    assert left == set(names) - set(mine)
    assert all(name[0] in ".~" or name.endswith(SUFFIX) for name in left)


_NAMES = st.binary(min_size=1, max_size=LONGEST - 5).filter(
    lambda name: not set(name) & {0, 0x2F} and name[0] not in b".~"
)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(_NAMES, min_size=1, max_size=12, unique=True))
def test_any_name_is_told_as_it_is(names: list[bytes], tmp_path_factory: Any) -> None:
    inbox, daemon = small_daemon(tmp_path_factory.mktemp("r"))
    whole = placed(inbox, [name + b".json" for name in names])
    worked_off(inbox, daemon)
    every_name_is_told(inbox.places, [name for name in whole if kind_of(name)])


def test_a_name_dropped_again_and_again_is_kept_each_time(tmp_path: Path) -> None:
    inbox, daemon = small_daemon(tmp_path)
    name = b"\xff" * 250 + b".json"  # an odd length: refused, and too long for its error file
    for _ in range(3):
        placed(inbox, [name])
        worked_off(inbox, daemon)
    every_name_is_told(inbox.places, [os.fsdecode(name)] * 3)


WORST = [
    b"new\nline.json", b"-rf.json", b"\xff\xfe.json", b"a" * 250 + b".json", b"\x1b[31m.json",
    "\u202egnp.json".encode(),
]  # fmt: skip


def test_a_daemon_renders_and_refuses_the_worst_names(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    for number, name in enumerate(WORST):
        with open(os.fsencode(tmp_path / "inbox") + b"/" + name, "wb") as stream:
            stream.write(GOOD if number % 2 else GOOD + b",")
    with serving(tmp_path, "--workers", "2") as child:
        until(lambda: len(receipts(tmp_path)) == len(WORST), child, tmp_path)
    states = {os.fsencode(told["name"]): told["state"] for told in receipts(tmp_path)}
    assert states == {
        name: "succeeded" if number % 2 else "failed" for number, name in enumerate(WORST)
    }
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
    done = run_command("jobs", "list", "--root", tmp_path, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "\x1b[31m" not in done.stdout
