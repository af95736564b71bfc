"""Bundles: sealed folders of finished media. docs/format.md describes them byte for byte.

contents     what a render made, ready to be sealed
manifest     what is in a bundle, byte for byte; its digest names the whole
statement    what follows from a manifest: the in-toto statement, SHA256SUMS
quality      the gate: a finished file is what was promised, or is refused
publish      folders that appear whole or not at all; the quarantine
sealing      `seal`
verifying    `verify`
"""

from renderer.bundle.contents import BundleContents, Cut, contents_of
from renderer.bundle.manifest import Manifest
from renderer.bundle.sealing import Bundle, seal
from renderer.bundle.verifying import verify

__all__ = ["Bundle", "BundleContents", "Cut", "Manifest", "contents_of", "seal", "verify"]
