"""Timeline -> plan: exactly which commands, each named by the digest of what decides it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from renderer.digest import digest_of
from renderer.graph.audio import mixed
from renderer.graph.exact import AUDIO_CPUFLAGS, BITEXACT, encoder, rate_text, timescale
from renderer.graph.nodes import Graph, Output
from renderer.graph.shape import enlarged
from renderer.graph.video import SegmentGraph, is_drawn_whole, is_opaque
from renderer.segments import STILL_SECONDS, Segment, cut
from renderer.steps import Command, Read, Step, StepKind, make_step
from renderer.timebase import round_half_up
from renderer.timeline import (
    Blend,
    ColourPicture,
    Element,
    GradientPicture,
    StillPicture,
    TextPicture,
    Timeline,
    VideoPicture,
)

_THUMBNAIL = "thumbnail.jpg"
_SHEET = "contact-sheet.jpg"
_SHEET_CELLS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in an order that can be worked off, and the role of each.

    `segments` and `segment_steps` run side by side; a segment that repeats names the same
    step again. `audio` is empty when nothing is heard.
    """

    steps: tuple[Step, ...]
    segments: tuple[Segment, ...]
    segment_steps: tuple[str, ...]
    audio: str
    join: str
    stills: str

    @property
    def by_key(self) -> Mapping[str, Step]:
        """Steps by key."""
        return {step.key: step for step in self.steps}


def plan(timeline: Timeline, toolchain: str, *, whole: bool = False) -> Plan:
    """The plan of a timeline for the toolchain of that digest."""
    return _Planner(timeline, toolchain).plan(cut(timeline, whole=whole))


def segment_steps(timeline: Timeline, segment: Segment, toolchain: str) -> tuple[Step, ...]:
    """The steps that draw one segment alone, it being the last."""
    return _Planner(timeline, toolchain).alone(segment)


