"""OpenAPI: valid, complete, and held by the server; the page that shows it needs no network."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from daemon.api.openapi import openapi
from daemon.api.routes import ROUTES
from tests.daemon.api.conftest import until

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_TRIES = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_the_description_is_valid_openapi_and_has_every_route(client: httpx.Client) -> None:
    told = client.get("/openapi.json").json()
    OpenAPIV31SpecValidator(told).validate()
    described = {
        (method.upper(), path) for path, entry in told["paths"].items() for method in entry
    }
    assert described == {(route.method, route.documented_path) for route in ROUTES}
    operations = [route.operation for route in ROUTES]
    assert len(set(operations)) == len(operations)
    refused = told["paths"]["/v1/jobs"]["post"]["responses"]["422"]["content"]
    assert list(refused) == ["application/problem+json"]


@pytest.fixture(scope="module")
def key(working: httpx.Client, rendered: dict[str, Any]) -> str:
    """Accounts and keys are made meanwhile, and shut the open door."""
    made = working.post("/v1/keys", json={"scopes": ["admin", "worker"]}).json()["key"]
    assert isinstance(made, str)
    return made


ASKED = [(route.operation, GenerationMode.POSITIVE) for route in ROUTES]
ASKED += [
    (route.operation, GenerationMode.NEGATIVE)
    for route in ROUTES
    if (route.query, route.body, route.body_model) != (None, None, None)
]


@cache
def described_operations() -> dict[str, Any]:
    """The operations by their id: making the description of them all takes long."""
    schema = schemathesis.openapi.from_dict(openapi(ROUTES, "0"))
    found = [result.ok() for result in schema.get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


@pytest.mark.parametrize(("operation", "mode"), ASKED)
def test_the_server_keeps_to_its_description(
    working: httpx.Client, key: str, rendered: dict[str, Any], operation: str, mode: GenerationMode
) -> None:
    """Whatever is sent: no 5xx, and no status, type or body that was not described."""
    found = described_operations()[operation]
    there = {"job_id": rendered["job_id"], "path": "video.mp4", "name": "spec", "file": "start.js"}
    there |= {"key_id": "0" * 16, "key": "uploads/2026-01-31/a", "world": "north"}
    there["upload_id"] = working.post(
        "/v1/uploads/presign", headers={"X-API-Key": key},
        json={"media_type": "image/png", "size_bytes": 1, "sha256": "0" * 64},
    ).json()["upload_id"]  # fmt: skip
    there |= {
        "account_id": "0" * 26,
        "webhook_id": "callback",
        "message_id": f"msg_{rendered['job_id']}",
    }
    there["asset_id"] = until(lambda: _an_asset(working, key))
    known = {name: there[name] for name in _parameters(found.path)}
    cases = found.as_strategy(mode)
    if known and mode is GenerationMode.POSITIVE:  # half of them about things that are there
        cases |= found.as_strategy(mode, path_parameters=known)

    @_TRIES
    @given(case=cases)
    def tried(case: schemathesis.Case) -> None:
        headers = {"X-API-Key": key}
        response = case.call(base_url=str(working.base_url), timeout=20, headers=headers)
        case.validate_response(response, checks=CHECKS)

    tried()


def _an_asset(client: httpx.Client, key: str) -> str:
    """One of the job that was rendered; others are made and deleted meanwhile."""
    told = client.get("/v1/assets?limit=200", headers={"X-API-Key": key})
    return told.json()["assets"][-1]["asset_id"] if told.json()["assets"] else ""


def _parameters(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def test_the_page_is_made_of_this_server_alone(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(named) == 3
    for path in named:
        assert path.startswith("/docs/")
        assert client.get(path).status_code == 200
    assert client.get("/docs/LICENSE").status_code == 404
