"""Which names are drops, and when a drop counts as completely written. Pure.

Time is the reader's own monotonic clock, in seconds, passed in. The times of a file are compared
with themselves alone: `cp -p` and `touch -d` write any date into them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from daemon.jobs import Priority

READY = ".ready"
"""`film.yaml.ready` says that `film.yaml` is complete."""
CANCEL = ".cancel"
"""`film.yaml.cancel` asks that the job of `film.yaml` ends."""
FOLDERS = (("high", Priority.HIGH), ("", Priority.NORMAL), ("low", Priority.LOW))
"""The folders of the inbox that hold drops, and what they mean."""

_ERROR_FILE = ".error.json"


class DropKind(StrEnum):
    """The language of a spec."""

    JSON = "json"
    YAML = "yaml"


_KINDS = {"json": DropKind.JSON, "yaml": DropKind.YAML, "yml": DropKind.YAML}


def kind_of(name: str) -> DropKind | None:
    """What a file of this name may hold; None for a name that is not a drop.

    Hidden files (`.film.yaml.swp`, rsync's `.film.yaml.Xa81b2`, `.goutputstream-…`, `._film.yaml`)
    and Office's `~$film.yaml` belong to programs that are still at work; everything that ends in
    another way (`4913`, `film.yaml~`, `film.yaml.part`) is no spec, and media lie here too.
    An error file that was moved back together with its spec is left alone.
    """
    stem, _, ending = name.rpartition(".")
    kind = _KINDS.get(ending.lower())
    if kind is None or not stem or name[0] in ".~":
        return None
    if name.endswith(_ERROR_FILE) and kind_of(name.removesuffix(_ERROR_FILE)):
        return None
    return kind


def companion_of(name: str, suffix: str) -> str | None:
    """`film.yaml` for `film.yaml.ready`; None for a name that is no companion of a drop."""
    drop = name.removesuffix(suffix)
    return drop if drop != name and drop and kind_of(drop) else None


class Signature(NamedTuple):
    """What changes when a file does. Two equal ones, some time apart: nobody wrote between."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Seen(NamedTuple):
    """What is known of a name: its signature, and since when it has had it."""

    signature: Signature
    since: float
    unfinished: bool = False  # it was opened, and its text does not say that it is complete
    retry_at: float = 0.0  # not before then: it was held open or could not be opened


class Arrival(StrEnum):
    """How a file got its present content, as far as anybody said."""

    UNKNOWN = "unknown"
    CLOSED = "closed"  # a writer closed it
    RENAMED = "renamed"  # it got its name when it was complete
    VOUCHED = "vouched"  # its `.ready` says so


class Hint(NamedTuple):
    """What an event said about a name, and when it was heard."""

    arrival: Arrival
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a file must stay unchanged before it counts as written. Seconds."""

    quiet_s: float = 0.05  # after a writer closed it
    settle_s: float = 0.25  # when nobody said anything
    yaml_s: float = 2.0  # a YAML text: most of its beginnings are texts too, of another video
    unfinished_s: float = 10.0  # a JSON text that ends in the middle
    refuse_s: float = 60.0  # an empty file, and one that cannot be opened
    hint_s: float = 2.0  # after which an event counts no more: later ones may have been lost

    def slower(self, times: int) -> Patience:
        """The same patience on a file system that tells of changes late."""
        return replace(
            self,
            quiet_s=self.quiet_s * times,
            settle_s=self.settle_s * times,
            yaml_s=self.yaml_s * times,
            unfinished_s=self.unfinished_s * times,
            refuse_s=self.refuse_s * times,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A spec lying in the inbox. `ready_file`: its `.ready` lies beside it and goes with it.

    `name` is the file's name as bytes decoded with surrogateescape. The file must still have
    `signature` when it is claimed; otherwise somebody wrote, and it is not ready.
    """

    folder: Path
    name: str
    kind: DropKind
    priority: Priority
    signature: Signature
    ready_file: bool = False

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / self.name

    @property
    def order(self) -> tuple[int, int, str]:
        """Who goes first: the folder, then who came first. Nobody can forge a ctime."""
        return (self.priority.rank, self.signature.ctime_ns, self.name)


def seen_again(before: Seen | None, signature: Signature, now: float) -> Seen:
    """What is known of a name after one more look: any change starts its clock anew."""
    if before is not None and before.signature == signature:
        return before
    return Seen(signature, now)


def arrival_of(hint: Hint | None, ready_ctime_ns: int | None, seen: Seen, now: float,
               patience: Patience) -> Arrival:  # fmt: skip
    """What was said about a file that still holds.

    A `.ready` older than the last change of its drop was left over from an earlier one.
    Both dates come from the same clock, which writers cannot set.
    """
    if ready_ctime_ns is not None and ready_ctime_ns >= seen.signature.ctime_ns:
        return Arrival.VOUCHED
    if hint is not None and now - hint.at <= patience.hint_s:
        return hint.arrival
    return Arrival.UNKNOWN


def due_at(
    kind: DropKind, seen: Seen, arrival: Arrival, hint: Hint | None, patience: Patience
) -> float:
    """When an unchanged drop may be opened; if it was and is `unfinished`, taken as it is."""
    if arrival is Arrival.VOUCHED:
        due = seen.since
    elif seen.unfinished:
        settle = patience.yaml_s if kind is DropKind.YAML else patience.unfinished_s
        due = seen.since + settle
    elif arrival is Arrival.RENAMED:
        due = seen.since
    elif arrival is Arrival.CLOSED and hint is not None:
        due = min(hint.at + patience.quiet_s, seen.since + patience.settle_s)
    else:
        due = seen.since + patience.settle_s
    return max(due, seen.retry_at)


def says_it_is_complete(kind: DropKind, text: bytes, arrival: Arrival) -> bool:
    """Whether a text that nobody seems to be writing needs no further waiting.

    No beginning of a JSON object is balanced. A YAML text says so only by its `...` line.
    """
    if arrival is Arrival.VOUCHED:
        return True
    if kind is DropKind.YAML:
        return arrival is Arrival.RENAMED or _END_OF_YAML.search(text) is not None
    return _is_balanced(text)


_END_OF_YAML = re.compile(rb"\n\.\.\.\r?\n\Z")


def _is_balanced(text: bytes) -> bool:
    """Whether every string and bracket is closed, and there is anything at all."""
    # No pattern: strangers choose the text, and this way a megabyte of quotes costs one pass.
    outside_and_inside = text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    if len(outside_and_inside) % 2 == 0:  # the last string is open
        return False
    marks = b"".join(outside_and_inside[::2])
    opened = marks.count(b"{") + marks.count(b"[")
    return bool(text.strip()) and opened <= marks.count(b"}") + marks.count(b"]")
