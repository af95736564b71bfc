"""The images API against a server of our own, over real HTTP."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from renderer.errors import (
    BadProviderRequest,
    ContentPolicy,
    DailyQuota,
    ModelGone,
    NoImage,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from renderer.generate.contract import ImageRequest, Reference
from renderer.generate.fitting import fitted
from renderer.generate.openai_images import OpenAiImages, OpenAiSettings
from renderer.generate.patience import Limiter, Patience
from tests.daemon.fake_gemini.running import running


class Images:
    """Gives the answers it was given, in turn."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.answers: list[tuple[int, Any, dict[str, str]]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/images/generations", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.headers.get("Authorization", ""), await request.json()))
        status, body, headers = self.answers.pop(0) if self.answers else (200, picture(), {})
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(text=text, status=status, headers={"x-request-id": "r1", **headers})


def picture() -> dict[str, Any]:
    buffer = BytesIO()
    Image.new("RGBA", (1536, 1024), (9, 9, 9, 0)).save(buffer, "PNG", compress_level=1)
    return {"created": 1, "data": [{"b64_json": base64.b64encode(buffer.getvalue()).decode()}]}


def error(code: str) -> dict[str, Any]:
    return {"error": {"message": "words", "type": "t", "code": code, "param": None}}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Images, str]]:
    images = Images()
    with running(images) as base:
        yield images, base


@pytest.fixture
def images(server: tuple[Images, str]) -> Images:
    server[0].requests.clear()
    server[0].answers.clear()
    return server[0]


def provider(base: str, slept: list[float]) -> OpenAiImages:
    now = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limiter = Limiter(sleep=sleep, clock=lambda: now[0])
    return OpenAiImages(OpenAiSettings(key="k", base=base), limiter, Patience())


def test_a_picture_is_asked_for_and_cut(images: Images, server: tuple[Images, str]) -> None:
    request = ImageRequest(prompt="a boat", size=(1920, 1080), negative="words", transparent=True)
    result = provider(server[1], []).generate(request)
    data, came = fitted(result.data, request, "openai")
    assert came == (1536, 1024)
    with Image.open(BytesIO(data)) as opened:
        assert (opened.size, opened.mode) == ((1920, 1080), "RGBA")
    assert (result.provider, result.model, result.response_id) == ("openai", "gpt-image-2", "r1")
    ((authorization, body),) = images.requests
    assert authorization == "Bearer k"
    assert body["size"] == "1536x1024"
    assert body["background"] == "transparent"
    assert body["prompt"].endswith("Leave out: words.")


@pytest.mark.parametrize(
    ("status", "body", "kind", "tries"),
    [
        (400, error("moderation_blocked"), ContentPolicy, 1),
        (400, error("content_policy_violation"), ContentPolicy, 1),
        (400, error("invalid_value"), BadProviderRequest, 1),
        (401, error("invalid_api_key"), ProviderAuth, 1),
        (404, error("model_not_found"), ModelGone, 1),
        (429, error("insufficient_quota"), DailyQuota, 1),
        (429, error("rate_limit_exceeded"), RateLimited, 4),
        (500, "not json", ProviderUnavailable, 4),
        (200, "not json", NoImage, 4),
        (200, {"data": [{"url": "http://x"}]}, NoImage, 4),
        (200, {"data": [{"b64_json": "%%%"}]}, NoImage, 4),
    ],
)
def test_each_refusal_has_its_own_error(
    images: Images, server: tuple[Images, str], status: int, body: Any,
    kind: type[ProviderRefused], tries: int,
) -> None:  # fmt: skip
    images.answers += [(status, body, {})] * 9
    with pytest.raises(ProviderRefused) as refusal:
        provider(server[1], []).generate(ImageRequest(prompt="x", size=(8, 8)))
    assert type(refusal.value) is kind
    assert refusal.value.hint
    assert len(images.requests) == tries


def test_it_waits_as_long_as_it_is_told(images: Images, server: tuple[Images, str]) -> None:
    images.answers += [(429, error("rate_limit_exceeded"), {"Retry-After": "6"})]
    slept: list[float] = []
    provider(server[1], slept).generate(ImageRequest(prompt="x", size=(8, 8)))
    assert slept == [6]


def test_references_are_refused_before_any_call(images: Images, server: tuple[Images, str]) -> None:
    request = ImageRequest(
        prompt="x", size=(8, 8), references=(Reference(data=b"", media_type="image/png"),)
    )
    with pytest.raises(BadProviderRequest):
        provider(server[1], []).generate(request)
    assert images.requests == []
