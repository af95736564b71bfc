import os
import selectors
from contextlib import ExitStack

from daemon.pipes import listen_to, pump


def test_each_pipe_is_heard_by_its_own_and_one_that_is_closed_no_more() -> None:
    heard: list[tuple[str, bytes]] = []
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        ends = {}
        for name in ("one", "two"):
            out, into = os.pipe()
            ends[name] = stack.enter_context(open(into, "wb", buffering=0))
            reader = stack.enter_context(open(out, "rb", buffering=0))
            listen_to(selector, reader, lambda data, name=name: heard.append((name, data)))
        assert pump(selector, 0) == 0
        ends["one"].write(b"hello")
        ends["two"].write(b"there")
        assert pump(selector, 0) == 2
        assert sorted(heard) == [("one", b"hello"), ("two", b"there")]
        ends["one"].close()
        assert pump(selector, 0) == 1
        assert len(selector.get_map()) == 1
        ends["two"].write(b"again")
        assert pump(selector, 0) == 1
    assert heard[2:] == [("two", b"again")]
