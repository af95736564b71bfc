"""Slow writers by the hundred: none is taken before its time, refused wrongly or read wrong.

The files, the leases and the scanner are real; the clock is moved by the test.
"""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest

from daemon.watching.drops import Arrival
from tests.daemon.small_daemon import SmallDaemon, World
from tests.daemon.test_hostile_drops import GOOD
from tests.daemon.test_hostile_names import HastyFs
from tests.daemon.test_scanner import Inbox
from tests.daemon.test_service import receipts, serving, until

TICK_S = 0.01


def json_text(number: int, length: int) -> bytes:
    """Brackets and quotes inside texts, which say nothing of the end."""
    pad = '}]\\"{[' * (length // 6)
    return b'{"reelkiln": %d, "tracks": [{"pad": "%s"}]}' % (number, pad.encode())


def yaml_text(number: int, length: int) -> bytes:
    """Every beginning of it is YAML too."""
    clips = b"".join(b"      - {text: t%d}\n" % n for n in range(length // 20))
    return b"reelkiln: %d\ntracks:\n  - clips:\n" % number + clips


@dataclass
class Writer:
    """Writes one text piece by piece, with pauses; as programs do, in one of four manners.

    `held`: the file stays open. `reopened`: opened and closed for every piece. `over`: as
    reopened, over an older text, which is truncated first. `moved`: held, under another name,
    which is changed at the end.
    """

    path: Path
    staging: Path
    text: bytes
    manner: str
    chance: random.Random
    longest_pause_s: float
    at: int = 0
    due: float = 0.0
    stream: BinaryIO | None = None
    events: list[Arrival] = field(default_factory=list)

    @property
    def target(self) -> Path:
        """The name that is written to."""
        return self.staging / self.path.name if self.manner == "moved" else self.path

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.text)

    def start(self) -> None:
        """The older text is there for a moment only, or it would rightly be taken."""
        if self.manner == "over":
            self.path.write_bytes(self.text.replace(b"reelkiln", b"oldkiln!"))
            os.truncate(self.path, 0)

    def step(self, now: float) -> None:
        """A piece of 1 byte to 64 KiB, then a pause."""
        stream = self.stream or open(self.target, "ab", buffering=0)  # noqa: SIM115
        size = self.chance.choice((1, 1, 1, 2, 7, 64, 4096, 65536))
        stream.write(self.text[self.at : self.at + size])
        self.at += size
        keeps = self.manner in ("held", "moved") and not self.is_done
        self.stream = stream if keeps else None
        if not keeps:
            stream.close()
            self.events.append(Arrival.CLOSED)
        if self.is_done and self.manner == "moved":
            os.rename(self.target, self.path)
            self.events.append(Arrival.RENAMED)
        rare = self.chance.random() < 0.02
        self.due = now + (self.chance.uniform(0, self.longest_pause_s) if rare else TICK_S)


def writers(inbox: Inbox, count: int, chance: random.Random) -> Iterator[Writer]:
    for number in range(count):
        manner = chance.choice(("held", "reopened", "over", "moved"))
        is_yaml = chance.random() < 0.5
        length = chance.choice((0, 20, 60, 200))
        text = (yaml_text if is_yaml else json_text)(number, length)
        folder = chance.choice((inbox.path, inbox.path / "high", inbox.path / "low"))
        # Nothing tells a pause from the end of YAML that is closed between its pieces.
        longest = 1.9 if is_yaml and manner in ("reopened", "over") else 9.0
        name = f"{number}.{'yaml' if is_yaml else 'json'}"
        yield Writer(folder / name, inbox.places.polite, text, manner, chance, longest)


def storm(root: Path, count: int, chance: random.Random) -> None:
    """All write at once; whatever the scanner finds is claimed, and must be a whole text."""
    inbox = Inbox(root)
    daemon = SmallDaemon(HastyFs(), inbox.places, World(), "d0")
    busy = list(writers(inbox, count, chance))
    whole = {writer.path: writer.text for writer in busy}
    done: set[Path] = set()
    for writer in busy:
        writer.start()
    while len(done) < count:
        for writer in busy:
            if writer.due <= inbox.now:
                writer.step(inbox.now)
                heard = chance.random() < 0.7  # events are lost
                for arrival in writer.events if heard else ():
                    inbox.hint(str(writer.path.relative_to(inbox.path)), arrival)
                writer.events.clear()
        busy = [writer for writer in busy if not writer.is_done]
        found = inbox.scan(TICK_S if busy else 1.0)
        assert found.refused == ()
        for drop in found.ready:
            claimed = daemon.inbox.claim(drop.path, os.lstat(drop.path), drop.priority)
            assert claimed is not None
            assert claimed.data == whole[drop.path]
            done.add(drop.path)


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_slow_writers_is_read_whole(tmp_path: Path, seed: int) -> None:
    storm(tmp_path, 150, random.Random(seed))


@pytest.mark.long
def test_ten_thousand_slow_writers_are_read_whole(tmp_path: Path) -> None:
    for seed in range(100, 140):
        storm(tmp_path / str(seed), 250, random.Random(seed))


def vim(path: Path, text: str, *settings: str) -> None:
    """The real one, as a person saves: once half a text, then the whole of it."""
    commands = [f"set {words}" for words in settings]
    commands += ["call append(0, 'reelkiln: 1')", "write", f"call append(0, {text!r})", "wq!"]
    argv = ["vim", "-es", "-u", "NONE", "-N"]
    for command in commands:
        argv += ["-c", command]
    subprocess.run([*argv, str(path)], check=True, timeout=60)


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed here")
@pytest.mark.parametrize("copy", ["yes", "no", "auto"])
def test_what_vim_saves_is_read_whole_and_its_own_files_are_left_alone(
    tmp_path: Path, copy: str
) -> None:
    inbox = Inbox(tmp_path)
    vim(inbox.path / "a.yaml", "tracks: []", f"backupcopy={copy}", "backup", "swapfile")
    vim(inbox.path / "b.json", GOOD.decode(), f"backupcopy={copy}", "writebackup")
    inbox.scan()
    result = inbox.scan(10.0)
    assert sorted(drop.name for drop in result.ready) == ["a.yaml", "b.json"]
    assert result.refused == ()
    assert (inbox.path / "a.yaml").read_text().startswith("tracks: []\nreelkiln: 1\n")
    assert json.loads((inbox.path / "b.json").read_text().partition("reelkiln: 1")[0])


def slow_yaml(number: int) -> bytes:
    return b"reelkiln: 1\noutput: {size: 64x36, fps: 10, quality: draft}\ntracks:\n" + (
        b"  - clips: [{colour: navy, length: 0.2}]  # %d\n" % number
    )


def test_a_daemon_renders_what_slow_writers_write_byte_by_byte(tmp_path: Path) -> None:
    texts = {f"{n}.json": GOOD + b"\n" * n for n in range(3)}
    texts |= {f"{n}.yaml": slow_yaml(n) for n in range(3)}
    with serving(tmp_path, "--workers", "2") as child:
        until((tmp_path / "inbox" / "failed").is_dir, child, tmp_path)
        at = 0
        while any(at < len(text) for text in texts.values()):
            for name, text in texts.items():
                with open(tmp_path / "inbox" / name, "ab") as stream:
                    stream.write(text[at : at + 1])
            at += 1
            time.sleep(TICK_S)
        until(lambda: len(receipts(tmp_path)) == len(texts), child, tmp_path)
    assert {told["state"] for told in receipts(tmp_path)} == {"succeeded"}
    assert {told["spec_sha256"] for told in receipts(tmp_path)} == {
        sha256(text).hexdigest() for text in texts.values()
    }
