"""Webhooks over HTTP: who is told of jobs that end, what was sent to them, and again."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from daemon.api.asking import query_of
from daemon.api.bodies import body_as
from daemon.api.callers import ACCESS, CALLER, Caller
from daemon.api.context import CONTEXT, TURNSTILES, ApiContext
from daemon.api.problems import plain_text
from daemon.api.refusals import ScopeMissing
from daemon.api.telling import answer, moment
from daemon.api.webhook_models import (
    DeliveryList,
    DeliveryQuery,
    DeliveryShown,
    NewWebhookShown,
    WebhookAsked,
    WebhookList,
    WebhookShown,
)
from daemon.database.cursors import cursor_after, place_of
from daemon.webhooks.deliveries import CALLBACK, OPERATOR, Delivery, DeliveryState, Endpoint
from daemon.webhooks.events import message_id
from daemon.webhooks.refusals import WebhookUnknown
from daemon.webhooks.registering import Registry
from daemon.webhooks.settings import webhook_policy
from daemon.webhooks.store import WebhookStore, Which
from renderer.http import shown

_MESSAGE = message_id("")
_ID = re.compile(r"[0-9A-Z]{26}")
_A_MINUTE = 30
"""Receivers that one owner may register: each is looked up in DNS."""


async def create_webhook(request: web.Request) -> web.Response:
    """`POST /v1/webhooks`: a receiver, whose secret is shown this once."""
    caller, registry = request[CALLER], _registry(request)
    asked = await body_as(request, WebhookAsked)
    world = _world(asked.world, caller)
    request.app[ACCESS].rates.take(f"webhooks of {caller.owner}", _A_MINUTE)
    async with request.app[TURNSTILES].lookups:
        made = await asyncio.to_thread(
            registry.register, asked.url, owner=caller.owner, world=world,
            events=tuple(asked.events),
        )  # fmt: skip
    told = NewWebhookShown(**_shown(made).model_dump(), secret=made.secrets[0])
    return answer(told, status=201, headers={"Location": f"/v1/webhooks/{made.endpoint_id}"})


async def list_webhooks(request: web.Request) -> web.Response:
    """`GET /v1/webhooks`: newest first."""
    caller, store = request[CALLER], _store(request)
    found = await asyncio.to_thread(store.endpoints_of, _owner(caller))
    mine = [_shown(one) for one in found if caller.sees(one.owner, one.world)]
    return answer(WebhookList(webhooks=mine))


async def show_webhook(request: web.Request) -> web.Response:
    """`GET /v1/webhooks/{webhook_id}`."""
    return answer(_shown(await _visible(request)))


async def remove_webhook(request: web.Request) -> web.Response:
    """`DELETE /v1/webhooks/{webhook_id}`: nothing more is sent there."""
    there = await _visible(request)
    now = request.app[CONTEXT].clock()
    await asyncio.to_thread(_store(request).remove_endpoint, there.endpoint_id, now)
    return web.Response(status=204)


async def renew_secret(request: web.Request) -> web.Response:
    """`POST /v1/webhooks/{webhook_id}/secret`: the one before it signs as well for now."""
    there = await _visible(request)
    changed = await asyncio.to_thread(_registry(request).renew_secret, there)
    return answer(NewWebhookShown(**_shown(changed).model_dump(), secret=changed.secrets[0]))


async def list_deliveries(request: web.Request) -> web.Response:
    """`GET /v1/webhooks/{webhook_id}/deliveries`: newest first."""
    query, which = query_of(request, DeliveryQuery), await _which(request)
    place = place_of(query.cursor) if query.cursor else None
    after = None if place is None else (place[0], _MESSAGE + place[1])
    state = None if query.state is None else DeliveryState(query.state)
    found = await asyncio.to_thread(
        _store(request).newest, query.limit + 1, state, which=which, after=after
    )
    page = found[: query.limit]
    last = page[-1] if found[query.limit :] else None
    cursor = cursor_after(last.created_at, last.job_id) if last else None
    return answer(DeliveryList(deliveries=[_delivery(one) for one in page], cursor=cursor))


async def replay_delivery(request: web.Request) -> web.Response:
    """`POST /v1/webhooks/{webhook_id}/deliveries/{message_id}/replay`: from the start, at once."""
    which, message = await _which(request), request.match_info["message_id"]
    store, now = _store(request), request.app[CONTEXT].clock()
    job_id = message.removeprefix(_MESSAGE)
    count = 0
    if message == message_id(job_id) and _ID.fullmatch(job_id):
        count = await asyncio.to_thread(store.replay, job_id, now, which)
    if not count:
        raise WebhookUnknown("no such delivery is known", hint="the list of deliveries has ids")
    found = await asyncio.to_thread(store.of_job, job_id)
    (one,) = [one for one in found if one.endpoint == which.endpoint]
    return answer(_delivery(one), status=202)


# -- below ---------------------------------------------------------------------------------


def _store(request: web.Request) -> WebhookStore:
    return WebhookStore(engine=request.app[ACCESS].accounts.engine)


def _registry(request: web.Request) -> Registry:
    context: ApiContext = request.app[CONTEXT]
    networks = context.environment.get("REELKILN_ALLOW_NETWORKS", "")
    return Registry(
        store=_store(request), policy=webhook_policy(networks), clock=context.clock,
        new_id=context.submissions.new_id,
    )  # fmt: skip


def _owner(caller: Caller) -> str | None:
    return None if caller.sees_all else caller.owner


def _world(asked: str | None, caller: Caller) -> str:
    if caller.world and asked not in (None, caller.world):
        raise ScopeMissing(f"this key registers receivers of the world {caller.world} alone")
    return caller.world or asked or ""


async def _visible(request: web.Request) -> Endpoint:
    """The receiver that the path names. Raises WebhookUnknown, also for a stranger's."""
    webhook_id = request.match_info["webhook_id"]
    if not _ID.fullmatch(webhook_id):
        raise _unknown()
    found = await asyncio.to_thread(_store(request).endpoint, webhook_id)
    if found is None or not request[CALLER].sees(found.owner, found.world):
        raise _unknown()
    return found


