"""Uploads in parts, in a folder: `<upload>/about.json` and `<number>.<sha256>` for each part."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from daemon.fs import Fs
from daemon.storage.contract import Part, refuse_parts
from daemon.storage.errors import UploadUnknown
from renderer.disk import sync

_UPLOAD = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"([0-9]{5})\.([0-9a-f]{64})")
_MAX_ABOUT = 1 << 16


class LocalParts:
    """The uploads that are under way, each a folder of `root`."""

    def __init__(self, root: Path, fs: Fs) -> None:
        self._root, self._fs = root, fs
        root.mkdir(parents=True, exist_ok=True)

    def begin(self, key: str, media_type: str) -> str:
        """A new upload; its id."""
        upload_id = secrets.token_hex(16)
        folder = self._root / upload_id
        folder.mkdir()
        about = json.dumps({"key": key, "media_type": media_type}).encode()
        self._fs.write_new(folder / "about.json", about)
        self._fs.sync_folder(folder)
        self._fs.sync_folder(self._root)
        return upload_id

    def folder(self, key: str, upload_id: str) -> Path:
        """Where its parts are. Raises UploadUnknown, also when it is an upload of another key."""
        if self._about(key, upload_id)["key"] != key:
            raise UploadUnknown(key)
        return self._root / upload_id

    def media_type(self, key: str, upload_id: str) -> str:
        """The type it was begun with. Raises UploadUnknown."""
        return self._about(key, upload_id)["media_type"]

    def put(self, key: str, upload_id: str, number: int, path: Path, sha256: str) -> str:
        """Take a part in, in place of an earlier one of its number; its tag."""
        folder = self.folder(key, upload_id)
        sync(path)
        new = folder / f"{number:05}.{sha256}"
        try:
            self._fs.rename(path, new)
        except FileNotFoundError as error:
            raise UploadUnknown(key) from error
        for name in self._fs.names(folder):
            if name.startswith(f"{number:05}.") and name != new.name:
                self._fs.unlink(folder / name)
        os.utime(folder)  # it is alive: see `sweep`
        self._fs.sync_folder(folder)
        return sha256

    def list(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """The parts by number; of two with one number, the later one."""
        folder = self.folder(key, upload_id)
        found: dict[int, tuple[int, Part]] = {}
        for name in self._fs.names(folder):
            part, status = _PART.fullmatch(name), self._fs.stat(folder / name)
            if part is None or status is None:
                continue
            number = int(part[1])
            entry = Part(number=number, size_bytes=status.st_size, etag=part[2])
            if number not in found or status.st_mtime_ns >= found[number][0]:
                found[number] = (status.st_mtime_ns, entry)
        return tuple(found[number][1] for number in sorted(found))

    def files(self, key: str, upload_id: str, parts: Sequence[Part]) -> tuple[Path, ...]:
        """The files of these parts. Raises UploadRefused when they make no whole."""
        refuse_parts(key, parts, self.list(key, upload_id))
        folder = self._root / upload_id
        return tuple(folder / f"{part.number:05}.{part.etag}" for part in parts)

    def forget(self, upload_id: str) -> None:
        """Remove an upload; one that is not there is no error."""
        folder = self._root / upload_id
        if _UPLOAD.fullmatch(upload_id) and folder.is_dir():
            self._fs.unlink(folder / "about.json")  # from here on nobody knows it
            shutil.rmtree(folder, ignore_errors=True)  # two may be at it

    def sweep(self, before: float) -> None:
        """Remove uploads that nothing was added to since `before`, in seconds since 1970."""
        for name in self._fs.names(self._root):
            status = self._fs.stat(self._root / name)
            if status is not None and status.st_mtime < before:
                self.forget(name)

    def _about(self, key: str, upload_id: str) -> dict[str, str]:
        if not _UPLOAD.fullmatch(upload_id):
            raise UploadUnknown(key)
        try:
            data = self._fs.read(self._root / upload_id / "about.json", _MAX_ABOUT)
        except FileNotFoundError as error:
            raise UploadUnknown(key) from error
        told: dict[str, str] = json.loads(data)
        return told
