"""One route: what is called where, by whom, with what, and every answer there is to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from daemon.api.callers import Scope

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DOCUMENT_TYPES: Mapping[str, str] = {
    "application/json": ".json",
    "application/yaml": ".yaml",
    "text/yaml": ".yaml",
}
"""The media types of documents, and the suffix that each has in the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One status of a route. Without a model it is bytes of `media_type`, or nothing."""

    description: str
    model: type[BaseModel] | None = None
    media_type: str = ""
    other_type: str = ""  # what it may be instead, when that is asked for
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A row of the table. `scope` None asks for no caller at all.

    `problems` are the statuses that are problem documents, beside those that every route has.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    operation: str
    summary: str
    answers: Mapping[int, Answer]
    tag: str = "jobs"
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None  # the JSON Schema of a document
    body_model: type[BaseModel] | None = None  # or the model of a small body, JSON alone
    takes_file: bool = False  # or bytes of any type
    is_for_callers: bool = False  # without a scope: the handler itself finds who calls
    problems: tuple[int, ...] = ()
    has_head: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        parts = self.path.split("{")[1:]
        return tuple(part.partition("}")[0].partition(":")[0] for part in parts)

    @property
    def documented_path(self) -> str:
        """The path as OpenAPI writes it, without patterns."""
        head, *rest = self.path.split("{")
        shown = [f"{{{part.partition('}')[0].partition(':')[0]}}}{part.partition('}')[2]}"
                 for part in rest]  # fmt: skip
        return head + "".join(shown)

    @property
    def refusals(self) -> tuple[int, ...]:
        """Every status that may come as a problem document."""
        scoped = (401, 403) if self.scope or self.is_for_callers else ()
        has_body = self.body is not None or self.body_model is not None or self.takes_file
        with_body = (408, 413, 415) if has_body else ()
        named = (404,) if self.parameters else ()
        return tuple(sorted({400, 417, 429, 500, 503, *scoped, *with_body, *named, *self.problems}))
