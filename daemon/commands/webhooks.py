"""`reelkiln webhooks`: receivers, what was sent to them, again, try an address, make a secret."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from ulid import ULID

from renderer.errors import RenderFailed, UsageError

if TYPE_CHECKING:
    from daemon.webhooks.deliveries import Delivery, Endpoint
    from daemon.webhooks.store import WebhookStore

webhooks_app = typer.Typer(help="Receivers of webhooks and deliveries: add, list, send again, try.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


class EndOfJob(StrEnum):
    """What a receiver may be told of."""

    SUCCEEDED = "job.succeeded"
    PARTIAL = "job.partial"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"


class WebhookRefused(RenderFailed):
    """The receiver of a test did not take it."""

    code = "webhook-refused"


@webhooks_app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where webhooks are sent.")],
    root: Root = Path(),
    owner: Annotated[str, typer.Option(help="Whose jobs it hears of.")] = "",
    world: Annotated[str, typer.Option(help="The one world it hears of; else of all.")] = "",
    event: Annotated[
        list[EndOfJob] | None, typer.Option(help="Of which ends; else of all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a receiver and print its secret, which is shown this once."""
    from daemon.webhooks.registering import Registry
    from daemon.webhooks.settings import webhook_policy

    policy = webhook_policy(os.environ.get("REELKILN_ALLOW_NETWORKS", ""))
    with _store(root) as store:
        registry = Registry(
            store=store, policy=policy, clock=time.time, new_id=lambda: str(ULID())
        )  # fmt: skip
        made = registry.register(
            url, owner=owner, world=world, events=tuple(event or tuple(EndOfJob))
        )
    secret = made.secrets[0]
    typer.echo(f"receiver {made.endpoint_id} is registered; this is its secret:", err=True)
    print(json.dumps({**_receiver(made), "secret": secret}) if as_json else secret)


@webhooks_app.command()
def receivers(
    root: Root = Path(),
    owner: Annotated[str | None, typer.Option(help="Only those of this owner.")] = None,
    as_json: AsJson = False,
) -> None:
    """List receivers, newest first."""
    with _store(root) as store:
        found = [_receiver(one) for one in store.endpoints_of(owner)]
    if as_json:
        print(json.dumps({"webhooks": found}))
        return
    for one in found:
        gone = "gone" if one["gone_at"] else "live"
        whose = "/".join(map(_plain, (str(one["owner"]) or "-", str(one["world"]) or "-")))
        print("  ".join((str(one["webhook_id"]), gone, whose, str(one["url"]))))


@webhooks_app.command()
def remove(
    webhook_id: Annotated[str, typer.Argument(help="The id of a receiver.")],
    root: Root = Path(),
) -> None:
    """Send nothing more to a receiver."""
    with _store(root) as store:
        if webhook_id not in {one.endpoint_id for one in store.endpoints_of(None)}:
            raise UsageError(
                f"there is no receiver {webhook_id}", hint="see: reelkiln webhooks receivers"
            )
        store.remove_endpoint(webhook_id, time.time())
    print(f"{webhook_id}: removed")


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
    to: Annotated[
        str | None, typer.Option(help="Only to this receiver; or callback, or operator.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send the webhooks of a job again, under the same id; the daemon does it at once."""
    from daemon.webhooks.store import Which  # SQLAlchemy takes long to import

    with _store(root) as store:
        count = store.replay(job_id, time.time(), Which(endpoint=to))
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


def _receiver(endpoint: Endpoint) -> dict[str, object]:
    from renderer.http import shown

    return {
        "webhook_id": endpoint.endpoint_id, "url": shown(endpoint.url), "owner": endpoint.owner,
        "world": endpoint.world, "events": list(endpoint.events),
        "created_at": endpoint.created_at, "gone_at": endpoint.disabled_at,
    }  # fmt: skip


def _plain(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _line(delivery: Delivery) -> str:
    from daemon.webhooks.events import rfc3339
    from renderer.http import shown

    told = delivery.last_error or (f"answered {delivery.last_status}" * bool(delivery.last_status))
    words = (
        rfc3339(delivery.created_at), delivery.job_id, f"{delivery.event:<13}",
        f"{delivery.state:<7}", f"{delivery.attempts:2d}", shown(delivery.url), told,
    )  # fmt: skip
    return "  ".join(words).rstrip()
