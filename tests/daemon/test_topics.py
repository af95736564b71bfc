"""Topics as whole bundles: through the command, a daemon's child, and a daemon's inbox."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from daemon.fake_gemini import FakeGemini
from daemon.jobs import JobState
from daemon.records import read_job
from renderer.bundle import verify
from renderer.generate.speech import find_voice
from tests.daemon.fake_gemini.running import running
from tests.daemon.running import drop, until
from tests.daemon.running import running as serving
from tests.daemon.test_generating import reelkiln

TINY = {"size": "96x54", "fps": 5, "quality": "draft"}
BRAND = """reelkiln_brand: 1
name: Acme
colours: {primary: "#7a1f3d", accent: "#ffb703"}
logo: {image: logo.png, corner: bottom-right}
"""
TOPICS = (
    "Lighthouses of the northern sea", "Why bridges stand", "Coffee, from seed to cup",
    "The city at night", "How a volcano wakes", "Paper", "Music for working",
    "What robots cannot do", "Honey bees in autumn", "北の海の灯台",
)  # fmt: skip


def document(home: Path, name: str, **fields: Any) -> Path:
    home.mkdir(exist_ok=True)
    plain = {"output": TINY, "scenes": 3, **fields}
    path = home / f"{name}.json"
    path.write_text(json.dumps(plain))
    return path


def rendered(spec: Path, store: Path, outbox: Path, **settings: str) -> Path:
    done = reelkiln("render", spec, "--outbox", outbox, "--json", home=store, **settings)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["path"])


def branded(home: Path) -> None:
    home.mkdir(exist_ok=True)
    logo = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(logo).ellipse((4, 4, 60, 60), fill=(255, 0, 255, 255))
    logo.save(home / "logo.png")
    (home / "brand.yaml").write_text(BRAND)


def test_a_topic_is_a_whole_bundle_the_same_from_empty_stores_and_from_its_own_spec(
    tmp_path: Path,
) -> None:
    here = tmp_path / "here"
    branded(here)
    spec = document(
        here, "sea", topic=TOPICS[0], story="none", reelkiln=1, kind="topic", brand="brand.yaml"
    )
    bundle = rendered(spec, tmp_path / "a", tmp_path / "out")
    manifest = verify(bundle)
    assert {entry.path for entry in manifest.files} == {
        "video.mp4", "audio.m4a", "thumbnail.jpg", "contact-sheet.jpg", "captions.vtt",
        "captions.srt", "expanded.spec.yaml", "spec.json", "lock.json",
    }  # fmt: skip
    voices = {e.provenance.get("voice") for e in manifest.inputs if '"speech"' in e.source}
    voice = find_voice(os.environ)
    assert voices == {voice.model if voice else "none"}  # it is said when nobody speaks
    with Image.open(bundle / "contact-sheet.jpg") as sheet:
        colours = sheet.convert("RGB").getcolors(1 << 20) or ()
    assert any(min(r, b) > 180 and g < 110 for _, (r, g, b) in colours)  # the logo

    again = rendered(spec, tmp_path / "b", tmp_path / "other")
    assert digest_of(again) == digest_of(bundle)

    shutil.copy(bundle / "expanded.spec.yaml", here / "expanded.spec.yaml")
    own = rendered(here / "expanded.spec.yaml", tmp_path / "a", tmp_path / "own")
    assert digest_of(own) == digest_of(bundle)
    edited = (here / "expanded.spec.yaml").read_text().replace("northern sea", "southern sea")
    (here / "edited.yaml").write_text(edited)
    done = reelkiln("check", here / "edited.yaml", "--json", home=tmp_path / "a")
    assert json.loads(done.stdout)["valid"]


def digest_of(bundle: Path) -> str:
    return verify(bundle).bundle_digest


def test_with_the_cache_warm_a_topic_renders_with_the_provider_switched_off(
    tmp_path: Path,
) -> None:
    spec = document(tmp_path, "film", topic="A boat", story="none", on_unavailable="fail",
                    reelkiln=1, kind="topic")  # fmt: skip
    fake, told = FakeGemini(), {"REELKILN_PROVIDER": "gemini", "REELKILN_GEMINI_KEY": "k"}
    with running(fake) as base:
        told["REELKILN_GEMINI_BASE"] = base
        first = rendered(spec, tmp_path, tmp_path / "one", **told)
    asked = len(fake.requests)
    assert asked == 4
    other = rendered(spec, tmp_path, tmp_path / "other", **told)
    assert len(fake.requests) == asked
    assert digest_of(first) == digest_of(other)


def test_a_dropped_topic_of_a_few_words_becomes_a_bundle_and_what_is_wrong_is_told(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as service:
        short = {"topic": "Paper", "output": TINY, "scenes": 3, "story": "none"}
        drop(tmp_path, "paper.json", json.dumps(short).encode())
        drop(tmp_path, "wrong.json", b'{"topic": "Paper", "storyboard": "explaner"}')
        receipts = tmp_path / "outbox" / "receipts"
        until(lambda: receipts.is_dir() and len([*receipts.glob("*.json")]) == 2)
        found = (read_job(service.fs, path) for path in receipts.glob("*.json"))
        jobs = {job.name: job for job in found}
    paper, wrong = jobs["paper.json"], jobs["wrong.json"]
    assert (paper.state, paper.kind) == (JobState.SUCCEEDED, "topic")
    assert (tmp_path / "outbox" / paper.bundle / "expanded.spec.yaml").is_file()
    assert wrong.state is JobState.FAILED
    assert (wrong.error or {})["errors"][0]["code"] == "storyboard-unknown"


@pytest.mark.long
def test_ten_topics_differ_and_are_the_same_from_an_empty_store(tmp_path: Path) -> None:
    digests: dict[str, list[str]] = {}
    for run in ("one", "other"):
        for number, topic in enumerate(TOPICS):
            spec = document(tmp_path / "specs", f"t{number}", topic=topic, story="54x96")
            bundle = rendered(spec, tmp_path / run, tmp_path / f"out-{run}")
            digests.setdefault(topic, []).append(digest_of(bundle))
            pictures = (bundle / "thumbnail.jpg").read_bytes()
            digests.setdefault(f"picture of {topic}", []).append(str(hash(pictures)))
    assert all(len(set(both)) == 1 for both in digests.values()), digests
    assert len({both[0] for both in digests.values()}) == 2 * len(TOPICS)
