"""A sound is made once: its bytes are kept under the digest of its recipe and of who made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from renderer.digest import digest_of
from renderer.steps import Output, StepResult
from renderer.store import Store

_OUTPUT = "sound.wav"


def generate_sound(
    recipe: Mapping[str, Any], model: str, make: Callable[[], bytes], store: Store
) -> Output:
    """The sound of a recipe, from the store or else from `make`; `model` is who makes it."""
    key = digest_of({"kind": "generate-sound", "model": model, "recipe": recipe})
    known = store.lookup(key)
    if known is None:
        known = StepResult(outputs={_OUTPUT: store.put_bytes(make())})
        store.record(key, known)
    return known.outputs[_OUTPUT]
