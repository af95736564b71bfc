"""A frame drawn by itself is the frame of the film."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from renderer.events import ignore
from renderer.executors.local import LocalExecutor
from renderer.frames import FRAME, frame_steps
from tests.renderer.truth.studio import Pixels, Studio, lossless

LAST = 49


def document(studio: Studio, title: str = "High", *, above: bool = False) -> dict[str, Any]:
    """A picture that moves, a dissolve, a title that fades; `above` it a clip nobody sees."""
    ramp = np.add.outer(np.arange(72), np.arange(108)) % 180
    name = studio.picture(
        "ramp.png", Image.fromarray(np.stack([ramp, ramp, 179 - ramp], -1).astype(np.uint8))
    )
    tracks: list[dict[str, Any]] = [
        {"clips": [
            {"image": name, "length": "1s", "motion": "zoom-in"},
            {"transition": "dissolve", "length": "0.4s"},
            {"colour": "#772211", "length": "1.4s"},
        ]},
        {"clips": [{"text": title, "start": "0.2s", "length": "1.4s", "style": "headline",
                    "enter": {"fade": "0.2s", "slide": "left"}}]},
    ]  # fmt: skip
    if above:
        tracks.append({"clips": [{"colour": "#00000000", "length": "2s"}]})
    return {"output": lossless("96x64"), "tracks": tracks}


def drawn(studio: Studio, document: dict[str, Any], frame: int) -> tuple[Path, bool]:
    """The JPEG, and whether what lies under the texts was a step of its own."""
    timeline = studio.prepare(document).timeline
    steps = frame_steps(timeline, frame, studio.toolchain.digest)
    executor, store = LocalExecutor(toolchain=studio.toolchain, jobs=2), studio.renderer.store
    results = executor.run(steps, store, ignore, threading.Event())
    path = store.path(results[steps[-1].key].outputs[FRAME].sha256)
    return path, any("segment" in step.title for step in steps)


def pixels(path: Path) -> Pixels:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("frame", [0, 6, 12, 18, 30, 38, LAST - 10])
def test_a_frame_by_itself_is_that_of_the_film(studio: Studio, frame: int) -> None:
    film = studio.render(document(studio)).rgb()
    alone = pixels(drawn(studio, document(studio), frame)[0])
    away = np.abs(alone.astype(int) - film[frame].astype(int))
    assert away.mean() < 6
    others = [np.abs(alone.astype(int) - film[n].astype(int)).mean() for n in range(len(film))]
    assert min(others) > away.mean() - 0.2


@pytest.mark.parametrize("frame", [6, 12, 20, 30])
def test_texts_laid_over_what_is_kept_give_the_very_bytes_of_one_drawing(
    studio: Studio, frame: int
) -> None:
    kept, was_parted = drawn(studio, document(studio), frame)
    whole, never_parted = drawn(studio, document(studio, above=True), frame)
    assert (was_parted, never_parted) == (True, False)
    assert kept.read_bytes() == whole.read_bytes()


def test_while_a_text_is_written_only_it_is_drawn_anew(studio: Studio) -> None:
    toolchain = studio.toolchain.digest
    first, second = (
        {step.title: step.key for step in frame_steps(
            studio.prepare(document(studio, words)).timeline, 12, toolchain)}
        for words in ("High", "Higher")
    )  # fmt: skip
    assert first.keys() == second.keys()
    changed = {title for title in first if first[title] != second[title]}
    assert changed == {"draw tracks[1][0]", "frame 12"}


def test_a_frame_past_the_end_is_refused(studio: Studio) -> None:
    timeline = studio.prepare(document(studio)).timeline
    with pytest.raises(IndexError, match=f"no frame {timeline.length}"):
        frame_steps(timeline, timeline.length, studio.toolchain.digest)
