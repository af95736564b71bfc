"""Jobs that wait for what is promised: a real daemon, real renders, the real catalog of assets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from daemon.jobs import Job, JobState
from daemon.module_settings import SHIPPED
from daemon.promises.blocked import BlockedJobs
from daemon.promises.contract import Promised, Standing, Wanted
from daemon.promises.of_assets import AssetPromises
from daemon.service import ServeSettings, Service
from renderer.assets import Asset, AssetState
from renderer.bundle import verify
from tests.daemon.running import at_work, drop, until

OUTPUT = {"size": "64x36", "fps": 10, "quality": "draft"}
SERVE = """
import sys
from pathlib import Path
from daemon.module_settings import SHIPPED
from daemon.service import ServeSettings, Service
Service(ServeSettings(root=Path(sys.argv[1]), jobs=1, modules=SHIPPED)).run()
"""


@contextmanager
def serving(root: Path, **more: Any) -> Iterator[Service]:
    """A daemon whose patience runs fast, but which never looks at blocked jobs unasked."""
    service = Service(
        ServeSettings(root=root, workers=2, jobs=1, environment={}, modules=SHIPPED, **more),
        monotonic=lambda: time.monotonic() * 20,
    )
    with at_work(service):
        yield service


NEVER = {"look_every_s": 1e9}


def records(root: Path) -> dict[str, dict[str, Any]]:
    """The status documents by the name of their drop."""
    found = (json.loads(path.read_text()) for path in (root / ".reelkiln/jobs").glob("*.json"))
    return {record["name"]: record for record in found}


def state(root: Path, name: str) -> str:
    return str(records(root).get(name, {}).get("state", ""))


def ends(root: Path, **wanted: str) -> Callable[[], bool]:
    """Whether each drop, by its stem, is in that state."""
    return lambda: all(state(root, f"{stem}.json") == one for stem, one in wanted.items())


def film(*sources: Mapping[str, str], **more: Any) -> bytes:
    clips = [{"image": source, "length": 0.2} for source in sources]
    return json.dumps(
        {"reelkiln": 1, "output": OUTPUT, "tracks": [{"clips": clips}], **more}
    ).encode()


def report(speech: Mapping[str, str], picture: str = "", **more: Any) -> bytes:
    """A loudness report whose picture fulfils a promise."""
    wave_output = {"label": "waveform.png", "media_type": "image/png"}
    if picture:
        wave_output["asset"] = picture
    outputs = {
        "report": {"label": "report.json", "media_type": "application/json"}, "wave": wave_output,
    }  # fmt: skip
    spec = {"reelkiln": 1, "kind": "module", "module": "loudness-report",
            "inputs": {"speech": speech}, "outputs": outputs,
            "params": {"width": 64, "height": 36}}  # fmt: skip
    return json.dumps({**spec, **more}).encode()


def promised(service: Service, label: str, media_type: str = "image/png", owner: str = "") -> Asset:
    return service.assets.create_pending_asset("", label, media_type, owner=owner)


def picture(root: Path) -> Path:
    Image.new("RGB", (64, 36), "teal").save(root / "picture.png")
    return root / "picture.png"


def sound(root: Path) -> Path:
    with wave.open(str(root / "speech.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\x10\0\xf0" * 4000)
    return root / "speech.wav"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path


def test_a_job_waits_for_an_asset_and_runs_by_itself_when_it_is_there(root: Path) -> None:
    with serving(root, **NEVER) as service:
        asset = promised(service, "a.png")
        drop(root, "film.json", film({"asset": asset.asset_id}))
        until(ends(root, film="blocked"))
        record = records(root)["film.json"]
        assert record["waits_for"] == [f"asset:{asset.asset_id}"]
        assert (record["attempt"], record["error"]) == (0, None)
        service.assets.fulfill_asset(asset.asset_id, picture(root))
        until(ends(root, film="succeeded"))
    record = records(root)["film.json"]
    assert (record["attempt"], record["waits_for"]) == (1, [])
    manifest = verify(root / "outbox" / record["bundle"])
    assert [entry.source for entry in manifest.inputs] == [f"asset:{asset.asset_id}"]


def test_upload_module_and_render_started_in_reverse_complete_by_themselves(root: Path) -> None:
    with serving(root, **NEVER) as service:
        speech, drawn = promised(service, "speech.wav", "audio/wav"), promised(service, "w.png")
        drop(root, "film.json", film({"asset": drawn.asset_id}))
        until(ends(root, film="blocked"))
        drop(root, "report.json", report({"asset": speech.asset_id}, drawn.asset_id))
        until(ends(root, report="blocked"))
        service.assets.fulfill_asset(speech.asset_id, sound(root))
        until(ends(root, report="succeeded", film="succeeded"))
        made = records(root)["report.json"]["promised"]
        told = service.assets.catalog.assets.get(made["report.json"])
        assert (told.state, told.media_type) == (AssetState.AVAILABLE, "application/json")
        assert told.created_by_job == records(root)["report.json"]["job_id"]
        assert made["waveform.png"] == drawn.asset_id


def test_kill_9_between_the_stages_forgets_nothing(root: Path) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SERVE, str(root)], stdout=subprocess.DEVNULL)

    service = Service(ServeSettings(root=root, environment={}))  # not run: its assets are used
    speech, drawn = promised(service, "speech.wav", "audio/wav"), promised(service, "w.png")
    drop(root, "film.json", film({"asset": drawn.asset_id}))
    drop(root, "report.json", report({"asset": speech.asset_id}, drawn.asset_id))
    daemon = start()
    until(ends(root, film="blocked", report="blocked"))
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    service.assets.fulfill_asset(speech.asset_id, sound(root))
    daemon = start()
    try:
        until(ends(root, report="succeeded"))
        os.kill(daemon.pid, signal.SIGKILL)  # its promise may or may not be settled yet
        daemon.wait()
        daemon = start()
        until(ends(root, film="succeeded"))
    finally:
        daemon.terminate()
        daemon.wait()
        service.index.close()
        service.assets.catalog.close()


def test_a_diamond_of_jobs_runs_once_each(root: Path) -> None:
    with serving(root, **NEVER) as service:
        base = promised(service, "base.png")
        drop(root, "top.json", film({"asset": base.asset_id}, id="top"))
        until(ends(root, top="blocked"))
        top = {"job": records(root)["top.json"]["job_id"], "file": "thumbnail"}
        for side in ("left", "right"):
            drop(root, f"{side}.json", film(top, id=side))
        until(ends(root, left="blocked", right="blocked"))
        sides = [records(root)[f"{side}.json"]["job_id"] for side in ("left", "right")]
        drop(root, "bottom.json", film(*({"job": one, "file": "thumbnail.jpg"} for one in sides)))
        until(ends(root, bottom="blocked"))
        service.assets.fulfill_asset(base.asset_id, picture(root))
        until(ends(root, top="succeeded", left="succeeded", right="succeeded", bottom="succeeded"))
    assert {record["attempt"] for record in records(root).values()} == {1}


def test_a_failed_promise_fails_its_job_with_the_reason_unless_it_is_patient(root: Path) -> None:
    with serving(root, **NEVER) as service:
        asset = promised(service, "a.png")
        source = {"asset": asset.asset_id}
        drop(root, "hasty.json", film(source))
        drop(root, "patient.json", film(source, on_failed_promise="wait"))
        until(ends(root, hasty="blocked", patient="blocked"))
        service.assets.fail_asset(asset.asset_id, "the camera broke")
        until(ends(root, hasty="failed"))
        assert state(root, "patient.json") == "blocked"
        error = records(root)["hasty.json"]["error"]
        fault = error["errors"][0]
        assert fault["pointer"] == "/tracks/0/clips/0/image"
        assert asset.asset_id in fault["message"]
        assert "the camera broke" in fault["message"]
        (root / "inbox" / "patient.json.cancel").touch()
        until(ends(root, patient="cancelled"))


def test_the_end_of_a_job_fails_what_it_promised_and_who_waits_for_it(root: Path) -> None:
    with serving(root, **NEVER) as service:
        speech, drawn = promised(service, "s.wav", "audio/wav"), promised(service, "w.png")
        drop(root, "film.json", film({"asset": drawn.asset_id}))
        drop(root, "report.json", report({"asset": speech.asset_id}, drawn.asset_id))
        until(ends(root, film="blocked", report="blocked"))
        after = {"job": records(root)["report.json"]["job_id"], "file": "waveform.png"}
        drop(root, "after.json", film(after))
        until(ends(root, after="blocked"))
        service.assets.fail_asset(speech.asset_id, "nobody spoke")
        until(ends(root, report="failed", film="failed", after="failed"))
        reason = service.assets.catalog.assets.get(drawn.asset_id).status_reason
    assert "nobody spoke" in reason
    assert "nobody spoke" in records(root)["film.json"]["error"]["message"]
    assert "nobody spoke" in records(root)["after.json"]["error"]["message"]


def test_jobs_that_would_wait_for_each_other_are_told_the_circle(root: Path) -> None:
    with serving(root, **NEVER) as service:
        one, two = promised(service, "1.png"), promised(service, "2.png")
        drop(root, "a.json", report({"asset": one.asset_id}, two.asset_id))
        until(ends(root, a="blocked"))
        drop(root, "b.json", report({"asset": two.asset_id}, one.asset_id))
        until(ends(root, b="failed"))
        assert state(root, "a.json") == "blocked"  # another may still make what it waits for
    fault = records(root)["b.json"]["error"]["errors"][0]
    assert fault["code"] == "promise-cycle"
    circle = f"this job → asset:{two.asset_id} → asset:{one.asset_id} → this job"
    assert circle in fault["message"]


def test_what_was_never_promised_is_refused_at_once(root: Path) -> None:
    with serving(root, **NEVER) as service:
        other = promised(service, "a.png")
        drop(root, "a.json", film({"asset": "0" * 26}, {"job": "0" * 26}))
        drop(root, "b.json", report({"asset": other.asset_id}, "0" * 26))
        until(ends(root, a="failed", b="failed"))
    codes = [fault["code"] for fault in records(root)["a.json"]["error"]["errors"]]
    assert codes == ["promise-unknown", "promise-unknown"]
    assert records(root)["b.json"]["error"]["errors"][0]["pointer"] == "/outputs/wave/asset"


def test_assets_of_another_owner_are_unknown(root: Path) -> None:
    service = Service(ServeSettings(root=root, environment={}))
    try:
        hers = promised(service, "a.png", owner="her")
        look = service.references.look
        name = f"asset:{hers.asset_id}"
        assert look([name], "him")[name].standing is Standing.UNKNOWN
        assert look([name], "her")[name].standing is Standing.PENDING
        assert look([name], "")[name].standing is Standing.PENDING
    finally:
        service.index.close()
        service.assets.catalog.close()


def test_an_asset_is_promised_by_one_job_alone(root: Path) -> None:
    service = Service(ServeSettings(root=root, environment={}))
    try:
        asset = promised(service, "a.png")
        promises = service.references.promises
        assert isinstance(promises, AssetPromises)
        wanted = [Wanted(label="a.png", media_type="image/png", asset=asset.asset_id)]
        first, second = (Job(job_id=f"{n:026d}", name="", state=JobState.QUEUED) for n in (1, 2))
        for job in (first, second, first):
            promises.promise(job, wanted)
        assert promises.open() == {asset.asset_id: first.job_id}
        promises.fail(asset.asset_id, "no", second)
        assert promises.look([asset.asset_id], "")[asset.asset_id].standing is Standing.PENDING
        promises.fulfil(asset.asset_id, picture(root), first)
        promises.fulfil(asset.asset_id, picture(root), first)
        known = promises.look([asset.asset_id], "")[asset.asset_id]
        assert (known.standing, known.made_by) == (Standing.AVAILABLE, first.job_id)
    finally:
        service.index.close()
        service.assets.catalog.close()


def test_ten_thousand_blocked_jobs_cost_one_question() -> None:
    asked: list[int] = []
    kept: set[str] = set()

    def look(references: Any, owner: str) -> Mapping[str, Promised]:
        asked.append(len(references))
        there = Promised(standing=Standing.AVAILABLE)
        return {one: there if one in kept else Promised(standing=Standing.PENDING)
                for one in references}  # fmt: skip

    now = [0.0]
    blocked = BlockedJobs(look=look, monotonic=lambda: now[0], look_every_s=5)
    names = [f"n{number}" for number in range(10_000)]
    for number, name in enumerate(names):
        job = Job(job_id=f"{number:026d}", name=name, state=JobState.BLOCKED,
                  waits_for=(f"asset:{number % 100}",))  # fmt: skip
        assert blocked.met(name, job)
    for _ in range(50):
        assert not blocked.free(names, None)
    assert asked == [100]
    now[0] = 6.0
    assert not blocked.free(names, None)
    kept.add("asset:7")
    blocked.news()
    assert blocked.free(names, None)
    assert asked == [100, 100, 100]
    assert [name for name in names if not blocked.holds(name)] == [
        f"n{n}" for n in range(7, 10_000, 100)
    ]
