"""`reelkiln serve`: run a daemon on a root until it is told to stop."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.lasting import lasting
from daemon.logs import LogForm, set_up_logs
from daemon.module_settings import modules_of
from daemon.niceness import come_first
from daemon.settings import cache_budget_of, limits_of, retention_of, whole_number
from daemon.watching.filesystems import file_system_of

if TYPE_CHECKING:
    from daemon.api import ApiServer, ApiSettings
    from daemon.service import Service

_SWITCH_S = 0.001
"""How long a thread of the daemon may keep the interpreter from those that answer requests."""


def serve(
    root: Annotated[Path, typer.Option(help="The folder that holds inbox and outbox.")] = Path(),
    workers: Annotated[
        int, typer.Option(min=0, help="Jobs at once; 0 leaves them to external workers.")
    ] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at once for each job.")] = (
        os.cpu_count() or 1
    ),
    media: Annotated[
        list[Path] | None, typer.Option(help="Where relative sources are looked up, in order.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address that the API listens on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Its port; 0 takes a free one.")
    ] = 8080,
    api: Annotated[bool, typer.Option(help="Serve the HTTP API.")] = True,
    log: Annotated[LogForm, typer.Option(help="How log lines are written.")] = LogForm.AUTO,
) -> None:
    """Watch ROOT/inbox, render what is dropped there, write bundles to ROOT/outbox.

    The first line of standard output is the address of the API.
    """
    with lasting():  # SQLAlchemy takes long to import
        from daemon.owners import LEASE_S
        from daemon.service import LEAST_FREE, ServeSettings, Service

    set_up_logs(log)
    sys.setswitchinterval(_SWITCH_S)
    come_first()
    service = Service(
        ServeSettings(
            root=root, workers=workers, jobs=jobs, limits=limits_of(os.environ),
            networks=os.environ.get("REELKILN_ALLOW_NETWORKS", ""),
            media=tuple(folder.absolute() for folder in media or ()),
            retention=retention_of(os.environ), budget=cache_budget_of(os.environ),
            lease_s=float(
                max(1, whole_number(os.environ, "REELKILN_LEASE_S", int(LEASE_S)))
            ),
            least_free=whole_number(os.environ, "REELKILN_MIN_FREE_BYTES", LEAST_FREE),
            modules=modules_of(root, os.environ),
        )
    )  # fmt: skip

    def stop(number: int, frame: FrameType | None) -> None:
        service.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if not api:
        service.run()
        return
    server = _api_of(service, host, port)
    server.start()
    print(server.url, flush=True)
    _keep_what_is_there()
    try:
        service.run()
    finally:
        server.stop()
        server.context.access.accounts.close()


def _keep_what_is_there() -> None:
    """What was made so far stays to the end. To look through it for garbage, again and again,
    takes a tenth of a second each time, and nobody is answered meanwhile."""
    gc.collect()
    gc.freeze()


def _api_of(service: Service, host: str, port: int) -> ApiServer:
    """The API of a daemon. Raises UsageError for an address where it must not be open."""
    from importlib.metadata import version

    from ulid import ULID

    from daemon.accounts.store import open_accounts
    from daemon.api import ApiContext, ApiServer
    from daemon.api.access_settings import access_settings
    from daemon.api.callers import Access, is_loopback, refuse_open_elsewhere
    from daemon.api.rates import Rates
    from daemon.assets.upload_service import open_uploads
    from daemon.dashboard import furnish
    from daemon.submissions import Submissions

    accounts = open_accounts(service.places.root, os.environ)
    access = Access(
        accounts=accounts,
        settings=access_settings(os.environ, is_loopback=is_loopback(host)),
        rates=Rates(time.monotonic_ns),
        clock=service.clock,
    )
    refuse_open_elsewhere(host, accounts, access.settings)
    papers = service.inbox.papers
    sent = open_uploads(
        service.places,
        service.fs,
        os.environ,
        limits=service.settings.limits,
        clock=service.clock,
        assets=service.settling.assets,
    )
    context = ApiContext(
        places=service.places, fs=service.fs, index=service.index, metrics=service.metrics,
        submissions=Submissions(
            papers=papers, clock=service.clock, new_id=lambda: str(ULID())
        ),
        access=access, assets=service.settling.assets,
        clock=service.clock, nonce=lambda: secrets.token_hex(8),
        version=version("reelkiln"),
        environment=os.environ, draining=service.draining, limits=service.settings.limits,
        settings=_api_settings(host, port), reading=service.reading,
        lease_s=service.settings.lease_s, uploads=sent.uploads, storage=sent.folder,
        changed=service.job_changed, conditions=service.conditions,
        is_near=file_system_of(service.places.state).is_near,
    )  # fmt: skip
    return ApiServer(context, furnish)


def _api_settings(host: str, port: int) -> ApiSettings:
    from daemon.api import ApiSettings

    origins = os.environ.get("REELKILN_CORS_ORIGINS", "").replace(",", " ").split()
    return ApiSettings(host=host, port=port, cors_origins=tuple(origins))
