"""Downloads: the archive and the files of a finished bundle, by ranges and strong tags.

A file is sent when the manifest lists it or it follows from the manifest; no other name reaches
the disk.
"""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from daemon.api.asking import visible_job
from daemon.api.context import CONTEXT
from daemon.api.models import FileEntry, FileList
from daemon.api.problems import BundleGone, NotFinished, NotFound
from daemon.api.sending import attachment, send_file
from daemon.api.telling import answer, job_path
from daemon.jobs import Job
from renderer.bundle.manifest import ARCHIVE, MANIFEST, STATEMENT, SUMS, manifest_from_bytes
from renderer.digest import digest_of_bytes, digest_of_stream
from renderer.errors import VerifyMismatch

_DERIVED = {
    MANIFEST: "application/json",
    STATEMENT: "application/vnd.in-toto+json",
    SUMS: "text/plain; charset=utf-8",
    ARCHIVE: "application/zip",
}
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file that may be sent; `sha256` empty when only the file itself can say."""

    media_type: str
    sha256: str = ""
    size_bytes: int = -1


async def download(request: web.Request) -> web.StreamResponse:
    """`GET /v1/jobs/{job_id}/download`: the whole bundle as a zip."""
    job = await visible_job(request)
    return await _sent(request, job, ARCHIVE, f"{job.bundle}.zip")


async def list_files(request: web.Request) -> web.Response:
    """`GET /v1/jobs/{job_id}/files`: what the manifest lists."""
    job = await visible_job(request)
    folder = bundle_folder(request, job)
    listed = await asyncio.to_thread(listed_files, folder, job.bundle_digest)
    here = f"{job_path(job.job_id)}/files"
    files = [
        FileEntry(path=path, media_type=entry.media_type, size_bytes=entry.size_bytes,
                  sha256=entry.sha256, url=f"{here}/{quote(path)}")
        for path, entry in sorted(listed.items()) if path not in _DERIVED
    ]  # fmt: skip
    told = FileList(
        job_id=job.job_id, bundle=job.bundle, bundle_digest=job.bundle_digest, files=files
    )
    return answer(told)


async def download_file(request: web.Request) -> web.StreamResponse:
    """`GET /v1/jobs/{job_id}/files/{path}`: one file of the bundle."""
    job = await visible_job(request)
    path = request.match_info["path"]
    return await _sent(request, job, path, path.rpartition("/")[2])


def listed_files(folder: Path, digest: str) -> Mapping[str, Listed]:
    """The files of a bundle that may be sent, by path. Raises as `sealed_manifest`."""
    return _listed(sealed_manifest(folder, digest))


def sealed_manifest(folder: Path, digest: str) -> bytes:
    """The manifest of a bundle.

    Raises BundleGone, and VerifyMismatch when the manifest is not the one of `digest`.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleGone("the bundle is no longer in the outbox", hint="render it again") from error
    if digest_of_bytes(data) != digest:
        raise VerifyMismatch([f"{MANIFEST}: is not the one that was sealed"])
    return data


@lru_cache(maxsize=64)
def _listed(manifest: bytes) -> Mapping[str, Listed]:
    files = {
        entry.path: Listed(
            media_type=entry.media_type, sha256=entry.sha256, size_bytes=entry.size_bytes
        )
        for entry in manifest_from_bytes(manifest).files
    }
    derived = {name: Listed(media_type=media_type) for name, media_type in _DERIVED.items()}
    return files | derived


def bundle_folder(request: web.Request, job: Job) -> Path:
    """Where the bundle of a job lies. Raises NotFinished and BundleGone."""
    if not job.state.has_results or not job.bundle:
        raise NotFinished(
            f"job {job.job_id} is {job.state} and has no bundle",
            hint="it failed or was cancelled" if job.state.is_final else "wait until it succeeded",
            headers={} if job.state.is_final else {"Retry-After": "2"},
        )
    if "/" in job.bundle or job.bundle.startswith("."):
        raise BundleGone("the record of this job names no bundle")
    return request.app[CONTEXT].places.outbox / job.bundle


async def _sent(request: web.Request, job: Job, path: str, file_name: str) -> web.StreamResponse:
    folder = bundle_folder(request, job)
    listed = (await asyncio.to_thread(listed_files, folder, job.bundle_digest)).get(path)
    if listed is None:
        raise NotFound("the bundle has no such file", hint=f"{job_path(job.job_id)}/files lists it")
    number, size, sha256 = await asyncio.to_thread(_opened, folder, path, listed)
    try:
        return await send_file(request, number, size, _headers(listed, sha256, file_name))
    finally:
        os.close(number)


def _opened(folder: Path, path: str, listed: Listed) -> tuple[int, int, str]:
    """An open file of a bundle, its size and its digest; it lies in the bundle, links or not."""
    whole = folder / path
    if not Path(os.path.realpath(whole)).is_relative_to(os.path.realpath(folder)):
        raise BundleGone("a file of the bundle was replaced by a link")
    try:
        number = os.open(whole, _FLAGS)
    except OSError as error:
        raise BundleGone(f"{path} is no longer in the bundle", hint="render it again") from error
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or listed.size_bytes not in (-1, found.st_size):
            raise VerifyMismatch([f"{path}: is not what the manifest says"])
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        return number, found.st_size, listed.sha256 or _digest(whole, key)
    except BaseException:
        os.close(number)
        raise


@lru_cache(maxsize=1024)
def _digest(path: Path, signature: tuple[int, ...]) -> str:
    """The digest of a file that nothing lists; `signature` is what a changed file differs in."""
    with path.open("rb") as stream:
        return digest_of_stream(stream)


def _headers(listed: Listed, sha256: str, file_name: str) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    return {
        "Content-Type": listed.media_type,
        "ETag": f'"sha256:{sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(file_name),
    }
