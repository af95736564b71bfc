"""Variants of a film, and captions beside it, as bundles."""

import os
from pathlib import Path

import pytest

from renderer.bundle import verify
from renderer.errors import SpecInvalid
from renderer.events import ignore
from renderer.fonts import text_engine_fingerprint
from renderer.limits import Limits
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import load
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

SPEC = """reelkiln: 1
output: {size: 64x36, fps: 5, quality: draft}
styles: {big: {like: title}}
tracks:
  - id: ground
    decides_duration: true
    clips: [{colour: red, length: 1s}, {colour: teal, length: 1.2s}]
  - id: words
    captions: true
    clips: [{text: "Fish & <chips>", length: 1s, style: big}, {text: "1:30", length: 1s}]
  - id: unseen
    hidden: true
    captions: true
    clips: [{text: "(waves)\\n\\nagain", start: 0.6s, length: 0.4s}]
variants:
  story:
    size: 36x64
    styles: {big: {like: title, size: 20%}}
    tracks: [{id: ground, clips: [{gradient: [navy, teal], length: 2.2s}]}]
"""


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    here = tmp_path_factory.mktemp("variants")
    policy = SourcePolicy(
        base=here, roots=(here,), max_source_bytes=Limits().max_source_bytes
    )  # fmt: skip
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    return Renderer(
        store=LocalStore(here / "store"), toolchain=toolchain, policy=policy, listen=ignore
    )


def test_a_variant_lies_in_its_folder_and_shares_what_is_the_same(
    renderer: Renderer, tmp_path: Path
) -> None:
    prepared = renderer.prepare(load(SPEC.encode(), name="a.yaml"))
    manifest = verify(renderer.render(prepared, tmp_path).path)
    sizes = {
        name: (facts.picture.width, facts.picture.height)
        for name, facts in manifest.media.items() if facts.picture
    }  # fmt: skip
    assert sizes == {"video.mp4": (64, 36), "story/video.mp4": (36, 64)}
    names = {entry.path for entry in manifest.files}
    assert {"story/thumbnail.jpg", "story/contact-sheet.jpg", "captions.vtt"} <= names
    same = renderer.prepare(load(SPEC.replace("36x64", "64x36").encode(), name="a.yaml"))
    assert len(same.steps) < sum(len(cut.plan.steps) for cut in same.cuts)


def test_a_film_may_end_with_a_segment_of_one_frame(renderer: Renderer, tmp_path: Path) -> None:
    text = SPEC.partition("variants:")[0].replace("length: 1.2s", "length: 1.2s, motion: zoom-in")
    text = text.replace("colour: teal, length: 1.2s, motion: zoom-in", "colour: teal, length: 1.2s")
    verify(renderer.render(renderer.prepare(load(text.encode(), name="b.yaml")), tmp_path).path)


def test_captions_are_the_words_of_their_tracks_at_their_times(
    renderer: Renderer, tmp_path: Path
) -> None:
    text = SPEC.partition("variants:")[0]
    whole = renderer.prepare(load(text.encode(), name="c.yaml"))
    folder = renderer.render(whole, tmp_path).path
    assert (folder / "captions.vtt").read_text() == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\nFish &amp; &lt;chips&gt;\n\n"
        "00:00:00.600 --> 00:00:01.000\n(waves)\nagain\n\n"
        "00:00:01.000 --> 00:00:02.000\n1:30\n"
    )
    assert (
        (folder / "captions.srt")
        .read_text()
        .startswith("1\n00:00:00,000 --> 00:00:01,000\nFish & <chips>\n\n2\n")
    )
    part = renderer.prepare(load(text.encode(), name="c.yaml").limited_to("0.8s..1.4s"))
    assert [(c.span.start, c.span.end) for c in part.timeline.captions] == [(0, 1), (0, 1), (1, 3)]


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as found:
        load(text.encode(), name="a.yaml")
    return [(fault.code, fault.pointer) for fault in found.value.faults]


def test_what_is_wrong_with_a_variant_is_told_where_it_says_it() -> None:
    assert faults(SPEC.replace("36x64", "35x64")) == [("bad-size", "/variants/story/size")]
    wrong = SPEC.replace("tracks: [{id: ground,", "tracks: [{id: grond,")
    assert faults(wrong) == [("unknown-track", "/variants/story/tracks/0/id")]
    wrong = SPEC.replace("{gradient: [navy, teal],", "{text: a, style: bgi,")
    assert faults(wrong) == [("unknown-style", "/variants/story/tracks/0/clips/0/style")]


def test_a_fault_that_shows_when_it_is_laid_out_is_told_in_the_variant(renderer: Renderer) -> None:
    wrong = SPEC.replace("[navy, teal]", "[navy, tael]")
    with pytest.raises(SpecInvalid) as found:
        renderer.prepare(load(wrong.encode(), name="a.yaml"))
    assert found.value.faults[0].pointer.startswith("/variants/story/tracks/0/clips/0")
