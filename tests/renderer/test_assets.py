"""Assets: whatever is asked of one, only the moves of the table happen."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.assets import (
    ASSET_MOVES,
    Asset,
    AssetKind,
    AssetState,
    IllegalAssetMove,
    asset_from_json,
    move_asset,
)

PROMISE = Asset(asset_id="A1", kind=AssetKind.FILE, tags=("b", "a", "b"))
LEGAL = {("pending", "available"), ("pending", "failed"), ("available", "deleted")}


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(AssetState), max_size=8))
def test_no_history_holds_a_move_that_is_not_legal(wishes: list[AssetState]) -> None:
    asset, history = PROMISE, [PROMISE.state]
    for now, wish in enumerate(wishes):
        try:
            asset = move_asset(asset, wish, now=now, status_reason=str(now))
        except IllegalAssetMove as refused:
            legal = set(refused.legal)
            assert wish not in legal
            assert legal == {to for state, to in LEGAL if state == asset.state}
        else:
            history.append(asset.state)
            assert (asset.updated_at, asset.status_reason) == (now, str(now))
    assert set(pairwise(history)) <= LEGAL


def test_the_table_knows_every_state_and_says_which_are_final() -> None:
    assert set(ASSET_MOVES) == set(AssetState)
    assert [state for state in AssetState if state.is_final] == ["failed", "deleted"]


def test_an_asset_survives_json_and_ignores_what_later_versions_add() -> None:
    asset = replace(PROMISE, value={"a": [1]}, metadata={"x": 1}, world="w")
    assert asset_from_json({**asset.as_json(), "new": 1}) == asset
    assert asset.tags == ("a", "b")


def test_foreign_data_is_no_asset() -> None:
    with pytest.raises((KeyError, ValueError)):
        asset_from_json({"asset_id": "A1", "kind": "folder", "state": "pending"})
