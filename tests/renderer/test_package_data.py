from pathlib import Path

import pytest

from renderer import package_data
from renderer.package_data import data_folder


def test_a_checkout_has_its_folders_at_the_top() -> None:
    assert data_folder("schemas") == Path(package_data.__file__).parent.parent / "schemas"
    assert data_folder("prompts").is_dir()


def test_a_wheel_has_them_inside_and_these_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "renderer"
    (package / "_data" / "schemas").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(package_data, "_PACKAGE", package)
    assert data_folder("schemas") == package / "_data" / "schemas"


def test_a_broken_installation_says_what_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match="nothing-like-it is missing"):
        data_folder("nothing-like-it")
