"""What the child says on its standard output, and what it asks there and hears on its input."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from daemon.child.job_request import LEAVE, supply_from_bytes

if TYPE_CHECKING:  # slow to import; the child is tied to its parent before
    from daemon.promises.contract import Needs, Promised, Supply
    from renderer.events import Event
    from renderer.limits import Limits
    from renderer.spec.loading import Loaded

Lacks = Mapping[str, Any] | None
"""What is missing in a bundle that holds some of what was asked."""
_TELL_EVERY_S = 0.2
_WAIT_S = 10.0


class Teller:
    """Says things on a pipe, one JSON object a line."""

    def __init__(self, pipe: int) -> None:
        from daemon.status import Meter

        self._pipe = open(pipe, "wb", buffering=0)  # noqa: SIM115 - as long as the process
        self._meter = Meter(clock=time.monotonic)
        self._stage = ""
        self._told_at = float("-inf")
        self._lock = threading.Lock()

    def say(self, event: str, **facts: Any) -> None:
        """One line."""
        line = json.dumps({"event": event, **facts}).encode("ascii") + b"\n"
        with self._lock:
            while line:
                line = line[self._pipe.write(line) or 0 :]

    def wait(self, seconds: float) -> None:
        """Wait, and now and then say that we do: whoever is silent for long is ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _WAIT_S))
            self.say("alive")

    def hear(self, event: Event) -> None:
        """As a listener of the renderer: warnings and stages at once, progress now and then."""
        from renderer.events import Warned

        if isinstance(event, Warned):
            self.say("warning", code=event.code, message=event.message)
            return
        self._meter.hear(event)
        progress, now = self._meter.progress, time.monotonic()
        if progress.stage != self._stage or now - self._told_at >= _TELL_EVERY_S:
            self._stage, self._told_at = progress.stage, now
            self.say("progress", progress=asdict(progress))


def ask_keys(
    teller: Teller, answers: IO[bytes], loaded: Loaded, settings: Mapping[str, str]
) -> Mapping[str, str]:
    """The settings of providers; with keys, which are asked for, when the document needs one."""
    from daemon.child.generating import needs_provider
    from renderer.errors import Interrupted

    if not needs_provider(loaded.spec, settings):
        return settings
    teller.say("keys")
    line = answers.readline()
    if not line.strip():
        raise Interrupted("nobody can tell now how the provider is reached")
    return {**settings, **json.loads(line)}


def ask_needs(teller: Teller, answers: IO[bytes], loaded: Loaded) -> Mapping[str, Promised]:
    """Say which assets and jobs the document names; where they lie.

    Raises Blocked while one of them is promised only, PromiseFailed when it will not be there,
    Interrupted when nobody is left to answer.
    """
    from daemon.child.needs import checked, needs_of

    needs = needs_of(loaded)
    return checked(loaded, _ask(teller, answers, needs)) if needs else {}


def _ask(teller: Teller, answers: IO[bytes], needs: Needs) -> Supply:
    from renderer.errors import Interrupted

    teller.say("needs", needs=asdict(needs))
    line = answers.readline()
    if not line.strip():
        raise Interrupted("nobody can say now where the assets lie")
    return supply_from_bytes(line)


def ask_leave(
    teller: Teller, answers: IO[bytes], name: str, digest: str, *, partial: Lacks = None
) -> None:
    """Say which bundle is about to be published, return when that may be done.

    Raises Interrupted when the answer is anything else, or nobody is left to give one.
    """
    from renderer.errors import Interrupted

    teller.say("publishing", bundle=name, bundle_digest=digest, partial=partial)
    if answers.readline() != LEAVE:
        raise Interrupted(
            f"{name} was not published: the job was cancelled or is not ours any more"
        )


def ask_kit(teller: Teller, answers: IO[bytes], limits: Limits, reference: str) -> bytes | None:
    """The brand kit that an asset or a job's file is; None when it is not there.

    Raises SourceRefused; Interrupted when nobody is left to answer.
    """
    from daemon.promises.contract import Needs
    from daemon.promises.kits import kit_in

    supply = _ask(teller, answers, Needs(references=(reference,)))
    return kit_in(supply.found[reference], reference, limits)
