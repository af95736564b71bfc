from renderer.tail import Tail


def test_the_last_lines_are_kept_and_blank_ones_are_not() -> None:
    tail = Tail(most=2)
    tail.feed(b"one\n\n  two \rthr")
    tail.feed(b"ee\n \n")
    assert tail.lines() == ("two", "three")
    tail.feed(b"four")
    assert tail.lines() == ("three", "four")


def test_each_line_is_cleaned() -> None:
    tail = Tail(most=2, clean=str.upper)
    tail.feed(b"one\ntwo")
    assert tail.lines() == ("ONE", "TWO")


def test_a_tail_is_bounded_whatever_is_said() -> None:
    tail = Tail(most=2)
    for _ in range(100):
        tail.feed(b"x" * 100_000)
    tail.feed(b"\n" + b"y" * 100_000 + b"\n\xff\r\nlast")
    assert sum(map(len, tail.lines())) < 10_000
    assert tail.lines() == ("\N{REPLACEMENT CHARACTER}", "last")
