"""Fixtures shared by the tests of bundles."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from renderer.bundle import BundleContents, seal
from renderer.store import LocalStore
from tests.renderer.bundle.sealed import contents_of, make_media


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("bundle-media"))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def contents(store: LocalStore, media: Mapping[str, Path]) -> BundleContents:
    return contents_of(store, media)


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory, media: Mapping[str, Path]) -> Path:
    """A bundle for all tests; whoever changes it puts it right again."""
    folder = tmp_path_factory.mktemp("sealed")
    store = LocalStore(folder / "store")
    return seal(contents_of(store, media), store, folder / "out").path


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    """A bundle of one's own."""
    return Path(shutil.copytree(sealed, tmp_path / sealed.name))
