"""What a prompt asks the fake to do wrong: `[[429 retry=3]]`, `[[500 x2]]`, `[[text-only]]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = (
    "429", "daily", "500", "503", "slow", "block", "finish", "text-only", "truncate",
    "short-json", "bad-b64", "not-a-picture", "wrong-size", "gone", "array", "empty",
    "thought", "bad-request", "bad-key",
)  # fmt: skip
# Round ones too: the prompts of Reelkiln hold no square brackets of a user's.
_DIRECTIVE = re.compile(r"(?:\[\[|\(\()([a-z0-9-]+)((?: [A-Za-z0-9_.=-]+)*)(?:\]\]|\)\))")
_TIMES = re.compile(r"x([0-9]{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One wrong thing. `times` is for how many requests; after that all goes well."""

    name: str
    words: tuple[str, ...] = ()
    times: int | None = None
    text: str = ""

    def setting(self, name: str) -> float | None:
        """The number of `retry=3`; None when it is not there."""
        for word in self.words:
            key, sign, value = word.partition("=")
            if sign and key == name:
                return float(value)
        return None

    def word(self, default: str) -> str:
        """The first word that is no setting."""
        return next((word for word in self.words if "=" not in word), default)


def scenario_in(prompt: str) -> Scenario | None:
    """The first known directive in a prompt."""
    for match in _DIRECTIVE.finditer(prompt):
        if match[1] in NAMES:
            words = match[2].split()
            times = [int(found[1]) for word in words if (found := _TIMES.fullmatch(word))]
            return Scenario(
                name=match[1],
                words=tuple(word for word in words if not _TIMES.fullmatch(word)),
                times=times[0] if times else None,
                text=f"{match[1]}{match[2]}",
            )
    return None
