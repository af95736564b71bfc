"""Promises: assets and jobs that a document names before they are there. Pure.

Whoever keeps assets is a `Promises`; a daemon without one knows none, and jobs refer to jobs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from daemon.jobs import Job
from renderer.errors import UsageError


class Standing(StrEnum):
    """How it stands with what is waited for."""

    PENDING = "pending"
    AVAILABLE = "available"
    FAILED = "failed"  # it was promised, and will never be there
    UNKNOWN = "unknown"  # nobody promised it, or not to this owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What is known of one reference.

    An available one has a `path` and the `sha256` of what lies there, or a `value` (any JSON but
    null); without a path a file lies elsewhere, and has to be brought first. `reason` says why
    there is nothing. `made_by` is the job that promised an asset, `asset_id`, `label`,
    `media_type` and `size_bytes` are those of the asset.
    """

    standing: Standing
    path: Path | None = None
    sha256: str = ""
    value: Any = None
    reason: str = ""
    made_by: str = ""
    asset_id: str = ""
    label: str = ""
    media_type: str = ""
    size_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "standing": self.standing, "path": None if self.path is None else str(self.path),
            "sha256": self.sha256, "value": self.value, "reason": self.reason,
        }  # fmt: skip


def promised_from_json(data: Mapping[str, Any]) -> Promised:
    """The inverse of `as_json`. Raises KeyError, TypeError or ValueError on foreign data."""
    return Promised(
        standing=Standing(data["standing"]),
        path=None if data["path"] is None else Path(data["path"]),
        sha256=data["sha256"],
        value=data["value"],
        reason=data["reason"],
    )


UNKNOWN = Promised(standing=Standing.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that a job is going to make: its name in the bundle, and the asset it becomes.

    Without an `asset` a new one is promised.
    """

    label: str
    media_type: str
    asset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a job says of itself: what it waits for, what it makes, and its policy.

    `references` are `asset:ID` and `job:ID#FILE`, sorted.
    """

    references: tuple[str, ...] = ()
    makes: tuple[Wanted, ...] = ()
    on_failed_promise: str = "fail"

    def __bool__(self) -> bool:
        return bool(self.references or self.makes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The answer to `Needs`: how it stands with each reference.

    `refused` says by reference what cannot be: an asset that another job makes, a cycle; `lost`
    what was there and cannot be had any more.
    """

    found: Mapping[str, Promised] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)


class Promises(Protocol):
    """Assets as jobs see them. Every method may raise OSError or a ReelkilnError."""

    def look(self, asset_ids: Collection[str], owner: str) -> Mapping[str, Promised]:
        """How it stands with assets, all in one question; those left out are unknown.

        Without an `owner` (a dropped file) every asset may be seen; else one's own, and the
        public ones.
        """
        ...

    def bring(self, asset_id: str, go_on: Callable[[], None]) -> Path:
        """The file of an available asset, fetched if it lies elsewhere; that may take long.

        `go_on` is called now and then, and what it raises ends this. Raises AssetNotThere.
        """
        ...

    def names(self, job_id: str, makes: Collection[Wanted]) -> Mapping[str, str]:
        """The ids of the assets that a job is going to make, by label: always the same ones."""
        ...

    def promise(self, job: Job, makes: Collection[Wanted]) -> None:
        """Those assets are pending from now on, and the job's. Safe to repeat."""
        ...

    def fulfil(self, asset_id: str, file: Path, job: Job) -> None:
        """The promise is kept by a copy of `file`. Nothing when it was settled before, or is not
        the job's. A file that is not what was promised fails it."""
        ...

    def fail(self, asset_id: str, reason: str, job: Job) -> None:
        """The promise will never be kept. Nothing when it was settled before, or is not the
        job's."""
        ...

    def open(self) -> Mapping[str, str]:
        """The pending assets that jobs promised, with those jobs."""
        ...


class NoPromises:
    """A daemon that keeps no assets."""

    def look(self, asset_ids: Collection[str], owner: str) -> Mapping[str, Promised]:
        """None is known."""
        return {}

    def bring(self, asset_id: str, go_on: Callable[[], None]) -> Path:
        """None is known."""
        raise UsageError(f"no assets are kept here, so none is called {asset_id}")

    def names(self, job_id: str, makes: Collection[Wanted]) -> Mapping[str, str]:
        """What is made lies in the bundle alone."""
        return {}

    def promise(self, job: Job, makes: Collection[Wanted]) -> None:
        """Nothing is promised."""

    def fulfil(self, asset_id: str, file: Path, job: Job) -> None:
        """There is none to keep."""

    def fail(self, asset_id: str, reason: str, job: Job) -> None:
        """There is none to fail."""

    def open(self) -> Mapping[str, str]:
        """None is open."""
        return {}
