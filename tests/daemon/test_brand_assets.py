"""Brand kits that are assets, or files that jobs make: a real daemon, real renders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.catalog.nodes import asset_node
from daemon.service import Service
from renderer.assets import Asset
from renderer.bundle import verify
from tests.daemon.running import drop, until
from tests.daemon.test_promises import NEVER, OUTPUT, ends, promised, records, serving

KIT = {"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#7a1f3d"}}
YAML_KIT = (
    b'reelkiln_brand: 1\nname: Acme\ncolours: {primary: "#7a1f3d", more: {mint: "#9be8c8"}}\n'
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path


def value(service: Service, kit: Any) -> Asset:
    asset = promised(service, "acme", "application/json")
    return service.assets.fulfill_value(asset.asset_id, kit)


def plain(brand: Any, colour: str = "{{brand.primary}}", **more: Any) -> bytes:
    tracks = [{"clips": [{"colour": colour, "length": 0.2}]}]
    document = {"reelkiln": 1, "output": OUTPUT, "brand": brand, "tracks": tracks}
    return json.dumps({**document, **more}).encode()


def bundle(root: Path, name: str) -> Mapping[str, Any]:
    """The canonical spec in the verified bundle of a drop."""
    folder = root / "outbox" / records(root)[name]["bundle"]
    verify(folder)
    spec: Mapping[str, Any] = json.loads((folder / "spec.json").read_bytes())
    return spec


def faults(root: Path, name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = records(root)[name]["error"]["errors"]
    return found


def test_a_value_is_a_kit_and_the_job_is_derived_from_it(root: Path) -> None:
    with serving(root) as service:
        kit = value(service, KIT)
        drop(root, "film.json", plain({"asset": kit.asset_id}))
        drop(root, "word.json", plain(f"asset:{kit.asset_id}", id="word"))
        until(ends(root, film="succeeded", word="succeeded"))
        job = records(root)["film.json"]["job_id"]
        until(lambda: service.assets.catalog.requests.get(job) is not None)
        down = service.assets.catalog.derivations.lineage(asset_node(kit.asset_id)).down
        assert job in {edge.child.node_id for edge in down}
    for name in ("film.json", "word.json"):
        spec = bundle(root, name)
        assert spec["tracks"][0]["clips"][0]["colour"] == "#7a1f3d"
        assert spec.get("brand") is None  # the bundle needs the kit no more


def test_a_job_waits_for_its_kit_and_then_wears_it(root: Path) -> None:
    with serving(root, **NEVER) as service:
        kit = promised(service, "acme.yaml", "application/yaml")
        drop(root, "film.json", plain({"asset": kit.asset_id}, "{{brand.mint}}"))
        until(ends(root, film="blocked"))
        record = records(root)["film.json"]
        assert (record["waits_for"], record["attempt"]) == ([f"asset:{kit.asset_id}"], 0)
        file = root / "acme.yaml"
        file.write_bytes(YAML_KIT)
        service.assets.fulfill_asset(kit.asset_id, file)
        until(ends(root, film="succeeded"))
    assert bundle(root, "film.json")["tracks"][0]["clips"][0]["colour"] == "#9be8c8"


def test_a_file_of_another_job_that_is_no_kit_is_named(root: Path) -> None:
    with serving(root) as service:
        kit = value(service, KIT)
        drop(root, "first.json", plain({"asset": kit.asset_id}))
        until(ends(root, first="succeeded"))
        job = records(root)["first.json"]["job_id"]
        drop(root, "second.json", plain({"job": job, "file": "spec.json"}))
        until(lambda: (root / "inbox/rejected/second.json.error.json").exists())
    told = faults(root, "second.json")  # that file is there, and is no kit
    assert {fault["pointer"] for fault in told} == {"/brand"}
    assert all(fault["message"].startswith(f"job:{job}#spec.json, line 1") for fault in told)


def test_a_kit_that_never_comes_fails_the_job_at_its_place(root: Path) -> None:
    with serving(root) as service:
        kit = promised(service, "acme.yaml", "application/yaml")
        drop(root, "film.json", plain({"asset": kit.asset_id}))
        drop(root, "lost.json", plain({"asset": "0" * 26}))
        until(ends(root, film="blocked", lost="failed"))
        service.assets.fail_asset(kit.asset_id, "the designers went home")
        until(ends(root, film="failed"))
    (fault,) = faults(root, "film.json")
    assert (fault["code"], fault["pointer"], fault["line"]) == ("promise-failed", "/brand", 1)
    assert "the designers went home" in fault["message"]
    assert [(one["code"], one["pointer"]) for one in faults(root, "lost.json")] == [
        ("promise-unknown", "/brand")
    ]


def test_a_colour_that_the_kit_lacks_is_told_once_the_kit_is_there(root: Path) -> None:
    with serving(root) as service:
        kit = value(service, KIT)
        drop(root, "film.json", plain({"asset": kit.asset_id}, "{{brand.mint}}"))
        until(lambda: (root / "inbox/rejected/film.json.error.json").exists())
    error = json.loads((root / "inbox/rejected/film.json.error.json").read_text())
    assert error["errors"][0]["code"] == "unknown-variable"
