"""Specs that read well and still cannot be rendered, with real media beside them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from PIL import Image

from daemon.cli import main
from tests.renderer.spec.broken_documents import Broken

pytestmark = pytest.mark.usefixtures("_built_command")
LIMIT = "REELKILN_MAX_DURATION_S"


def _clips(*clips: str, before: str = "") -> str:
    lines = "".join(f"      - {clip}\n" for clip in clips)
    return f"reelkiln: 1\n{before}tracks:\n  - clips:\n{lines}"


def _longform(audio: str, rest: str = "") -> str:
    return f"reelkiln: 1\nkind: longform\nbackgrounds: [{{image: a.png}}]\naudio: {audio}\n{rest}"


_PICTURE = "{image: a.png, length: 1s}"
_SOURCES = [
    ("source-missing", _clips("{image: «c.png}")),
    ("source-missing", _clips("{image: «A.png}")),
    ("source-missing", _clips("{video: «clips/b.mp4}")),
    ("source-missing", _clips("{image: «folder}")),
    ("source-missing", _clips("{image: «a.png/b.png}")),
    ("source-missing source-missing", _clips("{image: «c.png}", "{image: «c.png}")),
    ("source-missing source-missing", _clips("{image: «c.png}", "{audio: «c.wav}")),
    ("source-missing", _clips(_PICTURE, before="fonts: [«letters.ttf]\n")),
    ("source-missing", _clips('{image: «"{{file}}"}', before="variables: {file: c.png}\n")),
    ("source-outside", _clips("{image: «../secret.png}")),
    ("source-outside", _clips("{image: «link.png}")),
    ("source-outside", _clips("{image: «/etc/hostname}")),
    ("source-scheme", _clips("{image: «'ftp://example.org/a.png'}")),
    ("source-form", _clips("{image: «notes.txt}")),
    ("source-form", _clips("{image: «empty.png}")),
    ("source-unreadable", _clips("{video: «cut.mp4}")),
    ("source-kind", _clips("{image: «b.mp4}")),
    ("source-kind", _clips("{video: «a.png}")),
    ("source-kind", _clips("{video: «s.wav}")),
    ("source-kind", _clips("{audio: «a.png}")),
    ("source-kind", _clips("{audio: «mute.mp4}")),
    ("source-kind", _clips(_PICTURE, before="fonts: [«a.png]\n")),
    ("source-kind", _longform("[{audio: «a.png}]")),
    ("source-missing", _longform("[{audio: s.wav}, {audio: «t.wav}]")),
    ("source-missing", _longform("[{audio: s.wav}]").replace("a.png", "«c.png")),
]  # fmt: skip
_TIMES = [
    ("trim-outside", _clips("{video: b.mp4, trim: {from: «5s}}")),
    ("trim-outside", _clips("{video: b.mp4, trim: {to: «5s}}")),
    ("trim-outside", _clips("{audio: s.wav, trim: {from: «60s}}")),
    ("trim-empty", _clips("{video: b.mp4, trim: {from: 0.5s, to: «0.2s}}")),
    ("longer-than-source", _clips("{video: b.mp4, length: «3s}")),
    ("longer-than-source", _clips("{video: b.mp4, speed: 2, length: «0.8s}")),
    ("longer-than-source", _clips("{audio: s.wav, length: «1:30}")),
    ("too-short", _clips("{image: a.png, length: «0}")),
    ("too-short", _clips("{image: a.png, length: «1ms}")),
    ("clips-overlap", _clips(_PICTURE, "{image: a.png, start: «0.5s, length: 1s}")),
    ("clips-overlap", _clips(_PICTURE, "{transition: fade, length: 0.2s}",
                             "{image: a.png, start: «3s, length: 1s}")),
    ("transition-misplaced", _clips("«{transition: fade}", _PICTURE)),
    ("transition-misplaced", _clips(_PICTURE, "«{transition: fade}")),
    ("transition-misplaced", _clips(_PICTURE, "«{transition: fade}", "{gap: 1s}", _PICTURE)),
    ("transition-misplaced", _clips(_PICTURE, "{gap: 1s}", "«{transition: fade}", _PICTURE)),
    ("transition-misplaced", _clips("{audio: s.wav}", "«{transition: fade, length: 0.2s}",
                                    _PICTURE)),
    ("transition-length", _clips(_PICTURE, "{transition: fade, length: «2s}", _PICTURE)),
    ("transition-length", _clips(_PICTURE, "{transition: fade, length: «0}", _PICTURE)),
    ("time-cycle", _clips("{text: a, id: a, start: «'after:b', length: 1s}",
                          "{text: b, id: b, start: 'after:a', length: 1s}")),
    ("time-cycle", _clips("{text: a, id: a, length: «'with:a'}")),
    ("no-duration", "reelkiln: 1\ntracks: «[{clips: []}]\n"),
    ("no-duration", "reelkiln: 1\ntracks: «[{clips: [{gap: 5s}]}]\n"),
    ("starts-before-zero", _clips("{text: a, start: «end, length: 3s}",
                                  before="output: {duration: 2s}\n")),
    ("crop-outside", _clips("{image: a.png, length: 1s, crop: «{left: 60%, right: 60%}}")),
    ("unknown-font", _clips("{text: a, style: {font: «Comic Sans}}")),
    ("unknown-font", _clips("{text: a, style: own}", before="styles: {own: {font: «Nothing}}\n")),
]  # fmt: skip
_TABLE = [
    Broken(
        name=f"{codes.split()[0]}-{number}",
        marked=marked,
        codes=tuple(codes.split()),
        exit_status=4 if codes.startswith("source") else 3,
    )
    for number, (codes, marked) in enumerate([*_SOURCES, *_TIMES])
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny media, good and bad."""
    top = tmp_path_factory.mktemp("broken")
    folder = top / "specs"
    (folder / "folder").mkdir(parents=True)
    for path in (folder / "a.png", top / "secret.png"):
        Image.new("RGB", (64, 36), "teal").save(path)
    (folder / "link.png").symlink_to(top / "secret.png")
    (folder / "notes.txt").write_text("not media")
    (folder / "empty.png").write_bytes(b"")
    picture = ["-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=1"]
    sound = ["-f", "lavfi", "-i", "sine=440:d=1"]
    _ffmpeg(*picture, *sound, "-pix_fmt", "yuv420p", folder / "b.mp4")
    _ffmpeg(*picture, "-pix_fmt", "yuv420p", folder / "mute.mp4")
    _ffmpeg(*sound, folder / "s.wav")
    _ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=600", folder / "long.wav")
    (folder / "cut.mp4").write_bytes((folder / "b.mp4").read_bytes()[:400])
    return folder