class _Planner:
    def __init__(self, timeline: Timeline, toolchain: str) -> None:
        self.timeline = timeline
        self.toolchain = toolchain
        self.steps: dict[str, Step] = {}

    def plan(self, segments: tuple[Segment, ...]) -> Plan:
        keys = tuple(self._add(self._segment(n, s)) for n, s in enumerate(segments))
        audio = self._add(self._audio()) if self.timeline.sound.tracks else ""
        unique = tuple(dict.fromkeys(keys))
        stills = self._add(self._stills(segments, keys))
        join = self._add(self._join(keys, unique, audio))
        return Plan(
            steps=tuple(self.steps.values()),
            segments=segments,
            segment_steps=keys,
            audio=audio,
            join=join,
            stills=stills,
        )

    def alone(self, segment: Segment) -> tuple[Step, ...]:
        self._add(self._segment(0, segment))
        return tuple(self.steps.values())

    def _add(self, step: Step) -> str:
        self.steps.setdefault(step.key, step)
        return step.key

    def _drawn(self, element: Element) -> Read:
        return Read(step=self._add(draw_step(element, self.toolchain)), output="picture.png")

    def _segment(self, number: int, segment: Segment) -> Step:
        canvas, span = self.timeline.canvas, segment.span
        builder = SegmentGraph(canvas, self._drawn, span)
        picture = builder.build(segment.layers)
        arguments = encoder(canvas.quality, canvas.fps, round_half_up(STILL_SECONDS * canvas.fps))
        out = Output(stream=picture, name="@out:segment.mp4", arguments=arguments)
        return make_step(
            StepKind.ENCODE_SEGMENT,
            f"segment {number + 1}, frames {span.start}..{span.end}",
            toolchain=self.toolchain,
            reads=tuple(builder.graph.reads),
            params={"frames": span.length},
            command=builder.graph.command([out], before=("-copyts",)),
            outputs=("segment.mp4", "frames.bin"),
            frames=span.length,
            parts=self._parts(segment),
        )

    def _parts(self, segment: Segment) -> Mapping[str, str]:
        canvas = self.timeline.canvas
        parts = {
            "toolchain": self.toolchain,
            "canvas": digest_of(repr(canvas)),
            "length": str(segment.span.length),
        }
        for layer in segment.layers:
            # Moved to zero, so that the same picture elsewhere is the same part.
            if isinstance(layer, Blend):
                parts[f"transition {layer.name}"] = digest_of(repr(layer))
            else:
                local = replace(layer.element, span=layer.element.span.shifted(
                    -layer.element.span.start))  # fmt: skip
                parts[f"clip {layer.name}"] = digest_of(repr(local))
        return parts

    def _audio(self) -> Step:
        graph, samples = Graph(), self.timeline.samples
        sound = self.timeline.sound
        stream = mixed(graph, sound, samples)
        if sound.loudness:
            stream = stream.filter("volume", "@gain", precision="double")
        stream = stream.filter("aresample", 48000, internal_sample_fmt="dblp", osf="s16",
                               dither_method="none")  # fmt: skip
        stream = stream.filter("aformat", sample_fmts="s16", channel_layouts="stereo")
        pcm = Output(stream=stream, name="@pcm", arguments=("-f", "s16le", "-c:a", "pcm_s16le"))
        params: dict[str, Any] = {"samples": samples, "bitrate": sound.bitrate}
        if sound.loudness:
            params["loudness"] = {
                "target_lufs": _hundredths(sound.loudness.target),
                "true_peak_db": _hundredths(sound.loudness.true_peak),
            }
        return make_step(
            StepKind.MIX_AUDIO,
            "sound",
            toolchain=self.toolchain,
            reads=tuple(graph.reads),
            params=params,
            command=graph.command([pcm], before=AUDIO_CPUFLAGS),
            outputs=("audio.m4a",),
            frames=self.timeline.length // 20 + 1,
            parts={"toolchain": self.toolchain, "sound": digest_of(repr(sound))},
        )

    def _join(self, keys: tuple[str, ...], unique: tuple[str, ...], audio: str) -> Step:
        reads = [Read(step=key, output="segment.mp4") for key in unique]
        place = {key: index for index, key in enumerate(unique)}
        order: list[list[int]] = []
        for key in keys:
            if order and order[-1][0] == place[key]:
                order[-1][1] += 1
            else:
                order.append([place[key], 1])
        fps = self.timeline.canvas.fps
        argv = ["-auto_convert", "0", "-f", "concat", "-safe", "0"]
        argv += ["-protocol_whitelist", "file,pipe", "-i", "@list"]
        maps = ["-map", "0:v"]
        if audio:
            reads.append(Read(step=audio, output="audio.m4a"))
            argv += ["-i", f"file:@in:{len(unique)}"]
            maps += ["-map", "1:a"]
        argv += [*maps, "-c", "copy", "-video_track_timescale", str(timescale(fps))]
        argv += ["-movflags", "+faststart", *BITEXACT, "@out:video.mp4"]
        return make_step(
            StepKind.JOIN,
            "join",
            toolchain=self.toolchain,
            reads=tuple(reads),
            params={
                "order": order,
                "fps": rate_text(fps),
                "audio_read": len(unique) if audio else None,
            },
            command=Command(argv=tuple(argv)),
            outputs=("video.mp4",),
            frames=1,
        )

    def _stills(self, segments: tuple[Segment, ...], keys: tuple[str, ...]) -> Step:
        (width, height), length = self.timeline.canvas.size, self.timeline.length
        count = min(_SHEET_CELLS, length)
        wanted = [self.timeline.thumbnail_frame]
        wanted += [(2 * n + 1) * length // (2 * count) for n in range(count)]
        reads = self._grabbed([_place(frame, segments, keys) for frame in wanted])
        number = {read: n for n, read in enumerate(dict.fromkeys(reads))}
        wide = width >= height
        cell = [320, max(2, 320 * height // width)] if wide else [180, 180 * height // width]
        cells = [number[read] for read in reads[1:]]
        return make_step(
            StepKind.ARRANGE_STILLS,
            "stills",
            toolchain=self.toolchain,
            reads=tuple(number),
            params={
                "thumbnail": number[reads[0]],
                "contact_sheet": {"columns": 4 if wide else 6, "cell": cell, "cells": cells},
            },
            outputs=(_THUMBNAIL, _SHEET),
            frames=1,
        )

    def _grabbed(self, places: list[tuple[str, int]]) -> list[Read]:
        """Reads of frames, grabbed segment by segment: one that did not change is not
        decoded again."""
        by_segment: dict[str, set[int]] = {}
        for segment, frame in places:
            by_segment.setdefault(segment, set()).add(frame)
        grabs = {key: self._add(self._grab(key, frames)) for key, frames in by_segment.items()}
        return [Read(step=grabs[key], output=f"{frame}.png") for key, frame in places]

    def _grab(self, segment: str, frames: set[int]) -> Step:
        stills = {f"{frame}.png": frame for frame in sorted(frames)}
        return make_step(
            StepKind.GRAB_STILLS,
            f"stills of {self.steps[segment].title}",
            toolchain=self.toolchain,
            reads=(Read(step=segment, output="segment.mp4"),),
            params={"stills": stills},
            outputs=tuple(stills),
        )


def _place(frame: int, segments: tuple[Segment, ...], keys: tuple[str, ...]) -> tuple[str, int]:
    """The key of the segment that shows a frame, and which of its frames that is."""
    number = bisect_right([segment.span.start for segment in segments], frame) - 1
    return keys[number], frame - segments[number].span.start


def draw_step(element: Element, toolchain: str) -> Step:
    """The step that draws an element's still picture at the size it is shown."""
    placement = enlarged(element)
    common: dict[str, Any] = {
        "scale_to": list(placement.scale_to),
        "rotation_mdeg": placement.rotation_mdeg if is_drawn_whole(element) else 0,
        "opacity": element.opacity if is_drawn_whole(element) else 1000,
    }
    picture, title = element.picture, f"draw {element.name}"
    if isinstance(picture, TextPicture):
        block = picture.block
        params = {**common, "text": block.text, "style": block.style.as_json(),
                  "faces": list(block.faces)}  # fmt: skip
        reads = tuple(Read(sha256=font) for font in block.own_fonts)
        return make_step(StepKind.DRAW_TEXT, title, toolchain=toolchain, params=params,
                         reads=reads, outputs=("picture.png",))  # fmt: skip
    if isinstance(picture, StillPicture):
        params = {
            **common,
            "crop": placement.crop and list(placement.crop),
            "cut": placement.cut and list(placement.cut),
            "pad_to": placement.pad_to and list(placement.pad_to),
            "pad_at": list(placement.pad_at),
            "blur_behind": placement.blur_behind,
            "opaque": is_opaque(element),
        }
        reads = (Read(sha256=picture.sha256),)
        return make_step(StepKind.DRAW_IMAGE, title, toolchain=toolchain, params=params,
                         reads=reads, outputs=("picture.png",))  # fmt: skip
    if isinstance(picture, (ColourPicture, GradientPicture)):
        params = {**common, **_fill(picture), "size": list(placement.box)}
        return make_step(StepKind.DRAW_GRADIENT, title, toolchain=toolchain, params=params,
                         outputs=("picture.png",))  # fmt: skip
    if isinstance(picture, VideoPicture):
        raise TypeError(f"{element.name} is a video and is not drawn")
    raise TypeError(f"{element.name} has no picture")


def _fill(picture: ColourPicture | GradientPicture) -> Mapping[str, Any]:
    if isinstance(picture, ColourPicture):
        return {"kind": "linear", "angle": 180, "colours": [list(picture.colour)] * 2}
    colours = [list(colour) for colour in picture.colours]
    return {"kind": picture.kind, "angle": picture.angle, "colours": colours}


def _hundredths(value: int) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"
