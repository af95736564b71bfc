"""An asset document becomes a bundle: each picture is made or is missing, what exists is kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from renderer.bundle import Bundle, BundleContents, seal
from renderer.bundle.publish import BeforePublish, at_once
from renderer.digest import canonical_json
from renderer.errors import Fault, Interrupted, Partial, ProviderRefused, Rejected
from renderer.events import (
    Event,
    Listener,
    PlanMade,
    StageStarted,
    StepFinished,
    StepProgress,
    StepStarted,
    Warned,
)
from renderer.executors.local import LocalExecutor
from renderer.inputs import Inputs, Pin, SourceUse, inputs_of
from renderer.media import MediaKind
from renderer.pipeline import Renderer
from renderer.sources import acquire
from renderer.spec.asset import AssetSpec, Picture, pictures_of
from renderer.spec.loading import Loaded
from renderer.steps import Output, Read, Step, StepKind, make_step

MISSING = "missing.json"
"""In the bundle of a partial result: which pictures are not there."""
SHEET, _THUMBNAIL = "contact-sheet.jpg", "thumbnail.jpg"
_AT_ONCE = 4
_COLUMNS = 4
_CELL = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """Pictures that were made, ready to be sealed; `partial` names those that were not."""

    contents: BundleContents
    partial: Partial | None


def draw(
    loaded: Loaded, spec: AssetSpec, renderer: Renderer, *, lock: Inputs | None = None
) -> Album:
    """Make the pictures of a document, several at once; each is heard of as a step.

    Raises what is wrong with the document, and ProviderRefused when not one could be made.
    """
    wanted = pictures_of(spec)
    renderer.listen(StageStarted(stage="run"))
    drawing = _Drawing(loaded, renderer, lock)
    made = drawing.all_of(wanted)
    failed = {one.file: result for one, result in made if isinstance(result, ProviderRefused)}
    pins = {one.file: result for one, result in made if isinstance(result, Pin)}
    if not pins:
        raise next(iter(failed.values()))
    contents = _contents(loaded, renderer, wanted, pins)
    return Album(contents=contents, partial=_partial(loaded, wanted, failed))


def seal_album(
    album: Album, renderer: Renderer, outbox: Path, *, before_publish: BeforePublish = at_once
) -> Bundle:
    """Publish the pictures. Raises as `seal` does."""
    renderer.listen(StageStarted(stage="seal"))
    return seal(
        album.contents, renderer.store, outbox, listen=renderer.listen,
        before_publish=before_publish,
    )  # fmt: skip


@dataclass(slots=True)
class _Drawing:
    """One go at all pictures of a document, with the threads that wait for providers."""

    loaded: Loaded
    renderer: Renderer
    lock: Inputs | None
    stop: threading.Event = field(default_factory=threading.Event)
    speech: threading.Lock = field(default_factory=threading.Lock)

    def all_of(
        self, wanted: Sequence[Picture]
    ) -> tuple[tuple[Picture, Pin | ProviderRefused], ...]:
        self._say(PlanMade(steps=len(wanted), reused=0, frames=len(wanted)))
        pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
        try:
            titles = (f"picture {n} of {len(wanted)}" for n in range(1, len(wanted) + 1))
            return tuple(zip(wanted, pool.map(self._one, wanted, titles), strict=True))
        except Rejected as error:
            raise self.loaded.located(error) from error
        finally:
            self.stop.set()
            pool.shutdown(cancel_futures=True)

    def _one(self, picture: Picture, title: str) -> Pin | ProviderRefused:
        if self.stop.is_set():
            raise Interrupted(f"{title}: stopped before it was asked for")
        self._say(StepStarted(key=picture.file, title=title, frames=1))
        result = self._pin(picture)
        self._say(StepProgress(key=picture.file, frames_done=1))
        self._say(StepFinished(key=picture.file, title=title, frames=1, reused=False))
        if isinstance(result, ProviderRefused):
            self._say(Warned(code=result.code, message=f"{picture.file}: {result.message}"))
        return result

    def _pin(self, picture: Picture) -> Pin | ProviderRefused:
        use = SourceUse(
            source=picture.source, expected=frozenset({MediaKind.IMAGE}), path=picture.path
        )
        try:
            found = acquire(
                (use,), self.renderer.policy, self.renderer.store,
                lock=self._locked(picture.source), listen=self._warn,
            )  # fmt: skip
        except ProviderRefused as error:
            return error
        return found[picture.source]

    def _locked(self, source: str) -> Inputs | None:
        """What the lock says of one source; None without a lock."""
        if self.lock is None:
            return None
        known = self.lock.pins.get(source)
        return inputs_of((known,) if known else ())

    def _warn(self, event: Event) -> None:
        if isinstance(event, Warned):
            self._say(event)

    def _say(self, event: Event) -> None:
        with self.speech:
            self.renderer.listen(event)


def _partial(
    loaded: Loaded, wanted: Sequence[Picture], failed: Mapping[str, ProviderRefused]
) -> Partial | None:
    paths = {one.file: one.path for one in wanted}
    faults = [
        Fault(
            code=error.code, path=paths[file], hint=error.hint,
            message=f"{file} was not made: {error.message}",
        )
        for file, error in sorted(failed.items())
    ]  # fmt: skip
    if not faults:
        return None
    located = loaded.located(Partial(faults))
    return located if isinstance(located, Partial) else None


def _contents(
    loaded: Loaded, renderer: Renderer, wanted: Sequence[Picture], pins: Mapping[str, Pin]
) -> BundleContents:
    files = {
        one.file: Output(sha256=pins[one.file].sha256, size_bytes=pins[one.file].size_bytes)
        for one in wanted if one.file in pins
    }  # fmt: skip
    sheet = _sheet(tuple(files.values()), renderer)
    missing = [one.file for one in wanted if one.file not in pins]
    lock = inputs_of(pins.values()).as_json()
    return BundleContents(
        id=loaded.id,
        spec=loaded.canonical(),
        lock=lock,
        toolchain=renderer.toolchain.as_json(),
        files={**files, SHEET: sheet},
        media={},
        more={MISSING: canonical_json({"missing": missing})} if missing else {},
    )


def _sheet(pictures: Sequence[Output], renderer: Renderer) -> Output:
    """The contact sheet, by the step that makes that of a film."""
    step = _sheet_step(pictures, renderer.toolchain.digest)
    executor = LocalExecutor(toolchain=renderer.toolchain, jobs=1)
    results = executor.run((step,), renderer.store, _silent(renderer.listen), threading.Event())
    return results[step.key].outputs[SHEET]


def _sheet_step(pictures: Sequence[Output], toolchain: str) -> Step:
    sheet = {
        "columns": min(_COLUMNS, len(pictures)),
        "cell": [_CELL, _CELL * 9 // 16],
        "cells": list(range(len(pictures))),
    }
    return make_step(
        StepKind.ARRANGE_STILLS, "contact sheet", toolchain=toolchain,
        reads=tuple(Read(sha256=one.sha256) for one in pictures),
        params={"thumbnail": 0, "contact_sheet": sheet},
        outputs=(_THUMBNAIL, SHEET), frames=1,
    )  # fmt: skip


def _silent(listen: Listener) -> Listener:
    """Pass on warnings alone: the steps that count are the pictures."""

    def hear(event: Event) -> None:
        if isinstance(event, Warned):
            listen(event)

    return hear
