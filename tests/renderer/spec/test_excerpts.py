import unicodedata

import pytest

from renderer.errors import Fault, Position
from renderer.limits import Limits
from renderer.spec.document import parse_document
from renderer.spec.faults import describe
from renderer.spec.positions import Lines, excerpt


def caret_column(shown: str) -> int:
    _, caret = shown.split("\n")
    assert set(caret) <= {" ", "^"}
    return len(caret) - 1


def display_width(text: str) -> int:
    wide = {"W": 2, "F": 2}
    return sum(
        0 if unicodedata.combining(c) else wide.get(unicodedata.east_asian_width(c), 1)
        for c in text
    )


@pytest.mark.parametrize(
    "before",
    [
        "",
        "abc ",
        "写真：",
        "\t\tx",
        "e\u0301e\u0301 ",
        "한글 ｗｉｄｅ ",
        "日本\t",
        "\u200bx",
        "x" * 300,
        "写" * 200,
    ],
)
def test_the_caret_stands_under_the_fault(before: str) -> None:
    text = f"first\n{before}HERE{'y' * 200}\nlast"
    shown = excerpt(Lines(text), Position(line=2, column=len(before) + 1))
    line = shown.split("\n")[0]
    assert display_width(line[: line.index("HERE")]) == caret_column(shown)
    assert display_width(line) < 200
    assert "\t" not in shown


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    shown = excerpt(Lines("a\x1b[31mb\u202ec"), Position(line=1, column=1))
    assert shown == "a·[31mb·c\n^"


def test_a_place_past_the_end_of_the_text_still_has_an_excerpt() -> None:
    assert excerpt(Lines("ab"), Position(line=1, column=99)) == "ab\n  ^"
    assert excerpt(Lines(""), Position(line=7, column=1)) == "\n^"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_count_them(end: str) -> None:
    lines = Lines(f"a{end}b{end}{end}c")
    assert lines.at(len(f"a{end}b{end}{end}")) == Position(line=4, column=1)
    assert lines.line(2) == "b"


def test_a_fault_is_told_with_file_line_column_path_message_hint_and_caret() -> None:
    text = "reelkiln: 1\nclips:\n  - {image: a}\n  - {txt: hi}\n"
    document = parse_document(text.encode(), name="inbox/a.yaml", limits=Limits())
    fault = Fault(
        code="unknown-field", path=("clips", 1, "txt"), message="unknown field",
        hint='did you mean "text"?', at_key=True,
    )  # fmt: skip
    assert describe(document.locate(fault), document.name) == (
        'inbox/a.yaml:4:6  clips[1].txt  unknown field (did you mean "text"?)\n'
        "    4 |   - {txt: hi}\n"
        "      |      ^"
    )


def test_what_a_stranger_wrote_cannot_break_the_line() -> None:
    fault = Fault(code="x", message="a\nb\x1b[2J", path=("k\n",))
    assert describe(fault, "a.yaml").count("\n") == 0
    assert "\x1b" not in describe(fault, "a.yaml")
