"""Every ratio, one after another: python -m benchmarks."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import edit, longform


def main() -> None:
    """An hour of longform, then the edit."""
    with tempfile.TemporaryDirectory(prefix="reelkiln-bench-") as folder:
        longform.measure(Path(folder), seconds=3600, plain_seconds=120)
        edit.measure(Path(folder))


if __name__ == "__main__":
    main()
