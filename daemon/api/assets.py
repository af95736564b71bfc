"""Assets over HTTP: hand in, look at, list, fetch, delete, show to anybody, trace."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from daemon.api.asking import query_of, seconds_of, visible_job
from daemon.api.asset_bodies import received_body, value_in
from daemon.api.asset_models import (
    AssetQuery,
    JobAssetQuery,
    LineageForm,
    LineageQuery,
    NewAssetQuery,
    VisibilityAsked,
)
from daemon.api.asset_seeing import may_see, see_world, unknown_asset, visible_asset
from daemon.api.asset_telling import asset_list, asset_path, asset_resource, lineage_shown
from daemon.api.bodies import body_as
from daemon.api.callers import CALLER, Caller
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.promising import promise_asset
from daemon.api.refusals import ScopeMissing
from daemon.api.sending import attachment, send_file
from daemon.api.telling import answer
from daemon.assets.lineage_chart import lineage_chart
from daemon.catalog import AssetFilters
from daemon.catalog.derivations import Lineage
from daemon.catalog.nodes import ASSET, Node, asset_node
from daemon.catalog.refusals import AssetContentRefused, AssetNotThere
from renderer.assets import Asset, AssetKind, AssetState, Visibility
from renderer.errors import UsageError
from renderer.provenance import Reference, ReferenceKind

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_KINDS = {
    "claim": ReferenceKind.CLAIM, "entity": ReferenceKind.ENTITY,
    "source_chunk": ReferenceKind.SOURCE_CHUNK, "source": ReferenceKind.SOURCE,
}  # fmt: skip


async def create_asset(request: web.Request) -> web.Response:
    """`POST /v1/assets`: an asset of the body, or a promise; durable when answered."""
    query, caller = query_of(request, NewAssetQuery), request[CALLER]
    if query.status is AssetState.PENDING:
        return await promise_asset(request, query)
    world = query.world or caller.world
    see_world(caller, world)
    assets = request.app[CONTEXT].assets
    said: dict[str, Any] = {
        "owner": caller.owner, "world": world, "visibility": query.visibility,
        "asset_type": query.asset_type,
        "tags": query.tag_list,
    }  # fmt: skip
    with assets.receiving() as path:
        size = await received_body(request, path, query.kind)
        if query.kind is AssetKind.VALUE:
            said |= {"kind": query.kind, "value": value_in(path)}
        elif not size:
            raise AssetContentRefused("the body is empty", hint="send the file as the body")
        made = await asyncio.to_thread(
            assets.create_upload_asset, path, query.label, request.content_type, **said
        )
    headers = {"Location": asset_path(made.asset_id)}
    return answer(asset_resource(made), status=201, headers=headers)


async def show_asset(request: web.Request) -> web.Response:
    """`GET /v1/assets/{asset_id}`."""
    return answer(asset_resource(await visible_asset(request)))


async def list_assets(request: web.Request) -> web.Response:
    """`GET /v1/assets`: a page, newest first, with a Link to the next."""
    query = query_of(request, AssetQuery)
    filters = filters_within(query, request[CALLER])
    assets = request.app[CONTEXT].assets.catalog.assets
    page = await asyncio.to_thread(assets.page, filters, cursor=query.cursor, limit=query.limit)
    count = await asyncio.to_thread(assets.count, filters) if query.count else None
    headers = {}
    if page.cursor:
        asked = {name: value for name, value in request.query.items() if name != "cursor"}
        following = urlencode({**asked, "cursor": page.cursor})
        headers["Link"] = f'</v1/assets?{following}>; rel="next"'
    return answer(asset_list(page, count), headers=headers)


async def job_assets(request: web.Request) -> web.Response:
    """`GET /v1/jobs/{job_id}/assets`: what a job promised and made."""
    query = query_of(request, JobAssetQuery)
    job = await visible_job(request)
    filters = AssetFilters(owner=job.owner, created_by_job=job.job_id)
    page = await asyncio.to_thread(
        request.app[CONTEXT].assets.catalog.assets.page, filters, cursor=query.cursor,
        limit=query.limit,
    )  # fmt: skip
    return answer(asset_list(page))


async def delete_asset(request: web.Request) -> web.Response:
    """`DELETE /v1/assets/{asset_id}`: its content is gone, its lineage stays."""
    asset = await visible_asset(request)
    await asyncio.to_thread(request.app[CONTEXT].assets.delete_asset, asset.asset_id)
    return web.Response(status=204)


async def set_visibility(request: web.Request) -> web.Response:
    """`PUT /v1/assets/{asset_id}/visibility`."""
    asset = await visible_asset(request)
    asked = await body_as(request, VisibilityAsked)
    changed = await asyncio.to_thread(
        request.app[CONTEXT].assets.set_visibility, asset.asset_id, asked.visibility
    )
    return answer(asset_resource(changed))


async def asset_content(request: web.Request) -> web.StreamResponse:
    """`GET /v1/assets/{asset_id}/content`: for whoever may see the asset."""
    return await send_content(request, await visible_asset(request), "private, no-cache")


async def public_asset(request: web.Request) -> web.StreamResponse:
    """`GET /asset/{asset_id}`: for anybody, without a key."""
    asset = await asyncio.to_thread(
        request.app[CONTEXT].assets.catalog.assets.get, request.match_info["asset_id"]
    )
    if asset.visibility is not Visibility.PUBLIC or asset.state is not AssetState.AVAILABLE:
        raise unknown_asset()
    return await send_content(request, asset, "public, max-age=60")


async def asset_lineage(request: web.Request) -> web.Response:
    """`GET /v1/assets/{asset_id}/lineage`: up and down, as JSON or as a picture."""
    query = query_of(request, LineageQuery)
    asset = await visible_asset(request)
    lineage, labels = await asyncio.to_thread(
        traced, request.app[CONTEXT], asset_node(asset.asset_id), query.depth, request[CALLER]
    )
    if (query.format or _accepted(request)) is LineageForm.JSON:
        return answer(lineage_shown(asset.asset_id, lineage, labels))
    drawn = lineage_chart(lineage, labels)
    return web.Response(body=drawn.encode("utf-8", "replace"), content_type="image/svg+xml")


def filters_within(query: AssetQuery, caller: Caller) -> AssetFilters:
    """What was asked for, within what the caller may see. Raises ScopeMissing, UsageError."""
    if query.owner not in (None, caller.owner) and not caller.sees_all:
        raise ScopeMissing("only an admin asks for the assets of others")
    world = query.world if query.world is not None else caller.world or None
    see_world(caller, world or "")
    reference = _reference(query)
    if reference is not None and world is None:
        raise UsageError(f"a {reference.kind} is looked up in a world", hint="add &world=NAME")
    owner = query.owner if caller.sees_all else caller.owner
    if reference is not None and owner is None:
        owner = caller.owner
    return AssetFilters(
        owner=owner, world=world, asset_type=query.asset_type, state=query.status, tag=query.tag,
        created_by_job=query.job_id, reference=reference,
        created_from=seconds_of(query.created_from),
        created_before=seconds_of(query.created_before),
    )  # fmt: skip


def _reference(query: AssetQuery) -> Reference | None:
    named = [Reference(kind, getattr(query, name)) for name, kind in _KINDS.items()
             if getattr(query, name) is not None]  # fmt: skip
    if len(named) > 1:
        raise UsageError("of claim, entity, source_chunk and source only one can be asked for")
    return named[0] if named else None


async def send_content(request: web.Request, asset: Asset, caching: str) -> web.StreamResponse:
    """The content of an asset. Raises AssetNotThere, StorageUnavailable."""
    if asset.kind is AssetKind.VALUE:
        return _sent_value(asset)
    number, size = await asyncio.to_thread(_opened, request.app[CONTEXT], asset)
    digest = base64.b64encode(bytes.fromhex(asset.sha256)).decode()
    headers = {
        "Content-Type": asset.media_type,
        "ETag": f'"sha256:{asset.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": caching,
        "Content-Disposition": attachment(_file_name(asset)),
    }
    try:
        return await send_file(request, number, size, headers)
    finally:
        os.close(number)


def _sent_value(asset: Asset) -> web.Response:
    if asset.state is not AssetState.AVAILABLE:
        raise AssetNotThere(f"asset {asset.asset_id} has no content: it is {asset.state}")
    is_text = isinstance(asset.value, str)
    text = asset.value if is_text else json.dumps(asset.value)
    return web.Response(
        body=text.encode("utf-8", "replace"),
        content_type="text/plain" if is_text else "application/json", charset="utf-8",
    )  # fmt: skip


def _opened(context: ApiContext, asset: Asset) -> tuple[int, int]:
    path = context.assets.fetched(asset)
    number = os.open(path, _READ)
    size = os.fstat(number).st_size
    if size != asset.size_bytes:
        os.close(number)
        raise AssetNotThere(f"asset {asset.asset_id} is not as long as it was", hint="make it anew")
    return number, size


def _file_name(asset: Asset) -> str:
    return asset.label.rpartition("/")[2].strip() or asset.asset_id


def traced(
    context: ApiContext, node: Node, depth: int, caller: Caller
) -> tuple[Lineage, dict[Node, str]]:
    """A lineage as far as the caller may see, and what its nodes are called."""
    catalog = context.assets.catalog
    found = catalog.derivations.lineage(node, depth=depth)
    nodes = {node for edge in (*found.up, *found.down) for node in (edge.child, edge.parent)}
    nodes.add(found.node)
    ids = [node.node_id for node in nodes if node.kind == ASSET]
    known = catalog.assets.find(ids)
    hidden = {
        node for node in nodes if node.kind == ASSET
        and (node.node_id not in known or not may_see(caller, known[node.node_id]))
    }  # fmt: skip
    labels = {asset_node(one.asset_id): one.label or one.asset_type for one in known.values()}
    up, down = (
        tuple(edge for edge in side if not {edge.child, edge.parent} & hidden)
        for side in (found.up, found.down)
    )
    return Lineage(node=found.node, up=up, down=down, is_cut=found.is_cut), labels


def _accepted(request: web.Request) -> LineageForm:
    wanted = request.headers.get("Accept", "")
    return LineageForm.SVG if "image/svg+xml" in wanted else LineageForm.JSON
