from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from daemon.accounts.store import open_accounts
from tests.command import reelkiln


def test_a_key_is_printed_once_listed_without_it_and_revoked(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    words = ["--label", "ci", "--scope", "worker", "--owner", "ada"]
    words += ["--days", "2", "--per-minute", "60"]
    made = reelkiln("keys", "create", "--root", root, *words, store=tmp_path)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert secret.split("_")[2] not in made.stderr
    accounts = open_accounts(root, {})
    key = accounts.keys.find(secret, now=time.time())
    assert key
    assert (key.owner, key.label, sorted(key.scopes), key.per_minute) == (
        "ada", "ci", ["worker"], 60,
    )  # fmt: skip
    listed = reelkiln("keys", "list", "--root", root, store=tmp_path).stdout
    assert f"{key.key_id}  ...{secret[-4:]}  live" in listed
    assert secret.split("_")[2] not in listed
    done = reelkiln("keys", "revoke", key.key_id, "--root", root, "--json", store=tmp_path)
    assert json.loads(done.stdout)["standing"] == "revoked"
    assert accounts.keys.find(secret, now=time.time()) is None
    accounts.close()


def test_json_holds_the_secret_of_a_new_key_and_of_no_other(tmp_path: Path) -> None:
    made = reelkiln("keys", "create", "--root", tmp_path, "--json", store=tmp_path)
    key = json.loads(made.stdout)
    assert key["key"].startswith(f"rk_{key['key_id']}_")
    assert (key["scopes"], key["owner"]) == (["read", "render"], "")
    listed = json.loads(
        reelkiln("keys", "list", "--root", tmp_path, "--json", store=tmp_path).stdout
    )
    del key["key"]
    assert listed == {"keys": [key]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("revoke", "0" * 16), "there is no key"),
        (("create", "--scope", "all"), "'all'"),
        (("create", "--per-minute", "0"), "1 to 1000000"),
        (("create", "--label", "a\x1bb"), "--label"),
        (("list", "--root", "/nowhere"), "there is no folder"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = reelkiln("keys", *words, *([] if "--root" in words else ["--root", tmp_path]),
                    store=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
