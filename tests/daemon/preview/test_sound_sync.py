"""What is heard and what is seen of one moment come at one time, whatever fragments they lie in."""

import io
import json
import urllib.request
import wave
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import numpy as np

from tests.daemon.browser import needs_chromium, until, watched
from tests.daemon.preview.process import previewing

RATE, FPS, LENGTH = 48_000, 25, 8
MOMENTS = (1.0, 2.96, 5.96, 6.04, 7.2)
"""Seconds. The first fragment of sound ends at 5.97 s."""
FLASH = 0.04


def make_flashes(folder: Path) -> Path:
    """A black film of 8 s, that flashes and beeps at the moments."""
    sound = np.zeros(RATE * LENGTH)
    beep = 0.7 * np.sin(2 * np.pi * 1000 * np.arange(round(RATE * FLASH)) / RATE)
    for moment in MOMENTS:
        at = round(moment * RATE)
        sound[at : at + len(beep)] = beep
    with wave.open(str(folder / "beeps.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    flashes = "".join(
        f'\n      - {{colour: "#ffffff", start: {moment}s, length: {FLASH}s}}' for moment in MOMENTS
    )
    spec = folder / "flashes.yaml"
    spec.write_text(f"""reelkiln: 1
id: flashes
output: {{size: 64x36, fps: {FPS}}}
tracks:
  - clips: [{{colour: "#000000", length: {LENGTH}s}}]
  - clips:{flashes}
  - clips: [{{audio: beeps.wav, length: end}}]
""")
    return spec


def film_of(url: str) -> str:
    """Where the scene lies, once it is told of."""
    with urllib.request.urlopen(urljoin(url, "/events")) as news:
        told = next(line for line in news if line.startswith(b"data: {"))
    assert json.loads(told[6:])["error"] is None
    return urljoin(url, "/scene/1/")


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as reply:
        return bytes(reply.read())


def stream_of(playlist: str) -> tuple[bytes, list[bytes]]:
    """What a player gets: the head and the fragments."""
    lines = fetched(playlist).decode().splitlines()
    (head,) = (line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP"))
    names = [line for line in lines if line and not line.startswith("#")]
    return fetched(urljoin(playlist, head)), [fetched(urljoin(playlist, name)) for name in names]


def flashes_of(head: bytes, bodies: list[bytes]) -> list[float]:
    """When it turns bright, in seconds."""
    found, was_bright = [], False
    with av.open(io.BytesIO(head + b"".join(bodies))) as film:
        for frame in film.decode(video=0):
            is_bright = frame.to_ndarray(format="gray").mean() > 128
            if is_bright and not was_bright:
                assert frame.time is not None
                found.append(frame.time)
            was_bright = is_bright
    return found


def beeps_of(head: bytes, bodies: list[bytes]) -> list[float]:
    """When it turns loud after silence, in seconds."""
    found, last_loud = [], -1.0
    with av.open(io.BytesIO(head + b"".join(bodies))) as sound:
        for frame in sound.decode(audio=0):
            for at in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.35):
                assert frame.time is not None
                time = frame.time + at / RATE
                if time - last_loud > FLASH / 2:
                    found.append(time)
                last_loud = time
    return found


def test_a_beep_is_heard_when_its_flash_is_seen_on_both_sides_of_every_border(
    tmp_path: Path,
) -> None:
    with previewing(make_flashes(tmp_path)) as url:
        film = film_of(url)
        pictures = stream_of(urljoin(film, "picture.m3u8"))
        sounds = stream_of(urljoin(film, "sound.m3u8"))
    flashes, beeps = flashes_of(*pictures), beeps_of(*sounds)
    assert (len(pictures[1]), len(sounds[1])) == (2 * len(MOMENTS) + 1, 2)
    assert np.allclose(flashes, MOMENTS, atol=1e-6)
    assert np.allclose(beeps, flashes, atol=0.1 / FPS)


def test_a_player_that_begins_in_the_middle_hears_and_sees_the_same(tmp_path: Path) -> None:
    with previewing(make_flashes(tmp_path)) as url:
        film = film_of(url)
        head, pictures = stream_of(urljoin(film, "picture.m3u8"))
        flashes = flashes_of(head, pictures[6:])
        head, sounds = stream_of(urljoin(film, "sound.m3u8"))
        beeps = beeps_of(head, sounds[1:])[1:]  # it begins within the third beep
    assert np.allclose(flashes, MOMENTS[3:], atol=1e-6)
    assert np.allclose(beeps, flashes, atol=0.1 / FPS)


@needs_chromium
def test_the_browser_lays_sound_and_picture_on_one_time(browser: Any, tmp_path: Path) -> None:
    """A browser that took no note of the priming would hear all of it a packet, 21 ms, late."""
    ends = """Object.fromEntries(["audio", "video"].map((kind) => {
        const there = hls.bufferController.tracks[kind].buffer.buffered;
        return [kind, [there.start(0), there.end(there.length - 1), there.length]];
    }))"""
    with previewing(make_flashes(tmp_path)) as url, watched(browser) as seen:
        page = seen.page
        page.goto(url)
        until(page, f"film.buffered.length && film.buffered.end(0) > {LENGTH - 0.1}")
        found = page.evaluate(ends)
    for kind in ("audio", "video"):
        assert np.allclose(found[kind], (0, LENGTH, 1), atol=0.005), found
