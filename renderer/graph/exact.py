"""Flags that make FFmpeg give the same bytes on every machine, and the encoder table."""

from __future__ import annotations

from fractions import Fraction

from renderer.timeline import Quality

SWS_FLAGS = "bicubic+accurate_rnd+full_chroma_int+bitexact"
"""Scaler flags that do not depend on the CPU's vector instructions."""

BITEXACT = (
    "-map_metadata", "-1", "-map_chapters", "-1",
    "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
)  # fmt: skip

ONE_FILTER_THREAD = ("-filter_complex_threads", "1")
"""With slices drawn at once a filter is not always sure of its neighbours' pixels: half the
renders of a large graph differed in a frame. Segments run beside each other anyway."""

AUDIO_CPUFLAGS = ("-cpuflags", "0")
"""The AAC encoder's bytes depend on the CPU class; without vector code they do not."""

_PRESETS: dict[Quality, tuple[str, ...]] = {
    Quality.DRAFT: ("-preset", "ultrafast", "-crf", "30"),
    Quality.STANDARD: ("-preset", "veryfast", "-crf", "21"),
    Quality.HIGH: ("-preset", "medium", "-crf", "17"),
    Quality.LOSSLESS: ("-preset", "ultrafast", "-qp", "0"),
}

PROFILES: dict[Quality, str] = {
    Quality.DRAFT: "Constrained Baseline",
    Quality.STANDARD: "High",
    Quality.HIGH: "High",
    Quality.LOSSLESS: "High 4:4:4 Predictive",
}
"""The H.264 profile that x264 gives with each of these presets."""


def rate_text(fps: Fraction) -> str:
    """Frames per second as FFmpeg writes them, `30000/1001`."""
    return f"{fps.numerator}/{fps.denominator}"


def tick_text(fps: Fraction) -> str:
    """The time base of one frame."""
    return f"{fps.denominator}/{fps.numerator}"


def timescale(fps: Fraction) -> int:
    """MP4 ticks per second of which a frame is a whole number, and fine enough for players."""
    scale = fps.numerator
    while scale < 10_000:
        scale *= 2
    return scale


def encoder(quality: Quality, fps: Fraction, keyframe_frames: int) -> tuple[str, ...]:
    """x264, one thread, the same on every CPU class, closed GOPs."""
    return (
        "-c:v", "libx264", *_PRESETS[quality], "-threads", "1",
        "-x264-params", f"cpu-independent=1:open-gop=0:keyint={keyframe_frames}",
        "-pix_fmt", "yuv420p", "-color_range", "tv", "-colorspace", "bt709",
        "-color_primaries", "bt709", "-color_trc", "bt709",
        "-sws_flags", SWS_FLAGS, "-r", rate_text(fps), "-fps_mode", "cfr",
        "-bsf:v", "filter_units=remove_types=6", "-video_track_timescale", str(timescale(fps)),
        "-an", *BITEXACT,
    )  # fmt: skip
