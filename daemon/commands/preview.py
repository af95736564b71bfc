"""`reelkiln preview`: serve the page on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from collections.abc import Callable
from pathlib import Path

from renderer.errors import UsageError
from renderer.pipeline import Renderer
from renderer.spec.loading import Loaded

_HOST = "127.0.0.1"
_FAREWELL_S = 0.5


def run_preview(
    spec: Path, renderer: Renderer, load: Callable[[], Loaded], *, port: int, open_browser: bool
) -> None:
    """Print the address of the page, then serve it until interrupted.

    Raises UsageError for what is no file, and when the port is taken.
    """
    if not spec.is_file():
        raise UsageError(
            f"{spec} is not a file that can be watched",
            hint="give the path of a spec; standard input cannot be previewed",
        )
    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(_serve(spec.absolute(), renderer, load, port, open_browser))
    except asyncio.CancelledError:
        signal.signal(signal.SIGTERM, before)
        signal.raise_signal(signal.SIGTERM)


async def _serve(
    spec: Path, renderer: Renderer, load: Callable[[], Loaded], port: int, open_browser: bool
) -> None:
    from aiohttp import web  # takes long to import

    from daemon.preview.app import make_app
    from daemon.preview.studio import Studio

    heed_sigterm()
    app = make_app(Studio(spec=spec, renderer=renderer, load=load))
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, shutdown_timeout=_FAREWELL_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, _HOST, port)
        try:
            await site.start()
        except OSError as error:
            hint = "choose another with --port, or leave it out"
            raise UsageError(f"port {port} cannot be listened on: {error}", hint=hint) from error
        url = f"http://{_HOST}:{runner.addresses[0][1]}/"
        print(url, flush=True)
        if open_browser:
            await asyncio.to_thread(webbrowser.open, url)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def heed_sigterm() -> None:
    """Let SIGTERM cancel this task between two steps of the loop, as `asyncio.run` does on Ctrl-C.

    A handler that raises does so in the midst of a step, and whom that step was to wake is waited
    for without end.
    """
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
