"""The catalog of assets: what there is, which world it belongs to, what it was made from.

Its rows lie in `daemon.kept`: they cannot be made again from the folders. The bytes of an asset
lie in a storage, and `daemon.assets.service` keeps the two together.
"""

from daemon.catalog.filters import AssetFilters
from daemon.catalog.store import Catalog, open_catalog

__all__ = ["AssetFilters", "Catalog", "open_catalog"]
