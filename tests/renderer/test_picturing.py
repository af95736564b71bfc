"""Asset documents as bundles, painted here."""

import os
from pathlib import Path

from daemon.child.generating import Generating
from renderer.bundle import verify
from renderer.events import Event, StepFinished, StepStarted, ignore
from renderer.fonts import text_engine_fingerprint
from renderer.inputs import inputs_from_json
from renderer.limits import Limits
from renderer.picturing import Album, draw, seal_album
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.spec.asset import AssetSpec
from renderer.spec.generated import GENERATE
from renderer.spec.loading import load
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

SPEC = b"""reelkiln: 1
kind: asset
asset_type: banner
images: [{prompt: the sea}, {prompt: the sea, asset_type: overlay}]
"""


def test_each_picture_is_a_step_and_clear_ones_stand_on_paper(tmp_path: Path) -> None:
    heard: list[Event] = []
    renderer = renderer_in(tmp_path, heard)
    album = drawn(renderer)
    started = {event.title for event in heard if isinstance(event, StepStarted)}
    assert started == {"picture 1 of 2", "picture 2 of 2"}
    ended = {event.key for event in heard if isinstance(event, StepFinished)}
    assert ended == {"banner-1.png", "overlay-2.png"}
    assert album.partial is None
    bundle = seal_album(album, renderer, tmp_path / "outbox")
    assert {entry.path for entry in verify(bundle.path).files} == {
        "banner-1.png", "overlay-2.png", "contact-sheet.jpg", "spec.json", "lock.json",
    }  # fmt: skip
    assert seal_album(drawn(renderer), renderer, tmp_path / "outbox").reused


def renderer_in(folder: Path, heard: list[Event]) -> Renderer:
    policy = SourcePolicy(
        base=folder, roots=(folder,), max_source_bytes=Limits().max_source_bytes,
        suppliers={GENERATE: Generating(settings={}, listen=ignore)},
    )  # fmt: skip
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    store = LocalStore(folder / "store")
    return Renderer(store=store, toolchain=toolchain, policy=policy, listen=heard.append)


def drawn(renderer: Renderer) -> Album:
    loaded = load(SPEC, name="doc.yaml")
    assert isinstance(loaded.spec, AssetSpec)
    first = draw(loaded, loaded.spec, renderer)
    lock = inputs_from_json(dict(first.contents.lock))
    assert draw(loaded, loaded.spec, renderer, lock=lock).contents.lock == first.contents.lock
    return first
