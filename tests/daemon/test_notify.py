"""What systemd hears from a daemon, on a real socket."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.notify import notify
from tests.daemon.running import running
from tests.daemon.test_service import serving


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0" + address[1:] if address.startswith("@") else address)
        line.settimeout(60)
        yield line


def heard(line: socket.socket) -> str:
    return line.recv(4096).decode()


def addresses(folder: Path) -> tuple[str, str]:
    return (os.path.relpath(folder / "line"), f"@reelkiln-test-{secrets.token_hex(8)}")


@pytest.mark.parametrize("which", [0, 1], ids=["path", "abstract"])
def test_words_arrive_at_a_socket_of_either_kind(tmp_path: Path, which: int) -> None:
    address = addresses(tmp_path)[which]
    with listening(address) as line:
        notify("READY=1", {"NOTIFY_SOCKET": address})
        assert heard(line) == "READY=1"


def test_a_listener_that_is_gone_or_never_was_is_no_fault(tmp_path: Path) -> None:
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": ""})
    notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "nobody")})


def test_a_daemon_says_that_it_is_ready_well_and_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = addresses(tmp_path)[1]
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with listening(address) as line:
        with serving(tmp_path) as child:
            said = [heard(line), heard(line)]
        assert said == ["READY=1", "WATCHDOG=1"]
        assert child.returncode == 0
        said = [heard(line)]
        while said[-1] == "WATCHDOG=1":
            said.append(heard(line))
        assert said[-1] == "STOPPING=1"


def test_the_watchdog_is_fed_again_and_again_also_when_the_disk_fails(tmp_path: Path) -> None:
    address = addresses(tmp_path)[1]
    environment = {"NOTIFY_SOCKET": address}
    with listening(address) as line, running(tmp_path, faster=50, environment=environment):
        assert heard(line) == "READY=1"
        assert [heard(line) for _ in range(3)] == ["WATCHDOG=1"] * 3
        claimed = tmp_path / ".reelkiln" / "claimed"
        claimed.rename(tmp_path / "gone")
        claimed.write_text("no folder: every look at the claims fails")
        assert [heard(line) for _ in range(6)] == ["WATCHDOG=1"] * 6
        claimed.unlink()
        (tmp_path / "gone").rename(claimed)
