"""acquire: every source a spec names, pinned to its bytes and facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from renderer.errors import Fault, SourceChanged, SourceRefused
from renderer.events import Listener, SourceAcquired, ignore
from renderer.inputs import Inputs, Pin, SourceUse, inputs_of
from renderer.media import MediaInfo, MediaKind, media_info_from_json
from renderer.probe import PROBER, probe
from renderer.sources.local import find_local
from renderer.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePolicy:
    """Where sources may lie. `base` is looked in first; symlinks must stay inside a root."""

    base: Path
    roots: tuple[Path, ...]
    max_source_bytes: int


def acquire(
    uses: Iterable[SourceUse],
    policy: SourcePolicy,
    store: Store,
    *,
    lock: Inputs | None = None,
    listen: Listener = ignore,
) -> Inputs:
    """Pin all sources. Raises SourceRefused or SourceChanged with every fault found."""
    by_source: dict[str, list[SourceUse]] = {}
    for use in uses:
        by_source.setdefault(use.source, []).append(use)
    pins: list[Pin] = []
    faults: list[Fault] = []
    for index, (source, named) in enumerate(sorted(by_source.items()), start=1):
        try:
            pin = _pin(source, policy, store)
            faults += _kind_faults(pin, named)
            pins.append(pin)
        except SourceRefused as error:
            faults += [replace(f, path=use.path) for f in error.faults for use in named]
        listen(SourceAcquired(source=source, index=index, total=len(by_source)))
    if faults:
        raise SourceRefused(faults)
    if lock is not None:
        _compare(pins, lock, by_source)
    return inputs_of(pins)


def _pin(source: str, policy: SourcePolicy, store: Store) -> Pin:
    path = find_local(source, policy.base, policy.roots, policy.max_source_bytes)
    kept = store.borrow(path)
    media = _media(path, kept.sha256, store)
    return Pin(source=source, sha256=kept.sha256, size_bytes=kept.size_bytes, media=media)


def _media(path: Path, sha256: str, store: Store) -> MediaInfo:
    known = store.recall("facts", f"{PROBER}:{sha256}")
    if known:
        return media_info_from_json(dict(known))
    media = probe(path)
    store.path(sha256)  # raises SourceChanged if these facts may be those of other bytes
    store.remember("facts", f"{PROBER}:{sha256}", media.as_json())
    return media


def _kind_faults(pin: Pin, uses: Sequence[SourceUse]) -> list[Fault]:
    faults = []
    for use in uses:
        wants_sound = MediaKind.AUDIO in use.expected
        fits = pin.media.kind in use.expected and not (wants_sound and pin.media.audio is None)
        if not fits:
            wanted = "sound" if wants_sound else " or ".join(sorted(use.expected))
            faults.append(
                Fault(
                    code="source-kind",
                    path=use.path,
                    message=f"{pin.source} is of kind {pin.media.kind}, here {wanted} is needed",
                    hint="choose another file or another kind of clip",
                )
            )
    return faults


def _compare(pins: list[Pin], lock: Inputs, uses: dict[str, list[SourceUse]]) -> None:
    faults = []
    for pin in pins:
        locked = lock.pins.get(pin.source)
        if locked is None or locked.sha256 != pin.sha256:
            was = locked.sha256[:16] if locked else "not in the lock"
            faults.append(
                Fault(
                    code="source-changed",
                    path=uses[pin.source][0].path,
                    message=f"{pin.source} is now {pin.sha256[:16]}, the lock says {was}",
                    hint="restore the file, or render without --locked",
                )
            )
    if faults:
        raise SourceChanged(faults)
