"""Asset documents through the command, a daemon's child and a whole daemon."""

import json
from pathlib import Path

from PIL import Image

from daemon.child.generating import needs_provider, provider_settings
from daemon.child.job_request import JobRequest
from daemon.fake_gemini import FakeGemini
from daemon.jobs import JobState
from daemon.outcomes import Ended, Fate, decide
from daemon.records import read_job
from daemon.worker import run_job
from renderer.bundle import verify
from renderer.spec.loading import load
from tests.daemon.fake_gemini.running import running
from tests.daemon.running import drop, until
from tests.daemon.running import running as serving
from tests.daemon.test_generating import reelkiln

MIXED = """reelkiln: 1
kind: asset
id: pair
asset_type: banner
images:
  - prompt: a boat
  - prompt: ((block)) a boat
  - {prompt: a boat, asset_type: clip_cover}
"""
ALL_BLOCKED = "reelkiln: 1\nkind: asset\nasset_type: banner\nprompt: ((block)) a boat\ncount: 2\n"
PAINTED = "reelkiln: 1\nkind: asset\nasset_type: banner\nprompt: a boat\ncount: 2\n"


def settings(base: str) -> dict[str, str]:
    return {
        "REELKILN_PROVIDER": "gemini", "REELKILN_GEMINI_BASE": base,
        "REELKILN_GEMINI_KEY": "s3cret",
    }  # fmt: skip


def job_request(home: Path, text: str, told: dict[str, str]) -> JobRequest:
    (home / "doc.yaml").write_text(text)
    return JobRequest(
        spec=home / "doc.yaml", name="doc.yaml", outbox=home / "outbox", store=home / "store",
        media=(home,), providers=provider_settings(told),
    )  # fmt: skip


def test_what_fails_is_told_and_what_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(MIXED)
    with running(FakeGemini()) as base:
        done = reelkiln(
            "render", tmp_path / "pair.yaml", "--outbox", tmp_path / "outbox", "--json",
            home=tmp_path, **settings(base),
        )  # fmt: skip
    assert done.returncode == 5, done.stderr
    told = json.loads(done.stdout)
    assert [error["pointer"] for error in told["partial"]["errors"]] == ["/images/1"]
    assert told["partial"]["errors"][0]["code"] == "content-policy"
    bundle = Path(told["path"])
    names = {entry.path for entry in verify(bundle).files}
    assert names == {
        "banner-1.png", "clip_cover-3.png", "contact-sheet.jpg", "missing.json", "spec.json",
        "lock.json",
    }  # fmt: skip
    assert json.loads((bundle / "missing.json").read_bytes()) == {"missing": ["banner-2.png"]}
    with Image.open(bundle / "banner-1.png") as picture:
        assert picture.size == (1200, 480)


def test_several_takes_of_one_prompt_differ_and_are_the_same_again(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(PAINTED)
    digests = []
    for home in ("one", "other"):  # stores that know nothing of each other
        (tmp_path / home).mkdir()
        done = reelkiln(
            "render", tmp_path / "two.yaml", "--outbox", tmp_path / home / "outbox", "--json",
            home=tmp_path / home,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert "partial" not in told
        digests.append(told["bundle_digest"])
        bundle = Path(told["path"])
        one, two = ((bundle / f"banner-{n}.png").read_bytes() for n in (1, 2))
        assert one != two
    assert digests[0] == digests[1]


def test_with_the_cache_warm_pictures_are_there_with_the_provider_switched_off(
    tmp_path: Path,
) -> None:
    (tmp_path / "doc.yaml").write_text(MIXED.replace("((block)) a", "one"))
    fake = FakeGemini()
    with running(fake) as base:
        told = settings(base)
        first = reelkiln(
            "render", tmp_path / "doc.yaml", "--outbox", tmp_path / "a", "--json",
            home=tmp_path, **told,
        )  # fmt: skip
    assert first.returncode == 0, first.stderr
    again = reelkiln(
        "render", tmp_path / "doc.yaml", "--outbox", tmp_path / "b", "--json",
        home=tmp_path, **told,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert len(fake.requests) == 3
    one, other = json.loads(first.stdout), json.loads(again.stdout)
    assert one["bundle_digest"] == other["bundle_digest"]
    assert not other["reused"]


def test_a_child_asks_for_keys_only_when_its_document_needs_a_provider(tmp_path: Path) -> None:
    with running(FakeGemini()) as base:
        request = job_request(tmp_path, MIXED, settings(base))
        assert b"s3cret" not in request.as_bytes(1)
        assert dict(request.keys) == {"REELKILN_GEMINI_KEY": "s3cret"}
        outcome = run_job(request)
    assert outcome.ended is Ended.SUCCEEDED, outcome
    assert outcome.partial is not None
    assert decide(outcome, 1).fate is Fate.PARTIAL
    assert outcome.kind == "asset"
    offline = MIXED.replace("id: pair", "provider: offline")
    asked = load(offline.encode(), name="doc.yaml").spec
    assert not needs_provider(asked, request.providers)
    assert needs_provider(load(MIXED.encode(), name="doc.yaml").spec, request.providers)
    outcome = run_job(job_request(tmp_path, offline, settings("http://127.0.0.1:9")))
    assert outcome.ended is Ended.SUCCEEDED, outcome
    assert outcome.partial is None


def test_a_dropped_document_of_which_some_pictures_fail_ends_as_partial(tmp_path: Path) -> None:
    with (
        running(FakeGemini()) as base,
        serving(tmp_path, environment=settings(base)) as service,
    ):
        drop(tmp_path, "pair.yaml", MIXED.encode())
        drop(tmp_path, "none.yaml", ALL_BLOCKED.encode())
        receipts = tmp_path / "outbox" / "receipts"
        until(lambda: receipts.is_dir() and len([*receipts.glob("*.json")]) == 2)
        found = (read_job(service.fs, path) for path in receipts.glob("*.json"))
        jobs = {job.name: job for job in found}
    pair, none = jobs["pair.yaml"], jobs["none.yaml"]
    assert pair.state is JobState.PARTIAL
    assert (pair.kind, pair.progress.percent) == ("asset", 100)
    assert pair.error is not None
    assert pair.error["code"] == "partial"
    assert (tmp_path / "outbox" / pair.bundle / "missing.json").is_file()
    assert none.state is JobState.FAILED
    assert (none.error or {})["code"] == "content-policy"
