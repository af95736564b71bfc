"""What the handlers are given: the daemon they speak for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from daemon.api.callers import Access
from daemon.assets.service import AssetService
from daemon.assets.uploads import Uploads
from daemon.conditions import Conditions
from daemon.fs import Fs
from daemon.index import JobIndex
from daemon.jobs import Job, Priority
from daemon.metrics import Metrics
from daemon.owners import LEASE_S
from daemon.places import Places
from daemon.reading import Reading
from daemon.storage.local import LocalStorage
from daemon.submissions import About
from renderer.limits import Limits

_STRIPES = 64


class Submits(Protocol):
    """Takes documents in: see `daemon.submissions.Submissions`."""

    @property
    def new_id(self) -> Callable[[], str]:
        """Makes the id of a job."""
        ...

    def submit(
        self, document: bytes, *, suffix: str = ..., priority: Priority = ...,
        owner: str = ..., world: str = ..., job_id: str = ..., about: About = ...,
    ) -> Job:  # fmt: skip
        """Put a document into the inbox; durable before it returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the API is reached, and how much of it there is. Times are seconds.

    `idle_s` is what a connection has to bring a whole head, from its start and from each answer
    on; `body_s` what a body has; `stall_s` how long written bytes may stay unread.
    `per_address` does not count for loopback, where a proxy speaks for many.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    cors_origins: tuple[str, ...] = ()
    idle_s: float = 15.0
    body_s: float = 15.0
    stall_s: float = 60.0
    drain_s: float = 5.0
    connections: int = 2000
    per_address: int = 200
    streams: int = 500
    threads: int = 8
    poll_s: float = 0.25
    ping_s: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """One daemon, as the API sees it. `draining` is set when it ends.

    Where the state folder `is_near`, a record is read sooner than a thread could be asked to.
    """

    places: Places
    fs: Fs
    index: JobIndex
    submissions: Submits
    access: Access
    assets: AssetService
    reading: Reading
    metrics: Metrics
    clock: Callable[[], float]
    nonce: Callable[[], str]
    version: str
    environment: Mapping[str, str]
    draining: threading.Event
    limits: Limits = field(default_factory=Limits)
    settings: ApiSettings = field(default_factory=ApiSettings)
    uploads: Uploads | None = None  # None: this daemon takes none
    storage: LocalStorage | None = None  # the folder that signed requests are for
    lease_s: float = LEASE_S
    is_near: bool = False
    changed: Callable[[str], None] = lambda job_id: None  # hears of jobs that workers changed
    conditions: Conditions | None = None  # None: nobody watches over this machine


@dataclass(slots=True)
class Turnstiles:
    """What is counted while the loop runs: documents being read, hosts being looked up, event
    streams, the end.

    `same` are locks for equal documents: of two that come at once, the second finds the first.

    `inside` are the requests being answered, `reading` the limits of bodies that are on their way;
    once it `is_over`, no body is waited for.

    `store_bytes` is what the store held at `measured_at`: it takes long to measure.
    """

    documents: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    lookups: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # of DNS
    same: tuple[asyncio.Lock, ...] = field(
        default_factory=lambda: tuple(asyncio.Lock() for _ in range(_STRIPES))
    )
    streams: int = 0
    inside: int = 0
    reading: set[asyncio.Timeout] = field(default_factory=set)
    is_over: bool = False
    store_bytes: int = 0
    measured_at: float = float("-inf")
    closing: asyncio.Event = field(default_factory=asyncio.Event)


CONTEXT = web.AppKey("reelkiln_context", ApiContext)
TURNSTILES = web.AppKey("reelkiln_turnstiles", Turnstiles)
DESCRIPTION = web.AppKey("reelkiln_openapi", bytes)
