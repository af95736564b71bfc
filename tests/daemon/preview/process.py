"""The preview as its users run it: a process that prints an address."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = (sys.executable, "-c", "from daemon.entry import main; main()")
"""The command, from this repository."""


@contextmanager
def previewing(
    spec: Path, command: Sequence[str] = HERE, environ: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """The address of the page of `reelkiln preview SPEC`."""
    environment = {**environ, "REELKILN_STORE": str(spec.parent / "store")}
    with subprocess.Popen(
        [*command, "preview", str(spec)], stdout=subprocess.PIPE, text=True, env=environment,
        cwd=spec.parent,
    ) as child:  # fmt: skip
        assert child.stdout
        try:
            yield child.stdout.readline().strip()
        finally:
            child.terminate()
            try:
                assert child.wait(30) == 143
            finally:
                child.kill()
