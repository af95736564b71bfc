"""`Catalog`: everything that is known of assets, in one database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from daemon.catalog.assets import Assets
from daemon.catalog.derivations import Derivations
from daemon.catalog.requests import Requests
from daemon.catalog.settled import Settled
from daemon.catalog.worlds import Worlds
from daemon.kept import open_kept


@dataclass(frozen=True, slots=True)
class Catalog:
    """Assets, worlds, requests and what rests on what. Every method raises KeptUnavailable."""

    engine: Engine

    @property
    def assets(self) -> Assets:
        """The assets."""
        return Assets(self.engine)

    @property
    def worlds(self) -> Worlds:
        """Worlds, and the things in them."""
        return Worlds(self.engine)

    @property
    def requests(self) -> Requests:
        """What jobs were made from."""
        return Requests(self.engine)

    @property
    def derivations(self) -> Derivations:
        """What was made from what."""
        return Derivations(self.engine)

    @property
    def settled(self) -> Settled:
        """Jobs whose end was taken in."""
        return Settled(self.engine)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_catalog(root: Path, environment: Mapping[str, str] = os.environ) -> Catalog:
    """That of a root, its tables made. Raises UsageError and KeptUnavailable."""
    return Catalog(open_kept(root, environment))
