"""Try every failed job again: failed.py. REELKILN_URL and REELKILN_KEY say where."""

import os
import sys

from daemon.client import Client, Problem


def main() -> int:
    """Ask for each."""
    url = os.environ.get("REELKILN_URL", "http://127.0.0.1:8080")
    with Client(url, os.environ.get("REELKILN_KEY", "")) as client:
        for job in client.jobs(status="failed"):
            try:
                print(job.job_id, "again as", client.retry(job.job_id).job_id)
            except Problem as refused:
                print(job.job_id, refused)
    return 0


if __name__ == "__main__":
    sys.exit(main())
