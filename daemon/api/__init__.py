"""The HTTP API: what comes in is a drop in the inbox, what goes out is read from the folders.

app        the server in a thread with a loop of its own
routes     the one table of routes; openapi describes it
jobs, events, downloads, checks, schemas, health, docs_page     the handlers
submitting, reuse    a document becomes a job, or is one already
worker_moves, external    jobs that others run, by the protocol of the daemons
callers    who calls, and what they may
deadlines  slow and many connections
problems   every error as application/problem+json
"""

from daemon.api.app import ApiServer
from daemon.api.context import ApiContext, ApiSettings

__all__ = ["ApiContext", "ApiServer", "ApiSettings"]
