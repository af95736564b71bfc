"""`reelkiln webhooks`: look at deliveries, send them again, try an address, make a secret."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from ulid import ULID

from renderer.errors import RenderFailed, UsageError

if TYPE_CHECKING:
    from daemon.webhooks.deliveries import Delivery
    from daemon.webhooks.store import WebhookStore

webhooks_app = typer.Typer(help="Deliveries of webhooks: list, send again, try an address.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


class WebhookRefused(RenderFailed):
    """The receiver of a test did not take it."""

    code = "webhook-refused"


@webhooks_app.command(name="list")
def list_command(
    root: Root = Path(),
    job_id: Annotated[str, typer.Option("--job", help="Only those of this job.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
    with _store(root) as store:
        found = store.of_job(job_id) if job_id else store.newest(limit)
    if as_json:
        print(json.dumps({"deliveries": [_as_json(delivery) for delivery in found]}))
        return
    for delivery in found:
        print(_line(delivery))


@webhooks_app.command()
def replay(
    job_id: Annotated[str, typer.Argument(help="The id of a job that has ended.")],
    root: Root = Path(),
    as_json: AsJson = False,
) -> None:
    """Send the webhooks of a job again, under the same id; the daemon does it at once."""
    with _store(root) as store:
        count = store.replay(job_id, time.time())
    if not count:
        raise UsageError(
            f"there are no webhooks of a job {job_id!r}",
            hint="reelkiln webhooks list shows which there are; --root names another folder",
        )
    print(json.dumps({"job_id": job_id, "deliveries": count}) if as_json else f"{count} to send")


@webhooks_app.command(name="test")
def try_command(
    url: Annotated[str, typer.Argument(help="Where to send a webhook of type webhook.test.")],
    as_json: AsJson = False,
) -> None:
    """Send one signed webhook now, under the guard and with the secret of the daemon."""
    from daemon.webhooks.events import trial_body  # httpx takes long to import
    from daemon.webhooks.settings import SECRET_SETTING, webhook_settings
    from daemon.webhooks.signatures import MAKE_ONE, signed
    from renderer.http import shown
    from renderer.http_post import post

    networks = os.environ.get("REELKILN_ALLOW_NETWORKS", "")
    settings = webhook_settings(os.environ, networks)
    if not settings.secrets:
        raise UsageError(f"{SECRET_SETTING} is not set", hint=MAKE_ONE)
    now = time.time()
    body = trial_body(now)
    headers = signed(settings.secrets, f"msg_{ULID()}", int(now), body)
    answered = post(url, body, {"Content-Type": "application/json", **headers}, settings.policy)
    if not 200 <= answered.status < 300:
        raise WebhookRefused(
            f"{shown(url)} answered {answered.status}",
            hint="a receiver answers 2xx; redirects are not followed",
        )
    data = {"url": shown(url), "status": answered.status}
    print(json.dumps(data) if as_json else f"{shown(url)} answered {answered.status}")


@webhooks_app.command()
def secret() -> None:
    """Print a new secret for REELKILN_WEBHOOK_SECRET."""
    from daemon.webhooks.signatures import new_secret

    print(new_secret())


@contextmanager
def _store(root: Path) -> Iterator[WebhookStore]:
    from daemon.kept import open_kept  # SQLAlchemy takes long to import
    from daemon.webhooks.store import WebhookStore

    engine = open_kept(root.absolute(), os.environ)
    try:
        yield WebhookStore(engine=engine)
    finally:
        engine.dispose()


def _as_json(delivery: Delivery) -> dict[str, object]:
    from renderer.http import shown

    data = asdict(delivery)
    del data["body"]
    return {**data, "url": shown(delivery.url)}


def _line(delivery: Delivery) -> str:
    from daemon.webhooks.events import rfc3339
    from renderer.http import shown

    told = delivery.last_error or (f"answered {delivery.last_status}" * bool(delivery.last_status))
    words = (
        rfc3339(delivery.created_at), delivery.job_id, f"{delivery.event:<13}",
        f"{delivery.state:<7}", f"{delivery.attempts:2d}", shown(delivery.url), told,
    )  # fmt: skip
    return "  ".join(words).rstrip()
