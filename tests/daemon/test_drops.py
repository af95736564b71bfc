import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.watching.drops import (
    CANCEL,
    READY,
    Arrival,
    DropKind,
    Hint,
    Patience,
    Seen,
    Signature,
    arrival_of,
    companion_of,
    due_at,
    kind_of,
    says_it_is_complete,
    seen_again,
)

PATIENCE = Patience()
SIGNATURE = Signature(1, 10, 5, 5)
JSON = b'{"reelkiln": 1, "id": "a\\"}{", "tracks": [{"clips": [{"text": "[", "length": 1.5e3}]}]}'


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.json", DropKind.JSON), ("a.YAML", DropKind.YAML), ("a b.yml", DropKind.YAML)],
)
def test_specs_are_known_by_their_ending(name: str, kind: DropKind) -> None:
    assert kind_of(name) is kind


@pytest.mark.parametrize(
    "name", ["film\n.json", "-rf.yaml", "\udcff\udcfe.json", "é" * 100 + ".yml"]
)
def test_odd_names_are_names_of_drops(name: str) -> None:
    assert kind_of(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "4913", "a.yaml~", ".a.yaml.swp", ".a.yaml.swx", "a.json.part", "a.json.crdownload",
        "a.json.tmp", ".goutputstream-X1Y2Z3", ".a.json.Xa81b2", "~$a.json", "._a.json",
        ".~lock.a.json#", "#a.json#", "Thumbs.db", ".nfs0001.json", ".json", "json", "a.mp4", "",
        "a.json.ready", "a.json.cancel", "a.yaml.error.json", "a.json___jb_tmp___", ".tmp",
    ],
)  # fmt: skip
def test_files_of_programs_at_work_are_no_drops(name: str) -> None:
    assert kind_of(name) is None


def test_a_spec_that_is_called_like_an_error_file_is_still_a_spec() -> None:
    assert kind_of("trial.error.json") is DropKind.JSON


def test_companions_name_their_drop() -> None:
    assert companion_of("a.yaml.ready", READY) == "a.yaml"
    assert companion_of("a.json.cancel", CANCEL) == "a.json"
    assert companion_of("notes.cancel", CANCEL) is None
    assert companion_of(".ready", READY) is None


@pytest.mark.parametrize("end", range(len(JSON)))
def test_no_beginning_of_a_json_spec_looks_complete(end: int) -> None:
    assert not says_it_is_complete(DropKind.JSON, JSON[:end], Arrival.CLOSED)


def test_a_whole_json_spec_looks_complete() -> None:
    assert says_it_is_complete(DropKind.JSON, JSON + b"\n", Arrival.UNKNOWN)


@given(
    st.dictionaries(st.text(), st.text() | st.floats() | st.lists(st.text()), max_size=4), st.data()
)
def test_any_json_object_is_complete_and_its_beginnings_are_not(
    value: object, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert says_it_is_complete(DropKind.JSON, text, Arrival.UNKNOWN)
    end = data.draw(st.integers(0, len(text) - 1))
    assert not says_it_is_complete(DropKind.JSON, text[:end], Arrival.UNKNOWN)


@pytest.mark.parametrize("text", [b'{"' + b'\\"' * 500_000, b'"' * 1_000_001, b"[" * 1_000_000])
def test_a_hostile_text_costs_one_pass(text: bytes) -> None:
    assert not says_it_is_complete(DropKind.JSON, text, Arrival.UNKNOWN)


def test_yaml_says_that_it_is_complete_only_by_its_end_marker() -> None:
    assert not says_it_is_complete(DropKind.YAML, b"a: 1\n", Arrival.CLOSED)
    assert not says_it_is_complete(DropKind.YAML, b"a: 1\n...", Arrival.CLOSED)
    assert says_it_is_complete(DropKind.YAML, b"a: 1\r\n...\r\n", Arrival.CLOSED)
    assert says_it_is_complete(DropKind.YAML, b"a: 1\n", Arrival.RENAMED)
    assert says_it_is_complete(DropKind.YAML, b"a: 1\n", Arrival.VOUCHED)


@pytest.mark.parametrize(
    ("kind", "unfinished", "arrival", "due"),
    [
        (DropKind.JSON, False, Arrival.UNKNOWN, 100.25),
        (DropKind.JSON, False, Arrival.CLOSED, 100.15),
        (DropKind.JSON, False, Arrival.RENAMED, 100.0),
        (DropKind.JSON, False, Arrival.VOUCHED, 100.0),
        (DropKind.JSON, True, Arrival.UNKNOWN, 110.0),
        (DropKind.JSON, True, Arrival.RENAMED, 110.0),
        (DropKind.JSON, True, Arrival.VOUCHED, 100.0),
        (DropKind.YAML, False, Arrival.UNKNOWN, 100.25),
        (DropKind.YAML, True, Arrival.CLOSED, 102.0),
        (DropKind.YAML, False, Arrival.RENAMED, 100.0),
    ],
)
def test_a_drop_is_due(kind: DropKind, unfinished: bool, arrival: Arrival, due: float) -> None:
    hint = Hint(arrival, 100.1)
    seen = Seen(SIGNATURE, 100.0, unfinished)
    assert due_at(kind, seen, arrival, hint, PATIENCE) == pytest.approx(due)
    held = seen._replace(retry_at=200.0)
    assert due_at(kind, held, arrival, hint, PATIENCE) == 200.0


def test_a_file_that_changes_starts_its_clock_anew() -> None:
    seen = Seen(SIGNATURE, 100.0, unfinished=True)
    assert seen_again(seen, SIGNATURE, 105.0) is seen
    for changed in (SIGNATURE._replace(**{name: 99}) for name in Signature._fields):
        assert seen_again(seen, changed, 105.0) == Seen(changed, 105.0)


def test_a_ready_file_older_than_its_drop_says_nothing() -> None:
    seen = Seen(SIGNATURE, 100.0)
    assert arrival_of(None, 4, seen, 101, PATIENCE) is Arrival.UNKNOWN
    assert arrival_of(None, 5, seen, 101, PATIENCE) is Arrival.VOUCHED


def test_a_hint_counts_for_two_seconds() -> None:
    seen, hint = Seen(SIGNATURE, 100.0), Hint(Arrival.RENAMED, 100.0)
    assert arrival_of(hint, None, seen, 102.0, PATIENCE) is Arrival.RENAMED
    assert arrival_of(hint, None, seen, 102.1, PATIENCE) is Arrival.UNKNOWN


def test_a_slow_file_system_gets_more_patience() -> None:
    slow = PATIENCE.slower(4)
    assert (slow.settle_s, slow.yaml_s, slow.unfinished_s) == (1.0, 8.0, 40.0)
    assert slow.hint_s == PATIENCE.hint_s
