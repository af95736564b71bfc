"""Steps: units of work as plain data, each named by the digest of all it depends on.

A step knows nothing of where it runs. It reads stored objects and outputs of other steps,
and gives named files and JSON facts. Two steps with one key are one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from renderer.digest import digest_of


class StepKind(StrEnum):
    """What a step does; `executors.work` holds one function for each."""

    DRAW_TEXT = "draw-text"  # typeset text -> PNG with alpha
    DRAW_IMAGE = "draw-image"  # still picture -> fitted PNG
    DRAW_GRADIENT = "draw-gradient"  # gradient -> PNG
    ENCODE_SEGMENT = "encode-segment"  # layers -> closed-GOP segment, then decoded and checked
    MIX_AUDIO = "mix-audio"  # all sound -> one AAC file and its PCM digest
    JOIN = "join"  # segments + audio -> the finished video, checked packet by packet
    GRAB_STILLS = "grab-stills"  # frames of a segment -> PNG
    DRAW_FRAME = "draw-frame"  # layers -> one frame to look at, JPEG
    ARRANGE_STILLS = "arrange-stills"  # grabbed frames -> thumbnail and contact sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Bytes a step needs: a stored object by `sha256`, or `output` of the step `step`."""

    sha256: str = ""
    step: str = ""
    output: str = ""

    def as_json(self) -> dict[str, str]:
        """The read as part of a key."""
        return {"sha256": self.sha256} if self.sha256 else {"step": self.step, "out": self.output}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One FFmpeg run. In `argv` these tokens are replaced when it runs:

    `@in:N` the path of read N, `@graph` a file holding `graph`, `@out:NAME` the output
    file NAME, `@list` a concat script (see `StepKind.JOIN`). `argv` excludes the binary.
    """

    argv: tuple[str, ...]
    graph: str = ""

    def as_json(self) -> dict[str, object]:
        """The command as part of a key."""
        return {"argv": list(self.argv), "graph": self.graph}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One unit of work.

    `frames` weighs it for progress. `parts` names what went into the key in words that
    people know ("canvas", "clip titles[0]"), so that `explain` can say what changed.
    `params` is plain JSON; a command, where the step runs one, is in `command`.
    """

    kind: StepKind
    key: str
    title: str
    reads: tuple[Read, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    command: Command | None = None
    outputs: tuple[str, ...] = ()
    frames: int = 0
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the steps that must be done first, each once, in order of first use."""
        return tuple(dict.fromkeys(read.step for read in self.reads if read.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file a step made, as it lies in the store."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step gave: files by name, facts as JSON; `reused` when it did not run."""

    outputs: Mapping[str, Output]
    facts: Mapping[str, Any] = field(default_factory=dict)
    reused: bool = False


Results = Mapping[str, StepResult]
"""Results by step key."""


def make_step(
    kind: StepKind,
    title: str,
    *,
    toolchain: str,
    reads: tuple[Read, ...] = (),
    params: Mapping[str, Any] | None = None,
    command: Command | None = None,
    outputs: tuple[str, ...] = (),
    frames: int = 0,
    parts: Mapping[str, str] | None = None,
) -> Step:
    """A step with its key: the digest of kind, command, parameters, reads and toolchain.

    Title, weight and parts are words about the step and are not in the key.
    """
    recipe = {
        "kind": kind.value,
        "reads": [read.as_json() for read in reads],
        "params": dict(params or {}),
        "command": command.as_json() if command else None,
        "outputs": list(outputs),
        "toolchain": toolchain,
    }
    return Step(
        kind=kind,
        key=digest_of(recipe),
        title=title,
        reads=reads,
        params=dict(params or {}),
        command=command,
        outputs=outputs,
        frames=frames,
        parts=dict(parts or {}),
    )
