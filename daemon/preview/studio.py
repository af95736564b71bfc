"""What the page is about: the scenes read so far, the easel, and who listens for news."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.preview.easel import Easel
from daemon.preview.scenes import Scene, read_scene
from daemon.preview.watching import look, saved
from renderer.pipeline import Prepared, Renderer
from renderer.spec.loading import Loaded

_KEPT = 4
"""Scenes that can still be asked for: a page may not have heard of the newest yet."""
News = tuple[str, str]
"""The name of an event and its data, JSON."""


@dataclass(slots=True, kw_only=True)
class Studio:
    """One spec under watch. `load` reads it anew; `run` goes on until it is cancelled."""

    spec: Path
    renderer: Renderer
    load: Callable[[], Loaded]
    easel: Easel = field(init=False)
    scenes: dict[int, Scene] = field(default_factory=dict)
    _plans: dict[int, asyncio.Future[Prepared]] = field(default_factory=dict)
    _listeners: set[asyncio.Queue[News]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.easel = Easel(renderer=self.renderer)

    async def run(self) -> None:
        """Read the spec, and again whenever it or a file that it names was saved."""
        number = 0
        while True:
            number += 1
            files = self._files(self.scenes.get(number - 1))
            seen = look(files)
            self._show(await asyncio.to_thread(read_scene, number, self.renderer, self.load))
            named = self._files(self.scenes[number])
            if named != files:
                seen = seen[:1] + look(named)[1:]
            await saved(named, seen)

    async def prepared(self, scene: Scene) -> Prepared:
        """The plan of a scene that was resolved, made when it is first asked for.

        A frame is drawn without it, so the picture of a new scene does not wait for it.
        """
        assert scene.resolved is not None
        if scene.number not in self._plans:
            planning = asyncio.to_thread(self.renderer.plan, scene.resolved)
            self._plans[scene.number] = asyncio.ensure_future(planning)
        return await asyncio.shield(self._plans[scene.number])

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[News]]:
        """News from now on, the newest scene first, if there is one."""
        queue: asyncio.Queue[News] = asyncio.Queue()
        if self.scenes:
            queue.put_nowait(_scene_news(self.scenes[max(self.scenes)]))
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def tell(self, name: str, data: Any) -> None:
        """Tell all who listen."""
        for queue in self._listeners:
            queue.put_nowait((name, json.dumps(data)))

    def _show(self, scene: Scene) -> None:
        self.scenes[scene.number] = scene
        playable = [number for number, kept in self.scenes.items() if kept.resolved]
        for number in sorted(self.scenes)[:-_KEPT]:
            if number != max(playable, default=0):  # what is played while the newest is wrong
                del self.scenes[number]
                self._plans.pop(number, None)
        for queue in self._listeners:
            queue.put_nowait(_scene_news(scene))

    def _files(self, scene: Scene | None) -> list[Path]:
        sources = scene.sources if scene else ()
        return [self.spec, *(self.spec.parent / source for source in sources)]


def _scene_news(scene: Scene) -> News:
    return "scene", json.dumps(scene.as_json())
