from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from renderer.errors import CommandFailed, Interrupted, RenderFailed, SourceChanged
from renderer.events import Event, PlanMade, StepFinished, StepProgress, StepStarted
from renderer.executors.local import LocalExecutor
from renderer.steps import Command, Read, Results, Step, StepKind, make_step
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.tiny import EXACT, joined, mix, segment
from tests.renderer.test_ffmpeg import alive_in


def plan() -> tuple[Step, ...]:
    parts = [segment(name) for name in "abc"]
    sound = mix(samples=96_000)
    return (*parts, sound, joined(parts, [[0, 2], [2, 1], [1, 1], [0, 1]], audio=sound))


def endless(name: str) -> Step:
    """A segment that runs until it is stopped, at the pace of a clock."""
    return segment(name, frames=100_000, before="realtime,")


def broken() -> Step:
    command = Command(argv=("-i", "file:absent.mp4", "@out:segment.mp4"))
    kind = StepKind.ENCODE_SEGMENT
    return make_step(kind, "the broken one", toolchain="test", command=command, params={})


def outputs(results: Results) -> dict[str, dict[str, str]]:
    return {
        key: {name: output.sha256 for name, output in result.outputs.items()}
        for key, result in results.items()
    }


def started(heard: list[Event]) -> list[str]:
    return [event.title for event in heard if isinstance(event, StepStarted)]


def children(bench: Bench) -> list[int]:
    return [pid for folder in bench.leftovers() for pid in alive_in(folder)]


def test_one_job_and_four_give_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other", bench.toolchain)
    first, second = bench.run(*plan(), jobs=1), other.run(*plan(), jobs=4)
    assert outputs(first) == outputs(second)
    assert {key: r.facts for key, r in first.items()} == {k: r.facts for k, r in second.items()}


@pytest.mark.parametrize("flags", ["0", "sse4.2"])
def test_the_class_of_cpu_does_not_matter(bench: Bench, tmp_path: Path, flags: str) -> None:
    other = Bench(tmp_path / "other", replace(bench.toolchain, cpuflags=flags))
    assert outputs(bench.run(*plan())) == outputs(other.run(*plan()))


def test_results_come_in_the_order_of_the_plan(bench: Bench) -> None:
    assert list(bench.run(*plan(), jobs=3)) == [step.key for step in plan()]


def test_sound_starts_first_then_the_plan_decides(bench: Bench) -> None:
    bench.run(*plan(), jobs=1)
    order = ["the mix", "segment a", "segment b", "segment c", "the join"]
    assert started(bench.heard) == order


def test_a_step_that_occurs_twice_is_done_once(bench: Bench) -> None:
    results = bench.run(segment("a"), segment("a"))
    assert len(results) == 1
    assert started(bench.heard) == ["segment a"]


def test_a_second_run_reuses_everything(bench: Bench) -> None:
    first = bench.run(*plan())
    bench.heard.clear()
    second = bench.run(*plan())
    assert outputs(first) == outputs(second)
    assert all(result.reused for result in second.values())
    assert bench.heard[0] == PlanMade(steps=5, reused=5, frames=0)
    assert all(isinstance(event, StepFinished) and event.reused for event in bench.heard[1:])


def test_the_plan_is_announced_with_the_frames_to_draw(bench: Bench) -> None:
    bench.run(segment("a", frames=7))
    bench.heard.clear()
    bench.run(segment("a", frames=7), segment("b", frames=9))
    assert bench.heard[0] == PlanMade(steps=2, reused=1, frames=9)


def test_progress_only_grows_and_never_passes_the_step(bench: Bench) -> None:
    steps = (segment("a", frames=40), mix(samples=480_000))
    bench.run(*steps)
    for step in steps:
        done = [
            e.frames_done for e in bench.heard if isinstance(e, StepProgress) and e.key == step.key
        ]
        assert done == sorted(set(done))
        assert 0 < done[-1] <= step.frames


def test_events_come_one_at_a_time(bench: Bench) -> None:
    inside = Counter[str]()

    def listen(event: Event) -> None:
        inside["now"] += 1
        assert inside["now"] == 1
        threading.Event().wait(0.001)
        inside["now"] -= 1

    executor = LocalExecutor(toolchain=bench.toolchain, jobs=4)
    executor.run(plan(), bench.store, listen, bench.stop)


