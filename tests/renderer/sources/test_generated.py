"""Sources that are made: keys, pins, what a provider that cannot be used means, voices."""

import io
import json
import os
import stat
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renderer.brand.applying import branded
from renderer.brand.kit import parse_brand
from renderer.bundle import verify
from renderer.errors import (
    ContentPolicy,
    ProviderUnavailable,
    RateLimited,
    SourceRefused,
    SpecInvalid,
)
from renderer.events import Event, Warned
from renderer.fonts import text_engine_fingerprint
from renderer.generate.contract import ImageRequest, ImageResult, Provider
from renderer.generate.painter import OfflinePainter
from renderer.generate.speech import Voice, find_voice
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.sources.generated import Generator
from renderer.sources.remote import is_remote, spoken
from renderer.spec.generated import GENERATE, parse_recipe, recipe_key
from renderer.spec.loading import load, sources_of
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

SPEC = """
reelkiln: 1
output: {size: 64x36, fps: 10}
tracks:
  - clips: [{image: {generate: {image: a lighthouse, template: clip_cover}}, length: 1s}]
  - id: voice
    clips: [{audio: {generate: {speech: "Well then."}}}]
  - clips: [{audio: {generate: {music: calm, length: 1}}}]
  - clips: [{audio: {generate: {effect: pop}}}]
"""


class Fickle:
    """A provider that cannot be used the first `times`, and then paints."""

    name, model = "gemini", "m"

    def __init__(self, error: Exception, times: int = 99) -> None:
        self.error, self.times, self.calls = error, times, 0

    def generate(self, request: ImageRequest) -> ImageResult:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return OfflinePainter().generate(request)


def generator(
    provider: Provider | None = None,
    *,
    heard: list[Event] | None = None,
    voice: Callable[[], Voice | None] = lambda: None,
    pauses: list[float] | None = None,
) -> Generator:
    return Generator(
        provider_of=lambda name: provider or OfflinePainter(),
        listen=(heard if heard is not None else []).append,
        voice=voice,
        pause=(pauses if pauses is not None else []).append,
    )


def recipe(**more: object) -> str:
    return json.dumps({"image": "a boat", "template": "clip_cover", **more})


def test_one_recipe_has_one_key_however_it_is_written() -> None:
    written = "{reelkiln: 1, tracks: [{clips: [{image: {generate: %s}}]}]}"
    keys = {
        sources_of(load((written % text).encode(), name="s.yaml").spec)[0].source
        for text in ("{image: x, seed: 0}", "{seed: 0, image: x, values: {}}", "{image: x}")
    }
    assert keys == {'generate:{"image":"x"}'}
    assert recipe_key(parse_recipe('{"image":"x","seed":7}')) == 'generate:{"image":"x","seed":7}'


