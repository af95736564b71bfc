"""Chance that is the same everywhere: numbers out of SHAKE-256, never out of a library's dice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Item = TypeVar("Item")


class Chance:
    """A stream of draws that depends on its seed alone."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def child(self, name: str) -> Chance:
        """Another stream, which does not move this one."""
        return Chance(f"{self._seed}/{name}")

    def share(self) -> float:
        """At least 0, less than 1, in steps of 2**-24."""
        return int.from_bytes(self._bytes(3)) / (1 << 24)

    def between(self, low: float, high: float) -> float:
        """A number from `low` up to `high`."""
        return low + (high - low) * self.share()

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + int.from_bytes(self._bytes(6)) % (high - low + 1)

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.integer(0, len(items) - 1)]

    def table(self, *shape: int) -> Field:
        """Shares from 0 to 1 in an array."""
        count = int(np.prod(shape))
        drawn = np.frombuffer(self._bytes(2 * count), dtype="<u2")
        return (drawn.astype(np.float32) / np.float32(65535)).reshape(shape)

    def _bytes(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}#{self._drawn}".encode()).digest(count)
