from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.niceness import NICENESS

_AUTOGROUP = Path("/proc/self/autogroup")
_PROGRAM = """
import os
from pathlib import Path
from daemon.niceness import give_way
give_way()
print(os.nice(0))
print(Path("/proc/self/autogroup").read_text())
"""


@pytest.mark.skipif(not _AUTOGROUP.exists(), reason="this kernel does not group by session")
def test_a_render_and_its_session_give_way() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True,
        start_new_session=True,
    ).stdout  # fmt: skip
    nice, autogroup = told.split("\n")[:2]
    assert int(nice) == os.nice(0) + NICENESS
    assert autogroup.endswith(f"nice {NICENESS}")
