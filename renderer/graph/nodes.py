"""A graph under construction: inputs, filters, and how it becomes a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ffmpeg

from renderer.graph.exact import ONE_FILTER_THREAD, SWS_FLAGS
from renderer.steps import Command, Read

_ENDLESS_SECONDS = 1_000_000

Stream = Any
"""A stream of ffmpeg-python, which has no types of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """An output file and the options written before it."""

    stream: Stream
    name: str
    arguments: tuple[str, ...]


class Graph:
    """Collects what a command reads while its filters are being joined."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self._generated = 0

    def read(self, read: Read, **options: str | None) -> Stream:
        """An input. Each call is an input of its own, as ffmpeg-python takes equals for one."""
        self.reads.append(read)
        name = f"file:@in:{len(self.reads) - 1}"
        return ffmpeg.input(name, protocol_whitelist="file", **options)

    def generated(self, source: str) -> Stream:
        """An endless lavfi source; its nominal duration only tells equal ones apart."""
        self._generated += 1
        return ffmpeg.input(f"{source}:d={_ENDLESS_SECONDS + self._generated}", f="lavfi")

    def command(self, outputs: list[Output], *, before: tuple[str, ...] = ()) -> Command:
        """The command of the given outputs, with its graph as text apart."""
        nodes = [ffmpeg.output(out.stream, out.name) for out in outputs]
        joined = ffmpeg.merge_outputs(*nodes) if len(nodes) > 1 else nodes[0]
        argv = list(joined.get_args())
        at = argv.index("-filter_complex")
        graph = f"sws_flags={SWS_FLAGS};{argv[at + 1]}"
        argv[at : at + 2] = [*ONE_FILTER_THREAD, "-/filter_complex", "@graph"]
        for out in outputs:
            at = argv.index(out.name)
            argv[at:at] = out.arguments
        return Command(argv=(*before, *argv), graph=graph)
