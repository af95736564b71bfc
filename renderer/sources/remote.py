"""Remote files: a URL becomes an object of the store, or is refused.

What was fetched is remembered with what the server calls that version, so that asking again
costs one small answer while the bytes are still in the store.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.errors import SourceChanged, StorageFull, StoreCorrupt
from renderer.http_policy import HttpPolicy
from renderer.refusals import refused
from renderer.spec.generated import is_generated, recipe_words
from renderer.store import Store

if TYPE_CHECKING:
    from renderer.http import Downloaded

_NOTES = "fetched"
_SCHEMES = ("http", "https")


def is_remote(source: str) -> bool:
    """Whether a source is a URL of any scheme; a Windows-like `c:` is a file name."""
    return "://" in source and not is_generated(source)


def spoken(source: str) -> str:
    """A source as messages name it: a URL without what may be secret in it, a recipe in brief."""
    if is_generated(source):
        return recipe_words(source)
    if not is_remote(source):
        return source
    from renderer.http import shown

    return shown(source)


def is_kept(sha256: str, store: Store) -> bool:
    """Whether the store can give these bytes."""
    try:
        store.path(sha256)
    except (StoreCorrupt, SourceChanged):
        return False
    return True


def fetch(
    source: str,
    policy: HttpPolicy | None,
    store: Store,
    *,
    check: Callable[[str, Path], None],
    on_retry: Callable[[str], None],
) -> str:
    """The digest of `source`, whose bytes are then in the store.

    `check` is given digest and file before they are kept, and raises for what is not wanted.
    Raises SourceRefused, SourceUnavailable or StorageFull.
    """
    if policy is None or source.partition("://")[0].lower() not in _SCHEMES:
        words = f"{spoken(source)} is not a local file"
        raise refused("source-scheme", words, "download it first, name the file")
    from renderer.http import download  # slow to import, and most specs name files

    note = store.recall(_NOTES, source) or {}
    sha256, known = str(note.get("sha256", "")), note.get("validators", {})
    asked = known if sha256 and is_kept(sha256, store) else None
    with _full_disk_told(), store.workdir() as folder:
        file = folder / "download"
        got = download(source, file, policy, known=asked, on_retry=on_retry)
        if got.is_same:
            return sha256
        check(got.sha256, file)
        _keep(file, got, store)
    if got.validators:
        store.remember(_NOTES, source, {"sha256": got.sha256, "validators": dict(got.validators)})
    return got.sha256


@contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        words = f"no room left for a download: {error}"
        raise StorageFull(words, hint="free some space, then render again") from error


def _keep(file: Path, got: Downloaded, store: Store) -> None:
    kept = store.put_file(file, move=True)
    if kept.sha256 != got.sha256:
        raise StoreCorrupt(
            f"a download changed on its way to the disk ({got.sha256}, {kept.sha256})",
            hint="check the disk",
        )
