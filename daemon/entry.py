"""The console script: from its first moment a request to stop is an exit status, no traceback.

What the command needs takes about a second to import, which is when people change their minds.
SIGTERM stops what runs as Ctrl-C does, and ends with 143 where that ends with 130.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from daemon.lasting import end_at_once, lasting

_INTERRUPTED = 130
_TERMINATED = 143


def main() -> None:
    """Run `reelkiln`."""
    terminated = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    end_at_once()
    try:
        with lasting():
            from daemon.cli import main as run
        run()
    except KeyboardInterrupt:
        sys.exit(_TERMINATED if terminated else _INTERRUPTED)
    except SystemExit as done:
        sys.exit(_TERMINATED if terminated and done.code == _INTERRUPTED else done.code)


if __name__ == "__main__":
    main()
