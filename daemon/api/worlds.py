"""Worlds over HTTP: register a world and the things in it, and see what rests on them."""

from __future__ import annotations

import asyncio

from aiohttp import web

from daemon.api.asking import NoQuery, query_of
from daemon.api.asset_models import (
    Counted,
    JobsOfThing,
    JobsOfThingQuery,
    ThingList,
    ThingQuery,
    ThingShown,
    WorldAsked,
    WorldList,
    WorldShown,
)
from daemon.api.asset_seeing import see_world
from daemon.api.bodies import body_as
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.problems import plain_text
from daemon.api.telling import answer, moment, resource
from daemon.assets.world_files import WorldThings
from daemon.catalog.nodes import JOB, Node, reference_node
from daemon.catalog.refusals import WorldUnknown
from daemon.catalog.worlds import World
from daemon.jobs import Job
from daemon.records import find_job
from renderer.errors import UsageError
from renderer.provenance import Reference

_MOST_BYTES = 4 << 20


async def put_world(request: web.Request) -> web.Response:
    """`PUT /v1/worlds/{world}`: register it, or give it another title."""
    caller, name = request[CALLER], request.match_info["world"]
    see_world(caller, name)
    asked = await body_as(request, WorldAsked)
    context = request.app[CONTEXT]
    world = World(owner=caller.owner, world=name, title=asked.title, created_at=context.clock())
    await asyncio.to_thread(context.assets.catalog.worlds.put, world)
    return answer(await asyncio.to_thread(_shown, context, caller.owner, name))


async def show_world(request: web.Request) -> web.Response:
    """`GET /v1/worlds/{world}`."""
    owner, name = _named(request)
    return answer(await asyncio.to_thread(_shown, request.app[CONTEXT], owner, name))


async def list_worlds(request: web.Request) -> web.Response:
    """`GET /v1/worlds`: the caller's."""
    query_of(request, NoQuery)
    caller, context = request[CALLER], request.app[CONTEXT]

    def found() -> list[WorldShown]:
        names = [one.world for one in context.assets.catalog.worlds.all_of(caller.owner)]
        return [_shown(context, caller.owner, name) for name in names
                if caller.world in ("", name)]  # fmt: skip

    return answer(WorldList(worlds=await asyncio.to_thread(found)))


async def register_things(request: web.Request) -> web.Response:
    """`POST /v1/worlds/{world}/references`: all or none; what is there stays."""
    owner, name = _named(request)
    asked = await body_as(request, WorldThings, limit=_MOST_BYTES)
    context = request.app[CONTEXT]
    count = await asyncio.to_thread(
        context.assets.catalog.worlds.register, owner, name, tuple(asked.registered()),
        now=context.clock(),
    )  # fmt: skip
    return answer(Counted(world=name, registered=count))


async def list_things(request: web.Request) -> web.Response:
    """`GET /v1/worlds/{world}/references`: things of one kind, by id."""
    owner, name = _named(request)
    query = query_of(request, ThingQuery)
    worlds = request.app[CONTEXT].assets.catalog.worlds
    await asyncio.to_thread(worlds.get, owner, name)
    found = await asyncio.to_thread(
        worlds.things, owner, name, query.kind, after=query.after, limit=query.limit + 1
    )
    shown = [
        ThingShown(kind=one.reference.kind, id=plain_text(one.reference.reference_id),
                   title=plain_text(one.title))
        for one in found[: query.limit]
    ]  # fmt: skip
    return answer(ThingList(things=shown, after=shown[-1].id if found[query.limit :] else None))


async def jobs_of_thing(request: web.Request) -> web.Response:
    """`GET /v1/worlds/{world}/jobs`: the jobs that rest on a thing of the world."""
    owner, name = _named(request)
    query = query_of(request, JobsOfThingQuery)
    context = request.app[CONTEXT]
    await asyncio.to_thread(context.assets.catalog.worlds.get, owner, name)
    node = reference_node(owner, name, Reference(query.kind, query.id))
    return answer(await asyncio.to_thread(_jobs, context, node, query))


def _named(request: web.Request) -> tuple[str, str]:
    """Whose world, and which. Raises WorldUnknown for one that the caller's key is not for."""
    caller, name = request[CALLER], request.match_info["world"]
    if caller.world not in ("", name):
        raise WorldUnknown("no such world is known", hint="GET /v1/worlds lists those there are")
    return caller.owner, name


def _shown(context: ApiContext, owner: str, name: str) -> WorldShown:
    worlds = context.assets.catalog.worlds
    world, counts = worlds.get(owner, name), worlds.counts(owner, name)
    return WorldShown(
        world=world.world, title=plain_text(world.title), created_at=moment(world.created_at),
        things={str(kind): count for kind, count in counts.items()},
    )  # fmt: skip


def _jobs(context: ApiContext, node: Node, query: JobsOfThingQuery) -> JobsOfThing:
    derivations = context.assets.catalog.derivations
    ids, cursor = derivations.jobs_on(node, cursor=query.cursor, limit=query.limit)
    found = [_job(context, job_id) for job_id in ids]
    return JobsOfThing(
        jobs=[resource(job) for job in found if job is not None], cursor=cursor or None,
        count=derivations.count_on(node, JOB),
    )  # fmt: skip


def _job(context: ApiContext, job_id: str) -> Job | None:
    """None for a job whose record is past its time."""
    try:
        return find_job(context.fs, context.places, job_id)
    except (UsageError, FileNotFoundError):
        return None
