"""The published JSON Schemas: generated from the models, kept in the folder `schemas`.

`python -m renderer.schemas` writes the files anew after a model has changed, and in a checkout
the tables of docs/spec.md with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderer.brand.kit import BRAND_SCHEMA_ID, BrandKit
from renderer.bundle.manifest_schema import manifest_schema
from renderer.package_data import data_folder
from renderer.prompts.template import PROMPT_SCHEMA_ID, Template
from renderer.spec.model import SPEC_SCHEMA_ID, Document
from renderer.spec.reference import reference
from renderer.spec.schema import dumps, json_schema
from renderer.storyboards.template import STORYBOARD_SCHEMA_ID, Storyboard


def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Every published schema by its name, as the models have it now."""
    return {
        "spec": json_schema(
            Document,
            schema_id=SPEC_SCHEMA_ID,
            title="Reelkiln spec, version 1",
            description="A video of tracks and clips, or hours of sound over a few pictures.",
        ),
        "manifest": manifest_schema(),
        "prompt": json_schema(
            Template,
            schema_id=PROMPT_SCHEMA_ID,
            title="Reelkiln prompt template, version 1",
            description="A versioned prompt for one type of picture.",
            fillable=False,
        ),
        "storyboard": json_schema(
            Storyboard,
            schema_id=STORYBOARD_SCHEMA_ID,
            title="Reelkiln storyboard, version 1",
            description="How a film about any topic is written.",
            fillable=False,
        ),
        "brand": json_schema(
            BrandKit,
            schema_id=BRAND_SCHEMA_ID,
            title="Reelkiln brand kit, version 1",
            description="Colours, fonts, logo, tone and voice of a brand.",
            fillable=False,
        ),
    }


def schema_file(name: str) -> Path:
    """The file that holds the schema `name`, as shipped."""
    return data_folder("schemas") / f"{name}-1.schema.json"


def with_tables(page: str) -> str:
    """The language reference with the tables of its last section as the models have them now."""
    head, title, _ = page.partition("## Fields\n")
    return f"{head}{title}\n{reference(schemas()['spec'])}"


def write_schemas() -> None:
    """Write the file of every schema, and the tables of the language reference if it is there."""
    for name, schema in schemas().items():
        schema_file(name).write_text(dumps(schema), encoding="utf-8")
    page = data_folder("schemas").parent / "docs" / "spec.md"
    if page.is_file():
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write_schemas()
