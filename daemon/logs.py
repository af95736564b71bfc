"""What the daemon says while it runs: one JSON object a line, or coloured words on a terminal.

Everything goes to standard error, where journald and Docker take it from. `about_job` binds
the id of a job to every line said inside, also by libraries and by what is called below it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

_QUIET = ("alembic", "sqlalchemy", "watchdog", "PIL", "asyncio")
_MARK = "_reelkiln_log"


class LogForm(StrEnum):
    """How lines are written. `auto` is console on a terminal and JSON elsewhere."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


def set_up_logs(
    form: LogForm = LogForm.AUTO, *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Write logs to `stream` (standard error) from now on. May be called again."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    setattr(handler, _MARK, True)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_written(form, out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not hasattr(h, _MARK)] + [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of one part of the daemon: `logger("scanner").info("claimed", drop=name)`."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"reelkiln.{name}")
    return found


@contextmanager
def about_job(job_id: str, **facts: object) -> Iterator[None]:
    """Every line said inside carries the job's id and the facts."""
    with structlog.contextvars.bound_contextvars(job_id=job_id, **facts):
        yield


def _written(form: LogForm, out: TextIO) -> list[Processor]:
    if form is LogForm.CONSOLE or (form is LogForm.AUTO and out.isatty()):
        return [_printable, structlog.dev.ConsoleRenderer(colors=out.isatty())]
    # ASCII alone: a file's name may be no text at all, and each line must stay one line.
    renderer = structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=True, default=str)
    told = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # they hold secrets
    return [structlog.processors.ExceptionRenderer(told), renderer]


def _printable(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Control characters and halves of surrogates in what strangers named are escaped."""
    for key, value in line.items():
        if key != "exception" and isinstance(value, str) and not value.isprintable():
            line[key] = ascii(value)
    return line
