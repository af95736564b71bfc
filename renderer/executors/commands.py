"""Turns a step's command into one FFmpeg run: tokens become paths inside the work folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from renderer import ffmpeg
from renderer.errors import RenderFailed
from renderer.executors.context import Context, read_path
from renderer.steps import Command, Step

PCM = "pipe:1"
"""What `@pcm` stands for: raw samples on standard output, for us to hash."""

_TOKEN = re.compile(r"(file:)?@(in|out|graph|list|pcm)(?::([\w.-]+))?")
_STALL_S = 60.0
_LEAST_DEADLINE_S = 600.0
_DEADLINE_S_PER_FRAME = 2.0


def command_of(step: Step) -> Command:
    """The command of a step that must have one. Raises RenderFailed otherwise."""
    if step.command is None:
        raise RenderFailed(f"{step.title}: a {step.kind.value} step needs a command")
    return step.command


def run_command(
    step: Step,
    context: Context,
    *,
    command: Command | None = None,
    words: Mapping[str, str] | None = None,
    stdout_to: Callable[[bytes], None] | None = None,
    reports: bool = True,
) -> ffmpeg.Finished:
    """Run the command of `step`, or `command` instead, in the step's folder.

    `words` are replaced in the graph (`@gain`); `reports` says whether frames written
    count as progress. Raises what `ffmpeg.run` raises.
    """
    command = command or command_of(step)
    graph = context.workdir / "graph.txt"
    graph.write_text(_with_words(command.graph, words or {}), encoding="utf-8")
    return run_ffmpeg(
        filled(command.argv, step, context), step, context, stdout_to=stdout_to, reports=reports
    )


def run_ffmpeg(
    argv: Sequence[str],
    step: Step,
    context: Context,
    *,
    stdout_to: Callable[[bytes], None] | None = None,
    reports: bool = True,
) -> ffmpeg.Finished:
    """Run FFmpeg with an `argv` that holds no tokens, on behalf of `step`."""
    return ffmpeg.run(
        (*_cpuflags(argv, context), *argv),
        binary=context.toolchain.ffmpeg,
        deadline_s=max(_LEAST_DEADLINE_S, _DEADLINE_S_PER_FRAME * step.frames),
        stall_s=_STALL_S,
        stop=context.stop,
        cwd=context.workdir,
        title=step.title,
        on_frame=context.on_frame if reports else None,
        stdout_to=stdout_to,
    )


def filled(argv: Sequence[str], step: Step, context: Context) -> tuple[str, ...]:
    """`argv` with every token replaced. A token is a whole argument, or follows `file:`."""

    def place(match: re.Match[str]) -> str:
        prefix, kind, name = match[1] or "", match[2], match[3] or ""
        return PCM if kind == "pcm" else prefix + str(_path(kind, name, step, context))

    return tuple(place(found) if (found := _TOKEN.fullmatch(arg)) else arg for arg in argv)


def _path(kind: str, name: str, step: Step, context: Context) -> Path:
    if kind == "in":
        return read_path(step, int(name), context)
    return context.workdir / {"out": name, "graph": "graph.txt", "list": "list.ffconcat"}[kind]


def _with_words(graph: str, words: Mapping[str, str]) -> str:
    for word, value in sorted(words.items()):
        graph = graph.replace(word, value)
    return graph


def _cpuflags(argv: Sequence[str], context: Context) -> tuple[str, ...]:
    """The toolchain's instruction sets, unless the command pins its own."""
    flags = context.toolchain.cpuflags
    return ("-cpuflags", flags) if flags and "-cpuflags" not in argv else ()
