"""Render a spec on a server and fetch the bundle: render.py SPEC [FOLDER].

REELKILN_URL and REELKILN_KEY say which server, and with which key.
"""

import os
import sys
from pathlib import Path

from daemon.client import Client, Problem


def main(spec: Path, folder: Path) -> int:
    """The exit status."""
    url = os.environ.get("REELKILN_URL", "http://127.0.0.1:8080")
    with Client(url, os.environ.get("REELKILN_KEY", "")) as client:
        try:
            job = client.submit(spec.read_bytes())
        except Problem as refused:
            for fault in refused.errors:
                print(f"{spec}:{fault['line']}:{fault['column']}: {fault['message']}")
            print(refused)
            return 1
        for event in client.events(job.job_id):
            job = event
            print(f"{job.status} {job.progress} %", file=sys.stderr)
        if not job.has_succeeded:
            print(f"{job.job_id} {job.status}: {(job.error or {}).get('detail', '')}")
            return 1
        print(client.download(job, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".")))
