"""Generated sources through the command and through a daemon's child."""

import json
import subprocess
from pathlib import Path

from daemon.child.generating import provider_settings
from daemon.child.job_request import JobRequest, request_from_bytes
from daemon.fake_gemini import FakeGemini
from daemon.outcomes import Ended
from daemon.worker import run_job
from tests.command import run_command
from tests.daemon.fake_gemini.running import running

SPEC = """reelkiln: 1
id: boat
output: {size: 64x36, fps: 5}
tracks:
  - clips: [{image: {generate: {image: a boat, template: clip_cover}}, length: 1s}]
  - clips: [{audio: {generate: {effect: pop}}}]
"""


def reelkiln(*words: str | Path, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"REELKILN_STORE": str(home / "store"), "PATH": "/usr/bin:/bin", **settings}
    return run_command(*words, env=env)


def test_with_the_cache_warm_a_generative_spec_renders_with_the_provider_switched_off(
    tmp_path: Path,
) -> None:
    def to(outbox: str) -> tuple[str | Path, ...]:
        return "--outbox", tmp_path / outbox, "--json"

    (tmp_path / "boat.yaml").write_text(SPEC)
    fake, told = FakeGemini(), {"REELKILN_PROVIDER": "gemini", "REELKILN_GEMINI_KEY": "k"}
    with running(fake) as base:
        told["REELKILN_GEMINI_BASE"] = base
        first = reelkiln("render", tmp_path / "boat.yaml", *to("one"), home=tmp_path, **told)
    assert first.returncode == 0, first.stderr
    told["REELKILN_GEMINI_KEY"] = ""
    # Elsewhere, so that the bundle is made and not merely found.
    again = reelkiln("render", tmp_path / "boat.yaml", *to("other"), home=tmp_path, **told)
    assert again.returncode == 0, again.stderr
    assert len(fake.requests) == 1
    one, other = json.loads(first.stdout), json.loads(again.stdout)
    assert one["bundle_digest"] == other["bundle_digest"]
    assert not other["reused"]
    lock = json.loads((Path(other["path"]) / "lock.json").read_bytes())
    image = next(pin for pin in lock["sources"] if '"image"' in pin["source"])
    assert image["provenance"]["provider"] == "gemini"
    assert image["provenance"]["response_id"]
    other_words = SPEC.replace("a boat,", "a ship,")
    (tmp_path / "ship.yaml").write_text(other_words)
    cold = reelkiln("render", tmp_path / "ship.yaml", home=tmp_path, **told)
    assert cold.returncode == 5
    assert "tracks[0].clips[0].image" in cold.stderr


def test_a_child_makes_pictures_with_the_settings_it_is_told_and_keeps_the_key_to_itself(
    tmp_path: Path,
) -> None:
    (tmp_path / "boat.yaml").write_text(SPEC)
    fake = FakeGemini()
    with running(fake) as base:
        request = JobRequest(
            spec=tmp_path / "boat.yaml", name="boat.yaml", outbox=tmp_path / "outbox",
            store=tmp_path / "store", media=(tmp_path,),
            providers=provider_settings({
                "REELKILN_PROVIDER": "gemini", "REELKILN_GEMINI_BASE": base,
                "REELKILN_GEMINI_KEY": "s3cret", "HOME": "/root",
            }),
        )  # fmt: skip
        outcome = run_job(request)
    assert outcome.ended is Ended.SUCCEEDED, outcome
    assert len(fake.requests) == 1
    assert "s3cret" not in repr(request)
    assert "HOME" not in request.providers
    assert b"s3cret" not in request.as_bytes(1)  # it is told when it is asked for
    told = request_from_bytes(request.as_bytes(1))[0].providers
    assert {**told, **request.keys} == request.providers
    assert outcome.bundle is not None
    made = b"".join(p.read_bytes() for p in outcome.bundle.rglob("*") if p.is_file())
    assert b"s3cret" not in made


def test_a_child_without_settings_paints(tmp_path: Path) -> None:
    (tmp_path / "boat.yaml").write_text(SPEC)
    outcome = run_job(
        JobRequest(
            spec=tmp_path / "boat.yaml", name="boat.yaml", outbox=tmp_path / "outbox",
            store=tmp_path / "store", media=(tmp_path,),
        )
    )  # fmt: skip
    assert outcome.ended is Ended.SUCCEEDED, outcome
