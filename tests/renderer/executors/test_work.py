from __future__ import annotations

from typing import Any

import pytest

from renderer.errors import RenderFailed
from renderer.executors.commands import filled
from renderer.executors.context import Context
from renderer.executors.work import WORK
from renderer.steps import Read, StepKind, StepResult, make_step
from tests.renderer.executors.conftest import Bench
from tests.renderer.store_contract import put


def context(bench: Bench, **changes: Any) -> Context:
    settings: dict[str, Any] = {
        "store": bench.store,
        "toolchain": bench.toolchain,
        "results": {},
        "workdir": bench.store.root / "work",
        "stop": bench.stop,
        "on_frame": lambda frames: None,
    }
    return Context(**{**settings, **changes})


def test_every_kind_of_step_has_its_function() -> None:
    assert set(WORK) == set(StepKind)


def test_tokens_become_paths_and_nothing_else_changes(bench: Bench) -> None:
    a, b = put(bench.store, b"a"), put(bench.store, b"b")
    reads = (Read(sha256=a.sha256), Read(step="k", output="segment.mp4"))
    step = make_step(StepKind.JOIN, "a join", toolchain="t", reads=reads)
    made = StepResult(outputs={"segment.mp4": b})
    argv = ("-i", "file:@in:0", "-i", "@in:1", "@graph", "@list", "@pcm", "@out:v.mp4")
    plain = ("comment=@in:0", "a@in:0")
    work = bench.store.root / "work"
    first, second = bench.store.path(a.sha256), bench.store.path(b.sha256)
    assert filled((*argv, *plain), step, context(bench, results={"k": made})) == (
        *("-i", f"file:{first}", "-i", str(second)),
        *(str(work / "graph.txt"), str(work / "list.ffconcat"), "pipe:1", str(work / "v.mp4")),
        *plain,
    )


def test_reading_what_no_step_gave_is_a_failure(bench: Bench) -> None:
    step = make_step(StepKind.JOIN, "j", toolchain="t", reads=(Read(step="k", output="x"),))
    with pytest.raises(RenderFailed, match="needs 'x' of step k"):
        filled(("@in:0",), step, context(bench))
