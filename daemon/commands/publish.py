"""`reelkiln publish`: put a bundle into the storage, where others find it whole."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from daemon.places import Places
from daemon.signing_keys import signing_keys
from renderer.errors import UsageError

PREFIX = "bundles"


def publish_command(
    bundle: Annotated[Path, typer.Argument(help="The folder of a bundle.")],
    root: Annotated[
        Path, typer.Option(help="The folder that holds inbox and outbox, and the storage.")
    ] = Path(),
    prefix: Annotated[str, typer.Option(help="Below which key it goes.")] = PREFIX,
    as_json: Annotated[bool, typer.Option("--json", help="Print data as JSON.")] = False,
) -> None:
    """Verify a bundle and publish it: content first, the manifest last.

    The storage is the one of REELKILN_STORAGE_URL, else a folder of the root. It may be repeated.
    """
    from daemon.storage.opening import open_storage
    from daemon.storage.publishing import publish_bundle

    if not bundle.is_dir():
        raise UsageError(f"{bundle} is no folder of a bundle")
    places = Places(root.absolute())
    storage = open_storage(
        os.environ, places.own("assets"), clock=time.time,
        keys=lambda: signing_keys(places.root, os.environ),
    )  # fmt: skip
    done = publish_bundle(bundle.absolute(), storage, prefix)
    url = storage.public_url(done.manifest_key)
    told = {**asdict(done), "sent": list(done.sent), "public_url": url}
    print(json.dumps(told) if as_json else url or done.manifest_key)
