"""OpenAPI 3.1, made from the table of routes and the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from daemon.api.credentials import COOKIE
from daemon.api.models import Problem
from daemon.api.problems import PROBLEM_TYPE, title_of
from daemon.api.route import DOCUMENT_TYPES, Answer, Route

_PREFIX = "#/components/schemas/"
_REFUSED = {
    401: "No key, or none that is known.",
    403: "The key may not do this, or another site's page asked.",
    404: "No such thing, or it is a stranger's.",
    422: "The document is wrong; `errors` says all that is, with positions.",
    429: "Too many requests; Retry-After says when to come back.",
}


def openapi(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The description of the API. A test reads it with a validator of OpenAPI."""
    routes = tuple(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.documented_path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reelkiln",
            "version": version,
            "description": "Declarative specs in, sealed and reproducible video bundles out.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": _responses(route),
    }
    if route.scope is not None or route.is_for_callers:
        told["security"] = [{}, {"key": []}, {"session": []}]  # open installations ask for none
    if route.scope is not None:
        told["x-scope"] = route.scope.value
    if route.body is not None:
        content = {media_type: {"schema": dict(route.body)} for media_type in DOCUMENT_TYPES}
        told["requestBody"] = {"required": True, "content": content}
    if route.takes_file:
        told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    if route.body_model is not None:
        schema = {"$ref": f"{_PREFIX}{route.body_model.__name__}"}
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.parameters
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=_PREFIX + "{model}")
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": _asked(field, schema.get("$defs", {})),
        }
        for name, field in schema["properties"].items()
    ]


def _asked(field: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: null is said by leaving it out, and names are written out."""
    kept = {key: value for key, value in field.items() if key not in ("anyOf", "description")}
    for choice in field.get("anyOf", ()):
        kept |= {} if choice.get("type") == "null" else choice
    name = str(kept.pop("$ref", "")).removeprefix(_PREFIX)
    kept = {**known[name], **kept} if name else kept
    return {key: value for key, value in kept.items() if value is not None}


def _in_headers(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": words,
         "schema": {"type": "string"}}
        for name, words in route.headers.items()
    ]  # fmt: skip


def _responses(route: Route) -> dict[str, Any]:
    told = {str(status): _refused(status) for status in route.refusals}
    told |= {str(status): _answered(answer) for status, answer in route.answers.items()}
    return dict(sorted(told.items()))


def _refused(status: int) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": f"{_PREFIX}{Problem.__name__}"}}}
    return {"description": _REFUSED.get(status, title_of(status)), "content": content}


def _answered(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        told["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in answer.headers.items()
        }
    if answer.model is not None:
        schema = {"$ref": f"{_PREFIX}{answer.model.__name__}"}
        told["content"] = {answer.media_type or "application/json": {"schema": schema}}
    elif answer.media_type:
        told["content"] = {answer.media_type: {}}
    if answer.other_type:
        told["content"][answer.other_type] = {}
    return told


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    models: dict[str, type[BaseModel]] = {Problem.__name__: Problem}
    for route in routes:
        for answer in route.answers.values():
            if answer.model is not None:
                models[answer.model.__name__] = answer.model
    bodies = [route.body_model for route in routes if route.body_model is not None]
    _, told = models_json_schema(
        [(model, "serialization") for model in models.values()]
        + [(model, "validation") for model in bodies],
        ref_template=_PREFIX + "{model}",
    )
    return dict(sorted(told["$defs"].items()))
