"""What the renderer needs of a store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from renderer.steps import Output, StepResult


class Store(Protocol):
    """Bytes by digest, and the memory of finished steps.

    `tests/renderer/store_contract.py` tests what is said here; every store must pass it.

    - Objects are bytes named by SHA-256. What went in comes out, or StoreCorrupt is raised:
      never other bytes. A damaged object is set aside, so that its step is unknown again.
    - A step is known only while all of its outputs are here in full size.
    - Threads and processes use one store at once. Objects that were put, looked up or read
      while a work folder of a living process exists outlast any pruning until it is gone.
    - Names that are not 64 lowercase hex digits raise ValueError. Writing raises
      StorageFull when there is no room, and then leaves nothing behind.
    """

    def put_file(self, path: Path, *, move: bool = False) -> Output:
        """Keep the bytes of a file; with `move` the file itself, which is then gone."""
        ...

    def put_bytes(self, data: bytes) -> Output:
        """Keep `data`."""
        ...

    def borrow(self, path: Path) -> Output:
        """Know an outside file as an object, without copying it where that is possible."""
        ...

    def path(self, sha256: str) -> Path:
        """Where an object can be read now, its bytes proven.

        Raises StoreCorrupt when there is none, SourceChanged when the outside file that
        was borrowed for it holds other bytes by now: call it again after reading to know
        that what was read was right.
        """
        ...

    def check(self, sha256: str) -> None:
        """Read an object again, whatever is believed of it. Raises as `path` does."""
        ...

    def lookup(self, key: str) -> StepResult | None:
        """What the step of that key gave, `reused`; None when it must run."""
        ...

    def record(self, key: str, result: StepResult) -> None:
        """Remember what a step gave, after its objects were kept."""
        ...

    def remember(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        """Keep a small JSON note: `facts` of a file, last `plans` of a spec, `views` of jobs."""
        ...

    def recall(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The note kept last under that name, if it is still there."""
        ...

    def workdir(self) -> AbstractContextManager[Path]:
        """A private folder, removed at the end, also after an error or a kill."""
        ...
