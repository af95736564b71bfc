"""Deliveries and endpoints as they are kept. Pure types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from daemon.webhooks.events import EVENTS

OPERATOR = "operator"
"""The endpoint of REELKILN_WEBHOOK_URL."""
CALLBACK = "callback"
"""The endpoint that a spec names."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # given up; `replay` begins anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A receiver that an owner registered. `secrets` newest first; without a `world`, of all."""

    endpoint_id: str
    owner: str
    url: str
    secrets: tuple[str, ...]
    events: tuple[str, ...] = EVENTS
    created_at: float = 0.0
    disabled_at: float | None = None
    world: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for one endpoint; `body` is the same at every attempt.

    `attempts` counts those begun. `last_error` says in words what was wrong the last time; of
    what a receiver answered only the status is kept.
    """

    message_id: str
    endpoint: str
    job_id: str
    owner: str
    event: str
    url: str
    body: str
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    next_at: float = 0.0
    created_at: float = 0.0
    updated_at: float = 0.0
    last_status: int | None = None
    last_error: str = ""
    world: str = ""

    @property
    def host(self) -> str:
        """Host and port: one attempt at a time goes there."""
        try:
            return urlsplit(self.url).netloc.rpartition("@")[2].lower()[:300]
        except ValueError:  # the guard refuses it when it is to be sent
            return ""
