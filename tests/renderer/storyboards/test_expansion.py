"""Storyboards: topics become specs, purely."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renderer.errors import SpecInvalid
from renderer.expanding import expanded, find_storyboard, storyboards
from renderer.spec.loading import Loaded, load, sources_of
from renderer.spec.model import VideoSpec
from renderer.spec.written import written
from renderer.storyboards.template import parse_storyboard
from renderer.storyboards.wording import caption_lines, script_of

BOARD = find_storyboard("explainer")
KIT = {
    "reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#7a1f3d", "accent": "#ffb703"},
    "fonts": {"heading": "Noto Serif"}, "logo": {"image": "logo.png", "corner": "bottom-right"},
}  # fmt: skip


def film_of(**fields: Any) -> VideoSpec:
    spec = whole(**fields).spec
    assert isinstance(spec, VideoSpec)
    return spec


def whole(**fields: Any) -> Loaded:
    return expanded(load(json.dumps(fields).encode(), name="doc.json"))


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    topic=st.text(min_size=1, max_size=300),
    points=st.lists(st.text(min_size=1, max_size=300), max_size=8),
    scenes=st.integers(3, 8),
    seed=st.integers(0, 2_147_483_647),
)
def test_any_topic_becomes_a_spec_that_is_right_and_reads_the_same_again(
    topic: str, points: list[str], scenes: int, seed: int
) -> None:
    document = {
        "reelkiln": 1, "kind": "topic", "topic": topic.replace("{{", r"\{{"),
        "points": [point.replace("{{", r"\{{") for point in points], "scenes": scenes, "seed": seed,
    }  # fmt: skip
    with suppress(SpecInvalid):  # words that no JSON or text may hold
        check(load(json.dumps(document).encode(), name="doc.json"))


def check(loaded: Loaded) -> None:
    made = expanded(loaded)
    assert isinstance(made.spec, VideoSpec)
    assert expanded(loaded).canonical() == made.canonical()
    again = load(written(made.spec, made.id), name="expanded.spec.yaml")
    assert again.canonical() == made.canonical()


def test_a_few_words_stand_for_a_whole_document() -> None:
    short = whole(topic="The sea")
    long = whole(reelkiln=1, kind="topic", topic="The sea")
    assert short.canonical() == long.canonical()
    with pytest.raises(SpecInvalid):
        whole(topic="The sea", kind="topic")  # halves are not guessed at


def test_topics_seeds_and_words_make_different_films() -> None:
    films = [
        film_of(topic="The sea"), film_of(topic="Bridges"), film_of(topic="The sea", seed=1),
        film_of(topic="The sea", points=["It is wet."]),
    ]  # fmt: skip
    assert len({film.model_dump_json() for film in films}) == 4
    pictures = [
        use.source for use in sources_of(film_of(topic="The sea")) if '"image"' in use.source
    ]
    assert len(set(pictures)) == 14  # title and six scenes, wide and upright


def test_points_are_what_is_said() -> None:
    loaded = load(b'{"topic": "The sea", "points": ["It is wet.", "It is deep."]}', name="a.json")
    script = script_of(loaded.spec, BOARD)  # type: ignore[arg-type]
    assert [shot.say for shot in script.scenes] == ["It is wet.", "It is deep."]
    assert [shot.heading for shot in script.scenes] == ["", ""]


def test_scenes_follow_each_other_and_words_fit_into_them() -> None:
    loaded = load(b'{"topic": "The sea", "scenes": 8}', name="a.json")
    script = script_of(loaded.spec, BOARD)  # type: ignore[arg-type]
    end = 0
    for shot in script.shots:
        assert shot.start == end
        assert shot.spoken < shot.length
        end = shot.start + shot.length
    assert len(script.scenes) == 8
    assert len({shot.heading for shot in script.scenes}) == 8
    assert script.length == end


@given(st.text(alphabet="ab ,.?!;", max_size=400))
def test_captions_say_all_words_in_their_order(text: str) -> None:
    assert " ".join(caption_lines(text)).split() == text.split()
    assert all(len(line) <= 64 or " " not in line for line in caption_lines(text))


def test_a_brand_is_in_letters_pictures_and_the_corner() -> None:
    film = film_of(reelkiln=1, kind="topic", topic="The sea", kit=KIT)
    assert film.styles["topic"].font == "Noto Serif"
    assert film.variants["story"].styles["topic"].font == "Noto Serif"
    assert film.styles["promise"].colour == "#ffb703"
    logos = [track for track in film.tracks if track.id == "logo"]
    assert logos[0].clips[0].anchor == "bottom-right"  # type: ignore[union-attr]
    upright = [track for track in film.variants["story"].tracks if track.id == "logo"]
    assert upright[0].clips[0].anchor == "top-right"  # type: ignore[union-attr]
    images = [u.source for u in sources_of(film) if u.source.startswith('generate:{"brand"')]
    assert images
    assert all("#7a1f3d" in source for source in images)


def test_an_accent_that_cannot_be_read_on_the_shade_is_white() -> None:
    kit = {**KIT, "colours": {"primary": "#000033", "accent": "#100010"}}
    assert film_of(reelkiln=1, kind="topic", topic="a", kit=kit).styles["promise"].colour == "white"


def test_a_storyboard_that_is_not_there_is_named_where_it_is_asked_for() -> None:
    with pytest.raises(SpecInvalid) as found:
        whole(reelkiln=1, kind="topic", topic="a", storyboard="explaner")
    fault = found.value.faults[0]
    assert (fault.code, fault.pointer) == ("storyboard-unknown", "/storyboard")
    assert "explainer" in fault.hint


def test_a_line_with_an_unknown_placeholder_is_refused_with_its_place() -> None:
    path = storyboards()["explainer"]["1.0"]
    text = path.read_text().replace("{{topic}}, close up", "{{topik}}, close up")
    with pytest.raises(SpecInvalid) as found:
        parse_storyboard(text.encode(), name="1.0.yaml")
    assert [fault.code for fault in found.value.faults] == ["unknown-placeholder"]
    assert found.value.faults[0].position is not None
