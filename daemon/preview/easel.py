"""Draws what is wanted, once for all who want it, and stops what nobody wants any more."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from daemon.niceness import give_way
from renderer.errors import StoreCorrupt
from renderer.events import ignore
from renderer.executors.local import LocalExecutor
from renderer.pipeline import Renderer
from renderer.steps import Results, Step

_TRIES = 3
"""A damaged object is found when it is used, and its step is then unknown: it is drawn again."""

_FILM_NICENESS = 5
"""A third of the CPU time of a still beside it."""


@dataclass(slots=True, kw_only=True)
class _Drawing:
    """Steps under way: how many want them, and how to stop them."""

    stop: threading.Event
    task: asyncio.Task[Results]
    wanted: int = 0


@dataclass(slots=True, kw_only=True)
class Easel:
    """Runs steps in threads for callers on one event loop.

    Stills, which are short, have a thread of their own, so that a picture does not wait behind
    film, and go first. `close` stops everything.
    """

    renderer: Renderer
    _drawings: dict[str, _Drawing] = field(default_factory=dict)
    _films: ThreadPoolExecutor = field(init=False)
    _stills: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        at_once = max(2, self.renderer.jobs)  # the picture and the sound at the least
        self._films = ThreadPoolExecutor(at_once, thread_name_prefix="film", initializer=_give_way)
        self._stills = ThreadPoolExecutor(1, thread_name_prefix="still")

    async def draw(self, steps: Sequence[Step], *, still: bool = False) -> Results:
        """The results of the steps, of which the last is what is wanted.

        Whoever is cancelled while waiting wants it no more; a drawing that has lost its last
        wisher is stopped. Raises what the failed step raised.
        """
        key = steps[-1].key
        drawing = self._drawings.get(key) or self._begin(key, steps, still=still)
        drawing.wanted += 1
        try:
            return await asyncio.shield(drawing.task)
        finally:
            drawing.wanted -= 1
            if not drawing.wanted:
                drawing.stop.set()
                self._forget(key, drawing)

    @property
    def under_way(self) -> int:
        """How many drawings someone waits for."""
        return len(self._drawings)

    def close(self) -> None:
        """Stop all drawings and wait for their ends."""
        for drawing in self._drawings.values():
            drawing.stop.set()
        for pool in (self._films, self._stills):
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, key: str, steps: Sequence[Step], *, still: bool) -> _Drawing:
        stop = threading.Event()
        pool = self._stills if still else self._films
        future = asyncio.get_running_loop().run_in_executor(pool, self._run, steps, stop)
        drawing = _Drawing(stop=stop, task=asyncio.ensure_future(_awaited(future)))
        drawing.task.add_done_callback(_take_note)
        self._drawings[key] = drawing
        return drawing

    def _forget(self, key: str, drawing: _Drawing) -> None:
        if self._drawings.get(key) is drawing:
            del self._drawings[key]

    def _run(self, steps: Sequence[Step], stop: threading.Event) -> Results:
        executor = LocalExecutor(toolchain=self.renderer.toolchain, jobs=self.renderer.jobs)
        tries = _TRIES
        while True:
            try:
                return executor.run(steps, self.renderer.store, ignore, stop)
            except StoreCorrupt:
                tries -= 1
                if not tries:
                    raise


def _give_way() -> None:
    """Stills go first: on Linux a thread has a priority of its own, as what it starts has."""
    if sys.platform == "linux":
        give_way(_FILM_NICENESS)


async def _awaited(future: asyncio.Future[Results]) -> Results:
    return await future


def _take_note(task: asyncio.Task[Results]) -> None:
    """Read the error of a drawing that nobody waited for: it was stopped."""
    if not task.cancelled():
        task.exception()
