"""Storage: bytes by key, in a folder or in an object store, behind one contract."""

from daemon.storage.contract import Listed, Part, Signed, Storage, Stored

__all__ = ["Listed", "Part", "Signed", "Storage", "Stored"]
