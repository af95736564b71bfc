"""ZIP archives with the same bytes every time: stored, sorted, dated 1980."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path


def write_zip(out: Path, folder: Path, names: Iterable[str]) -> None:
    """Put `names` of `folder` into `out`."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
