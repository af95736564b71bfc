"""Promises of assets over HTTP: make one, keep it, or say that it will not be kept.

What a job promised is settled by whoever runs that job, and by nobody else.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from daemon.api import external
from daemon.api.asset_bodies import received_body, value_in
from daemon.api.asset_models import NewAssetQuery
from daemon.api.asset_seeing import see_world, visible_asset
from daemon.api.asset_telling import asset_path, asset_resource
from daemon.api.bodies import Asked, body_as
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.problems import HttpRefusal, LeaseLost
from daemon.api.telling import answer
from daemon.catalog.refusals import AssetContentRefused
from daemon.jobs import JobState
from daemon.records import find_job
from renderer.assets import Asset, AssetKind, AssetState, IllegalAssetMove
from renderer.errors import UsageError

LEASE_TOKEN = "Lease-Token"  # noqa: S105 - the name of a header
_LONGEST_TOKEN = 200


class FailureTold(Asked):
    """Why an asset will never be there."""

    reason: str = Field(min_length=1, max_length=1000)


async def promise_asset(request: web.Request, query: NewAssetQuery) -> web.Response:
    """`POST /v1/assets?status=pending`: an asset that is promised, and has no content yet."""
    caller, assets = request[CALLER], request.app[CONTEXT].assets
    world = query.world or caller.world
    see_world(caller, world)
    if await request.content.readany():
        raise HttpRefusal(
            "an asset that is only promised has no content yet",
            hint="leave the body out, or leave out status=pending",
        )
    if query.kind is AssetKind.FILE and not query.media_type:
        raise UsageError("of what media type is it going to be?", hint="add &media_type=image/png")
    made = await asyncio.to_thread(
        assets.create_pending_asset, "", query.label, query.media_type, owner=caller.owner,
        world=world, tags=query.tag_list, visibility=query.visibility,
        asset_type=query.asset_type, kind=query.kind,
    )  # fmt: skip
    headers = {"Location": asset_path(made.asset_id)}
    return answer(asset_resource(made), status=201, headers=headers)


async def keep_promise(request: web.Request) -> web.Response:
    """`PUT /v1/assets/{asset_id}/content`: the body is what was promised."""
    asset = await visible_asset(request)
    await see_holder(request, asset)
    assets = request.app[CONTEXT].assets
    with assets.receiving() as path:
        size = await received_body(request, path, asset.kind)
        act: Any = assets.fulfill_asset
        content: Any = path
        if asset.kind is AssetKind.VALUE:
            act, content = assets.fulfill_value, value_in(path)
        elif not size:
            raise AssetContentRefused("the body is empty", hint="send the file as the body")
        kept = await asyncio.to_thread(act, asset.asset_id, content)
    return answer(asset_resource(kept))


async def break_promise(request: web.Request) -> web.Response:
    """`POST /v1/assets/{asset_id}/fail`: what waits for it fails, or waits on, by its policy."""
    asset = await visible_asset(request)
    asked = await body_as(request, FailureTold)
    await see_holder(request, asset)
    failed = await asyncio.to_thread(
        request.app[CONTEXT].assets.fail_asset, asset.asset_id, asked.reason
    )
    return answer(asset_resource(failed))


async def see_holder(request: web.Request, asset: Asset) -> str:
    """Who runs the job that promised a pending asset; empty when no job did.

    Raises LeaseLost when the request does not show the lease of that job.
    """
    if asset.state is not AssetState.PENDING or not asset.created_by_job:
        return ""
    token = request.headers.get(LEASE_TOKEN, "")[:_LONGEST_TOKEN]
    return await asyncio.to_thread(_held, request.app[CONTEXT], asset, token)


async def fulfillable(request: web.Request, asset_id: str) -> tuple[Asset, str]:
    """The pending asset that an upload is to keep, and who runs the job that promised it.

    Raises AssetUnknown, IllegalAssetMove, LeaseLost; UsageError for a value.
    """
    asset = await visible_asset(request, asset_id)
    if asset.state is not AssetState.PENDING:
        raise IllegalAssetMove(asset.asset_id, asset.state, AssetState.AVAILABLE)
    if asset.kind is AssetKind.VALUE:
        raise UsageError("a value is no file", hint=f"PUT {asset_path(asset.asset_id)}/content")
    return asset, await see_holder(request, asset)


def _held(context: ApiContext, asset: Asset, token: str) -> str:
    words = f"asset {asset.asset_id} is the promise of job {asset.created_by_job}"
    if not token:
        raise LeaseLost(f"{words}, and the request has no {LEASE_TOKEN}", legal=())
    try:
        job = find_job(context.fs, context.places, asset.created_by_job)
    except (UsageError, FileNotFoundError) as error:
        raise LeaseLost(f"{words}, which is gone", legal=()) from error
    external.held(context, job, token, JobState.RUNNING)
    return external.owner_of(token)