def _ffmpeg(*arguments: str | Path) -> None:
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([binary, "-v", "error", *map(str, arguments)], check=True)


@pytest.fixture
def explain(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:  # fmt: skip
    def run(marked: str | bytes, *words: str) -> tuple[int, Any, str]:
        spec = folder / "spec.yaml"
        spec.write_bytes(marked if isinstance(marked, bytes) else marked.encode())
        monkeypatch.setenv("REELKILN_STORE", str(tmp_path_factory.getbasetemp() / "store"))
        monkeypatch.setattr(sys, "argv", ["reelkiln", "explain", str(spec), "--json", *words])
        status = 0
        try:
            main()
        except SystemExit as error:
            status = int(error.code or 0)
        said = capsys.readouterr()
        return status, json.loads(said.out), said.err

    return run


@pytest.mark.parametrize("broken", _TABLE, ids=lambda broken: broken.name)
def test_a_spec_that_does_not_fit_its_sources_is_told_where_and_why(
    broken: Broken, explain: Any
) -> None:
    status, told, _ = explain(broken.data)
    found = [(e["code"], (e["line"], e["column"])) for e in told["errors"]]
    assert found == list(zip(broken.codes, broken.places, strict=True))
    assert status == broken.exit_status


def test_more_than_three_hours_of_longform_sound_is_an_error_of_its_own(explain: Any) -> None:
    pieces = ", ".join(["{audio: long.wav}"] * 19)
    status, told, _ = explain(_longform(f"[{pieces}]"))
    assert [(e["code"], e["line"], e["column"]) for e in told["errors"]] == [
        ("longform-audio-length", 4, 8)
    ]
    assert status == 3


@pytest.mark.parametrize(
    ("marked", "pointer"),
    [
        (_clips("{image: a.png, length: 6s}", "{image: a.png, length: 6s}"), "/tracks"),
        (_clips("{video: b.mp4, loop: true, length: 11s}"), "/tracks"),
        (_clips(*["{video: b.mp4}"] * 12), "/tracks"),
        (_longform("[{audio: long.wav}]"), "/audio"),
    ],
)
def test_a_video_that_turns_out_too_long_is_refused(
    marked: str, pointer: str, explain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "10")
    status, told, _ = explain(marked)
    (error,) = told["errors"]
    assert status == 3
    assert (error["code"], error["pointer"]) == ("over-limit", pointer)
    assert "max_duration_s" in error["message"]
    assert LIMIT in error["message"]
    monkeypatch.setenv(LIMIT, "600")
    assert explain(marked)[0] == 0


def test_the_size_of_a_source_is_limited_by_a_setting(
    explain: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (folder / "a.png").stat().st_size
    monkeypatch.setenv("REELKILN_MAX_SOURCE_BYTES", str(size))
    assert explain(_clips(_PICTURE))[0] == 0
    monkeypatch.setenv("REELKILN_MAX_SOURCE_BYTES", str(size - 1))
    status, told, _ = explain(_clips(_PICTURE))
    (error,) = told["errors"]
    assert (status, error["code"], error["line"], error["column"]) == (4, "source-too-large", 4, 17)
    assert "REELKILN_MAX_SOURCE_BYTES" in error["message"]
