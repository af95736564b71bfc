"""What a child says, as whoever watches over it hears it, and the answers to what it asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from daemon.child.job_request import LEAVE, NOBODY_KNOWS, needs_from_json, supply_as_bytes
from daemon.jobs import Progress
from daemon.promises.contract import Needs, Supply
from daemon.status import STATUS_EVERY_S

_LONGEST_LINE = 8 << 20
_MAX_WARNINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What a child is about to publish: the bundle's name and digest, and of which spec.

    `partial` says what is missing in it.
    """

    bundle: str
    bundle_digest: str
    spec_id: str
    kind: str
    partial: Mapping[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Talk:
    """What the child says on its standard output."""

    on_progress: Callable[[Progress], None]
    supply: Callable[[Needs], Supply | None]
    may_publish: Callable[[Publishing], bool]
    clock: Callable[[], float]
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    may: bool = False
    has_begun: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)
    spec_id: str = ""
    kind: str = ""
    length_s: int | None = None
    warnings: list[Mapping[str, str]] = field(default_factory=list)
    rubbish: int = 0
    heard: int = 0
    waits_for: tuple[str, ...] = ()
    _asked: Needs | None = None
    _coming: Publishing | None = None
    _wants_keys: bool = False
    _latest: Progress | None = None
    _told_at: float = float("-inf")
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take what the child wrote, in pieces of any size."""
        self.heard += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest, self.rubbish = b"", self.rubbish + 1
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self.rubbish += 1  # told with the outcome when there is no result

    def tell(self) -> None:
        """Pass on the newest progress, unless the last one was told just now."""
        now = self.clock()
        if self._latest is not None and now - self._told_at >= STATUS_EVERY_S:
            latest, self._latest, self._told_at = self._latest, None, now
            self.on_progress(latest)

    def answer(self, pipe: IO[bytes] | None) -> None:
        """Say where things lie, give or refuse the leave to publish, if the child asked."""
        if pipe is None:
            return
        if self._asked is not None:
            asked, self._asked = self._asked, None
            supply = self.supply(asked)
            self.heard += 1  # while we looked, the child could not move
            _write(pipe, supply_as_bytes(supply) if supply else NOBODY_KNOWS)
        if self._wants_keys:
            self._wants_keys = False
            _write(pipe, json.dumps(dict(self.keys)).encode("ascii") + b"\n")
        if self._coming is not None:
            coming, self._coming = self._coming, None
            self.may = self.may_publish(coming)
            _write(pipe, LEAVE if self.may else b"no\n")

    def _take(self, said: Mapping[str, Any]) -> None:
        event = said["event"]
        if event == "began":
            self.has_begun = True
        elif event == "progress":
            self._latest = Progress(**said["progress"])
        elif event == "warning" and len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append({"code": said["code"], "message": said["message"]})
        elif event == "loaded":
            self.spec_id, self.kind = said["id"], said["kind"]
        elif event == "prepared":
            self.length_s = said["length_s"]
        elif event == "result":
            self.result = said if "error" in said else {**said, "bundle": Path(said["bundle"])}
        else:
            self._take_question(event, said)

    def _take_question(self, event: str, said: Mapping[str, Any]) -> None:
        """What the child waits for."""
        if event == "needs":
            self._asked = needs_from_json(said["needs"])
        elif event == "keys":
            self._wants_keys = True
        elif event == "blocked":
            self.waits_for = tuple(map(str, said["waits_for"]))
        elif event == "publishing":
            self._coming = Publishing(
                bundle=said["bundle"], bundle_digest=said["bundle_digest"],
                spec_id=self.spec_id, kind=self.kind, partial=said.get("partial"),
            )  # fmt: skip


def _write(pipe: IO[bytes], line: bytes) -> None:
    """The child reads what it asked for; one that is gone needs no answer."""
    with suppress(BrokenPipeError):
        while line:
            line = line[pipe.write(line) or 0 :]
