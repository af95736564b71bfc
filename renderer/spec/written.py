"""A spec as YAML that people edit: what is as usual is left out, words that look odd are quoted."""

from __future__ import annotations

import re
from typing import Any

import yaml

from renderer.spec.model import VideoSpec

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _.@/-]*")
_WIDTH = 100


class _Writer(yaml.SafeDumper):
    """Quotes every text that another reader of YAML might take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _PLAIN.fullmatch(text) else '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def written(spec: VideoSpec, spec_id: str) -> bytes:
    """The spec in YAML; read again it is the same spec, under the id `spec_id`."""
    plain = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    head = {"reelkiln": plain.pop("reelkiln"), "id": spec_id}
    plain.pop("id", None)
    body = {name: plain[name] for name in VideoSpec.model_fields if name in plain}
    text = yaml.dump(
        {**head, **body}, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    first = "# Edit it and render it again: reelkiln render expanded.spec.yaml\n"
    return (first + text).encode()
