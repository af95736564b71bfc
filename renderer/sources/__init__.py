"""acquire: every source a spec names, pinned to its bytes and facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from renderer.errors import (
    Fault,
    ProviderRefused,
    ReelkilnError,
    Rejected,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
    StoreCorrupt,
)
from renderer.events import Listener, SourceAcquired, Warned, ignore
from renderer.http_policy import HttpPolicy
from renderer.inputs import Inputs, Pin, SourceUse, inputs_of
from renderer.limits import Limits
from renderer.media import MediaInfo, MediaKind, media_info_from_json
from renderer.probe import PROBER, probe
from renderer.sources.local import BESIDE, find_local
from renderer.sources.locking import drift
from renderer.sources.remote import fetch, is_kept, is_remote, spoken
from renderer.sources.supply import Supplier, supply
from renderer.spec.generated import is_generated
from renderer.spec.origins import is_reference
from renderer.store import Store

_FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePolicy:
    """Where sources may lie. `base` is looked in first, then each root in order.

    Links must stay inside one of them. `home` is what the refusals call these places, `http`
    says how URLs are fetched; None refuses them all. `suppliers` know where the content of
    references comes from, by the word before the colon: `asset`, `job`, `generate`.
    """

    base: Path
    roots: tuple[Path, ...]
    max_source_bytes: int
    max_image_pixels: int = Limits().max_image_pixels
    http: HttpPolicy | None = field(default_factory=HttpPolicy)
    home: str = BESIDE
    suppliers: Mapping[str, Supplier] = field(default_factory=dict)


def acquire(
    uses: Iterable[SourceUse],
    policy: SourcePolicy,
    store: Store,
    *,
    lock: Inputs | None = None,
    listen: Listener = ignore,
) -> Inputs:
    """Pin all sources. Raises SourceRefused or SourceChanged with every fault found.

    With a `lock`, every source must have the bytes it says; a URL whose locked bytes are in
    the store is not asked again. Raises SourceUnavailable when a host does not answer and
    nothing else is wrong.
    """
    by_source: dict[str, list[SourceUse]] = {}
    for use in uses:
        by_source.setdefault(use.source, []).append(use)
    work = _Acquisition(policy, store, lock, listen)
    pins: list[Pin] = []
    for index, (source, named) in enumerate(sorted(by_source.items()), start=1):
        pin = work.pin(source, named)
        if pin is not None:
            pins.append(pin)
        listen(SourceAcquired(source=source, index=index, total=len(by_source)))
    work.raise_faults()
    for source in sorted(set(lock.pins if lock else ()) - set(by_source)):
        words = f"the lock names {spoken(source)}, which the spec no longer does"
        listen(Warned(code="lock-extra", message=words))
    return inputs_of(pins)


class _Acquisition:
    """Pins sources one by one, and gathers what is wrong with them."""

    def __init__(
        self, policy: SourcePolicy, store: Store, lock: Inputs | None, listen: Listener
    ) -> None:
        self._policy = policy
        self._store = store
        self._lock = lock
        self._listen = listen
        self.faults: list[Fault] = []
        self.later: list[ReelkilnError] = []

    def raise_faults(self) -> None:
        """What the author can mend comes before what mends itself."""
        if self.faults:
            changed = all(fault.code == SourceChanged.code for fault in self.faults)
            raise (SourceChanged if changed else SourceRefused)(self.faults)
        if self.later:
            raise self.later[0]

    def pin(self, source: str, uses: Sequence[SourceUse]) -> Pin | None:
        """The pin of a source that fits its uses; None after noting what is wrong."""
        try:
            sha256, provenance = self._found(source)
            self._check_lock(source, sha256)
            media = self._media(sha256)
            size = self._store.path(sha256).stat().st_size
        except Rejected as error:
            named = [replace(f, message=_with_name(f.message, source)) for f in error.faults]
            self.faults += [replace(f, path=use.path) for f in named for use in uses]
            return None
        except (SourceUnavailable, ProviderRefused) as error:
            where = Fault(code=error.code, message="", path=uses[0].path).where
            self.later.append(type(error)(f"{where}: {error.message}", hint=error.hint))
            return None
        except StoreCorrupt as error:
            self.later.append(error)
            return None
        pin = Pin(source=source, sha256=sha256, size_bytes=size, media=media, provenance=provenance)
        self.faults += _kind_faults(pin, uses)
        for words in _warnings(media):
            self._listen(Warned(code="source", message=f"{spoken(source)} {words}"))
        return pin

    def _found(self, source: str) -> tuple[str, Mapping[str, str]]:
        """The digest of a source and where it comes from, the bytes in the store."""
        if is_remote(source):
            return self._remote(source), {}
        if is_reference(source) or is_generated(source):
            return self._supplied(source)
        return self._local(source), {}

    def _supplied(self, source: str) -> tuple[str, Mapping[str, str]]:
        locked = self._lock.pins.get(source) if self._lock else None
        if locked is not None and is_kept(locked.sha256, self._store):
            return locked.sha256, locked.provenance
        supplied = supply(source, self._policy.suppliers, self._store)
        return supplied.sha256, supplied.provenance

    def _local(self, source: str) -> str:
        policy = self._policy
        most = policy.max_source_bytes
        path = find_local(source, policy.base, policy.roots, most, home=policy.home)
        return self._store.borrow(path).sha256

    def _remote(self, source: str) -> str:
        """Locked bytes that are in the store are taken without the network."""
        locked = self._lock.pins.get(source) if self._lock else None
        if locked is not None and is_kept(locked.sha256, self._store):
            return locked.sha256
        return fetch(
            source,
            self._policy.http,
            self._store,
            check=lambda sha256, path: self._check_download(source, sha256, path),
            on_retry=lambda words: self._listen(Warned(code="source-retry", message=words)),
        )

    def _check_lock(self, source: str, sha256: str) -> None:
        """Before it is probed: that it changed says more than what it changed to."""
        fault = drift(source, sha256, self._lock) if self._lock else None
        if fault:
            raise SourceChanged([fault])

    def _check_download(self, source: str, sha256: str, path: Path) -> None:
        """What is not media, or not what the lock says, is not kept."""
        self._check_lock(source, sha256)
        if not self._store.recall(_FACTS, f"{PROBER}:{sha256}"):
            self._remember(sha256, self._probe(path))

    def _media(self, sha256: str) -> MediaInfo:
        known = self._store.recall(_FACTS, f"{PROBER}:{sha256}")
        if known:
            return media_info_from_json(dict(known))
        media = self._probe(self._store.path(sha256))
        self._store.path(sha256)  # raises when these may be the facts of other bytes by now
        self._remember(sha256, media)
        return media

    def _probe(self, path: Path) -> MediaInfo:
        return probe(path, max_pixels=self._policy.max_image_pixels)

    def _remember(self, sha256: str, media: MediaInfo) -> None:
        self._store.remember(_FACTS, f"{PROBER}:{sha256}", media.as_json())


def _with_name(message: str, source: str) -> str:
    name = spoken(source)
    return message if name in message else f"{name}: {message}"


def _kind_faults(pin: Pin, uses: Sequence[SourceUse]) -> list[Fault]:
    return [
        Fault(
            code="source-kind",
            path=use.path,
            message=f"{spoken(pin.source)} is {_found(pin.media)}, here {_wanted(use)} is needed",
            hint=_way_out(pin.media, use),
        )
        for use in uses
        if not _fits(pin.media, use)
    ]


def _fits(media: MediaInfo, use: SourceUse) -> bool:
    """A use that takes sound also takes a video, but only one that has sound."""
    is_mute = MediaKind.AUDIO in use.expected and media.audio is None
    return media.kind in use.expected and not is_mute


def _found(media: MediaInfo) -> str:
    if media.kind is MediaKind.VIDEO:
        name = "a moving GIF" if media.demuxer == "gif" else "a video"
        return name if media.audio else f"{name} without sound"
    return {"image": "a still image", "audio": "sound", "font": "a font"}[media.kind]


def _wanted(use: SourceUse) -> str:
    if MediaKind.AUDIO in use.expected:
        return "sound"
    words = {"video": "a video", "image": "a still image", "font": "a font"}
    return " or ".join(words[kind] for kind in sorted(use.expected))


def _way_out(media: MediaInfo, use: SourceUse) -> str:
    pictures = (MediaKind.VIDEO, MediaKind.IMAGE)
    if media.kind in pictures and use.expected & set(pictures) and media.kind not in use.expected:
        return f"write {media.kind}: instead of {use.path[-1]}:"
    return "choose another file or another kind of clip"


def _warnings(media: MediaInfo) -> Iterator[str]:
    if media.kind is MediaKind.IMAGE and media.video and media.video.frame_count > 1:
        yield f"is an animation of {media.video.frame_count} frames; the first one is shown"
