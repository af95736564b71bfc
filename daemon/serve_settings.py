"""What a daemon is told when it starts to serve. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daemon.child.job_request import Module
from daemon.owners import BEAT_S, LEASE_S
from daemon.promises.blocked import LOOK_EVERY_S
from daemon.retention import CacheBudget, Retention
from renderer.limits import Limits

LEAST_FREE = 64 << 20
"""Bytes free on the disk, below which nothing new is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What a daemon is told: how many jobs at once, processes for each, and the limits.

    Without `workers` jobs are left to those that ask for them over HTTP.
    Without `events` the scan alone finds drops. A daemon beats every `beat_s` seconds, and takes
    over from one whose heartbeat stood still for `lease_s`. Blocked jobs are looked at when a
    promise is kept here, and every `look_every_s` seconds for those kept elsewhere.
    """

    root: Path
    workers: int = 1
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    limits: Limits = field(default_factory=Limits)
    networks: str = ""
    media: tuple[Path, ...] = ()
    least_free: int = LEAST_FREE
    retention: Retention = field(default_factory=Retention)
    budget: CacheBudget = field(default_factory=CacheBudget)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    events: bool = True
    lease_s: float = LEASE_S
    beat_s: float = BEAT_S
    modules: Mapping[str, Module] = field(default_factory=dict)
    look_every_s: float = LOOK_EVERY_S
