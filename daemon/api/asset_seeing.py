"""Which assets are there for a caller: their own, or all, within the world of their key."""

from __future__ import annotations

import asyncio

from aiohttp import web

from daemon.api.callers import CALLER, Caller
from daemon.api.context import CONTEXT
from daemon.api.refusals import ScopeMissing
from daemon.catalog.refusals import AssetUnknown
from renderer.assets import Asset


async def visible_asset(request: web.Request, asset_id: str = "") -> Asset:
    """The asset of that id, or that the path names.

    Raises AssetUnknown, also when it is a stranger's.
    """
    asset = await asyncio.to_thread(
        request.app[CONTEXT].assets.catalog.assets.get,
        asset_id or request.match_info["asset_id"],
    )
    if not may_see(request[CALLER], asset):
        raise unknown_asset()
    return asset


def see_world(caller: Caller, world: str) -> None:
    """Raises ScopeMissing when the caller's key is for another world."""
    if caller.world not in ("", world):
        raise ScopeMissing(f"this key works in the world {caller.world} alone")


def may_see(caller: Caller, asset: Asset) -> bool:
    """Whether the asset is there for this caller."""
    return caller.sees(asset.owner, asset.world)


def unknown_asset() -> AssetUnknown:
    """What is told of an asset that is not there, or not for this caller."""
    return AssetUnknown("no such asset is known", hint="GET /v1/assets lists those there are")
