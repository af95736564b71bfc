"""What is asked and told of webhooks, as models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from daemon.api.asking import WORLD, NoQuery
from daemon.api.bodies import Asked
from daemon.api.models import Answered
from renderer.spec.envelope import CALLBACK_PATTERN, EndOfJob

_Events = Annotated[list[EndOfJob], Field(min_length=1, max_length=4)]
_State = Literal["pending", "sent", "failed"]
_ALL: list[EndOfJob] = ["job.succeeded", "job.partial", "job.failed", "job.cancelled"]


class WebhookAsked(Asked):
    """A receiver. Without a world it hears of all that whoever asks may see."""

    url: str = Field(max_length=2000, pattern=CALLBACK_PATTERN)
    events: _Events = Field(default=_ALL, description="Of which ends of jobs it is told.")
    world: str | None = Field(default=None, max_length=64, pattern=WORLD)


class WebhookShown(Answered):
    """A receiver. `url` is without its query, which may hold a secret."""

    webhook_id: str
    url: str
    events: list[str]
    owner: str
    world: str
    created_at: AwareDatetime
    gone_at: AwareDatetime | None = Field(
        description="Since when nothing is sent there, for it answered 410; a replay tries it."
    )


class NewWebhookShown(WebhookShown):
    """A receiver with the secret that its webhooks are signed with, shown this once."""

    secret: str = Field(repr=False)


class WebhookList(Answered):
    """Receivers, newest first."""

    webhooks: list[WebhookShown]


class DeliveryShown(Answered):
    """One message for one receiver. Of its answers only the status is kept."""

    message_id: str = Field(description="The header webhook-id of every attempt.")
    webhook_id: str
    job_id: str
    event: str
    url: str
    state: _State
    attempts: int = Field(description="Those begun.")
    next_at: AwareDatetime | None = Field(description="When it is tried next.")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    last_status: int | None
    last_error: str | None


class DeliveryList(Answered):
    """Deliveries, newest first. `cursor` asks for the page that follows."""

    deliveries: list[DeliveryShown]
    cursor: str | None


class DeliveryQuery(NoQuery):
    """Which deliveries."""

    state: _State | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=255)