async def _which(request: web.Request) -> Which:
    """The deliveries that the path names: of a receiver, or of callbacks; the operator's own are
    for admins of everything. Raises WebhookUnknown."""
    webhook_id, caller = request.match_info["webhook_id"], request[CALLER]
    if webhook_id == OPERATOR and not (caller.sees_all and not caller.world):
        raise _unknown()
    if webhook_id not in (OPERATOR, CALLBACK):
        await _visible(request)
    return Which(endpoint=webhook_id, owner=_owner(caller), world=caller.world or None)


def _unknown() -> WebhookUnknown:
    return WebhookUnknown("no such webhook is known", hint="GET /v1/webhooks lists those there are")


def _shown(endpoint: Endpoint) -> WebhookShown:
    gone = endpoint.disabled_at
    return WebhookShown(
        webhook_id=endpoint.endpoint_id, url=shown(endpoint.url), events=list(endpoint.events),
        owner=plain_text(endpoint.owner), world=plain_text(endpoint.world),
        created_at=moment(endpoint.created_at), gone_at=None if gone is None else moment(gone),
    )  # fmt: skip


def _delivery(one: Delivery) -> DeliveryShown:
    is_waiting = one.state is DeliveryState.PENDING
    return DeliveryShown(
        message_id=one.message_id, webhook_id=one.endpoint, job_id=one.job_id, event=one.event,
        url=shown(one.url), state=one.state.value, attempts=one.attempts,
        next_at=moment(one.next_at) if is_waiting else None,
        created_at=moment(one.created_at), updated_at=moment(one.updated_at),
        last_status=one.last_status, last_error=plain_text(one.last_error) or None,
    )  # fmt: skip
