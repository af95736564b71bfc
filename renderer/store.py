"""Bytes by digest, and the memory of finished steps.

Objects are written to a temporary name, synced and renamed; a step is recorded after its
objects. Many processes may share a store: nobody ever overwrites what is there.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from renderer.digest import digest_of_bytes, digest_of_stream
from renderer.errors import StorageFull, StoreCorrupt
from renderer.steps import Output, StepResult


class Store(Protocol):
    """What the renderer needs of a store."""

    def put_file(self, path: Path, *, move: bool = False) -> Output:
        """Keep a file's bytes."""
        ...

    def path(self, sha256: str) -> Path:
        """Where an object can be read. Raises StoreCorrupt when it is gone."""
        ...

    def has(self, sha256: str) -> bool:
        """Whether an object can be read."""
        ...

    def lookup(self, key: str) -> StepResult | None:
        """What the step of that key gave, if all of it is still here."""
        ...

    def record(self, key: str, result: StepResult) -> None:
        """Remember what a step gave."""
        ...

    def workdir(self) -> Any:
        """A private folder, removed at the end of the with block."""
        ...


class LocalStore:
    """A store in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("objects", "steps", "borrowed", "stats", "plans", "facts", "work"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self._sweep_work()

    def put_file(self, path: Path, *, move: bool = False) -> Output:
        """Keep a file's bytes; with `move` the file itself, when on the same disk."""
        with path.open("rb") as stream:
            sha256 = digest_of_stream(stream)
        output = Output(sha256=sha256, size_bytes=path.stat().st_size)
        target = self._object(sha256)
        if not target.exists():
            with _disk_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{secrets.token_hex(8)}.part")
                shutil.move(path, part) if move else shutil.copyfile(path, part)
                _sync(part)
                part.replace(target)
        return output

    def put_bytes(self, data: bytes) -> Output:
        """Keep bytes."""
        sha256 = digest_of_bytes(data)
        target = self._object(sha256)
        if not target.exists():
            _write(target, data)
        return Output(sha256=sha256, size_bytes=len(data))

    def borrow(self, path: Path, sha256: str) -> None:
        """Know an outside file as an object, without copying it."""
        place = self._named("borrowed", sha256)
        _write(place, json.dumps({"path": str(path), "stat": _signature(path)}).encode())

    def path(self, sha256: str) -> Path:
        """Where an object can be read. Raises StoreCorrupt when it is gone or has changed."""
        own = self._object(sha256)
        if own.exists():
            return own
        borrowed = _read_json(self._named("borrowed", sha256))
        if borrowed:
            path = Path(borrowed["path"])
            if path.exists() and _signature(path) == borrowed["stat"]:
                return path
            raise StoreCorrupt(f"{path} changed while it was in use", hint="render again")
        raise StoreCorrupt(f"the store has no object {sha256}", hint="render again")

    def has(self, sha256: str) -> bool:
        """Whether an object can be read."""
        try:
            self.path(sha256)
        except StoreCorrupt:
            return False
        return True

    def lookup(self, key: str) -> StepResult | None:
        """What the step of that key gave, if all of it is still here in full size."""
        data = _read_json(self._named("steps", key))
        if not data:
            return None
        outputs = {name: Output(**entry) for name, entry in data["outputs"].items()}
        for output in outputs.values():
            path = self._object(output.sha256)
            if not path.exists() or path.stat().st_size != output.size_bytes:
                return None
        return StepResult(outputs=outputs, facts=data["facts"], reused=True)

    def record(self, key: str, result: StepResult) -> None:
        """Remember what a step gave; its objects are already here."""
        outputs = {
            name: {"sha256": output.sha256, "size_bytes": output.size_bytes}
            for name, output in sorted(result.outputs.items())
        }
        data = {"outputs": outputs, "facts": dict(result.facts)}
        _write(self._named("steps", key), json.dumps(data, sort_keys=True).encode())

    def digest_of_file(self, path: Path) -> str:
        """SHA-256 of a file, remembered by its stat signature."""
        signature = _signature(path)
        place = self._named("stats", digest_of_bytes(json.dumps(signature).encode()))
        known = _read_json(place)
        if known:
            return str(known["sha256"])
        with path.open("rb") as stream:
            sha256 = digest_of_stream(stream)
        _write(place, json.dumps({"sha256": sha256}).encode())
        return sha256

    def remember(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        """Keep a small JSON note: `facts` of a file, the last `plans` of a spec."""
        place = self._named(kind, digest_of_bytes(name.encode()))
        _write(place, json.dumps(data, sort_keys=True).encode())

    def recall(self, kind: str, name: str) -> dict[str, Any] | None:
        """A note kept earlier."""
        return _read_json(self._named(kind, digest_of_bytes(name.encode())))

    @contextmanager
    def workdir(self) -> Iterator[Path]:
        """A private folder, removed at the end; its name holds our pid, for the sweep."""
        folder = self.root / "work" / f"{os.getpid()}-{secrets.token_hex(6)}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep_work(self) -> None:
        for folder in (self.root / "work").iterdir():
            pid = folder.name.partition("-")[0]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(folder, ignore_errors=True)

    def _object(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256

    def _named(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / f"{key}.json"


def _signature(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _write(path: Path, data: bytes) -> None:
    with _disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        part.write_bytes(data)
        _sync(part)
        part.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return data if isinstance(data, dict) else None


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no room left: {error}", hint="free some space") from error
        raise
