"""What is old goes, what anybody needs stays, through the real folders and a real index."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from daemon.housekeeping import Housekeeper
from daemon.index import open_index
from daemon.jobs import Job, JobState
from daemon.ledger import Papers
from daemon.places import Claim, Places
from daemon.retention import DAY_S, CacheBudget, Retention, over
from daemon.settings import cache_budget_of, retention_of
from renderer.bundle import verify
from renderer.errors import UsageError
from renderer.store import LocalStore
from tests.daemon.faulty_fs import FaultyFs
from tests.daemon.small_daemon import SmallDaemon, World, made
from tests.daemon.test_service import GOOD, SLOW, drop, receipts, serving, statuses, until
from tests.renderer.test_pipeline import reelkiln

LATER_S = 40 * DAY_S
FOREVER = Retention(done=0, status=0, quarantine=0)


def a_root(tmp_path: Path) -> tuple[Places, SmallDaemon]:
    places = made(FaultyFs(), tmp_path / "r")
    return places, SmallDaemon(FaultyFs(), places, World(), "me")


def swept(
    places: Places, daemon: SmallDaemon, retention: Retention, later_s: float = LATER_S
) -> tuple[str, ...]:
    """The jobs that were forgotten."""
    forgotten: list[str] = []
    Housekeeper(
        fs=daemon.fs, places=places, inbox=daemon.inbox, clock=lambda: time.time() + later_s,
        retention=retention, budget=CacheBudget(), forget=forgotten.extend,
    ).sweep()  # fmt: skip
    return tuple(forgotten)


def ran(daemon: SmallDaemon, places: Places, *drops: tuple[str, bytes]) -> None:
    for name, data in drops:
        (places.inbox / name).write_bytes(data)
    daemon.run()


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


ALL = (("a.json", b"film"), ("b.json", b"refuse"), ("c.json", b"fail"))


def test_by_default_specs_and_status_go_and_what_people_read_stays(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, *ALL)
    (places.own("quarantine") / "odd").mkdir()
    assert swept(places, daemon, Retention(), later_s=29 * DAY_S) == ()
    assert len(names(places.own("jobs"))) == 3
    assert swept(places, daemon, Retention()) == ()  # their receipts tell of them
    assert names(places.own("done")) == names(places.own("jobs")) == []
    assert names(places.own("quarantine")) == names(places.own("trash")) == []
    assert len(names(places.receipts)) == 3
    assert names(places.rejected) == ["b.json", "b.json.error.json"]
    assert names(places.failed) == ["c.json", "c.json.error.json"]
    assert len(names(places.outbox)) == 2


def test_each_kind_is_kept_as_long_as_its_setting_says(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, *ALL)
    kinds = {
        "done": places.own("done"), "status": places.own("jobs"), "receipts": places.receipts,
        "refused": places.failed, "bundles": places.outbox,
    }  # fmt: skip
    for kind, folder in kinds.items():
        before = {other: names(path) for other, path in kinds.items()}
        settings = {"done": 0, "status": 0, "quarantine": 0, kind: 39}
        if kind == "bundles":
            assert swept(places, daemon, Retention(**settings), later_s=38 * DAY_S) == ()
        swept(places, daemon, Retention(**settings))
        assert names(folder) == (["receipts"] if kind == "bundles" else []), kind
        for other, path in kinds.items():
            if other != kind:
                assert names(path) == before[other], (kind, other)


def test_a_job_without_any_record_is_forgotten(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, *ALL)
    everything = Retention(status=1, receipts=1)
    assert len(swept(places, daemon, everything)) == 3


@pytest.mark.parametrize("owner", ["none", "somebody"])
def test_nothing_of_a_job_with_a_claim_goes(tmp_path: Path, owner: str) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, ALL[0])
    (job_id,) = names(places.own("done"))
    claim = Claim(job_id=job_id, owner=owner, attempt=1)
    places.claimed(claim).touch()
    everything = Retention(done=1, status=1, receipts=1, refused=1, bundles=1)
    swept(places, daemon, everything)
    assert names(places.own("done")) == [job_id]
    assert names(places.own("jobs")) == names(places.receipts) == [f"{job_id}.json"]
    assert len(names(places.outbox)) == 2
    places.claimed(claim).unlink()
    assert swept(places, daemon, everything) == (job_id,)


def test_a_job_whose_end_is_not_on_record_keeps_everything(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    job = Job(job_id="0" * 26, name="a.json", state=JobState.RUNNING)
    places.status(job.job_id).write_text(json.dumps(job.as_json()))
    (places.own("done") / job.job_id).touch()
    (places.own("done") / ("1" * 26)).touch()  # nobody knows of this one
    swept(places, daemon, Retention(done=1, status=1))
    assert len(names(places.own("done"))) == 2
    assert names(places.own("jobs")) == [f"{job.job_id}.json"]


def test_a_bundle_that_a_late_receipt_names_stays(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, ALL[0])
    (receipt,) = places.receipts.iterdir()
    papers: Papers = daemon.inbox.papers
    late = {**json.loads(receipt.read_bytes()), "updated_at": time.time() + LATER_S - 5}
    papers.replace(receipt, late)
    swept(places, daemon, Retention(bundles=30))
    assert len(names(places.outbox)) == 2


def test_what_people_put_beside_an_old_error_file_stays(tmp_path: Path) -> None:
    places, daemon = a_root(tmp_path)
    ran(daemon, places, ALL[2])
    (places.failed / "notes.txt").touch()
    swept(places, daemon, Retention(refused=1))
    assert names(places.failed) == ["notes.txt"]


def test_ages_come_from_the_environment_and_must_be_numbers() -> None:
    kept = retention_of({"REELKILN_KEEP_DONE_DAYS": "7", "REELKILN_KEEP_BUNDLES_DAYS": "365"})
    assert kept == Retention(done=7, bundles=365)
    budget = cache_budget_of({"REELKILN_CACHE_MAX_BYTES": "5", "REELKILN_CACHE_MAX_AGE_DAYS": "6"})
    assert budget == CacheBudget(max_bytes=5, max_age_days=6)
    with pytest.raises(UsageError, match="KEEP_DONE_DAYS"):
        retention_of({"REELKILN_KEEP_DONE_DAYS": "a week"})


def test_what_is_over_is_told_oldest_first_and_a_zero_keeps_all() -> None:
    found = {"old": 5.0, "older": 0.0, "young": DAY_S, "spared": 0.0}
    assert over(found, 1, DAY_S + 5, {"spared"}) == ("older", "old")
    assert over(found, 0, 10 * DAY_S, ()) == ()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    Image.new("RGB", (320, 180), "teal").save(tmp_path / "media" / "a.png")
    (tmp_path / "inbox").mkdir()
    return tmp_path


def test_the_daemon_keeps_to_its_budget_and_the_index_follows(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(root) as child:
        drop(root, "good.yaml", GOOD)
        until(lambda: receipts(root), child, root)
    store = LocalStore(root / ".reelkiln" / "store")
    assert store.usage().size_bytes > 1000
    for path in (root / "outbox" / "receipts", root / ".reelkiln" / "jobs"):
        (record,) = path.iterdir()
        record.unlink()
    index = open_index(root, {})
    assert index.page().jobs
    (record,) = (root / ".reelkiln" / "done").iterdir()
    index.close()
    monkeypatch.setenv("REELKILN_CACHE_MAX_BYTES", "1000")
    with serving(root) as child:
        until(lambda: store.usage().size_bytes <= 1000, child, root)
    assert record.exists()  # nobody can say that its job has ended


def test_renders_of_two_daemons_succeed_while_the_store_is_pruned_to_nothing(root: Path) -> None:
    ended, pruned = threading.Event(), []

    def prune() -> None:
        while not ended.wait(0.01):
            if (root / ".reelkiln" / "store" / "work").is_dir():
                pruned.append(LocalStore(root / ".reelkiln" / "store").prune(0))

    pruning = threading.Thread(target=prune)
    with serving(root) as one, serving(root):
        pruning.start()
        for number in range(4):
            drop(root, f"{number}.yaml", GOOD.replace("Hello", f"Hello {number}"))
        try:
            until(lambda: len(receipts(root)) == 4, one, root)
        finally:
            ended.set()
            pruning.join()
    assert {(r["state"], r["attempt"], r["retries"]) for r in receipts(root)} == {
        ("succeeded", 1, 0)
    }
    for receipt in receipts(root):
        verify(root / "outbox" / receipt["bundle"])
    assert any(one.in_use_bytes for one in pruned)
    assert LocalStore(root / ".reelkiln" / "store").prune(0).left_bytes == 0


def test_what_a_killed_render_counted_on_may_be_pruned(root: Path) -> None:
    store = root / ".reelkiln" / "store"
    with serving(root) as child:
        drop(root, "slow.yaml", SLOW)
        until(lambda: [s for s in statuses(root) if s["progress"]["frames_done"]], child, root)
        spared = json.loads(gc(root, "--max-size", "0"))
        assert spared["left_bytes"] == spared["in_use_bytes"] > 0
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    until_alone(store)
    assert json.loads(gc(root, "--max-age", "0s"))["left_bytes"] == 0


def gc(root: Path, *words: str) -> str:
    done = reelkiln("cache", "gc", "--root", str(root), *words, "--json", store=root / "unused")
    assert done.returncode == 0, done.stderr
    return done.stdout


def until_alone(store: Path) -> None:
    """Until the child of a killed daemon is gone, which takes a moment."""
    for _ in range(500):
        LocalStore(store)
        if not os.listdir(store / "work"):
            return
        time.sleep(0.02)
    raise AssertionError("the render outlived its daemon")
