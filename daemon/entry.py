"""The console script: from its first moment Ctrl-C is an exit status and not a traceback.

What the command needs takes about a second to import, which is when people change their minds.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run `reelkiln`."""
    try:
        from daemon.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
