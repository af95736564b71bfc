import os
import re
import subprocess
import sys
import time
from pathlib import Path

from daemon.fs import RealFs
from daemon.ledger import Papers
from daemon.owners import Heart, Owners, new_owner_id
from daemon.places import Places
from tests.daemon.small_daemon import World, made


def owners(places: Places, me: str, world: World) -> Owners:
    papers = Papers(fs=RealFs(), places=places, owner=me, nonce=world.word)
    return Owners(papers=papers, monotonic=lambda: world.now)


def test_the_name_of_an_owner_fits_into_a_claim_and_its_process_lives(tmp_path: Path) -> None:
    me = new_owner_id()
    assert re.fullmatch(r"[a-z0-9-]{1,60}", me)
    assert not owners(made(RealFs(), tmp_path / "r"), "other", World()).is_dead(me)


def test_a_process_of_this_host_that_is_gone_is_dead_at_once(tmp_path: Path) -> None:
    line = "from daemon.owners import new_owner_id as n; print(n())"
    gone = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert owners(made(RealFs(), tmp_path / "r"), "other", World()).is_dead(gone.stdout.strip())


def test_an_owner_elsewhere_is_dead_when_its_heart_stood_still_for_a_lease(tmp_path: Path) -> None:
    world, places = World(), made(RealFs(), tmp_path / "r")
    far, near = owners(places, "far", world), owners(places, "near", world)
    far.beat()
    assert not near.is_dead("far")
    world.now += 29
    assert not near.is_dead("far")
    far.beat()
    world.now += 29
    assert not near.is_dead("far")
    world.now += 30
    assert near.is_dead("far")


def test_a_heart_beats_by_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    world, places = World(), made(RealFs(), tmp_path / "r")
    mine, seen = owners(places, "me", world), set()
    with Heart(mine, failed=lambda error: None, every_s=0.01):
        for _ in range(500):
            seen.add((mine.papers.read(places.heartbeat("me")) or {})["seq"])
            if len(seen) > 2:
                break
            time.sleep(0.01)
    assert len(seen) > 2
    assert os.listdir(places.own("owners")) == os.listdir(places.own("parts")) == []
