"""Variants: other cuts of a video, each lowered into a video of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from renderer.errors import Fault, Path
from renderer.spec.model import Variant, VideoSpec
from renderer.spec.suggest import did_you_mean

MAX_VARIANTS = 8


def cuts_of(spec: object) -> Iterator[tuple[str, VideoSpec]]:
    """Every variant of a spec by its name, as a video without variants."""
    if isinstance(spec, VideoSpec):
        for name, variant in spec.variants.items():
            yield name, _cut(spec, variant)


def _cut(spec: VideoSpec, variant: Variant) -> VideoSpec:
    instead = {track.id: track for track in variant.tracks if track.id}
    changes: dict[str, object] = {"size": variant.size}
    if variant.thumbnail_at is not None:
        changes["thumbnail_at"] = variant.thumbnail_at
    return spec.model_copy(
        update={
            "output": spec.output.model_copy(update=changes),
            "styles": {**spec.styles, **variant.styles},
            "tracks": [instead.get(track.id or "", track) for track in spec.tracks],
            "variants": {},
        }
    )


def relocated(fault: Fault, name: str, spec: VideoSpec) -> Fault:
    """A fault of the cut `name` with its path in the document."""
    variant, here = spec.variants[name], ("variants", name)
    path = fault.path
    where: Path = here
    if path[:1] == ("tracks",) and len(path) > 1:
        wanted = spec.tracks[int(path[1])].id
        ids = [track.id for track in variant.tracks]
        if wanted is not None and wanted in ids:
            where = (*here, "tracks", ids.index(wanted), *path[2:])
    elif path[:1] == ("styles",) and len(path) > 1 and path[1] in variant.styles:
        where = (*here, *path)
    elif path[:1] == ("output",):
        where = (*here, *(part for part in path[1:2] if part in ("size", "thumbnail_at")))
    return replace(fault, path=where, message=f"{name}: {fault.message}")


def variant_faults(spec: VideoSpec) -> Iterator[Fault]:
    """Too many variants, and tracks that stand in for none."""
    if len(spec.variants) > MAX_VARIANTS:
        words = f"{len(spec.variants)} variants are more than the {MAX_VARIANTS} a video may have"
        yield Fault(code="over-limit", path=("variants",), message=words)
    ids = [track.id for track in spec.tracks if track.id]
    for name, variant in spec.variants.items():
        seen: set[str] = set()
        for index, track in enumerate(variant.tracks):
            path: Path = ("variants", name, "tracks", index)
            if track.id is None or track.id not in ids:
                words = f'no track has the id "{track.id}"' if track.id else "it needs an id"
                hint = did_you_mean(track.id or "", ids) or "name the track that it stands in for"
                yield Fault(code="unknown-track", path=(*path, "id"), message=words, hint=hint)
            elif track.id in seen:
                words = f"the id of track {track.id} is taken"
                yield Fault(code="duplicate-id", path=(*path, "id"), message=words)
            seen.add(track.id or "")
