import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.command import reelkiln
from tests.renderer import web as w
from tests.renderer.moving import CORNERS, H264, make
from tests.renderer.web import Web, serving

SPEC = """reelkiln: 1
output: {size: 64x36, fps: 10}
tracks:
  - clips:
      - {image: red.png, length: 0.3s}
      - {image: "URL", length: 0.3s}
"""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with serving(Web()) as running:
        Image.new("RGB", (64, 36), "lime").save(tmp_path / "served.png")
        running.answers["/a.png"] = w.body((tmp_path / "served.png").read_bytes())
        yield running


@pytest.fixture
def spec(tmp_path: Path, web: Web) -> Path:
    folder = tmp_path / "spec"
    folder.mkdir()
    Image.new("RGB", (64, 36), "red").save(folder / "red.png")
    path = folder / "reel.yaml"
    path.write_text(SPEC.replace("URL", web.url("/a.png")))
    return path


def test_a_lock_is_written_replayed_offline_and_enforced(
    spec: Path, web: Web, tmp_path: Path
) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    missing = reelkiln("render", spec, "--locked", "--outbox", out, store=store)
    assert (missing.returncode, "reelkiln lock" in missing.stderr) == (2, True)

    refused = reelkiln("lock", spec, store=store)
    assert refused.returncode == 4
    assert "reel.yaml:6:17  tracks[0].clips[1].image" in refused.stderr
    assert "REELKILN_ALLOW_NETWORKS" in refused.stderr

    here = {"REELKILN_ALLOW_NETWORKS": "127.0.0.1"}
    locked = reelkiln("lock", spec, store=store, **here)
    assert locked.returncode == 0, locked.stderr
    assert locked.stdout.strip() == str(spec.with_name("reel.lock.json"))
    assert "new: red.png" in locked.stderr

    web.requests.clear()
    done = reelkiln("render", spec, "--locked", "--outbox", out, "--json", store=store)
    assert done.returncode == 0, done.stderr
    assert web.requests == []
    bundle = Path(json.loads(done.stdout)["path"])
    pins = json.loads((bundle / "lock.json").read_bytes())
    assert pins == json.loads(spec.with_name("reel.lock.json").read_bytes())

    old = next(p["sha256"] for p in pins["sources"] if p["source"] == "red.png")
    Image.new("RGB", (64, 36), "blue").save(spec.with_name("red.png"))
    drifted = reelkiln("render", spec, "--locked", "--outbox", out, "--json", store=store)
    assert drifted.returncode == 4
    error = json.loads(drifted.stdout)
    assert error["code"] == "source-changed"
    (fault,) = error["errors"]
    assert (fault["pointer"], fault["line"]) == ("/tracks/0/clips/0/image", 5)
    assert f"the lock says {old}, now " in fault["message"]

    again = reelkiln("lock", spec, "--json", store=store, **here)
    (line,) = json.loads(again.stdout)["changes"]
    assert line.startswith(f"changed: red.png {old} -> ")
    assert reelkiln("render", spec, "--locked", "--outbox", out, store=store).returncode == 0


def test_retries_are_words_on_standard_error_and_nothing_on_standard_output(
    spec: Path, web: Web, tmp_path: Path
) -> None:
    web.answers["/a.png"] = w.in_turn(w.body(b"", 500), web.answers["/a.png"])
    here = {"REELKILN_ALLOW_NETWORKS": "127.0.0.1"}
    done = reelkiln("lock", spec, store=tmp_path / "store", **here)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{spec.with_name('reel.lock.json')}\n"
    assert "answered 500" in done.stderr
    assert "stamina" not in done.stderr


def test_a_turned_video_is_rendered_upright(tmp_path: Path) -> None:
    turn = 90  # to the left, as FFmpeg counts
    plain = make(tmp_path / "plain.mp4", *CORNERS, *H264)
    make(tmp_path / "t.mp4", "-display_rotation", str(turn), "-i", plain, "-c", "copy")
    spec = tmp_path / "turned.yaml"
    spec.write_text(
        "reelkiln: 1\noutput: {size: 72x128, fps: 25}\n"
        "tracks: [{clips: [{video: t.mp4, fit: stretch}]}]\n"
    )
    done = reelkiln("render", spec, "--outbox", tmp_path / "out", store=tmp_path / "store")
    assert done.returncode == 0, done.stderr
    with Image.open(Path(done.stdout.strip()) / "thumbnail.jpg") as shown:
        assert shown.width < shown.height
        upright = Image.new("RGB", (64, 36), "red")
        upright.paste("lime", (32, 0, 64, 18))
        upright.paste("blue", (0, 18, 32, 36))
        upright.paste("white", (32, 18, 64, 36))
        wanted = upright.rotate(turn, expand=True).resize(shown.size, Image.Resampling.NEAREST)
        for x, y in [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)]:
            at = (int(shown.width * x), int(shown.height * y))
            pairs = zip(shown.convert("RGB").getpixel(at), wanted.getpixel(at), strict=True)  # type: ignore[arg-type]
            assert all(abs(a - b) < 40 for a, b in pairs), (at, turn)
