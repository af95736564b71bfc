"""What holds for every test: who runs it, what a password costs, where bytecode is kept."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.accounts import passwords
from tests.passwords import STRONG, WEAK

_BYTECODE = Path(__file__).parent.parent / ".pytest_cache" / "bytecode"
if sys.dont_write_bytecode:
    # Where none is to lie beside the sources: hundreds of processes would compile the same again.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(_BYTECODE)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(_BYTECODE)


gc.disable()  # until all is imported and collected: thousands of tests last to the end


def pytest_collection_finish() -> None:
    """Only what tests make can become garbage."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait for a daemon, a browser or a database."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Neighbours stay together, so that what they share is made once; who is done first helps."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hundreds of accounts are made here."""
    passwords._HASHER = WEAK
    yield
    passwords._HASHER = STRONG


@pytest.fixture
def _strong_passwords() -> Iterator[None]:
    """Passwords cost what they cost outside of tests."""
    passwords._HASHER = STRONG
    yield
    passwords._HASHER = WEAK
