"""What others made for breaking readers: each text is read right, or refused where it is wrong."""

import json
import tracemalloc
from pathlib import Path

import pytest

from daemon.child.gate import load_through_gate
from daemon.error_files import error_document
from daemon.jobs import Job, JobState
from daemon.outcomes import Ended, Fate, Outcome, decide
from renderer.errors import Fault, SpecInvalid
from renderer.limits import Limits
from renderer.spec.document import read_document
from renderer.spec.json_strict import read_json
from renderer.spec.loading import load
from renderer.spec.yaml12 import read_yaml
from tests.daemon.corpora import json_test_suite, naughty_strings, yaml_test_suite
from tests.daemon.test_render_job import request_of

LIMITS = Limits()
BAD_JSON = {"bad-json", "half-written", "bad-utf8", "bad-number", "bad-character", "too-deep",
            "empty-document", "not-finite"}  # fmt: skip
JSON_TEXTS = json_test_suite()
MUST_REFUSE = sorted(name for name in JSON_TEXTS if name.startswith("n_"))
MUST_TAKE = sorted(name for name in JSON_TEXTS if name.startswith("y_"))
OPEN = sorted(name for name in JSON_TEXTS if name.startswith("i_"))

DECIDED = {
    "i_number_double_huge_neg_exp": "taken",
    "i_number_huge_exp": "not-finite",
    "i_number_neg_int_huge_exp": "not-finite",
    "i_number_pos_double_huge_exp": "not-finite",
    "i_number_real_neg_overflow": "not-finite",
    "i_number_real_pos_overflow": "not-finite",
    "i_number_real_underflow": "taken",
    "i_number_too_big_neg_int": "bad-number",
    "i_number_too_big_pos_int": "bad-number",
    "i_number_very_big_negative_int": "bad-number",
    "i_object_key_lone_2nd_surrogate": "bad-character",
    "i_string_1st_surrogate_but_2nd_missing": "bad-character",
    "i_string_1st_valid_surrogate_2nd_invalid": "bad-character",
    "i_string_UTF-16LE_with_BOM": "bad-utf8",
    "i_string_UTF-8_invalid_sequence": "bad-utf8",
    "i_string_UTF8_surrogate_U+D800": "bad-utf8",
    "i_string_incomplete_surrogate_and_escape_valid": "bad-character",
    "i_string_incomplete_surrogate_pair": "bad-character",
    "i_string_incomplete_surrogates_escape_valid": "bad-character",
    "i_string_invalid_lonely_surrogate": "bad-character",
    "i_string_invalid_surrogate": "bad-character",
    "i_string_invalid_utf-8": "bad-utf8",
    "i_string_inverted_surrogates_U+1D11E": "bad-character",
    "i_string_iso_latin_1": "bad-utf8",
    "i_string_lone_second_surrogate": "bad-character",
    "i_string_lone_utf8_continuation_byte": "bad-utf8",
    "i_string_not_in_unicode_range": "bad-utf8",
    "i_string_overlong_sequence_2_bytes": "bad-utf8",
    "i_string_overlong_sequence_6_bytes": "bad-utf8",
    "i_string_overlong_sequence_6_bytes_null": "bad-utf8",
    "i_string_truncated-utf-8": "bad-utf8",
    "i_string_utf16BE_no_BOM": "bad-utf8",
    "i_string_utf16LE_no_BOM": "bad-utf8",
    "i_structure_500_nested_arrays": "too-deep",
    "i_structure_UTF-8_BOM_empty_object": "taken",
}
"""Where RFC 8259 leaves it open. A number is taken when a double holds it, a text when it is UTF-8
and every surrogate has its other half, nesting up to the limit; a BOM is skipped."""

ALSO_TAKEN = {
    "9C9N": "a list in brackets that goes on at the left margin",
    "9JBA": "a comment right behind a bracket",
    "CVW2": "a comment right behind a comma",
    "DK95-01": "a quoted text that goes on behind a tab",
    "G5U8": "a dash for an item between brackets",
    "MUS6-00": "a comment right behind the version of YAML",
    "QB6E": "a quoted text that goes on at the left margin",
    "S98Z": "an empty block text with spaces before its comment",
    "SU5Z": "a comment right behind a quoted text",
    "X4QW": "a comment right behind the sign of a block text",
    "Y79Y-03": "a list in brackets that goes on behind a tab",
    "YJV2": "a dash between brackets",
}
"""What YAML 1.2 forbids and libyaml reads in the one way it can be meant. JSON pasted into a
YAML document stands at the left margin, so these are no faults."""


READ_OTHERWISE = {"L24T-01": "spaces at the very end of a block text are the last line's"}
"""Where libyaml reads another value than YAML 1.2 has."""


def faults_of(data: bytes, name: str) -> tuple[Fault, ...]:
    """The faults of the text alone, whatever a spec must hold."""
    try:
        return read_document(data, name=name, limits=LIMITS).faults
    except SpecInvalid as error:
        return error.faults


def test_the_collections_are_whole() -> None:
    assert (len(MUST_REFUSE), len(MUST_TAKE), len(OPEN)) == (188, 95, 35)
    cases = yaml_test_suite().values()
    assert (len(cases), sum(case.must_fail for case in cases)) == (402, 94)
    assert len(naughty_strings()) == 485


