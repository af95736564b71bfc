"""How the documents of a root are read: the same, whoever asks what a document says.

A brand kit that a document names is part of what it says: a file of the media folders, or an asset
or a job's file, which whoever handed the document in must be allowed to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from daemon.catalog.refusals import AssetNotThere
from daemon.promises.contract import Standing
from daemon.promises.kits import kit_in, load_with_kit, read_kit, too_large
from daemon.promises.references import References
from renderer.expanding import expanded
from renderer.limits import Limits
from renderer.spec.loading import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Reads the documents of one root. `media` are its folders for relative sources, at least one;
    `templates` the operator's own storyboards."""

    media: tuple[Path, ...]
    limits: Limits
    references: References
    templates: tuple[Path, ...] = ()

    def load(self, data: bytes, *, name: str, owner: str) -> Loaded:
        """The spec with the brand kit that it names; with a stand-in while that is promised only.

        Raises SpecInvalid, SourceRefused; StorageUnavailable when the kit lies in a storage that
        is away.
        """
        return load_with_kit(
            data, name=name, media=self.media, limits=self.limits,
            supplied=partial(self._kit, owner),
        )  # fmt: skip

    def expanded(self, loaded: Loaded) -> Loaded:
        """What a topic stands for; any other document as it is. Raises SpecInvalid."""
        return expanded(loaded, self.templates)

    def _kit(self, owner: str, reference: str) -> bytes | None:
        it = self.references.look([reference], owner)[reference]
        if it.size_bytes > self.limits.max_document_bytes:
            raise too_large(reference, self.limits)
        if it.standing is Standing.AVAILABLE and it.path is None and it.sha256:
            try:
                path = self.references.promises.bring(it.asset_id, lambda: None)
            except AssetNotThere:
                return None  # whoever looks after the needs of the document says so
            return read_kit(path, it.sha256, reference, self.limits)
        return kit_in(it, reference, self.limits)
