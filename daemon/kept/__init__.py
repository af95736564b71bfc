"""What cannot be made again from the folders: accounts, keys, sessions, idempotency
records, webhooks.

It lies in `.reelkiln/catalog.sqlite3`, or in the PostgreSQL of REELKILN_DATABASE_URL beside the
index. `reelkiln reindex` never opens it. A further table goes into `tables.py`, with a migration
in `migrations/` that follows the last one there.
"""

from daemon.kept.database import KEPT, KeptUnavailable, kept_url, open_kept

__all__ = ["KEPT", "KeptUnavailable", "kept_url", "open_kept"]
