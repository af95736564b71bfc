"""The job index: what the folders say, in tables that answer questions quickly.

The folders are the truth. Losing the index loses nothing: `reelkiln reindex` makes it again.
"""

from daemon.index.database import IndexUnavailable, index_url
from daemon.index.questions import Filters
from daemon.index.store import JobIndex, Page, open_index

__all__ = ["Filters", "IndexUnavailable", "JobIndex", "Page", "index_url", "open_index"]
