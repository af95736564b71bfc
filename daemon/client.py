"""A Python client of the HTTP API: hand a document in, wait, fetch a bundle that is proven whole.

It stands alone: nothing of the server or the renderer is imported, so that the file may be copied.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Client", "DownloadDamaged", "Job", "JobUnfinished", "Problem"]

_CHUNK = 1 << 20
_TRIES = 5
_PASSING = frozenset({429, 503})
_FINAL = frozenset({"succeeded", "partial", "failed", "cancelled"})


class Problem(Exception):
    """What the server refused: an RFC 9457 problem. `errors` has every fault of a document."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(told.get("code", "error"))
        self.hint = str(told.get("hint") or "")
        self.errors: tuple[Mapping[str, Any], ...] = tuple(told.get("errors") or ())
        self.request_id = str(told.get("request_id", ""))
        detail = str(told.get("detail") or told.get("title") or "")
        super().__init__(f"{status} {self.code}: {detail}")


class JobUnfinished(TimeoutError):
    """A job was not done in the time that its caller had; `job` is how it then stood."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"job {job.job_id} is {job.status} at {job.progress} %")


class DownloadDamaged(Exception):
    """What came is not what the server sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the server told it. `progress` is 0 to 100; `told` has everything it said."""

    job_id: str
    status: str
    kind: str
    name: str
    progress: int
    bundle: str
    bundle_digest: str
    error: Mapping[str, Any] | None
    links: Mapping[str, str | None]
    told: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self.status in _FINAL

    @property
    def has_succeeded(self) -> bool:
        """Whether there is a bundle of all that was asked."""
        return self.status == "succeeded"


class Client:
    """One server. Use it in a `with` block, from one thread. Seconds; network faults are
    httpx.TransportError, refusals are Problem."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        key: str = "",
        *,
        timeout_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)
        self._sleep = sleep

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()

    def submit(
        self,
        document: Mapping[str, Any] | str | bytes,
        *,
        priority: str = "normal",
        world: str = "",
        fresh: bool = False,
        idempotency_key: str = "",
    ) -> Job:
        """Hand a document in: a mapping, or the text of one in YAML or JSON.

        It is sent again after a fault that may pass, and becomes one job all the same. The job
        may be one that is there already, succeeded perhaps, unless a `fresh` one is wished.
        """
        data, media_type = _document(document)
        query = {"priority": priority, "world": world, "fresh": str(fresh).lower()}
        headers = {
            "Content-Type": media_type,
            "Idempotency-Key": f'"{idempotency_key or uuid.uuid4()}"',
        }
        return _job(self._asked("POST", "/v1/jobs", params=query, content=data, headers=headers))

    def check(self, document: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
        """Whether a document is valid, without a job; its id, kind and digest. Raises Problem."""
        data, media_type = _document(document)
        headers = {"Content-Type": media_type}
        told: Mapping[str, Any] = self._asked("POST", "/v1/check", content=data, headers=headers)
        return told

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return _job(self._asked("GET", f"/v1/jobs/{job_id}"))

    def jobs(self, **filters: str) -> Iterator[Job]:
        """Jobs, newest first, page by page; `status="failed"` and the like say which."""
        path, query = "/v1/jobs", dict(filters)
        while True:
            page = self._asked("GET", path, params=query)
            yield from map(_job, page["jobs"])
            if not page["cursor"]:
                return
            query["cursor"] = page["cursor"]

    def cancel(self, job_id: str) -> Job:
        """Wish that a job ends; it does so soon, not at once."""
        return _job(self._asked("POST", f"/v1/jobs/{job_id}/cancel"))

    def retry(self, job_id: str) -> Job:
        """The new job that tries a failed one again."""
        headers = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
        return _job(self._asked("POST", f"/v1/jobs/{job_id}/retry", headers=headers))

    def events(self, job_id: str) -> Iterator[Job]:
        """The job each time that it changed, until it has ended; comes back when cut off."""
        last, faults = "", 0
        while faults < _TRIES:
            headers = {"Last-Event-ID": last} if last else {}
            stream = self._http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers)
            with suppress(httpx.TransportError), stream as told:
                if told.status_code == httpx.codes.NO_CONTENT:
                    return
                _refuse(told)
                for event in _events(told.iter_lines()):
                    last, faults = event["id"], 0
                    job = _job(json.loads(event["data"]))
                    yield job
                    if job.is_final:
                        return
            faults += 1
            self._sleep(2.0**faults / 4)
        raise httpx.ReadError(f"the events of job {job_id} were cut off {faults} times")

    def wait(self, job_id: str, *, timeout_s: float = 3600.0, every_s: float = 0.5) -> Job:
        """The job once it has ended, however. Raises JobUnfinished."""
        deadline = time.monotonic() + timeout_s
        while not (job := self.job(job_id)).is_final:
            if time.monotonic() + every_s > deadline:
                raise JobUnfinished(job)
            self._sleep(every_s)
        return job

    def download(self, job: Job, folder: Path) -> Path:
        """Fetch the bundle of a job as a zip into a folder; its path, once all of it is proven.

        Raises DownloadDamaged; then, and after any other fault, there is no such file.
        """
        target = folder / f"{job.bundle}.zip"
        with _part_of(target) as part:
            self._fetch(f"/v1/jobs/{job.job_id}/download", part)
            verify_zip(part, job.bundle_digest)
            os.replace(part, target)
        return target

    def download_file(self, job: Job, path: str, target: Path) -> Path:
        """Fetch one file of a bundle, by its path in there. Raises DownloadDamaged."""
        with _part_of(target) as part:
            self._fetch(f"/v1/jobs/{job.job_id}/files/{path}", part)
            os.replace(part, target)
        return target

    def _fetch(self, path: str, target: Path) -> None:
        with self._http.stream("GET", path) as told, target.open("wb") as file:
            _refuse(told)
            digest = hashlib.sha256()
            for data in told.iter_bytes(_CHUNK):
                digest.update(data)
                file.write(data)
            expected = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
            if told.headers.get("Repr-Digest") != expected:
                raise DownloadDamaged(f"{path}: the bytes are not those that the server named")

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        """The answer as JSON. What may pass is tried again, as long as that is safe."""
        may_repeat = method == "GET" or "Idempotency-Key" in more.get("headers", {})
        for attempt in range(1, _TRIES + 1):
            is_last = attempt == _TRIES or not may_repeat
            try:
                response = self._http.request(method, path, **more)
            except httpx.TransportError:
                if is_last:
                    raise
                self._sleep(2.0**attempt / 4)
                continue
            if response.status_code not in _PASSING or is_last:
                break
            self._sleep(min(60.0, float(response.headers.get("Retry-After", "1"))))
        _refuse(response)
        return response.json()


