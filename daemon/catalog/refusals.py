"""What the catalog refuses."""

from __future__ import annotations

from renderer.errors import ReelkilnError, Rejected


class AssetUnknown(ReelkilnError):
    """There is no asset of that id, or it is a stranger's."""

    code = "asset-unknown"
    http_status = 404
    exit_status = 2


class WorldUnknown(ReelkilnError):
    """There is no world of that name, or it is a stranger's."""

    code = "world-unknown"
    http_status = 404
    exit_status = 2


class WorldUnfit(ReelkilnError):
    """A world, or a thing in it, cannot be registered as asked."""

    code = "world-unfit"
    http_status = 422
    exit_status = 2


class ProvenanceRefused(Rejected):
    """A request rests on something that is not there, or that belongs to another world."""

    code = "provenance-refused"
    exit_status = 3


class AssetContentRefused(ReelkilnError):
    """The content of an asset is not what it is said to be."""

    code = "asset-content-refused"
    http_status = 422
    exit_status = 4


class AssetNotThere(ReelkilnError):
    """An asset has no content now: it is promised still, failed, or was deleted."""

    code = "asset-not-there"
    http_status = 409
