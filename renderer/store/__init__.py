"""Stores: bytes by digest, and the memory of finished steps.

contract     `Store`, what the renderer needs
local        `LocalStore`, in a folder, shared by processes
"""

from renderer.store.contract import Store
from renderer.store.local import LocalStore, Pruned, Usage

__all__ = ["LocalStore", "Pruned", "Store", "Usage"]
