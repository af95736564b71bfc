"""Fixtures shared by the tests of the executors."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from renderer.events import Event
from renderer.executors.local import LocalExecutor
from renderer.steps import Results, Step
from renderer.store import LocalStore
from renderer.toolchain import Toolchain, find_toolchain


class Bench:
    """A store, an executor and everything that was heard."""

    def __init__(self, root: Path, toolchain: Toolchain) -> None:
        self.store = LocalStore(root)
        self.toolchain = toolchain
        self.heard: list[Event] = []
        self.stop = threading.Event()

    def run(self, *steps: Step, jobs: int = 2) -> Results:
        executor = LocalExecutor(toolchain=self.toolchain, jobs=jobs)
        return executor.run(steps, self.store, self.heard.append, self.stop)

    def output(self, results: Results, step: Step, name: str) -> Path:
        return self.store.path(results[step.key].outputs[name].sha256)

    def leftovers(self) -> list[Path]:
        return sorted((self.store.root / "work").iterdir())


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find_toolchain(os.environ)


@pytest.fixture
def bench(tmp_path: Path, toolchain: Toolchain) -> Bench:
    return Bench(tmp_path, toolchain)
