"""Hostile drops at a real daemon: each is refused beside its reason, and the daemon lives on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

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
    some = dict(sorted(NO_JSON.items())[::16]) | {"n_structure_no_data.json": b""}
    all_are_refused_where_they_are_wrong(tmp_path, some | dict(sorted(NO_YAML.items())[::24]))


@pytest.mark.long
@pytest.mark.parametrize("drops", [NO_JSON, NO_YAML], ids=["json", "yaml"])
def test_all_texts_that_are_no_spec_are_refused_and_the_daemon_lives_on(
    tmp_path: Path, drops: Mapping[str, bytes]
) -> None:
    all_are_refused_where_they_are_wrong(tmp_path, drops)
