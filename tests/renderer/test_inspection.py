"""Inspections: every clip, gap and cut, and what a render would cost."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from renderer.chart import chart
from renderer.chart_png import png_of
from renderer.fonts import text_engine_fingerprint
from renderer.inspection import Inspection, as_text
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import load
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

SPEC = """
reelkiln: 1
id: inspected
output: {size: 64x36, fps: 10}
tracks:
  - id: picture
    decides_duration: true
    clips:
      - {colour: "#102030", length: 1s}
      - {transition: fade, length: 0.4s}
      - {image: a.png, length: 1s}
  - id: titles
    clips: [{text: "%s", start: 0.5s, length: 0.5s}]
"""


def inspected(renderer: Renderer, text: str = "Hello") -> Inspection:
    return renderer.inspect(renderer.prepare(load((SPEC % text).encode(), name="s.yaml")))


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    Image.new("RGB", (64, 36), "#806040").save(tmp_path / "a.png")
    return Renderer(
        store=LocalStore(tmp_path / "store"),
        toolchain=find_toolchain(os.environ, text_engine=text_engine_fingerprint()),
        policy=SourcePolicy(base=tmp_path, roots=(tmp_path,), max_source_bytes=10**9),
    )


def test_every_clip_transition_and_gap_is_told_in_frames(renderer: Renderer) -> None:
    found = inspected(renderer).as_json()
    lanes = {
        lane["id"]: [(i["kind"], i["name"], i["start"], i["end"]) for i in lane["items"]]
        for lane in found["tracks"]
    }
    assert lanes["picture"] == [
        ("colour", "", 0, 6), ("transition", "fade", 6, 10), ("image", "a.png", 10, 16),
    ]  # fmt: skip
    assert lanes["titles"] == [
        ("gap", "", 0, 5), ("text", "Hello", 5, 10), ("gap", "", 10, 16),
    ]  # fmt: skip
    assert (found["frames"], found["duration"], found["fps"]) == (16, "0:01.600", "10/1")


def test_what_was_drawn_before_costs_nothing(renderer: Renderer, tmp_path: Path) -> None:
    before = inspected(renderer).cost
    assert (before.frames_drawn, before.pixels_drawn) == (16, 16 * 64 * 36)
    renderer.render(renderer.prepare(load((SPEC % "Hello").encode(), name="s.yaml")), tmp_path)
    assert inspected(renderer).cost.frames_drawn == 0
    changed = inspected(renderer, "Goodbye")
    drawn = [row.span.length for row in changed.segments if row.action == "run"]
    assert changed.cost.frames_drawn == sum(drawn) < 16


def test_the_chart_is_sound_xml_whatever_the_words(renderer: Renderer) -> None:
    found = inspected(renderer, "<script>&\\u202e\\u0001")
    texts = [element.text or "" for element in ET.fromstring(chart(found)).iter()]
    assert any("<script>" in text for text in texts)
    assert "script>" not in chart(found).replace("&lt;script&gt;", "")


def test_the_chart_as_png_has_a_bar_of_each_kind_in_its_place(
    renderer: Renderer, tmp_path: Path
) -> None:
    (tmp_path / "chart.png").write_bytes(png_of(chart(inspected(renderer), width=600)))
    picture = Image.open(tmp_path / "chart.png").convert("RGB")
    assert picture.width == 1200
    middle = {"text": (0.4375, 0), "image": (0.9, 1), "transition": (0.47, 1)}
    colours = {"text": "#c98a1b", "image": "#2f9e77", "transition": "#d4537e"}
    for kind, (at, row) in middle.items():
        x = round((148 + at * (600 - 164)) * 2)
        colour = picture.getpixel((x, (30 + 34 * row + 6) * 2))
        assert colour == tuple(bytes.fromhex(colours[kind][1:])), kind


def test_the_text_names_every_track_and_the_cost(renderer: Renderer) -> None:
    text = as_text(inspected(renderer))
    for words in ("picture", "titles", "transition fade", "16 frames to draw", "Hello"):
        assert words in text
