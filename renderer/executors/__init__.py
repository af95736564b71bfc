"""Executors: who runs the steps of a plan. One machine here, a cluster behind the same call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from renderer.events import Listener
from renderer.steps import Results, Step
from renderer.store import Store

__all__ = ["Executor"]


class Executor(Protocol):
    """Runs steps. The bytes it gives do not depend on which executor it is."""

    def run(
        self, steps: Sequence[Step], store: Store, listen: Listener, stop: threading.Event
    ) -> Results:
        """Do every step that `store` does not know yet, and give the results of all.

        Raises what the first failed step raised, or Interrupted once `stop` is set;
        steps finished by then stay recorded, so that the next run goes on from there.
        """
        ...
