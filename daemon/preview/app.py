"""The preview over HTTP, for this machine alone: the page, its streams, stills and news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from daemon.preview.fragments import Fragment, picture_fragment, sound_fragment
from daemon.preview.playlists import master_playlist, picture_playlist, sound_playlist
from daemon.preview.scenes import (
    CHART_WIDTH,
    Scene,
    head_steps,
    segment_steps,
    sound_steps,
    still_steps,
)
from daemon.preview.studio import Studio
from renderer.chart import chart
from renderer.errors import Interrupted, ReelkilnError
from renderer.frames import frame_steps
from renderer.graph.exact import timescale
from renderer.pipeline import Prepared, Resolved
from renderer.steps import Step
from renderer.timeline import Timeline

STUDIO: web.AppKey[Studio] = web.AppKey("studio", Studio)
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PAGE = Path(__file__).parent / "page"
_TYPES = {
    "index.html": "text/html", "preview.css": "text/css", "preview.js": "text/javascript",
    "hls.min.js": "text/javascript",
}  # fmt: skip
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PLAYLIST = "application/vnd.apple.mpegurl"
_ENDED = 499
_PING_S = 15

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(studio: Studio) -> web.Application:
    """The application. Serve it with `handler_cancellation`, or no drawing is ever stopped."""
    app = web.Application(middlewares=[_guard])
    app[STUDIO] = studio
    app.cleanup_ctx.append(_at_work)
    app.on_response_prepare.append(_finish)
    app.add_routes(
        [
            web.get("/", page),
            web.get("/page/{name}", page),
            web.get("/events", events),
            web.get("/scene/{scene}/film.m3u8", master),
            web.get("/scene/{scene}/picture.m3u8", picture_list),
            web.get("/scene/{scene}/sound.m3u8", sound_list),
            web.get("/scene/{scene}/picture/head.mp4", picture_head),
            web.get(r"/scene/{scene}/picture/{number:\d{1,9}}.m4s", picture),
            web.get("/scene/{scene}/sound/head.mp4", sound_head),
            web.get(r"/scene/{scene}/sound/{number:\d{1,9}}.m4s", sound),
            web.get("/scene/{scene}/chart.svg", chart_picture),
            web.get(r"/scene/{scene}/frame/{number:\d{1,9}}.jpg", frame),
            web.get(r"/scene/{scene}/still/{number:\d{1,9}}.png", still),
        ]
    )
    return app


async def page(request: web.Request) -> web.Response:
    """`GET /` and what the page needs."""
    name = request.match_info.get("name", "index.html")
    if name not in _TYPES:
        raise web.HTTPNotFound(text="the page has no such file")
    return web.Response(body=_bytes(name), content_type=_TYPES[name], charset="utf-8")


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /events`: `scene` when the spec was read, `drawn` when a segment was."""
    studio = request.app[STUDIO]
    stream = EventSourceResponse(ping_interval=_PING_S)
    await stream.prepare(request)
    async with stream:
        with studio.listening() as news:
            while stream.is_connected():
                name, data = await news.get()
                await stream.send(data, event=name)
    return stream


async def master(request: web.Request) -> web.Response:
    """`GET film.m3u8`."""
    return web.Response(text=master_playlist(await _prepared(request)), content_type=_PLAYLIST)


async def picture_list(request: web.Request) -> web.Response:
    """`GET picture.m3u8`."""
    return web.Response(text=picture_playlist(await _prepared(request)), content_type=_PLAYLIST)


async def sound_list(request: web.Request) -> web.Response:
    """`GET sound.m3u8`."""
    return web.Response(text=sound_playlist(await _prepared(request)), content_type=_PLAYLIST)


async def picture_head(request: web.Request) -> web.Response:
    """`GET picture/head.mp4`: of the first frame, which is drawn sooner than a segment."""
    steps = head_steps(_resolved(request), request.app[STUDIO].renderer.toolchain.digest)
    made = await asyncio.to_thread(picture_fragment, await _drawn(request, steps, still=True), 0)
    return web.Response(body=made.head, content_type="video/mp4")


async def picture(request: web.Request) -> web.Response:
    """`GET picture/N.m4s`: segment N of the plan, drawn now unless it was before."""
    prepared, number = await _prepared(request), _number(request)
    if number >= len(prepared.plan.segments):
        raise web.HTTPNotFound(text="the film has no such segment")
    segment = await _drawn(request, segment_steps(prepared, number))
    request.app[STUDIO].tell("drawn", {"scene": int(request.match_info["scene"])})
    start = prepared.plan.segments[number].span.start
    made = await asyncio.to_thread(picture_fragment, segment, start * _ticks(prepared))
    return web.Response(body=made.body, content_type="video/mp4")


