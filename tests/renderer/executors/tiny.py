"""Tiny steps, small enough to run real FFmpeg in every test."""

from __future__ import annotations

from typing import Any

from renderer.steps import Command, Read, Step, StepKind, make_step

EXACT = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"),
    *("-x264-params", "cpu-independent=1:keyint=600:scenecut=0:bframes=2"),
    *("-bsf:v", "filter_units=remove_types=6", "-map_metadata", "-1"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact"),
)


def segment(
    name: str,
    *,
    frames: int = 10,
    rate: str = "25",
    source: str = "testsrc2=s=64x48",
    before: str = "scroll=h=0.07,",  # so that no two frames are equal
    planned: int | None = None,
    extra: tuple[str, ...] = (),
) -> Step:
    """An ENCODE_SEGMENT of a test picture whose hue depends on `name`."""
    hue = sum(name.encode()) * 37 % 360
    graph = f"{source}:r={rate},{before}hue=h={hue},trim=end_frame={frames}[v]"
    argv = ("-/filter_complex", "@graph", "-map", "[v]", *EXACT, *extra, "@out:segment.mp4")
    return make_step(
        StepKind.ENCODE_SEGMENT,
        f"segment {name}",
        toolchain="test",
        command=Command(argv=argv, graph=graph),
        params={"frames": frames if planned is None else planned},
        outputs=("segment.mp4", "frames.bin"),
        frames=frames,
    )


def mix(
    source: str = "sine=f=440:r=48000,volume=0.3",
    *,
    samples: int = 24_000,
    planned: int | None = None,
    loudness: dict[str, str] | None = None,
) -> Step:
    """A MIX_AUDIO of a test sound."""
    graph = (
        f"{source},aformat=sample_fmts=dbl:channel_layouts=stereo,atrim=end_sample={samples},"
        "volume=@gain:precision=double,aresample=osf=s16:dither_method=none[pcm]"
    )
    argv = (
        *("-cpuflags", "0", "-/filter_complex", "@graph"),
        *("-map", "[pcm]", "-c:a", "pcm_s16le", "-f", "s16le", "@pcm"),
    )
    params: dict[str, Any] = {"samples": samples if planned is None else planned}
    params["bitrate"] = "96k"
    if loudness:
        params["loudness"] = loudness
    return make_step(
        StepKind.MIX_AUDIO,
        "the mix",
        toolchain="test",
        command=Command(argv=argv, graph=graph),
        params=params,
        outputs=("audio.m4a",),
        frames=samples * 25 // 48_000,
    )


def joined(
    segments: list[Step],
    order: list[list[int]],
    *,
    audio: Step | None = None,
    rate: str = "25",
    convert: str = "0",
) -> Step:
    """A JOIN of `segments` in `order`."""
    reads = [Read(step=step.key, output="segment.mp4") for step in segments]
    argv = ["-f", "concat", "-safe", "0", "-auto_convert", convert, "-protocol_whitelist", "file"]
    argv += ["-i", "@list"]
    if audio is not None:
        reads.append(Read(step=audio.key, output="audio.m4a"))
        argv += ["-protocol_whitelist", "file", "-f", "mov", "-i", f"file:@in:{len(segments)}"]
        argv += ["-map", "1:a"]
    argv += ["-map", "0:v", "-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact"]
    numerator = rate.partition("/")[0]
    argv += ["-video_track_timescale", str(int(numerator) * 16 if "/" not in rate else numerator)]
    return make_step(
        StepKind.JOIN,
        "the join",
        toolchain="test",
        reads=tuple(reads),
        command=Command(argv=(*argv, "@out:video.mp4")),
        params={
            "order": order,
            "fps": rate,
            "audio_read": len(segments) if audio is not None else None,
        },
        outputs=("video.mp4",),
        frames=1,
    )
