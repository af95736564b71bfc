from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from daemon.logs import LogForm, about_job, logger, set_up_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_is_an_object_with_the_job_it_is_about() -> None:
    out = io.StringIO()
    set_up_logs(stream=out)
    logger("scanner").info("seen", drop="a\n\udcff.yaml")
    with about_job("01J", attempt=2):
        logger("worker").warning("slow")
        logging.getLogger("library").error("says %s", "so")
    logger("worker").info("idle")
    first, second, third, fourth = lines(out)
    assert (first["event"], first["logger"], first["level"]) == ("seen", "reelkiln.scanner", "info")
    assert first["drop"] == "a\n\udcff.yaml"
    assert first["timestamp"].endswith("Z")
    assert (second["job_id"], second["attempt"], second["level"]) == ("01J", 2, "warning")
    assert (third["job_id"], third["event"]) == ("01J", "says so")
    assert "job_id" not in first | fourth


def test_an_exception_is_part_of_its_line() -> None:
    out = io.StringIO()
    set_up_logs(LogForm.JSON, stream=out)
    try:
        raise ValueError("odd\nthing")
    except ValueError:
        logger("worker").exception("failed")
    (line,) = lines(out)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert "StringIO" not in json.dumps(line["exception"])  # no values: they may be secrets


def test_people_read_words_that_no_name_can_colour() -> None:
    out = io.StringIO()
    set_up_logs(LogForm.CONSOLE, stream=out)
    with about_job("01J"):
        logger("scanner").info("seen", drop="\x1b[31m\n\udcff.yaml")
    assert "job_id=01J" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_setting_up_twice_does_not_say_everything_twice() -> None:
    first, second = io.StringIO(), io.StringIO()
    set_up_logs(stream=first)
    set_up_logs(stream=second)
    logger("x").info("once")
    assert first.getvalue() == ""
    assert len(lines(second)) == 1
    logger("x").debug("too fine")
    logging.getLogger("alembic.runtime").info("chatter")
    assert len(lines(second)) == 1
