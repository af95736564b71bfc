"""A store in a folder.

    objects/ab/<sha256>      bytes; nothing is ever written in place
    steps/ab/<key>.note      what a step gave
    borrowed/ab/<sha256>.note    an outside file that holds these bytes
    stats, facts, plans, views    notes that may be lost at any time
    work/                    private folders, gone with their process
    corrupt/                 objects that did not hold what their name says

Everything is written to a private name, synced and renamed, so processes and threads share
a store without locks: a name only ever appears with its whole content, and whoever comes
second brings the same bytes. Every note carries its own digest; a damaged one is no note.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.archive import copy_summed
from renderer.digest import digest_of_bytes, digest_of_stream
from renderer.disk import (
    full_disk_told,
    made_at_ns,
    private_folder,
    private_folders,
    sweep_folders,
    sync,
)
from renderer.errors import Fault, SourceChanged, StoreCorrupt
from renderer.steps import Output, StepResult

_FRESH_NS = 100_000_000
"""A file changed this short a time ago may change again within one tick of its clock."""
_SLACK_NS = 1_000_000_000  # clocks of files run a little behind the clock of the system
_AGAIN = "render again: what is missing is made anew"
_KINDS = ("objects", "steps", "borrowed", "stats", "facts", "plans", "views", "corrupt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much a store holds. Steps are those recorded, objects those stored here."""

    size_bytes: int
    objects: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning did. `in_use_bytes` of what is left belong to renders under way."""

    removed_bytes: int
    left_bytes: int
    in_use_bytes: int


class LocalStore:
    """A store in a folder. See `renderer.store.contract.Store`.

    An object is read in full the first time a process uses it, and trusted by that process
    for as long as its size, inode and date stay. An outside file is hashed once for as long
    as these and its change time stay, across processes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._work = self.root / "work"
        self._proven: dict[str, tuple[int, ...]] = {}
        with full_disk_told(root):
            self._work.mkdir(parents=True, exist_ok=True)
        sweep_folders(self._work, "")

    def put_file(self, path: Path, *, move: bool = False) -> Output:
        """As `Store.put_file`."""
        with self._part() as part:
            output = _moved(path, part) if move else _copied(path, part)
            self._keep(part, output.sha256)
        return output

    def put_bytes(self, data: bytes) -> Output:
        """As `Store.put_bytes`."""
        output = Output(sha256=digest_of_bytes(data), size_bytes=len(data))
        with self._part() as part:
            part.write_bytes(data)
            self._keep(part, output.sha256)
        return output

    def borrow(self, path: Path) -> Output:
        """As `Store.borrow`. Nothing is copied; the file is hashed unless that is known."""
        absolute = path.absolute()
        output = self._measured(absolute)
        self._write_note("borrowed", output.sha256, {"path": os.fspath(absolute)})
        return output

    def path(self, sha256: str) -> Path:
        """As `Store.path`."""
        own = self._object(sha256)
        try:
            found = own.stat()
            identity = _identity(found)
            if self._proven.get(sha256) != identity:
                self._prove(own, sha256)
                self._proven[sha256] = identity
            _touch(own, found)
        except FileNotFoundError:
            return self._borrowed(sha256)
        return own

    def check(self, sha256: str) -> None:
        """As `Store.check`."""
        self._proven.pop(sha256, None)
        self.path(sha256)

    def lookup(self, key: str) -> StepResult | None:
        """As `Store.lookup`. Sizes are compared here, bytes when `path` is asked for them."""
        note = self._read_note("steps", key)
        if note is None:
            return None
        outputs = {name: Output(**entry) for name, entry in note["outputs"].items()}
        if not all(self._has_whole(output) for output in outputs.values()):
            return None
        return StepResult(outputs=outputs, facts=note["facts"], reused=True)

    def record(self, key: str, result: StepResult) -> None:
        """As `Store.record`."""
        outputs = {
            name: {"sha256": output.sha256, "size_bytes": output.size_bytes}
            for name, output in result.outputs.items()
        }
        self._write_note("steps", key, {"outputs": outputs, "facts": dict(result.facts)})

    def remember(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        """As `Store.remember`."""
        self._write_note(kind, digest_of_bytes(name.encode()), data)

    def recall(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """As `Store.recall`."""
        return self._read_note(kind, digest_of_bytes(name.encode()))

    @contextmanager
    def workdir(self) -> Iterator[Path]:
        """As `Store.workdir`."""
        with ExitStack() as stack:
            # Nobody begins while somebody prunes.
            with full_disk_told(self.root), self._pruning(fcntl.LOCK_SH):
                folder = stack.enter_context(private_folder(self._work, ""))
            yield folder

    def usage(self) -> Usage:
        """How much there is, without reading any of it."""
        files = self._files()
        kinds = [path.relative_to(self.root).parts[0] for path, _ in files]
        size = sum(found.st_size for _, found in files)
        return Usage(size_bytes=size, objects=kinds.count("objects"), steps=kinds.count("steps"))

    def prune(self, max_bytes: int | None, *, max_age_s: float | None = None) -> Pruned:
        """Remove what was not used for `max_age_s` seconds, then what was used longest ago.

        That ends once at most `max_bytes` are left; None sets no bound. What renders under
        way may count on stays, and is removed by a later pruning. Renders that begin meanwhile
        wait for the end; an object that one of them misses is made again.
        """
        with self._pruning(fcntl.LOCK_EX):
            sweep_folders(self._work, "")
            began = [made_at_ns(folder, "") for folder in private_folders(self._work, "")]
            kept_from = min(began) - _SLACK_NS if began else time.time_ns() + _SLACK_NS
            files = sorted(self._files(), key=lambda file: _last_use_ns(file[1]))
            left = total = sum(found.st_size for _, found in files)
            in_use = sum(f.st_size for _, f in files if _last_use_ns(f) >= kept_from)
            too_old = _before_ns(max_age_s)
            for path, found in files:
                used = _last_use_ns(found)
                is_over = used < too_old or (max_bytes is not None and left > max_bytes)
                if not is_over or used >= kept_from:
                    break
                path.unlink(missing_ok=True)
                left -= found.st_size
        return Pruned(removed_bytes=total - left, left_bytes=left, in_use_bytes=in_use)

    def _borrowed(self, sha256: str) -> Path:
        note = self._read_note("borrowed", sha256)
        if note is None:
            raise StoreCorrupt(f"the store has no object {sha256}", hint=_AGAIN)
        path = Path(note["path"])
        try:
            if self._measured(path).sha256 == sha256:
                return path
        except OSError as error:
            raise _changed(path, f"cannot be read any more ({error.strerror})") from error
        raise _changed(path, "holds other bytes than when the render began")

    def _measured(self, path: Path) -> Output:
        """Digest and size of an outside file, remembered while the file does not change."""
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            name = digest_of_bytes(repr((*_identity(before), before.st_ctime_ns)).encode())
            known = self._read_note("stats", name)
            if known is not None:
                return Output(**known)
            began = time.time_ns()
            sha256 = digest_of_stream(stream)
            after = os.fstat(stream.fileno())
        if (_identity(before), before.st_ctime_ns) != (_identity(after), after.st_ctime_ns):
            raise _changed(path, "changed while it was read")
        output = Output(sha256=sha256, size_bytes=after.st_size)
        if began - max(before.st_mtime_ns, before.st_ctime_ns) > _FRESH_NS:
            data = {"sha256": sha256, "size_bytes": output.size_bytes}
            self._write_note("stats", name, data)
        return output

    def _prove(self, own: Path, sha256: str) -> None:
        with own.open("rb") as stream:
            found = digest_of_stream(stream)
        if found == sha256:
            return
        aside = self.root / "corrupt" / f"{sha256}-{secrets.token_hex(4)}"
        aside.parent.mkdir(exist_ok=True)
        own.rename(aside)
        raise StoreCorrupt(f"object {sha256} holds other bytes; it lies in {aside}", hint=_AGAIN)

    def _has_whole(self, output: Output) -> bool:
        own = self._object(output.sha256)
        try:
            found = own.stat()
            _touch(own, found)
        except FileNotFoundError:
            return False
        return found.st_size == output.size_bytes

    def _keep(self, part: Path, sha256: str) -> None:
        """Name a finished part. Replaces, which heals: whatever was there had that name."""
        target = self._object(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.chmod(0o444)
        sync(part)
        self._proven[sha256] = _identity(part.stat())
        part.replace(target)
        sync(target.parent)

    def _write_note(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        target = self._note(kind, name)
        body = json.dumps(data, sort_keys=True).encode()
        with self._part() as part:
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(_seal_of(kind, name, body) + b"\n" + body)
            part.replace(target)  # not synced: half a note is no note

    def _read_note(self, kind: str, name: str) -> dict[str, Any] | None:
        place = self._note(kind, name)
        try:
            seal, _, body = place.read_bytes().partition(b"\n")
            _touch(place, place.stat())
        except FileNotFoundError:
            return None
        if seal != _seal_of(kind, name, body):
            return None
        data: dict[str, Any] = json.loads(body)
        return data

    @contextmanager
    def _part(self) -> Iterator[Path]:
        """A private name for something that is about to be written."""
        with full_disk_told(self.root), self.workdir() as folder:
            yield folder / "part"

    @contextmanager
    def _pruning(self, mode: int) -> Iterator[None]:
        with (self.root / "lock").open("ab") as lock:
            fcntl.flock(lock, mode)
            yield

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = []
        for kind in _KINDS:
            for folder, _, names in os.walk(self.root / kind):
                for path in (Path(folder, name) for name in names):
                    try:
                        files.append((path, path.stat()))
                    except FileNotFoundError:
                        continue  # set aside or removed meanwhile
        return files

    def _object(self, sha256: str) -> Path:
        return self.root / "objects" / _named(sha256)[:2] / sha256

    def _note(self, kind: str, name: str) -> Path:
        return self.root / kind / _named(name)[:2] / f"{name}.note"


def _named(text: str) -> str:
    """`text`, when it is a digest: it is about to become a path."""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not a digest of 64 lowercase hex digits")
    return text


def _seal_of(kind: str, name: str, body: bytes) -> bytes:
    return hashlib.sha256(f"{kind}/{name}\n".encode() + body).hexdigest().encode()


def _copied(path: Path, part: Path) -> Output:
    with path.open("rb") as source, part.open("xb") as target:
        sums = copy_summed(source, target)
    return Output(sha256=sums.sha256, size_bytes=sums.size_bytes)


def _moved(path: Path, part: Path) -> Output:
    if path.is_symlink() or path.stat().st_dev != part.parent.stat().st_dev:
        output = _copied(path, part)
        path.unlink()
        return output
    path.rename(part)
    with part.open("rb") as stream:
        sums = copy_summed(stream, None)
    return Output(sha256=sums.sha256, size_bytes=sums.size_bytes)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _last_use_ns(found: os.stat_result) -> int:
    return max(found.st_atime_ns, found.st_mtime_ns)


def _before_ns(age_s: float | None) -> int:
    """The moment so many seconds ago, in nanoseconds since 1970; 0 when there is no age."""
    return 0 if age_s is None else time.time_ns() - int(age_s * 1e9)


def _touch(path: Path, found: os.stat_result) -> None:
    """Note the use, for pruning, whatever the disk does about access times by itself."""
    os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))


def _changed(path: Path, what: str) -> SourceChanged:
    return SourceChanged([
        Fault(
            code="source-changed",
            message=f"{path} {what}",
            hint="leave the file alone while it is in use, then render again",
        )
    ])  # fmt: skip
