"""`reelkiln accounts`, from outside."""

from __future__ import annotations

import json
import time
from pathlib import Path

from daemon.accounts.store import open_accounts
from tests.command import reelkiln
from tests.daemon.accounts_contract import PASSWORD


def test_accounts_are_listed_disabled_and_enabled(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    accounts = open_accounts(root, {})
    ada = accounts.people.register("ada@example.org", PASSWORD, now=time.time())
    begun = accounts.people.log_in("ada@example.org", PASSWORD, now=time.time(), lasting=999)
    assert begun is not None
    listed = reelkiln("accounts", "list", "--root", root, store=tmp_path).stdout
    assert listed.split() == [ada.account_id, "live", "read,render", "ada@example.org"]
    done = reelkiln("accounts", "disable", "Ada@Example.org", "--root", root, store=tmp_path)
    assert "disabled" in done.stdout
    assert accounts.people.find(begun.secret, now=time.time()) is None
    done = reelkiln("accounts", "enable", ada.account_id, "--root", root, "--json", store=tmp_path)
    assert json.loads(done.stdout)["disabled_at"] is None
    assert accounts.people.get(ada.account_id) == ada
    accounts.close()
    for who in ("nobody@example.org", "nobody"):
        done = reelkiln("accounts", "disable", who, "--root", root, store=tmp_path)
        assert (done.returncode, "there is no account" in done.stderr) == (2, True)
