from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from renderer.bundle.manifest import MediaFacts
from renderer.bundle.quality import Finding, check_files, check_media
from tests.renderer.bundle.sealed import FILM, PICTURE, SOUND, ffmpeg


def found(path: Path, promised: MediaFacts = FILM) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_media("video.mp4", path, promised)}


def remuxed(film: Path, out: Path, *words: str) -> Path:
    ffmpeg("-i", film, "-c", "copy", "-movflags", "+faststart", *words, out)
    return out


def test_files_that_keep_their_promises_have_no_findings(media: Mapping[str, Path]) -> None:
    sound = MediaFacts(picture=None, sound=SOUND)
    assert check_files(media, {"video.mp4": FILM, "audio.m4a": sound}) == ()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"codec": "hevc"}, "codec"),
        ({"profile": "Constrained Baseline"}, "profile"),
        ({"pixel_format": "yuv444p"}, "pixel format"),
        ({"width": 66}, "size"),
        ({"height": 36}, "size"),
        ({"fps": Fraction(24)}, "frames per second"),
        ({"frames": 25}, "frames"),
        ({"frames": 25}, "duration of the picture"),
        ({"frames": 25}, "duration in the header"),
        ({"colour": "bt2020"}, "colour"),
        ({"range": "pc"}, "range"),
    ],
)
def test_each_broken_promise_of_the_picture_is_found(
    media: Mapping[str, Path], change: dict[str, Any], check: str
) -> None:
    promised = replace(FILM, picture=replace(PICTURE, **change))
    assert check in found(media["video.mp4"], promised)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"codec": "mp3"}, "codec"),
        ({"sample_rate": 44_100}, "sample rate"),
        ({"channels": 1}, "channels"),
        ({"samples": 48_047}, "duration of the sound"),
        ({"samples": 48_049}, "duration of the sound"),
    ],
)
def test_each_broken_promise_of_the_sound_is_found(
    media: Mapping[str, Path], change: dict[str, Any], check: str
) -> None:
    promised = replace(FILM, sound=replace(SOUND, **change))
    assert check in found(media["video.mp4"], promised)


def test_a_stream_too_few_or_too_many_is_found(media: Mapping[str, Path]) -> None:
    lonely = found(media["audio.m4a"])["streams"]
    assert (lonely.expected, lonely.found) == ("video, audio", "audio")
    silent = replace(FILM, sound=None)
    assert found(media["video.mp4"], silent)["streams"].found == "video, audio"


def test_an_index_at_the_end_is_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    ffmpeg("-i", media["video.mp4"], "-c", "copy", tmp_path / "slow.mp4")
    assert found(tmp_path / "slow.mp4").keys() == {"order of boxes"}


def test_one_sample_less_is_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    sound = tmp_path / "a.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=440:r=48000,atrim=end_sample=48047", "-ac", "2",
           "-c:a", "aac", sound)  # fmt: skip
    ffmpeg("-i", media["video.mp4"], "-i", sound, "-map", "0:v", "-map", "1:a", "-c", "copy",
           "-movflags", "+faststart", tmp_path / "s.mp4")  # fmt: skip
    assert found(tmp_path / "s.mp4").keys() == {"duration of the sound"}


def test_priming_that_is_heard_is_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    words = ("-use_editlist", "0")
    checks = found(remuxed(media["video.mp4"], tmp_path / "p.mp4", *words))
    assert "duration of the sound" in checks


def test_a_picture_that_begins_late_is_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    ffmpeg("-itsoffset", "0.5", "-i", media["video.mp4"], "-i", media["audio.m4a"],
           "-map", "0:v", "-map", "1:a", "-c", "copy", "-movflags", "+faststart",
           tmp_path / "late.mp4")  # fmt: skip
    assert found(tmp_path / "late.mp4")["start of the picture"].found == "1/2 s"


def test_colours_without_tags_are_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    untag = ("-c:v", "libx264", "-vf", "setparams=colorspace=unknown:color_primaries=unknown")
    film = remuxed(media["video.mp4"], tmp_path / "u.mp4", *untag)
    assert found(film)["colour"].found == "primaries 2, transfer 1, matrix 2"


def test_what_is_no_media_or_is_cut_is_a_finding_not_a_crash(
    media: Mapping[str, Path], tmp_path: Path
) -> None:
    whole = media["video.mp4"].read_bytes()
    for data in (b"", b"not a video", whole[:-1], whole[:40], bytes(64), whole + b"\0"):
        (tmp_path / "x.mp4").write_bytes(data)
        assert found(tmp_path / "x.mp4"), data[:20]
    (tmp_path / "x.mp4").unlink()
    assert "reads as media" in found(tmp_path / "x.mp4")


def test_a_picture_that_does_not_decode_is_found(media: Mapping[str, Path], tmp_path: Path) -> None:
    whole = media["thumbnail.jpg"].read_bytes()
    for data in (b"", whole[: len(whole) // 2], b"GIF89a"):
        (tmp_path / "t.jpg").write_bytes(data)
        (finding,) = check_files({"thumbnail.jpg": tmp_path / "t.jpg"}, {})
        assert finding.check == "decodes"