def test_a_failure_is_raised_with_its_tail_and_ends_the_others(bench: Bench) -> None:
    good = segment("a")
    with pytest.raises(CommandFailed) as caught:
        bench.run(good, endless("x"), broken(), endless("y"), jobs=2)
    assert "the broken one" in caught.value.message
    assert "absent.mp4" in caught.value.tail
    assert bench.store.lookup(good.key) is not None
    assert children(bench) == []
    assert bench.leftovers() == []


def test_a_stop_ends_every_child_and_removes_their_files(bench: Bench) -> None:
    def stop_soon(event: Event) -> None:
        if isinstance(event, StepStarted) and event.title == "segment y":
            threading.Timer(0.3, bench.stop.set).start()

    executor = LocalExecutor(toolchain=bench.toolchain, jobs=2)
    steps = (segment("a"), endless("x"), endless("y"))
    with pytest.raises(Interrupted, match="1 of 3 steps"):
        executor.run(steps, bench.store, stop_soon, bench.stop)
    assert children(bench) == []
    assert bench.leftovers() == []


@pytest.fixture
def hearing_ctrl_c() -> Iterator[None]:
    """A shell starts what it puts in the background deaf to Ctrl-C; so may these tests be."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing_ctrl_c")
def test_ctrl_c_ends_every_child_and_removes_their_files(bench: Bench) -> None:
    threading.Timer(0.6, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(Interrupted):
        bench.run(endless("x"), endless("y"), jobs=2)
    assert children(bench) == []
    assert bench.leftovers() == []


def test_the_run_after_a_stop_goes_on_from_there(bench: Bench, tmp_path: Path) -> None:
    def stop_after_two(event: Event) -> None:
        bench.heard.append(event)
        if sum(isinstance(e, StepFinished) for e in bench.heard) == 2:
            bench.stop.set()

    executor = LocalExecutor(toolchain=bench.toolchain, jobs=1)
    with pytest.raises(Interrupted):
        executor.run(plan(), bench.store, stop_after_two, bench.stop)
    bench.stop.clear()
    bench.heard.clear()
    resumed = bench.run(*plan(), jobs=1)
    kept = [result.reused for result in resumed.values()]
    assert 2 <= sum(kept) < 5
    whole = Bench(tmp_path / "other", bench.toolchain).run(*plan())
    assert outputs(resumed) == outputs(whole)


def test_a_listener_that_fails_fails_the_run(bench: Bench) -> None:
    def refuse(event: Event) -> None:
        if isinstance(event, StepFinished):
            raise ValueError("no more words")

    executor = LocalExecutor(toolchain=bench.toolchain, jobs=2)
    with pytest.raises(ValueError, match="no more words"):
        executor.run((segment("a"), endless("x")), bench.store, refuse, bench.stop)
    assert bench.leftovers() == []


def test_a_plan_with_a_missing_step_is_refused(bench: Bench) -> None:
    *parts, _, last = plan()
    with pytest.raises(RenderFailed, match="which the plan does not hold"):
        bench.run(*parts, last)


def test_an_output_that_was_not_made_is_a_failure(bench: Bench) -> None:
    step = replace(segment("a"), outputs=("segment.mp4", "extra.bin"))
    with pytest.raises(RenderFailed, match=r"did not make extra\.bin"):
        bench.run(step)
    assert bench.store.lookup(step.key) is None


def test_a_source_that_changes_while_it_is_read_spoils_the_step(
    bench: Bench, tmp_path: Path
) -> None:
    part = segment("a", frames=30)
    source = tmp_path / "clip.mp4"
    made = bench.output(bench.run(part), part, "segment.mp4").read_bytes()
    source.write_bytes(made + b"\0\0\0\x08free")  # the store has no copy of these bytes
    read = Read(sha256=bench.store.borrow(source).sha256)
    argv = ("-f", "mov", "-i", "file:@in:0", "-vf", "realtime", *EXACT, "@out:segment.mp4")
    step = replace(segment("b", frames=30), reads=(read,), command=Command(argv=argv))

    def change(event: Event) -> None:
        if isinstance(event, StepProgress):
            source.write_bytes(source.read_bytes()[:-1] + b"?")

    executor = LocalExecutor(toolchain=bench.toolchain, jobs=1)
    with pytest.raises(SourceChanged, match=r"clip\.mp4 holds other bytes"):
        executor.run((step,), bench.store, change, bench.stop)
    assert bench.store.lookup(step.key) is None
