"""A spec as YAML that people edit: what is as usual is left out, words that look odd are quoted."""

from __future__ import annotations

import re
from typing import Any

import yaml

from renderer.spec.model import VideoSpec

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _.@/-]*")
_WIDTH = 100
_LEAD = ("video", "image", "audio", "text", "colour", "gradient", "id")


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
    body = {name: _led(plain[name]) for name in VideoSpec.model_fields if name in plain}
    text = yaml.dump(
        {**head, **body}, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    first = "# Edit it and render it again: reelkiln render expanded.spec.yaml\n"
    return (first + text).encode()


def _led(value: Any) -> Any:
    """The value with the key that says what a clip is in front of what else is said of it."""
    if isinstance(value, list):
        return [_led(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = sorted(value, key=lambda name: (name not in _LEAD, name == "clips"))
    return {name: _led(value[name]) for name in first}
