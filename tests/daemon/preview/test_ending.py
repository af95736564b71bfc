"""A preview that is asked to end does, whatever it is doing."""

import asyncio
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from daemon.commands.preview import heed_sigterm
from tests.daemon.preview.process import previewing

SPEC = """reelkiln: 1
output: {size: 64x36, fps: 10}
tracks: [{clips: [{colour: red, length: 1}]}]
"""
VIEWERS = 500


def test_sigterm_ends_the_task_after_the_step_in_which_it_comes() -> None:
    done = []

    async def work() -> None:
        heed_sigterm()
        signal.raise_signal(signal.SIGTERM)
        done.append("the rest of the step")
        await asyncio.sleep(60)
        done.append("more")

    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(work())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done == ["the rest of the step"]


@pytest.mark.long
@pytest.mark.parametrize("turn", range(30))
def test_it_ends_while_hundreds_of_viewers_leave(turn: int, tmp_path: Path) -> None:
    """Each who leaves wakes a task; one that a signal's exception fell upon never woke."""
    spec = tmp_path / "red.yaml"
    spec.write_text(SPEC)
    with previewing(spec) as url, ExitStack() as viewers:
        port = urlsplit(url).port or 0
        for _ in range(VIEWERS):
            viewer = viewers.enter_context(socket.create_connection(("127.0.0.1", port)))
            viewer.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
            assert viewer.recv(100).startswith(b"HTTP/1.1 200 ")
