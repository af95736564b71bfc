"""Links to the content of an asset: whoever holds one may fetch it for a while, without a key.

A file of the storage is linked there; a value, and a file that lies in a bundle, is sent by this
daemon, by a link that it signed.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from aiohttp import web

from daemon.api.asset_seeing import unknown_asset, visible_asset
from daemon.api.asset_telling import asset_path
from daemon.api.assets import send_content
from daemon.api.bodies import body_as
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.telling import answer
from daemon.api.uploads import LinkAsked, SignedRequest
from daemon.catalog.refusals import AssetNotThere
from daemon.signing import check_url, sign_url
from daemon.signing_keys import signing_keys
from daemon.storage.contract import Signed
from daemon.storage.opening import BASE_SETTING
from renderer.assets import Asset, AssetState


async def presign_asset_download(request: web.Request) -> web.Response:
    """`POST /v1/assets/{asset_id}/presign-download`."""
    asset, context = await visible_asset(request), request.app[CONTEXT]
    asked = await body_as(request, LinkAsked)
    if asset.state is not AssetState.AVAILABLE:
        raise AssetNotThere(f"asset {asset.asset_id} has no content: it is {asset.state}")
    signed = await asyncio.to_thread(_link, context, asset, asked.expires_s)
    expires_at = datetime.fromtimestamp(int(context.clock()) + asked.expires_s, UTC)
    return answer(SignedRequest(
        method=signed.method, url=signed.url, headers=dict(signed.headers), expires_at=expires_at
    ))  # fmt: skip


async def signed_content(request: web.Request) -> web.StreamResponse:
    """`GET /v1/assets/{asset_id}/signed`: for whoever holds the link."""
    context = request.app[CONTEXT]
    path, _, query = request.raw_path.partition("?")
    keys = await asyncio.to_thread(signing_keys, context.places.root, context.environment)
    check_url(keys, path, query, now=context.clock(), method=request.method)
    asset = await asyncio.to_thread(
        context.assets.catalog.assets.get, request.match_info["asset_id"]
    )
    if asset.state is not AssetState.AVAILABLE:
        raise unknown_asset()
    return await send_content(request, asset, "private, no-cache")


def _link(context: ApiContext, asset: Asset, expires_s: int) -> Signed:
    stored = context.assets.link_to(asset, expires_s)
    if stored is not None:
        return stored
    keys = signing_keys(context.places.root, context.environment)
    path = f"{asset_path(asset.asset_id)}/signed"
    signed = sign_url(keys, path, owner="", now=context.clock(), seconds=expires_s)
    base = context.environment.get(BASE_SETTING, "").rstrip("/")
    return Signed(url=base + signed, method="GET", headers={})