def test_a_recipe_is_named_in_a_few_words_and_is_no_address() -> None:
    key = recipe_key(parse_recipe(json.dumps({"speech": "see https://example.org/ " + "x" * 99})))
    assert not is_remote(key)
    assert spoken(key) == 'speech "see https://example.org/ xxxxxxxxxxxxxx…"'
    assert spoken("generate:nonsense") == "generate:nonsense"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{image: x, size: 3}", "unknown-field"), ("{video: x}", "no-kind"),
        ("{effect: bang}", "not-one-of"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_told_at_its_place(text: str, code: str) -> None:
    with pytest.raises(SpecInvalid) as told:
        load(
            f"reelkiln: 1\ntracks: [{{clips: [{{image: {{generate: {text}}}}}]}}]\n".encode(),
            name="s.yaml",
        )
    fault = told.value.faults[0]
    assert fault.code == code
    assert fault.position is not None
    assert fault.position.line == 2


def test_pictures_music_effects_and_speech_are_sources_of_a_film_and_its_bytes_are_the_same_again(
    tmp_path: Path,
) -> None:
    digests = set()
    for place in ("one", "two"):
        heard: list[Event] = []
        renderer = Renderer(
            store=LocalStore(tmp_path / place),
            toolchain=find_toolchain(os.environ, text_engine=text_engine_fingerprint()),
            policy=SourcePolicy(
                base=tmp_path, roots=(tmp_path,), max_source_bytes=10**7, http=None,
                suppliers={GENERATE: generator(heard=heard)},
            ),
        )  # fmt: skip
        bundle = renderer.render(
            renderer.prepare(load(SPEC.encode(), name="s.yaml")), tmp_path / f"{place}-out"
        )
        verify(bundle.path)
        digests.add(bundle.digest)
        assert [event.code for event in heard if isinstance(event, Warned)] == ["no-voice"]
    assert len(digests) == 1
    inputs = json.loads((bundle.path / "manifest.json").read_bytes())["inputs"]
    told = {
        kind: entry["provenance"]
        for entry in inputs
        for kind in ("image", "music", "speech", "effect")
        if f'"{kind}":' in entry["source"]
    }
    assert told["speech"] == {"voice": "none"}
    assert told["image"]["provider"] == "offline"
    assert told["image"]["template"] == "clip_cover@1.1"
    assert told["music"] == {"composer": "music/1"}


def test_nobody_to_make_a_picture_is_a_refusal_with_a_way_out(tmp_path: Path) -> None:
    renderer = Renderer(
        store=LocalStore(tmp_path / "store"),
        toolchain=find_toolchain(os.environ, text_engine=text_engine_fingerprint()),
        policy=SourcePolicy(base=tmp_path, roots=(tmp_path,), max_source_bytes=1),
    )
    with pytest.raises(SourceRefused, match="cannot be made here"):
        renderer.acquire(load(SPEC.encode(), name="s.yaml"))


def test_an_unknown_placeholder_and_version_are_faults_of_the_source(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(SourceRefused) as told:
        generator()(recipe(values={"mod": "calm"}), store)
    assert told.value.faults[0].code == "unknown-placeholder"
    with pytest.raises(SourceRefused) as told:
        generator()(recipe(template="clip_cover@9.9"), store)
    assert told.value.faults[0].code == "template-unknown"


def test_a_provider_that_cannot_be_used_fails_or_falls_back_and_it_is_told(tmp_path: Path) -> None:
    store, gone = LocalStore(tmp_path), Fickle(ProviderUnavailable("off"))
    with pytest.raises(ProviderUnavailable):
        generator(gone)(recipe(), store)
    heard: list[Event] = []
    made = generator(gone, heard=heard)(recipe(on_unavailable="fallback"), store)
    assert made.provenance["instead_of"] == "gemini"
    assert made.provenance["because"] == "provider-unavailable"
    assert made.provenance["provider"] == "offline"
    assert [event.code for event in heard if isinstance(event, Warned)] == ["provider-fallback"]


def test_what_the_rules_forbid_is_never_painted_instead(tmp_path: Path) -> None:
    with pytest.raises(ContentPolicy):
        generator(Fickle(ContentPolicy("no")))(
            recipe(on_unavailable="fallback"), LocalStore(tmp_path)
        )


def test_who_waits_asks_again_never_sooner_than_told_and_not_for_ever(tmp_path: Path) -> None:
    store, pauses = LocalStore(tmp_path), []
    busy = Fickle(RateLimited("later", retry_after=42.0), times=2)
    generator(busy, pauses=pauses)(recipe(on_unavailable="wait"), store)
    assert pauses == [42.0, 42.0]
    gone, pauses = Fickle(ProviderUnavailable("off")), []
    with pytest.raises(ProviderUnavailable):
        generator(gone, pauses=pauses)(recipe(on_unavailable="wait", seed=1), store)
    assert sum(pauses) < 700
    assert gone.calls == len(pauses) + 1
    day = Fickle(RateLimited("tomorrow", retry_after=80_000.0))
    with pytest.raises(RateLimited):
        generator(day)(recipe(on_unavailable="wait", seed=2), store)
    assert day.calls == 1


def test_the_brand_of_a_document_is_told_to_its_pictures_and_its_own_wins() -> None:
    kit = parse_brand(
        b'{"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#0b3d91"}}', name="b.json"
    )
    own = {"generate": {"image": "y", "brand": {"reelkiln_brand": 1}}}
    document = {
        "tracks": [{"clips": [{"image": {"generate": {"image": "x"}}}, {"image": own}]}],
        "more": {"generate": {"music": "calm"}},
    }
    done = branded(document, kit)
    clips = done["tracks"][0]["clips"]
    assert clips[0]["image"]["generate"]["brand"]["colours"] == {"primary": "#0b3d91"}
    assert clips[1]["image"] == own
    assert done["more"] == document["more"]


def test_a_brand_decides_the_colours_of_the_picture(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    red = {"reelkiln_brand": 1, "name": "Red", "colours": {"primary": "#d01010"}}
    made = generator()(recipe(brand=red), store)
    with Image.open(store.path(made.sha256)) as picture:
        colour = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(colour, tuple)
    assert colour[0] > max(colour[1:])
    assert generator()(recipe(), store).sha256 != made.sha256


def voice_in(folder: Path, program: str, script: str) -> dict[str, str]:
    path = folder / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_an_installed_voice_speaks_and_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "said.wav").write_bytes(b"RIFF what it said")
    environment = voice_in(
        folder, "espeak-ng",
        '[ "$1" = --version ] && echo "eSpeak NG 1.52  Data at: /x" && exit\n'
        f'[ "$2" = de ] && [ "$4" = 120 ] && cp {folder}/said.wav "$8"',
    )  # fmt: skip
    voice = find_voice(environment)
    assert voice is not None
    assert voice.model == "eSpeak NG 1.52"
    speech = json.dumps({"speech": "Na gut.", "language": "de", "pace": 120})
    store = LocalStore(tmp_path / "store")
    made = generator(voice=lambda: voice)(speech, store)
    assert store.path(made.sha256).read_bytes() == b"RIFF what it said"
    assert made.provenance == {"voice": "eSpeak NG 1.52"}
    assert generator()(speech, store).sha256 != made.sha256


@pytest.mark.skipif(find_voice(os.environ) is None, reason="no voice is installed")
def test_a_real_voice_says_the_same_words_alike_and_at_its_pace(tmp_path: Path) -> None:
    def said(words: str, pace: int, store: str) -> bytes:
        generate = generator(voice=lambda: find_voice(os.environ))
        speech = json.dumps({"speech": words, "language": "en", "pace": pace})
        kept = LocalStore(tmp_path / store)
        return kept.path(generate(speech, kept).sha256).read_bytes()

    def seconds_and_loudest(data: bytes) -> tuple[float, int]:
        with wave.open(io.BytesIO(data)) as file:
            count, samples = file.getnframes(), np.frombuffer(file.readframes(1 << 30), "<i2")
            return count / file.getframerate(), int(np.abs(samples.astype(int)).max())

    words = "The keeper climbs the stairs, and lights the lamp once more."
    slow, again, quick = said(words, 110, "a"), said(words, 110, "b"), said(words, 200, "a")
    assert slow == again
    (long, loud), (short, _) = seconds_and_loudest(slow), seconds_and_loudest(quick)
    assert loud > 3000
    assert 1.3 < long / short < 2.5


def test_where_no_voice_is_there_is_none() -> None:
    assert find_voice({"PATH": "/nowhere"}) is None