def verify_zip(path: Path, bundle_digest: str) -> None:
    """See that an archive is the bundle of that digest, whole. Raises DownloadDamaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            _verify(archive, bundle_digest)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DownloadDamaged(f"{path.name}: {error}") from error


def _verify(archive: zipfile.ZipFile, bundle_digest: str) -> None:
    folders = {name.partition("/")[0] for name in archive.namelist()}
    (folder,) = folders
    manifest = archive.read(f"{folder}/manifest.json")
    if hashlib.sha256(manifest).hexdigest() != bundle_digest:
        raise DownloadDamaged(f"{folder}: its manifest is not that of the job")
    for entry in json.loads(manifest)["files"]:
        with archive.open(f"{folder}/{entry['path']}") as stream:
            if _digest(stream) != entry["sha256"]:
                raise DownloadDamaged(f"{folder}/{entry['path']}: was changed")


def _digest(stream: Any) -> str:
    digest = hashlib.sha256()
    while data := stream.read(_CHUNK):
        digest.update(data)
    return digest.hexdigest()


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside the target, gone at the end unless it was renamed."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _document(document: Mapping[str, Any] | str | bytes) -> tuple[bytes, str]:
    if isinstance(document, Mapping):
        return json.dumps(dict(document)).encode(), "application/json"
    data = document.encode() if isinstance(document, str) else document
    return data, "application/json" if data.lstrip()[:1] == b"{" else "application/yaml"


def _job(told: Mapping[str, Any]) -> Job:
    return Job(
        job_id=told["job_id"], status=told["status"], kind=told["kind"], name=told["name"],
        progress=told["progress"], bundle=told["bundle"], bundle_digest=told["bundle_digest"],
        error=told["error"], links=told["links"], told=told,
    )  # fmt: skip


def _refuse(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        told = response.json()
    except ValueError:  # a proxy's page, say
        told = {"detail": response.reason_phrase}
    raise Problem(response.status_code, told if isinstance(told, dict) else {})


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Server-Sent Events that have data."""
    event: dict[str, str] = {"id": ""}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")
        elif "data" in event:
            yield event
            event = {"id": event["id"]}
