"""The request that a document is: its provenance, its digest, and the assets that it reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from daemon.catalog import Catalog
from daemon.catalog.refusals import ProvenanceRefused, WorldUnknown
from daemon.catalog.requests import Request
from renderer.errors import Fault, Path
from renderer.provenance import Provenance, Reference, ReferenceKind, input_hash
from renderer.spec.loading import Loaded, sources_of
from renderer.spec.provenance import ProvenancePart, provenance_of
from renderer.spec.suggest import did_you_mean

_FIELDS = {
    ReferenceKind.CLAIM: "claims",
    ReferenceKind.ENTITY: "entities",
    ReferenceKind.SOURCE_CHUNK: "source_chunks",
    ReferenceKind.SOURCE: "sources",
}
_ASSET = "asset:"


def request_of(
    loaded: Loaded, *, job_id: str, owner: str, world: str, created_at: float
) -> Request | None:
    """The request of a job; None for a document that tells of no provenance and reads no asset."""
    read = _assets_read(loaded)
    if loaded.spec.provenance is None and not read:
        return None
    found = provenance_of(loaded.spec.provenance, world=world)
    return Request(
        job_id=job_id, owner=owner, provenance=found, asset_ids=read,
        input_hash=hash_of(loaded, found), created_at=created_at,
    )  # fmt: skip


def hash_of(loaded: Loaded, provenance: Provenance) -> str:
    """The digest by which two requests are the same."""
    return input_hash(loaded.canonical(), provenance)


def check_references(loaded: Loaded, catalog: Catalog, owner: str, *, world: str) -> None:
    """Raises ProvenanceRefused, with its place, for what is not of `owner`'s world."""
    part = loaded.spec.provenance
    if part is None:
        return
    faults = tuple(_faults(part, catalog, owner, world))
    if faults:
        raise loaded.located(ProvenanceRefused(faults))


def _faults(part: ProvenancePart, catalog: Catalog, owner: str, world: str) -> Iterator[Fault]:
    here: Path = ("provenance",)
    named = {
        (*here, "references", field, index): Reference(kind, text)
        for kind, field in _FIELDS.items()
        for index, text in enumerate(getattr(part.references, field))
    }
    if not world:
        if named:
            yield Fault(
                code="world-missing", path=(*here, "references"),
                message="references belong to a world, and none is named",
                hint="name it in provenance.world",
            )  # fmt: skip
        return
    try:
        catalog.worlds.get(owner, world)
    except WorldUnknown as error:
        known = [one.world for one in catalog.worlds.all_of(owner)]
        yield Fault(
            code="world-unknown", path=(*here, "world"),
            message=error.message, hint=did_you_mean(world, known) or error.hint,
        )  # fmt: skip
        return
    lying = catalog.worlds.lying_in(owner, (_normal(one) for one in named.values()))
    for path, reference in named.items():
        yield from _misplaced(path, reference, lying[_normal(reference)], world)


def _misplaced(path: Path, reference: Reference, worlds: set[str], world: str) -> Iterator[Fault]:
    if world in worlds:
        return
    what = f"the {reference.kind} {reference.reference_id}"
    if worlds:
        yield Fault(
            code="reference-elsewhere", path=path,
            message=f"{what} belongs to the world {min(worlds)}, not to {world}",
            hint="register it in this world as well, or leave it out",
        )  # fmt: skip
    else:
        yield Fault(
            code="reference-unknown", path=path, message=f"{what} is not known in {world}",
            hint=f"register it: POST /v1/worlds/{world}/references",
        )  # fmt: skip


def _normal(reference: Reference) -> Reference:
    return Reference(reference.kind, unicodedata.normalize("NFC", reference.reference_id))


def _assets_read(loaded: Loaded) -> tuple[str, ...]:
    keys = [loaded.kit, *(use.source for use in sources_of(loaded.spec))]
    return tuple(sorted({key.removeprefix(_ASSET) for key in keys if key.startswith(_ASSET)}))
