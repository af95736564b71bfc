import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.conditions import Conditions
from daemon.intake import DISK_FULL, FAULT, Intake, unfit
from daemon.places import Places
from tests.daemon.small_fs import small_disk


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 8) as folder:
        yield folder


def an_intake(root: Path, least_free: int = 0) -> tuple[Intake, Time]:
    places, clock = Places(root), Time()
    for folder in places.folders():
        folder.mkdir(parents=True, exist_ok=True)
    conditions = Conditions(clock=lambda: 5.0)
    intake = Intake(
        places=places, conditions=conditions, monotonic=clock, least_free=least_free
    )  # fmt: skip
    return intake, clock


def codes(intake: Intake) -> list[str]:
    return [condition.code for condition in intake.conditions.current()]


def test_a_fault_closes_the_intake_for_a_while_and_longer_each_time(tmp_path: Path) -> None:
    intake, clock = an_intake(tmp_path)
    assert intake.is_open()
    for pause in (2, 4, 8, 16, 16):
        intake.tell("a quota is reached")
        intake.tell("and another job says so too")
        clock.now += pause - 0.5
        assert not intake.is_open()
        clock.now += 0.5
        assert intake.is_open()
        assert codes(intake) == [FAULT]
    clock.now += 10
    assert intake.is_open()
    assert codes(intake) == []
    intake.tell("again")
    clock.now += 2
    assert intake.is_open()


def test_a_job_that_ends_after_a_pause_says_that_all_is_well(tmp_path: Path) -> None:
    intake, clock = an_intake(tmp_path)
    intake.tell("a quota is reached")
    intake.well()  # of a job that had begun before
    assert codes(intake) == [FAULT]
    clock.now += 2
    intake.well()
    assert codes(intake) == []
    intake.tell("a quota is reached")
    clock.now += 2
    assert intake.is_open()


def test_room_that_came_back_ends_the_pause_at_once(disk: Path) -> None:
    intake, clock = an_intake(disk)
    (disk / "filler").write_bytes(bytes(6 << 20))
    assert intake.is_open()
    intake.tell("the disk is full")
    clock.now += 1
    assert not intake.is_open()
    (disk / "filler").unlink()
    clock.now += 0.9
    assert not intake.is_open()  # nobody looked
    clock.now += 0.1
    assert intake.is_open()


def test_a_disk_below_its_least_is_full_and_well_again_above_it(disk: Path) -> None:
    intake, clock = an_intake(disk, least_free=4 << 20)
    assert intake.is_open()
    (disk / "filler").write_bytes(bytes(6 << 20))
    clock.now += 1
    assert not intake.is_open()
    assert codes(intake) == [DISK_FULL]
    intake.tell("as was to be expected")
    clock.now += 1000
    assert not intake.is_open()
    (disk / "filler").unlink()
    clock.now += 1
    assert intake.is_open()
    assert DISK_FULL not in codes(intake)


def test_folders_that_are_missing_are_named(tmp_path: Path) -> None:
    intake, clock = an_intake(tmp_path)
    (tmp_path / "outbox" / "receipts").rmdir()
    (tmp_path / ".reelkiln" / "parts").rmdir()
    assert not intake.is_open()
    assert codes(intake) == ["outbox-unusable", "state-unusable"]
    assert "receipts is not there" in intake.conditions.current()[0].message
    (tmp_path / "outbox" / "receipts").mkdir()
    (tmp_path / ".reelkiln" / "parts").mkdir()
    clock.now += 1
    assert intake.is_open()
    assert codes(intake) == []


def test_a_root_that_is_gone_is_unfit_and_no_exception(tmp_path: Path) -> None:
    assert set(unfit(Places(tmp_path / "gone"), 1)) == {
        "disk-full", "inbox-unusable", "outbox-unusable", "state-unusable",
    }  # fmt: skip


def test_a_condition_keeps_its_date_and_is_news_once() -> None:
    clock = Time()
    conditions = Conditions(clock=clock)
    assert conditions.begin("disk-full", "4 bytes free")
    clock.now += 1
    assert not conditions.begin("disk-full", "3 bytes free")
    assert conditions.begin("a-later-one", "")
    first, second = conditions.current()
    assert (first.code, first.message, first.since) == ("disk-full", "4 bytes free", 100.0)
    assert second.code == "a-later-one"
    assert conditions.end("disk-full")
    assert not conditions.end("disk-full")
    assert [condition.code for condition in conditions.current()] == ["a-later-one"]


def test_conditions_may_be_told_by_many_threads_and_are_news_to_one() -> None:
    conditions = Conditions(clock=Time())
    news: list[bool] = []
    threads = [
        threading.Thread(target=lambda: news.append(conditions.begin("x", ""))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert news.count(True) == 1
