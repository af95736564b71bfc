"""What nobody expected: a report in a file instead of a traceback on the terminal."""

from __future__ import annotations

import tempfile
import traceback

from renderer.errors import ReelkilnError


def unexpected(error: Exception) -> ReelkilnError:
    """The error to tell, after its traceback was written to a file of its own."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="reelkiln-crash-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        report.writelines(traceback.format_exception(error))
    return ReelkilnError(
        f"this should not have happened: {type(error).__name__}: {error}",
        hint=f"please report it with {report.name}",
    )