@pytest.mark.parametrize("name", MUST_REFUSE)
def test_what_is_no_json_is_rejected_with_line_and_column(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load_through_gate(request_of(tmp_path, JSON_TEXTS[name]))
    error = caught.value.as_json()
    assert decide(Outcome(ended=Ended.TOLD, error=error), 1).fate is Fate.REJECTED
    told = error_document(Job(job_id="0" * 26, name=name, state=JobState.FAILED), error, ())
    assert {fault["code"] for fault in told["errors"]} & BAD_JSON
    for fault in told["errors"]:
        assert fault["line"] >= 1
        assert fault["column"] >= 1
        assert fault["message"]


@pytest.mark.parametrize("name", MUST_TAKE)
def test_what_is_json_is_read_as_what_it_says(name: str) -> None:
    text = JSON_TEXTS[name].decode()
    reading = read_json(text, LIMITS)
    # An object that says a name twice is JSON, and no spec: which of the two was meant?
    assert {fault.code for fault in reading.faults} <= {"duplicate-key"}
    assert bool(reading.faults) == ("duplicated" in name)
    assert repr(reading.value) == repr(json.loads(text))
    assert not {fault.code for fault in faults_of(JSON_TEXTS[name], "a.json")} & BAD_JSON


@pytest.mark.parametrize("name", OPEN)
def test_what_json_leaves_open_is_decided(name: str) -> None:
    faults = faults_of(JSON_TEXTS[name], "a.json")
    assert all(fault.position for fault in faults)
    found = {fault.code for fault in faults} - {"wrong-type"}  # a document is a mapping
    assert found == ({DECIDED[name]} if DECIDED[name] != "taken" else set())


@pytest.mark.parametrize("name", sorted(yaml_test_suite()))
def test_a_yaml_text_is_read_as_what_it_says_or_refused_where_it_is_wrong(name: str) -> None:
    case = yaml_test_suite()[name]
    faults = faults_of(case.text, "a.yaml")
    assert all(fault.position for fault in faults)
    codes = {fault.code for fault in faults}
    if case.must_fail:
        assert (name in ALSO_TAKEN) == (not codes - {"wrong-type"})
    elif case.json is not None and not codes - {"wrong-type"}:
        value = read_yaml(case.text.decode(), LIMITS).value
        same = _exactly(value) == _exactly(json.loads(case.json))
        assert same == (name not in READ_OTHERWISE)


def _exactly(value: object) -> str:
    """1, 1.0 and true differ; the order of fields does not matter."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("name", sorted(n for n, c in yaml_test_suite().items() if c.must_fail))
def test_no_text_that_is_no_yaml_becomes_a_render(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load_through_gate(request_of(tmp_path, yaml_test_suite()[name].text, "a.yaml"))
    assert all(fault.position for fault in caught.value.faults)


def bomb(leaves: str, depth: int, width: int) -> bytes:
    """A YAML text whose aliases write out `width` to the power of `depth` values."""
    lines = [f"a0: &a0 {leaves}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(lines).encode()


BOMBS = {
    "lists": bomb("[lol, lol, lol, lol, lol, lol, lol, lol, lol]", 10, 9),
    "mappings": bomb("{a: 1, b: 2, c: 3, d: 4}", 12, 8),
    "long texts": bomb("x" * 10_000, 9, 10),
    "wide": b"a: &a [" + b"1, " * 3_000 + b"]\nb: [" + b"*a, " * 3_000 + b"]",
    "deep": b"a: &a " + b"[" * 30 + b"]" * 30 + b"\nb: " + b"[" * 30 + b"*a" + b"]" * 30,
    "in a key": b"a: &a [&b [&c [x, x], *c, *c], *b, *b]\n? *a\n: 1\n",
    "inside itself": b"a: &a [*a, *a, *a]\n",
    "merge": bomb("{a: 1}", 2, 2) + b"\nc:\n  <<: [*a0, *a0]\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_alias_bomb_is_refused_where_it_goes_off_in_little_memory(name: str) -> None:
    tracemalloc.start()
    faults = faults_of(BOMBS[name], "a.yaml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000
    assert faults
    assert all(fault.position for fault in faults)


def naughty_spec(text: str) -> bytes:
    value = {"reelkiln": 1, "tracks": [{"clips": [{"text": text, "length": 1}]}]}
    return json.dumps(value, ensure_ascii=False).encode()


def test_naughty_strings_are_texts_like_any_other() -> None:
    for text in naughty_strings():
        spec = load(naughty_spec(text), name="a.json").canonical()
        assert spec["tracks"][0]["clips"][0]["text"] == text


def test_naughty_strings_mean_the_same_in_yaml_or_hold_what_yaml_forbids() -> None:
    refused = 0
    for text in naughty_strings():
        data = naughty_spec(text)
        faults = faults_of(data, "a.yaml")
        assert {fault.code for fault in faults} <= {"bad-character"}
        assert all(fault.position and fault.excerpt for fault in faults)
        refused += bool(faults)
        if not faults:
            assert read_yaml(data.decode(), LIMITS).value == json.loads(data)
    assert refused < 10
