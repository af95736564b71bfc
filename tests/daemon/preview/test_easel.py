import asyncio
from pathlib import Path

import pytest

from daemon.preview.easel import Easel
from daemon.preview.scenes import read_scene, segment_steps, still_steps
from renderer.pipeline import Prepared, Renderer
from tests.daemon.preview.stage import loader, make_spec, renderer_of


def prepared_in(folder: Path) -> tuple[Renderer, Prepared]:
    renderer = renderer_of(folder)
    scene = read_scene(1, renderer, loader(make_spec(folder)))
    assert scene.resolved
    return renderer, renderer.plan(scene.resolved)


def test_a_drawing_that_nobody_wants_any_more_is_stopped(tmp_path: Path) -> None:
    renderer, prepared = prepared_in(tmp_path)
    steps = segment_steps(prepared, 0)

    async def ask_and_leave() -> None:
        easel = Easel(renderer=renderer)
        asked = asyncio.create_task(easel.draw(steps))
        await asyncio.sleep(0)
        assert easel.under_way == 1
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert easel.under_way == 0
        await asyncio.to_thread(easel.close)

    asyncio.run(ask_and_leave())
    assert renderer.store.lookup(steps[-1].key) is None


def test_a_drawing_goes_on_while_one_of_two_still_wants_it(tmp_path: Path) -> None:
    renderer, prepared = prepared_in(tmp_path)
    steps = still_steps(prepared.timeline, 3, renderer.toolchain.digest)

    async def one_leaves() -> None:
        easel = Easel(renderer=renderer)
        stays, leaves = (asyncio.create_task(easel.draw(steps, still=True)) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        assert steps[-1].key in await stays
        await asyncio.to_thread(easel.close)

    asyncio.run(one_leaves())


def test_a_spec_that_is_wrong_gives_a_scene_that_says_where(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    spec.write_text(spec.read_text().replace("style:", "stile:"))
    scene = read_scene(1, renderer_of(tmp_path), loader(spec))
    assert scene.resolved is None
    error = scene.as_json()["error"]
    assert (error["errors"][0]["line"], error["errors"][0]["code"]) == (9, "unknown-field")
    assert "^" in error["errors"][0]["excerpt"]
