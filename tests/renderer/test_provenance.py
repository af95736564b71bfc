"""The input hash: blind to spelling, sharp for meaning."""

import json
import unicodedata
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from renderer.provenance import Provenance, ReferenceKind, References, input_hash

ids = st.lists(st.text("abcé1", min_size=1, max_size=4), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
documents = st.dictionaries(st.text(max_size=4), values, max_size=4)
references = st.builds(References, claims=ids, entities=ids, source_chunks=ids, sources=ids)
provenances = st.builds(
    Provenance, world=st.text(max_size=3), references=references, lore_snapshot=values,
    provider=st.text(max_size=3), model=st.text(max_size=3), prompt_spec=values,
)  # fmt: skip


def backwards(value: Any) -> Any:
    """The same JSON with its keys in another order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(list(value))}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@given(documents, provenances)
def test_order_and_spelling_do_not_count(document: dict[str, Any], found: Provenance) -> None:
    spelled = json.loads(json.dumps(backwards(document), indent=3))
    other = replace(
        found,
        lore_snapshot=backwards(found.lore_snapshot),
        references=References(
            claims=(*reversed(found.references.claims), *found.references.claims),
            entities=tuple(reversed(found.references.entities)),
            source_chunks=tuple(reversed(found.references.source_chunks)),
            sources=tuple(reversed(found.references.sources)),
        ),
    )
    assert input_hash(spelled, other) == input_hash(document, found)


def test_two_ways_to_write_an_accent_are_one() -> None:
    decomposed = unicodedata.normalize("NFD", "café")
    first = Provenance(world="é", references=References(claims=("é",)))
    second = Provenance(
        world=unicodedata.normalize("NFD", "é"),
        references=References(claims=(unicodedata.normalize("NFD", "é"),)),
    )
    assert input_hash({"t": "café"}, first) == input_hash({"t": decomposed}, second)


@given(documents, provenances, st.data())
def test_every_field_that_means_something_changes_the_hash(
    document: dict[str, Any], found: Provenance, data: st.DataObject
) -> None:
    before = input_hash(document, found)
    field = data.draw(st.sampled_from(["world", "provider", "model"]))
    assert input_hash(document, replace(found, **{field: getattr(found, field) + "x"})) != before
    for field in ("lore_snapshot", "prompt_spec"):
        assert input_hash(document, replace(found, **{field: [getattr(found, field)]})) != before
    for field in ("claims", "entities", "source_chunks", "sources"):
        more = replace(found.references, **{field: (*getattr(found.references, field), "new one")})
        assert input_hash(document, replace(found, references=more)) != before
    assert input_hash({**document, "a longer key": 1}, found) != before


def test_an_accent_does_not_change_the_order_of_references() -> None:
    composed, decomposed = ("é", "f"), (unicodedata.normalize("NFD", "é"), "f")
    assert References(claims=composed) == References(claims=decomposed)


def test_references_of_two_kinds_are_two_things() -> None:
    claim = Provenance(references=References(claims=("a",)))
    entity = Provenance(references=References(entities=("a",)))
    assert input_hash({}, claim) != input_hash({}, entity)
    assert [r.kind for r in claim.references.each()] == [ReferenceKind.CLAIM]
