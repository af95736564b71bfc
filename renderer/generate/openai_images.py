"""Pictures by the images API of OpenAI, which many gateways and local servers speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from renderer.errors import BadProviderRequest, ProviderRefused
from renderer.generate.contract import ImageRequest, ImageResult
from renderer.generate.patience import patiently
from renderer.generate.refusals import (
    day_is_over,
    forbidden,
    keyless,
    pictureless,
    refusal,
    retry_after_of,
)
from renderer.generate.remote import Remote, decoded, json_of
from renderer.media import Size
from renderer.posting import Posted

_WHO = "The images API"
_SIZES: tuple[Size, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
_POLICY = frozenset({"moderation_blocked", "content_policy_violation"})
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiSettings:
    """Where and how to ask. `timeout_s` bounds each try."""

    key: str = field(default="", repr=False)
    model: str = "gpt-image-2"
    base: str = "https://api.openai.com"
    quality: str = "auto"
    timeout_s: float = 30


class OpenAiImages(Remote[OpenAiSettings]):
    """See `renderer.generate.contract.Provider`. References are not taken."""

    name = "openai"
    who = _WHO

    def generate(self, request: ImageRequest) -> ImageResult:
        """As `Provider.generate`."""
        if request.references:
            raise BadProviderRequest(
                f"{_WHO} takes no reference pictures", hint="leave them out, or choose gemini"
            )
        if not self._settings.key:
            raise keyless(_WHO, "REELKILN_OPENAI_KEY")
        return patiently(lambda before: self._ask(request), self._limiter, self._patience)

    def _ask(self, request: ImageRequest) -> ImageResult:
        url = f"{self._settings.base.rstrip('/')}/v1/images/generations"
        body = openai_body(request, self._settings)
        return self._read(self._post(url, body, {"Authorization": f"Bearer {self._settings.key}"}))

    def _read(self, answer: Posted) -> ImageResult:
        data = json_of(answer)
        if answer.status != 200:
            raise openai_refusal(answer, data)
        return ImageResult(
            data=_picture_in(data),
            media_type="image/png",
            provider=self.name,
            model=self.model,
            response_id=answer.headers.get("x-request-id", ""),
        )


def openai_body(request: ImageRequest, settings: OpenAiSettings) -> dict[str, Any]:
    """The request as the API reads it."""
    words = [request.prompt]
    if request.negative:
        words.append(f"Leave out: {request.negative}.")
    width, height = min(_SIZES, key=lambda size: _distance(size, request.size))
    return {
        "model": settings.model,
        "prompt": "\n\n".join(words),
        "n": 1,
        "size": f"{width}x{height}",
        "quality": settings.quality,
        "output_format": "png",
        "background": "transparent" if request.transparent else "opaque",
    }


def _distance(offered: Size, wanted: Size) -> Fraction:
    one, other = Fraction(*offered), Fraction(*wanted)
    return max(one / other, other / one)


def _picture_in(data: Any) -> bytes:
    items = data.get("data") if isinstance(data, Mapping) else None
    first = items[0] if isinstance(items, list) and items else None
    text = first.get("b64_json") if isinstance(first, Mapping) else None
    if not isinstance(text, str) or not text:
        raise pictureless(_WHO, "the answer holds no b64_json")
    return decoded(text, _WHO)


def openai_refusal(answer: Posted, data: Any) -> ProviderRefused:
    """The error for an answer that is not 200."""
    error = data.get("error") if isinstance(data, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    said, reason = str(error.get("message") or ""), str(error.get("code") or "")
    if reason in _POLICY:
        return forbidden(_WHO, reason, said)
    if reason in _SPENT:
        return day_is_over(_WHO, said, reason)
    if reason == "model_not_found":
        return refusal(404, said, who=_WHO, reason=reason)
    return refusal(
        answer.status, said, who=_WHO, reason=reason, retry_after=retry_after_of(answer.headers)
    )
