"""Pages of assets: the list with pictures, one of them with all that is known, upload, delete."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from daemon.api.asking import NoQuery, query_of
from daemon.api.asset_bodies import MOST_BYTES
from daemon.api.asset_models import AssetQuery, AssetResource, VisibilityAsked
from daemon.api.asset_seeing import visible_asset
from daemon.api.asset_telling import asset_list, asset_resource, lineage_shown
from daemon.api.assets import filters_within, traced
from daemon.api.callers import CALLER, Scope
from daemon.api.context import CONTEXT, TURNSTILES
from daemon.api.problems import NotFound
from daemon.catalog.nodes import asset_node
from daemon.dashboard.drawing import HEADERS, page, see
from daemon.dashboard.forms import form_as
from daemon.dashboard.page_route import PageRoute
from daemon.dashboard.pictures import PICTURED, small_picture
from renderer.assets import AssetKind, AssetState
from renderer.errors import SourceRefused

_LINEAGE_DEPTH = 8
_A_PAGE = 48
_FILTERS = ("status", "asset_type", "tag", "world")


class _PictureQuery(NoQuery):
    edge: int = Field(default=320, ge=64, le=1280)


async def assets_page(request: web.Request) -> web.Response:
    """`GET /ui/assets`: newest first; the fields of the filter are those of the API."""
    asked = {name: value for name, value in request.query.items() if value}
    query = query_of(request.clone(rel_url=request.rel_url.with_query(asked)), AssetQuery)
    filters = filters_within(query, request[CALLER])
    assets = request.app[CONTEXT].assets.catalog.assets
    found = await asyncio.to_thread(assets.page, filters, cursor=query.cursor, limit=_A_PAGE)
    shown = asset_list(found)
    more = f"/ui/assets?{urlencode({**asked, 'cursor': shown.cursor})}" if shown.cursor else ""
    return page(
        request, "assets.html", assets=[_row(one) for one in shown.assets], more=more,
        asked={name: asked.get(name, "") for name in _FILTERS}, is_filtered=bool(asked),
        states=[state.value for state in AssetState], most_bytes=MOST_BYTES,
        may_change=request[CALLER].may(Scope.RENDER),
    )  # fmt: skip


async def asset_page(request: web.Request) -> web.Response:
    """`GET /ui/assets/{asset_id}`."""
    context, caller = request.app[CONTEXT], request[CALLER]
    asset = await visible_asset(request)
    lineage, labels = await asyncio.to_thread(
        traced, context, asset_node(asset.asset_id), _LINEAGE_DEPTH, caller
    )
    shown = asset_resource(asset)
    return page(
        request, "asset.html", asset=_row(shown), may_change=caller.may(Scope.RENDER),
        lineage=lineage_shown(asset.asset_id, lineage, labels).model_dump(mode="json"),
        metadata=json.dumps(shown.metadata, indent=2, ensure_ascii=False) if shown.metadata else "",
        value=_text_of(shown),
    )  # fmt: skip


async def asset_picture(request: web.Request) -> web.Response:
    """`GET /ui/assets/{asset_id}/picture`: a small one, as JPEG."""
    query = query_of(request, _PictureQuery)
    asset, context = await visible_asset(request), request.app[CONTEXT]
    if asset.media_type.partition("/")[0] not in PICTURED:
        raise NotFound("this asset has no picture")
    tag = f'"{asset.sha256}-{query.edge}"'
    headers = {**HEADERS, "ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    path = await asyncio.to_thread(context.assets.path_of, asset)
    try:
        async with request.app[TURNSTILES].documents:  # strangers' files never fill the pool
            made = await asyncio.to_thread(
                small_picture, path, asset.sha256, asset.media_type, query.edge,
                context.limits.max_image_pixels,
            )  # fmt: skip
    except SourceRefused as error:
        raise NotFound(f"no picture can be made of this asset: {error.message}") from error
    return web.Response(body=made, content_type="image/jpeg", headers=headers)


async def change_visibility(request: web.Request) -> web.Response:
    """`POST /ui/assets/{asset_id}/visibility`."""
    asset = await visible_asset(request)
    asked = form_as(request, VisibilityAsked)
    assets = request.app[CONTEXT].assets
    await asyncio.to_thread(assets.set_visibility, asset.asset_id, asked.visibility)
    return see(request, f"/ui/assets/{asset.asset_id}")


async def delete(request: web.Request) -> web.Response:
    """`POST /ui/assets/{asset_id}/delete`: its content is gone, its lineage stays."""
    asset = await visible_asset(request)
    await asyncio.to_thread(request.app[CONTEXT].assets.delete_asset, asset.asset_id)
    return see(request, "/ui/assets")


def _row(asset: AssetResource) -> dict[str, Any]:
    """What the templates show of an asset."""
    family = asset.media_type.partition("/")[0]
    is_there = asset.status is AssetState.AVAILABLE and asset.kind is AssetKind.FILE
    return {
        **asset.model_dump(mode="json"),
        "name": asset.label.rpartition("/")[2].strip() or asset.asset_type or asset.asset_id,
        "family": family,
        "is_there": asset.status is AssetState.AVAILABLE,
        "picture": f"/ui/assets/{asset.asset_id}/picture"
        if is_there and family in PICTURED
        else "",
        "made_at": asset.created_at,
    }


def _text_of(asset: AssetResource) -> str:
    if asset.kind is not AssetKind.VALUE or asset.value is None:
        return ""
    is_text = isinstance(asset.value, str)
    return asset.value if is_text else json.dumps(asset.value, indent=2, ensure_ascii=False)


_HERE = "/ui/assets/{asset_id}"
ASSET_PAGES = (
    PageRoute(method="GET", path="/ui/assets", handler=assets_page, scope=Scope.READ,
              nav="Assets"),
    PageRoute(method="GET", path=_HERE, handler=asset_page, scope=Scope.READ),
    PageRoute(method="GET", path=f"{_HERE}/picture", handler=asset_picture, scope=Scope.READ),
    PageRoute(method="POST", path=f"{_HERE}/visibility", handler=change_visibility,
              scope=Scope.RENDER),
    PageRoute(method="POST", path=f"{_HERE}/delete", handler=delete, scope=Scope.RENDER),
)  # fmt: skip
