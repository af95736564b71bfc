"""The catalog with 100 000 assets: python -m benchmarks.assets [--postgres].

Times a page of 50 by each filter, and a count.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.index import told
from daemon.catalog import AssetFilters, Catalog, open_catalog
from renderer.assets import AssetState
from renderer.provenance import Reference, ReferenceKind
from tests.daemon.catalog_contract import CatalogContract
from tests.daemon.postgres import running_postgres

ASSETS = 100_000


def measure(catalog: Catalog, count: int) -> None:
    CatalogContract().fill(catalog, count)
    claim = Reference(ReferenceKind.CLAIM, "c1")
    asked = {
        "newest": AssetFilters(),
        "owner": AssetFilters(owner="ada"),
        "world": AssetFilters(owner="ada", world="w3"),
        "type": AssetFilters(owner="ada", asset_type="t3"),
        "state": AssetFilters(owner="ada", state=AssetState.FAILED),
        "tag": AssetFilters(owner="ada", tag="g3"),
        "claim": AssetFilters(owner="ada", world="w3", reference=claim),
        "from the middle on": AssetFilters(created_before=1000 + count / 4),
    }
    for words, filters in asked.items():
        told(f"page of 50: {words}", lambda f=filters: catalog.assets.page(f))
    told("count of a world", lambda: catalog.assets.count(asked["world"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="in a PostgreSQL of its own")
    parser.add_argument("--assets", type=int, default=ASSETS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelkiln-bench-") as folder:
        if not arguments.postgres:
            measure(open_catalog(Path(folder), {}), arguments.assets)
            return
        with running_postgres() as url:
            address = url.render_as_string(hide_password=False)
            catalog = open_catalog(Path(folder), {"REELKILN_DATABASE_URL": address})
            measure(catalog, arguments.assets)
            catalog.close()


if __name__ == "__main__":
    main()
