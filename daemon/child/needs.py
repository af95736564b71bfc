"""In the child: which assets and jobs a document names, and what is done with the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from daemon.promises.contract import Needs, Promised, Standing, Supply, Wanted
from daemon.promises.references import unkept
from renderer.errors import Fault, Rejected
from renderer.inputs import SourceUse
from renderer.refusals import refused
from renderer.sources.supply import Supplied
from renderer.spec.loading import Loaded, sources_of
from renderer.spec.model import ModuleSpec
from renderer.spec.origins import SCHEMES, is_reference
from renderer.store import Store

_ANEW = "make it anew and name that, then hand this document in again"


class PromiseFailed(Rejected):
    """What a document waits for will never be there."""

    code = "promise-failed"
    http_status = 409
    exit_status = 4


class Blocked(Exception):
    """What a document names is promised, and not there yet."""

    def __init__(self, waits_for: tuple[str, ...]) -> None:
        self.waits_for = waits_for
        super().__init__(", ".join(waits_for))


def needs_of(loaded: Loaded) -> Needs:
    """What a document needs of the daemon, and what it makes for others."""
    spec = loaded.spec
    outputs = spec.outputs.values() if isinstance(spec, ModuleSpec) else ()
    return Needs(
        references=tuple(sorted({use.source for use in _uses(loaded)})),
        makes=tuple(
            Wanted(label=one.label, media_type=one.media_type, asset=one.asset or "")
            for one in outputs
        ),
        on_failed_promise=spec.on_failed_promise,
    )


def checked(loaded: Loaded, supply: Supply) -> Mapping[str, Promised]:
    """Where everything lies. Raises Blocked while something is not there yet, PromiseFailed.

    What nobody promised is a fault of the document, and so is what waits for itself.
    """
    faults = [*_faults(loaded, supply)]
    if faults:
        raise loaded.located(PromiseFailed(faults))
    if waits := unkept(supply.found):
        raise Blocked(waits)
    return supply.found


@dataclass(frozen=True, slots=True)
class Answered:
    """A supplier of the renderer: gives out what the daemon said of a scheme's references."""

    scheme: str
    found: Mapping[str, Promised]

    def __call__(self, reference: str, store: Store) -> Supplied:
        """As `Supplier`. What was replaced since the daemon looked is refused."""
        name = f"{self.scheme}:{reference}"
        known = self.found.get(name)
        if known is None or known.path is None:
            words = f"{name} is a value, here a file is needed"
            raise refused("source-kind", words, "name an asset that is a file")
        sha256 = store.borrow(known.path).sha256
        if known.sha256 not in ("", sha256):
            words = f"{name} is not what it was when it was promised"
            raise refused("source-changed", words, "make it again, as another asset")
        return Supplied(sha256=sha256)


def suppliers(found: Mapping[str, Promised]) -> Mapping[str, Answered]:
    """The suppliers of every scheme."""
    return {scheme: Answered(scheme, found) for scheme in SCHEMES}


def _uses(loaded: Loaded) -> Iterator[SourceUse]:
    if loaded.kit:
        yield SourceUse(source=loaded.kit, expected=frozenset(), path=("brand",))
    yield from (use for use in sources_of(loaded.spec) if is_reference(use.source))


def _faults(loaded: Loaded, supply: Supply) -> Iterator[Fault]:
    is_patient = loaded.spec.on_failed_promise == "wait"
    spec = loaded.spec
    outputs = spec.outputs.items() if isinstance(spec, ModuleSpec) else ()
    for name, output in outputs:
        if output.asset and (why := supply.refused.get(f"asset:{output.asset}")):
            path = ("outputs", name, "asset")
            yield Fault(code="promise-refused", path=path, message=why)
    for use in _uses(loaded):
        fault = partial(Fault, path=use.path)
        it = supply.found[use.source]
        if use.source in supply.refused:
            words = f"{use.source} cannot be waited for: {supply.refused[use.source]}"
            yield fault(code="promise-cycle", message=words, hint="break the circle")
        elif use.source in supply.lost:
            words = f"{use.source} was there, and is not any more: {supply.lost[use.source]}"
            yield fault(code="promise-failed", message=words, hint=_ANEW)
        elif it.standing is Standing.UNKNOWN:
            words = f"{use.source} was never promised here"
            yield fault(code="promise-unknown", message=words, hint="is the id written right?")
        elif it.standing is Standing.FAILED and not is_patient:
            words = f"{use.source} will not be there: {it.reason or 'it failed'}"
            yield fault(code="promise-failed", message=words, hint=_ANEW)
