from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from renderer.steps import Command, Read, Step, StepKind, make_step

PLAIN = st.dictionaries(st.text(max_size=4), st.integers(0, 9) | st.text(max_size=4), max_size=4)


def step(**changes: Any) -> Step:
    settings: dict[str, Any] = {
        "kind": StepKind.JOIN,
        "title": "a join",
        "toolchain": "t",
        "reads": (Read(sha256="0" * 64), Read(step="1" * 64, output="segment.mp4")),
        "params": {"fps": "25"},
        "command": Command(argv=("-i", "@in:0"), graph="null"),
        "outputs": ("video.mp4",),
    }
    return make_step(**{**settings, **changes})


def test_words_about_a_step_are_not_in_its_key() -> None:
    assert step().key == step(title="other words", frames=9, parts={"canvas": "x"}).key


def test_all_that_decides_bytes_is_in_the_key() -> None:
    changed = (
        step(kind=StepKind.GRAB_STILLS),
        step(toolchain="u"),
        step(reads=(Read(sha256="0" * 64),)),
        step(params={"fps": "30"}),
        step(command=Command(argv=("-i", "@in:1"), graph="null")),
        step(command=Command(argv=("-i", "@in:0"), graph="hflip")),
        step(command=None),
        step(outputs=("video.mkv",)),
    )
    assert len({step().key, *(other.key for other in changed)}) == 9


def test_needs_are_the_steps_read_each_once_in_order() -> None:
    reads = tuple(Read(step=key * 64, output="o") for key in "baba")
    assert step(reads=(Read(sha256="0" * 64), *reads)).needs == ("b" * 64, "a" * 64)


@given(PLAIN)
def test_the_order_of_parameters_does_not_matter(params: dict[str, object]) -> None:
    backwards = dict(reversed(params.items()))
    assert step(params=params).key == step(params=backwards).key
