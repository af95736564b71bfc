"""One studio for all tests of a session."""

from __future__ import annotations

import os

import pytest

from renderer.toolchain import find_toolchain
from tests.renderer.truth.studio import Studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("truth"), find_toolchain(os.environ))
