"""References: content that whoever runs the render supplies, pinned like any other source."""

import os
from pathlib import Path

import pytest
from PIL import Image

from renderer.errors import ProviderRefused, SourceRefused, SpecInvalid
from renderer.fonts import text_engine_fingerprint
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.sources.supply import Supplied, Supplier
from renderer.spec.loading import Loaded, load, sources_of
from renderer.store import LocalStore, Store
from renderer.toolchain import find_toolchain

SPEC = "{reelkiln: 1, output: {size: 64x36, fps: 10}, tracks: [{clips: [{image: %s, length: 1s}]}]}"


def loaded(source: str) -> Loaded:
    return load((SPEC % source).encode(), name="s.yaml")


def renderer_with(tmp_path: Path, **suppliers: Supplier) -> Renderer:
    return Renderer(
        store=LocalStore(tmp_path / "store"),
        toolchain=find_toolchain(os.environ, text_engine=text_engine_fingerprint()),
        policy=SourcePolicy(
            base=tmp_path, roots=(tmp_path,), max_source_bytes=10**6, suppliers=suppliers
        ),
    )


def picture(reference: str, store: Store) -> Supplied:
    path = Path(os.environ["PICTURE"])
    return Supplied(sha256=store.borrow(path).sha256, provenance={"asset_id": reference})


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("{asset: A1}", "asset:A1"), ("asset:A1", "asset:A1"), ("{job: J1}", "job:J1#video"),
        ("job:J1", "job:J1#video"), ("{job: J1, file: thumbnail}", "job:J1#thumbnail"),
        ("./asset:x.png", "./asset:x.png"),
    ],
)  # fmt: skip
def test_a_reference_is_one_key_however_it_is_written(source: str, key: str) -> None:
    assert [use.source for use in sources_of(loaded(source).spec)] == [key]


def test_what_is_supplied_is_pinned_with_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 36), "red").save(tmp_path / "elsewhere.png")
    monkeypatch.setenv("PICTURE", str(tmp_path / "elsewhere.png"))
    renderer = renderer_with(tmp_path, asset=picture)
    pin = renderer.prepare(loaded("{asset: A1}")).inputs["asset:A1"]
    assert (pin.provenance, pin.size_bytes) == (
        {"asset_id": "A1"}, (tmp_path / "elsewhere.png").stat().st_size
    )  # fmt: skip


def test_locked_content_that_is_kept_is_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 36), "red").save(tmp_path / "a.png")
    monkeypatch.setenv("PICTURE", str(tmp_path / "a.png"))
    lock = renderer_with(tmp_path, asset=picture).prepare(loaded("{asset: A1}")).inputs

    def gone(reference: str, store: Store) -> Supplied:
        raise ProviderRefused("the provider is switched off")

    again = renderer_with(tmp_path, asset=gone)
    assert again.prepare(loaded("{asset: A1}"), lock=lock).inputs == lock
    with pytest.raises(ProviderRefused, match=r"clips\[0\]\.image.*switched off"):
        again.prepare(loaded("{asset: A1}"))


def test_without_a_supplier_a_reference_is_refused_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused) as refused:
        renderer_with(tmp_path).prepare(loaded("{asset: A1}"))
    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == ("source-scheme", "/tracks/0/clips/0/image")
    assert fault.position is not None
    assert "daemon" in fault.message


def test_a_reference_without_an_id_is_refused_with_its_place() -> None:
    with pytest.raises(SpecInvalid) as refused:
        loaded("{aset: A1}")
    assert refused.value.faults[0].position is not None
