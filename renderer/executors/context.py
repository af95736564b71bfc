"""What a step may use while it runs: the store, the toolchain, a folder of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renderer.errors import RenderFailed
from renderer.steps import Read, Results, Step, StepResult
from renderer.store import Store
from renderer.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one running step.

    `results` holds at least the steps it needs. `workdir` is private, empty at first and
    removed afterwards. `on_frame` hears how many of the step's frames are done. `jobs` is how
    many processes a step that can be divided may run at once.
    """

    store: Store
    toolchain: Toolchain
    results: Results
    workdir: Path
    stop: threading.Event
    on_frame: Callable[[int], None]
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a step made: files in its folder by output name, and JSON facts about them."""

    files: Mapping[str, Path]
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_path(step: Step, index: int, context: Context) -> Path:
    """Where the bytes of read `index` of `step` lie."""
    read = step.reads[index]
    return context.store.path(read.sha256 or _output_sha256(read, step, context))


def read_result(step: Step, index: int, context: Context) -> StepResult:
    """The result of the step behind read `index` of `step`. Raises RenderFailed without one."""
    read = step.reads[index]
    result = context.results.get(read.step)
    if result is None:
        raise RenderFailed(f"{step.title}: read {index} is not the result of a finished step")
    return result


def _output_sha256(read: Read, step: Step, context: Context) -> str:
    result = context.results.get(read.step)
    if result is None or read.output not in result.outputs:
        raise RenderFailed(
            f"{step.title}: needs {read.output!r} of step {read.step[:12]}, which did not give it"
        )
    return result.outputs[read.output].sha256
