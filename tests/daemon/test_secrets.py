"""A secret in every setting: it is in no file, no log and no process below the daemon."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.worker import child_environment
from tests.command import run_command
from tests.daemon.test_service import BROKEN, SLOW, drop, receipts, root, serving, statuses, until

__all__ = ["root"]
CANARY = "canary07f3a5e91c2d"
SECRETS = {
    "GEMINI_API_KEY": CANARY,
    "GOOGLE_API_KEY": CANARY,
    "OPENAI_API_KEY": CANARY,
    "ANTHROPIC_API_KEY": CANARY,
    "STABILITY_API_KEY": CANARY,
    "AWS_ACCESS_KEY_ID": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "AWS_SESSION_TOKEN": CANARY,
    "PGPASSWORD": CANARY,
    "REELKILN_API_KEY": CANARY,
    "REELKILN_WEBHOOK_SECRET": "whsec_" + 4 * CANARY,
    "REELKILN_ANYTHING_NEW": CANARY,
    "HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
    "NETRC": f"/{CANARY}",
    "TOKEN": CANARY,
}
DATABASE = f"postgresql://user:{CANARY}@127.0.0.1:9/nothing?connect_timeout=1"


def below(pid: int) -> Iterator[int]:
    """Every process below one."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if parent == pid:
            yield int(folder.name)
            yield from below(int(folder.name))


def holds_canary(folder: Path) -> list[str]:
    """The files that hold the secret, or are called like it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [str(p) for p in files if CANARY in p.name or CANARY.encode() in p.read_bytes()]


def test_secrets_of_the_environment_are_nowhere_but_in_the_daemon_itself(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with serving(root) as child:
        drop(root, "broken.yaml", BROKEN)
        drop(root, "lost.json", json.dumps({
            "reelkiln": 1, "tracks": [{"clips": [{"image": "b.png", "length": "1s"}]}],
        }))  # fmt: skip
        until(lambda: len(receipts(root)) == 2, child, root)
        drop(root, "slow.yaml", SLOW.replace("20s", "4s"))
        until(lambda: [s for s in statuses(root) if s["progress"]["frames_done"]], child, root)
        seen = {pid: told_of(pid) for pid in below(child.pid)}
        until(lambda: len(receipts(root)) == 3, child, root)
    assert len(seen) >= 2  # the render and its FFmpeg
    assert [pid for pid, told in seen.items() if CANARY.encode() in told] == []
    assert holds_canary(root) == []
    assert (root / "serve.log").stat().st_size > 0


def told_of(pid: int) -> bytes:
    """What anybody of the same user can read of a process."""
    try:
        folder = Path("/proc") / str(pid)
        return (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_child_is_given_what_is_on_the_list_and_nothing_else() -> None:
    given = child_environment({**SECRETS, "PATH": "/bin", "REELKILN_DATABASE_URL": DATABASE})
    assert CANARY not in str(given)
    assert set(given) == {"PATH", "PYTHONPATH", "LC_ALL", "TZ"}


@pytest.mark.parametrize("words", [["doctor", "--json"], ["jobs", "list"]], ids=" ".join)
def test_the_password_of_a_database_that_cannot_be_reached_is_not_told(
    root: Path, words: list[str]
) -> None:
    env = {**os.environ, "REELKILN_DATABASE_URL": DATABASE}
    done = run_command(*words, "--root", root, env=env)
    assert done.returncode != 0
    assert "does not answer" in done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert holds_canary(root) == []


def test_a_daemon_that_goes_on_without_its_database_does_not_tell_the_password(root: Path) -> None:
    command = [sys.executable, "-m", "daemon.entry", "serve", "--port", "0", "--root", str(root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "REELKILN_DATABASE_URL": DATABASE},
    ) as daemon:  # fmt: skip
        assert daemon.stdout
        said = b""
        while b"does not answer" not in said:
            line = daemon.stdout.readline()
            assert line, said
            said += line
        daemon.terminate()
        said += daemon.stdout.read()
    assert CANARY.encode() not in said
    assert holds_canary(root) == []