async def sound_head(request: web.Request) -> web.Response:
    """`GET sound/head.mp4`."""
    return web.Response(body=(await _sound(request, 0)).head, content_type="audio/mp4")


async def sound(request: web.Request) -> web.Response:
    """`GET sound/N.m4s`."""
    made = await _sound(request, _number(request))
    return web.Response(body=made.body, content_type="audio/mp4")


async def chart_picture(request: web.Request) -> web.Response:
    """`GET chart.svg`: the timeline as it stands."""
    renderer, prepared = request.app[STUDIO].renderer, await _prepared(request)
    found = await asyncio.to_thread(renderer.inspect, prepared)
    return web.Response(text=chart(found, width=CHART_WIDTH), content_type="image/svg+xml")


async def frame(request: web.Request) -> web.StreamResponse:
    """`GET frame/N.jpg`: one frame to look at."""
    return await _one_frame(request, frame_steps, "image/jpeg")


async def still(request: web.Request) -> web.StreamResponse:
    """`GET still/N.png`: one frame to keep, without loss."""
    response = await _one_frame(request, still_steps, "image/png")
    name = f"{_resolved(request).loaded.id}-{_number(request):06d}.png"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _one_frame(
    request: web.Request, steps_of: Callable[[Timeline, int, str], tuple[Step, ...]], kind: str
) -> web.StreamResponse:
    toolchain = request.app[STUDIO].renderer.toolchain.digest
    try:
        steps = steps_of(_resolved(request).timeline, _number(request), toolchain)
    except IndexError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    path = await _drawn(request, steps, still=True)
    return web.Response(body=await asyncio.to_thread(path.read_bytes), content_type=kind)


async def _sound(request: web.Request, number: int) -> Fragment:
    steps = sound_steps(await _prepared(request))
    if not steps:
        raise web.HTTPNotFound(text="nothing is heard in this film")
    mix = await _drawn(request, steps)
    try:
        return await asyncio.to_thread(sound_fragment, mix, number)
    except IndexError as error:
        raise web.HTTPNotFound(text=str(error)) from error


async def _drawn(request: web.Request, steps: tuple[Step, ...], *, still: bool = False) -> Path:
    """Where the first output of the last step lies."""
    studio = request.app[STUDIO]
    results = await studio.easel.draw(steps, still=still)
    wanted = steps[-1]
    sha256 = results[wanted.key].outputs[wanted.outputs[0]].sha256
    return await asyncio.to_thread(studio.renderer.store.path, sha256)


def _scene(request: web.Request) -> Scene:
    text = request.match_info["scene"]
    scene = request.app[STUDIO].scenes.get(int(text)) if text.isascii() and text.isdigit() else None
    if scene is None or scene.resolved is None:
        raise web.HTTPNotFound(text="the spec has been saved since; load the page again")
    return scene


def _resolved(request: web.Request) -> Resolved:
    resolved = _scene(request).resolved
    assert resolved is not None
    return resolved


async def _prepared(request: web.Request) -> Prepared:
    return await request.app[STUDIO].prepared(_scene(request))


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


def _ticks(prepared: Prepared) -> int:
    """Ticks of a frame in the time scale of its segments."""
    fps = prepared.timeline.canvas.fps
    ticks = timescale(fps) / fps
    assert ticks.denominator == 1
    return ticks.numerator


async def _at_work(app: web.Application) -> AsyncIterator[None]:
    """Watches while the server is up; what is drawn is not pruned from the store meanwhile."""
    studio = app[STUDIO]
    with studio.renderer.store.workdir():
        watch = asyncio.create_task(studio.run())
        yield
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await asyncio.to_thread(studio.easel.close)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer only who asked for this machine by name: a foreign page may know another one."""
    if request.host.rpartition(":")[0] not in HOSTS:
        raise web.HTTPForbidden(text="the preview answers to 127.0.0.1 and localhost alone")
    try:
        return await handler(request)
    except Interrupted as error:
        return web.json_response(error.as_json(), status=_ENDED)
    except ReelkilnError as error:
        request.app[STUDIO].tell("failure", error.as_json())
        return web.json_response(error.as_json(), status=error.http_status)


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


@cache
def _bytes(name: str) -> bytes:
    return (_PAGE / name).read_bytes()
