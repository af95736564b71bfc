"""The API in front of a folder storage, on a free port."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.api import ApiServer
from daemon.assets.uploads import Uploads
from daemon.storage.local import LocalStorage
from tests.daemon.api.conftest import context_of, made_service


@contextmanager
def serving(storage: LocalStorage | None, uploads: Uploads | None = None) -> Iterator[str]:
    """The address of a server that has this storage."""
    with TemporaryDirectory(prefix="reelkiln-api-") as folder:
        service = made_service(Path(folder) / "root")
        context = dataclasses.replace(context_of(service), storage=storage, uploads=uploads)
        server = ApiServer(context)
        server.start()
        try:
            yield server.url
        finally:
            server.stop()
            service.index.close()
