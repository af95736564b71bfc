"""What a child hears on its standard input: its request, then answers to what it asks. Pure.

It asks for what it needs, if its document names assets or jobs, and for the leave to publish.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from daemon.promises.contract import Needs, Supply, Wanted, promised_from_json
from renderer.limits import Limits

_GIB = 1024**3
LEAVE = b"publish\n"
"""The answer to a child that may publish; anything else, the end of the pipe too, means no."""


NOBODY_KNOWS = b"\n"
"""The answer to a child that asks where things lie when that cannot be found out now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the system lets the child and each FFmpeg below it have; 0 for no bound.

    `memory_bytes` of address space for each process, `file_bytes` for each file written.
    """

    memory_bytes: int = 8 * _GIB
    file_bytes: int = 64 * _GIB
    open_files: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A command that the operator registered: seconds it has, bytes each process may use.

    `environment` names the variables that it is given beside those that every child has.
    """

    command: tuple[str, ...]
    timeout_s: int = 600
    memory_bytes: int = 4 * _GIB
    file_bytes: int = 8 * _GIB
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One attempt at one claimed drop.

    `spec` is the claimed file, `name` what it was called when it was dropped (surrogateescape).
    Relative sources are looked up in each folder of `media`, in order, and must lie in one.
    `jobs` is how many processes draw at once, `networks` as REELKILN_ALLOW_NETWORKS.
    `providers` are the settings of those who make pictures. The keys among them are no part of
    the request: a child whose document needs a provider asks for them. All is told on a pipe, so
    that nobody reads it in the environment of a process. What is about to be drawn is kept under
    `job_id`, if there is one.
    """

    spec: Path
    name: str
    outbox: Path
    store: Path
    media: tuple[Path, ...]
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    networks: str = ""
    bounds: Bounds = field(default_factory=Bounds)
    modules: Mapping[str, Module] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict, repr=False)
    job_id: str = ""

    def __post_init__(self) -> None:
        if not self.media:
            raise ValueError("a job needs at least one folder to look for its sources in")

    @property
    def keys(self) -> Mapping[str, str]:
        """What of the settings of providers only those may know who call one."""
        return {name: v for name, v in self.providers.items() if name.endswith("_KEY")}

    def as_bytes(self, parent_pid: int) -> bytes:
        """The line for a child that is to die with process `parent_pid`."""
        paths = {name: str(getattr(self, name).absolute()) for name in ("spec", "outbox", "store")}
        media = [str(folder.absolute()) for folder in self.media]
        data = {
            **paths,
            "name": self.name,
            "media": media,
            "jobs": self.jobs,
            "limits": asdict(self.limits),
            "networks": self.networks,
            "bounds": asdict(self.bounds),
            "modules": {name: asdict(module) for name, module in self.modules.items()},
            "providers": {k: v for k, v in self.providers.items() if k not in self.keys},
            "job_id": self.job_id,
            "parent_pid": parent_pid,
        }
        return json.dumps(data).encode("ascii") + b"\n"  # lone surrogates stay escapes


def request_from_bytes(line: bytes) -> tuple[JobRequest, int]:
    """The inverse of `as_bytes`, with the pid of the parent.

    Raises ValueError, KeyError or TypeError for what is no request.
    """
    data: Mapping[str, Any] = json.loads(line)
    request = JobRequest(
        spec=Path(data["spec"]),
        name=data["name"],
        outbox=Path(data["outbox"]),
        store=Path(data["store"]),
        media=tuple(map(Path, data["media"])),
        jobs=data["jobs"],
        limits=Limits(**data["limits"]),
        networks=data["networks"],
        bounds=Bounds(**data["bounds"]),
        modules={
            name: Module(**{**module, "command": tuple(module["command"])})
            for name, module in data["modules"].items()
        },
        providers=data["providers"],
        job_id=data["job_id"],
    )
    return request, data["parent_pid"]


def needs_from_json(data: Mapping[str, Any]) -> Needs:
    """The inverse of `asdict(needs)`. Raises KeyError or TypeError on foreign data."""
    return Needs(
        references=tuple(data["references"]),
        makes=tuple(Wanted(**one) for one in data["makes"]),
        on_failed_promise=data["on_failed_promise"],
    )


def supply_as_bytes(supply: Supply) -> bytes:
    """The line that answers a child."""
    found = {reference: it.as_json() for reference, it in supply.found.items()}
    told = {"found": found, "refused": dict(supply.refused), "lost": dict(supply.lost)}
    return json.dumps(told).encode("ascii") + b"\n"


def supply_from_bytes(line: bytes) -> Supply:
    """The inverse. Raises ValueError, KeyError or TypeError for what is no answer."""
    data: Mapping[str, Any] = json.loads(line)
    found = {reference: promised_from_json(it) for reference, it in data["found"].items()}
    return Supply(found=found, refused=data["refused"], lost=data["lost"])
