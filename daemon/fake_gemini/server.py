"""The fake as an aiohttp application: checks requests as Google does, then plays its scenario."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from daemon.fake_gemini import answers
from daemon.fake_gemini.pictures import IMAGE_SIZES, RATIOS, draw, size_of
from daemon.fake_gemini.scenario import Scenario, scenario_in

MODELS = ("gemini-2.5-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-image")
_MAX_REQUEST_BYTES = 32 << 20
_METHOD = ":generateContent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came. The key is kept for tests to compare, nothing else."""

    path: str
    key: str = field(repr=False)
    prompt: str
    config: Mapping[str, Any]
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that passed the checks."""

    prompt: str
    model: str
    ratio: str
    image_size: str
    number: int

    @property
    def id(self) -> str:
        return f"fake-{self.number:04d}"


class _Refused(Exception):
    """The answer is an error."""

    def __init__(self, body: answers.Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body["error"]["message"])
        self.body = body
        self.headers = headers or {}


class FakeGemini:
    """Answers `/v1/` and `/v1beta/`; remembers requests and how many ran at once at most."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.most_at_once = 0
        self._now = 0
        self._played: Counter[str] = Counter()

    def app(self) -> web.Application:
        """The application, for a runner."""
        app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_post("/{version:v1|v1beta}/models/{call:.+}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._answer(request)
        except _Refused as error:
            return web.json_response(
                error.body, status=error.body["error"]["code"], headers=error.headers
            )
        finally:
            self._now -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await self._checked(request)
        scenario = self._scenario(asked.prompt)
        if scenario is None:
            return web.json_response(_picture(asked, (asked.ratio, asked.image_size)))
        return await _played(scenario, asked, request)

    def _scenario(self, prompt: str) -> Scenario | None:
        scenario = scenario_in(prompt)
        if scenario is None:
            return None
        self._played[scenario.text] += 1
        is_over = scenario.times is not None and self._played[scenario.text] > scenario.times
        return None if is_over else scenario

    async def _checked(self, request: web.Request) -> _Asked:
        key = request.headers.get("x-goog-api-key", "")
        model, _, _ = request.match_info["call"].rpartition(_METHOD)
        body = await _body(request)
        parts = _parts(body)
        prompt = "\n".join(part["text"] for part in parts if isinstance(part.get("text"), str))
        images = sum(1 for part in parts if part.get("inlineData") or part.get("inline_data"))
        config = _mapping(body.get("generationConfig"))
        seen = Seen(path=request.path, key=key, prompt=prompt, config=config, images=images)
        self.requests.append(seen)
        _check_key(key)
        _check_model(model)
        image = _mapping(config.get("imageConfig"))
        ratio, image_size = image.get("aspectRatio", "1:1"), image.get("imageSize", "1K")
        if ratio not in RATIOS:
            raise _bad(f"Invalid value at 'generation_config.image_config.aspect_ratio': {ratio}")
        if image_size not in IMAGE_SIZES or (image_size != "1K" and "2.5" in model):
            raise _bad(
                f"Invalid value at 'generation_config.image_config.image_size': {image_size}"
            )
        return _Asked(
            prompt=prompt, model=model, ratio=ratio, image_size=image_size,
            number=len(self.requests),
        )  # fmt: skip


async def _played(scenario: Scenario, asked: _Asked, request: web.Request) -> web.StreamResponse:
    if scenario.name == "slow":
        await asyncio.sleep(float(scenario.word("5")))
        return web.json_response(_picture(asked, (asked.ratio, asked.image_size)))
    if scenario.name == "truncate":
        return await _broken_off(asked, request)
    if scenario.name == "short-json":
        text = json.dumps(_picture(asked, (asked.ratio, asked.image_size)))
        return web.Response(text=text[: len(text) // 2], content_type="application/json")
    if scenario.name == "array":
        body = answers.error(429, "RESOURCE_EXHAUSTED", "Slow down.", answers.retry_info(0.01))
        return web.json_response([body], status=429)
    if refused := _refusal(scenario, asked):
        raise refused
    return web.json_response(_odd_answer(scenario, asked))


def _refusal(scenario: Scenario, asked: _Asked) -> _Refused | None:
    name = scenario.name
    if name == "429":
        return _too_many(scenario)
    if name == "daily":
        quota = answers.quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
        words = "You exceeded your current quota."
        return _Refused(
            answers.error(429, "RESOURCE_EXHAUSTED", words, quota, answers.retry_info(40))
        )
    if name in ("500", "503"):
        status = {"500": "INTERNAL", "503": "UNAVAILABLE"}[name]
        return _Refused(answers.error(int(name), status, "An internal error has occurred."))
    if name == "gone":
        return _gone(asked.model)
    if name == "bad-request":
        return _bad("Unable to process input image.")
    return _invalid_key() if name == "bad-key" else None


def _odd_answer(scenario: Scenario, asked: _Asked) -> answers.Json:
    name, about = scenario.name, (asked.id, asked.model)
    if name == "block":
        return answers.blocked(scenario.word("PROHIBITED_CONTENT"), *about)
    if name == "finish":
        return answers.finished(scenario.word("IMAGE_SAFETY"), *about)
    if name == "text-only":
        return answers.words("I can describe it instead.", *about)
    if name == "bad-b64":
        return answers.raw_data("%%% not base64 %%%", *about)
    if name == "not-a-picture":
        return answers.raw_data("bm90IGEgcGljdHVyZQ==", *about)
    if name == "empty":
        return {"responseId": asked.id}
    if name == "thought":
        draft = draw("a draft", (64, 64))
        size = size_of(asked.ratio, asked.image_size)
        return answers.picture(draw(asked.prompt, size), *about, thoughts=(draft,))
    width, _, height = scenario.word("300x700").partition("x")
    return answers.picture(draw(asked.prompt, (int(width), int(height))), *about)


def _too_many(scenario: Scenario) -> _Refused:
    retry, after = scenario.setting("retry"), scenario.setting("retry-after")
    quota = answers.quota_failure("GenerateRequestsPerMinutePerProjectPerModel")
    details = [quota] if retry is None else [quota, answers.retry_info(retry)]
    words = "You exceeded your current quota." + (f" Please retry in {retry}s." if retry else "")
    headers = {} if after is None else {"Retry-After": f"{after:g}"}
    return _Refused(answers.error(429, "RESOURCE_EXHAUSTED", words, *details), headers)


async def _broken_off(asked: _Asked, request: web.Request) -> web.StreamResponse:
    """Half of what was announced, then the connection is gone."""
    data = json.dumps(_picture(asked, (asked.ratio, asked.image_size))).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(data)
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _picture(asked: _Asked, shape: tuple[str, str]) -> answers.Json:
    return answers.picture(draw(asked.prompt, size_of(*shape)), asked.id, asked.model)


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise _bad(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, Mapping):
        raise _bad("Invalid JSON payload received. An object is expected.")
    return body


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise _bad("GenerateContentRequest.contents: contents is not specified")
    parts = _mapping(contents[-1]).get("parts")
    if not isinstance(parts, list) or not parts:
        raise _bad("GenerateContentRequest.contents[0].parts: must not be empty")
    return [_mapping(part) for part in parts]


def _check_key(key: str) -> None:
    if not key:
        words = "Method doesn't allow unregistered callers."
        raise _Refused(answers.error(403, "PERMISSION_DENIED", words))
    if key.startswith("invalid"):
        raise _invalid_key()


def _check_model(model: str) -> None:
    if model not in MODELS:
        raise _gone(model)


def _invalid_key() -> _Refused:
    info = answers.error_info("API_KEY_INVALID")
    words = "API key not valid. Please pass a valid API key."
    return _Refused(answers.error(400, "INVALID_ARGUMENT", words, info))


def _gone(model: str) -> _Refused:
    words = f"This model models/{model} is no longer available."
    return _Refused(answers.error(404, "NOT_FOUND", words))


def _bad(words: str) -> _Refused:
    return _Refused(answers.error(400, "INVALID_ARGUMENT", words))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
