"""Hostile drops at a real daemon: each is refused beside its reason, and the daemon lives on."""

import json
import os
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from daemon.places import Places
from renderer.bundle.publish import STAGING
from tests.daemon.corpora import json_test_suite, yaml_test_suite
from tests.daemon.running import drop, running, until

GOOD = (
    b'{"reelkiln": 1, "output": {"size": "64x36", "fps": 10, "quality": "draft"},'
    b' "tracks": [{"clips": [{"colour": "navy", "length": 0.2}]}]}'
)
NO_JSON = {
    f"{name}.json": text for name, text in json_test_suite().items() if name.startswith("n_")
}
NO_YAML = {f"{name}.yaml": case.text for name, case in yaml_test_suite().items() if case.must_fail}


def receipts(root: Path) -> dict[str, Mapping[str, Any]]:
    """By the name of the drop."""
    found = (root / "outbox" / "receipts").glob("*.json")
    told = [json.loads(path.read_bytes()) for path in found]
    return {receipt["name"]: receipt for receipt in told}


def all_are_refused_where_they_are_wrong(root: Path, drops: Mapping[str, bytes]) -> None:
    """Drops them at once, and a good one last, which must become a bundle."""
    with running(root, faster=20):
        for name, data in drops.items():
            drop(root, name, data)
        until(lambda: len(receipts(root)) == len(drops))
        drop(root, "good.json", GOOD)
        until(lambda: "good.json" in receipts(root))
    told = receipts(root)
    assert told.pop("good.json")["state"] == "succeeded"
    assert {receipt["state"] for receipt in told.values()} == {"failed"}
    rejected = root / "inbox" / "rejected"
    for name, data in drops.items():
        assert (rejected / name).read_bytes() == data
        error = json.loads((rejected / f"{name}.error.json").read_bytes())
        assert error["errors"]
        assert all(f["line"] >= 1 and f["column"] >= 1 and f["message"] for f in error["errors"])
    assert len(os.listdir(rejected)) == 2 * len(drops)
    assert os.listdir(root / "inbox" / "failed") == []


def test_texts_that_are_no_spec_are_refused_and_the_daemon_lives_on(tmp_path: Path) -> None:
    some = dict(sorted(NO_JSON.items())[::32]) | {"n_structure_no_data.json": b""}
    all_are_refused_where_they_are_wrong(tmp_path, some | dict(sorted(NO_YAML.items())[::48]))


@pytest.mark.long
@pytest.mark.parametrize("drops", [NO_JSON, NO_YAML], ids=["json", "yaml"])
def test_all_texts_that_are_no_spec_are_refused_and_the_daemon_lives_on(
    tmp_path: Path, drops: Mapping[str, bytes]
) -> None:
    all_are_refused_where_they_are_wrong(tmp_path, drops)


def of_another_kind(root: Path, secret: Path) -> dict[str, int]:
    """Things called like specs that are none; by their names, what opening them would do."""
    inbox = root / "inbox"
    (inbox / "link.json").symlink_to(secret)
    (inbox / "chain.yaml").symlink_to("link.json")
    (inbox / "dangling.json").symlink_to("/nowhere/at/all")
    (inbox / "loop.json").symlink_to("loop.json")
    (inbox / "folder.json").mkdir()
    (inbox / "folder.json" / "inner.json").write_bytes(GOOD)
    os.mkfifo(inbox / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(inbox / "socket.json"))
    with suppress(PermissionError):  # devices are made by root alone
        os.mknod(inbox / "zero.json", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    return {path.name: stat.S_IFMT(path.lstat().st_mode) for path in inbox.iterdir()}


def test_what_is_no_file_is_refused_unopened_and_told_nothing_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, secret = tmp_path / "r", tmp_path / "secret"
    (root / "inbox").mkdir(parents=True)
    secret.write_text("canary: 12345\n")
    monkeypatch.chdir(root / "inbox")  # names of sockets are short
    kinds = of_another_kind(root, secret)
    with running(root):
        until(lambda: len(receipts(root)) == len(kinds))
        drop(root, "good.json", GOOD)
        until(lambda: "good.json" in receipts(root))
    rejected = root / "inbox" / "rejected"
    for name, kind in kinds.items():
        assert stat.S_IFMT((rejected / name).lstat().st_mode) == kind
        error = (rejected / f"{name}.error.json").read_text()
        assert json.loads(error)["errors"][0]["code"] == "drop-not-a-file"
        assert "canary" not in error
    assert (rejected / "folder.json" / "inner.json").read_bytes() == GOOD
    assert secret.read_text() == "canary: 12345\n"


def test_links_planted_among_the_daemons_own_folders_lead_nowhere(tmp_path: Path) -> None:
    root, precious = tmp_path / "r", tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    places = Places(root)
    planted = [
        places.own("work") / f"{'0' * 26}.a1.x",
        places.own("trash") / "x",
        places.own("store") / "work" / "1-x",
        places.outbox / f"{STAGING}1-x",
    ]
    for link in planted:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(precious)
    with running(root):
        drop(root, "good.json", GOOD)
        drop(root, "bad.json", b"{}")
        until(lambda: len(receipts(root)) == 2)
        until(lambda: not any(link.is_symlink() for link in planted[:2]))
    assert os.listdir(precious) == ["file"]
    assert (precious / "file").read_text() == "kept"
    assert receipts(root)["good.json"]["state"] == "succeeded"
