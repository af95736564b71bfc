"""Pictures by Gemini's `generateContent`, the protocol behind the name Nano Banana."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from renderer.errors import NoImage, ProviderRefused, RateLimited
from renderer.generate.contract import ImageRequest, ImageResult
from renderer.generate.patience import patiently
from renderer.generate.refusals import (
    day_is_over,
    forbidden,
    keyless,
    pictureless,
    refusal,
    retry_after_of,
    seconds_of,
)
from renderer.generate.remote import Remote, decoded, json_of
from renderer.media import Size
from renderer.posting import Posted

ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_WHO = "Gemini"
_POLICY = frozenset({
    "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "RECITATION",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION", "MODEL_ARMOR", "JAILBREAK",
})  # fmt: skip
_ONE_SIZE_ONLY = "gemini-2.5"
_GREEN = "The picture stands on a flat, pure green (#00FF00) ground without shadows."
_TRIED_WITHOUT_PICTURE = "Generate an image of the following. Answer with the image alone."


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiSettings:
    """Where and how to ask. `timeout_s` bounds each try."""

    key: str = field(default="", repr=False)
    model: str = "gemini-3.1-flash-image"
    base: str = "https://generativelanguage.googleapis.com"
    version: str = "v1beta"
    timeout_s: float = 30


class Gemini(Remote[GeminiSettings]):
    """See `renderer.generate.contract.Provider`."""

    name = "gemini"
    who = _WHO

    def generate(self, request: ImageRequest) -> ImageResult:
        """As `Provider.generate`."""
        if not self._settings.key:
            raise keyless(_WHO, "REELKILN_GEMINI_KEY")
        return patiently(lambda before: self._ask(request, before), self._limiter, self._patience)

    def _ask(self, request: ImageRequest, before: ProviderRefused | None) -> ImageResult:
        body = gemini_body(request, self.model, insist=isinstance(before, NoImage))
        return self._read(self._post(self._url(), body, {"x-goog-api-key": self._settings.key}))

    def _url(self) -> str:
        settings = self._settings
        return (
            f"{settings.base.rstrip('/')}/{settings.version}/models/"
            f"{settings.model}:generateContent"
        )

    def _read(self, answer: Posted) -> ImageResult:
        data = json_of(answer)
        if answer.status != 200:
            raise gemini_refusal(answer, data)
        if not isinstance(data, Mapping):
            raise pictureless(_WHO, "the answer is not JSON")
        media_type, picture = picture_in(data)
        return ImageResult(
            data=picture,
            media_type=media_type,
            provider=self.name,
            model=self.model,
            response_id=_text(data.get("responseId")),
            facts={"model_version": _text(data.get("modelVersion"))},
        )


def gemini_body(request: ImageRequest, model: str, *, insist: bool = False) -> dict[str, Any]:
    """The request as Gemini reads it; with `insist` after an answer without a picture."""
    words = [_TRIED_WITHOUT_PICTURE] if insist else []
    words.append(request.prompt)
    if request.transparent:
        words.append(_GREEN)
    if request.negative:
        words.append(f"Leave out: {request.negative}.")
    parts: list[dict[str, Any]] = [{"text": "\n\n".join(words)}]
    parts += [
        {
            "inlineData": {
                "mimeType": reference.media_type,
                "data": base64.b64encode(reference.data).decode("ascii"),
            }
        }
        for reference in request.references
    ]
    return {
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": image_config(request.size, model),
            "seed": request.seed,
        },
    }


def image_config(size: Size, model: str) -> dict[str, str]:
    """The nearest aspect ratio, and the smallest size that covers `size` (at most 4K)."""
    ratio = min(ASPECT_RATIOS, key=lambda text: _distance(text, size))
    config = {"aspectRatio": ratio}
    if not model.startswith(_ONE_SIZE_ONLY):
        config["imageSize"] = next((k for k in ("1K", "2K") if _covers(k, ratio, size)), "4K")
    return config


def _distance(ratio: str, size: Size) -> Fraction:
    """How much of a picture is lost when it is cut to `size`: 1 is nothing."""
    wanted, offered = Fraction(*size), _ratio(ratio)
    return max(wanted / offered, offered / wanted)


def _covers(kilos: str, ratio: str, size: Size) -> bool:
    """Whether a picture of 1024² or 2048² pixels in this ratio is as large as `size`."""
    pixels = (int(kilos[0]) * 1024) ** 2
    return pixels * _ratio(ratio) >= size[0] ** 2 and pixels / _ratio(ratio) >= size[1] ** 2


def _ratio(text: str) -> Fraction:
    across, _, down = text.partition(":")
    return Fraction(int(across), int(down))


def picture_in(data: Mapping[str, Any]) -> tuple[str, bytes]:
    """Media type and bytes of the last picture that is no thought. Raises ProviderRefused."""
    blocked = _mapping(data.get("promptFeedback")).get("blockReason")
    if blocked:
        raise forbidden(_WHO, _text(blocked))
    candidate = _mapping(_first(data.get("candidates")))
    ended = _text(candidate.get("finishReason"))
    if ended in _POLICY:
        raise forbidden(_WHO, ended, _text(candidate.get("finishMessage")))
    found: list[Mapping[str, Any]] = []
    words: list[str] = []
    for part in map(_mapping, _list(_mapping(candidate.get("content")).get("parts"))):
        inline = part.get("inlineData") or part.get("inline_data")
        if inline and not part.get("thought"):
            found.append(_mapping(inline))
        words.append(_text(part.get("text")))
    if not found:
        raise pictureless(_WHO, " ".join(filter(None, words)) or ended, ended)
    return _decoded(found[-1])


def _decoded(inline: Mapping[str, Any]) -> tuple[str, bytes]:
    media_type = _text(inline.get("mimeType") or inline.get("mime_type")) or "image/png"
    return media_type, decoded(_text(inline.get("data")), _WHO)


def gemini_refusal(answer: Posted, data: Any) -> ProviderRefused:
    """The error for an answer that is not 200."""
    error = _mapping(_mapping(_first(data) if isinstance(data, list) else data).get("error"))
    said, status = _text(error.get("message")), _text(error.get("status"))
    details = [_mapping(detail) for detail in _list(error.get("details"))]
    reason = next((_text(d["reason"]) for d in details if d.get("reason")), "") or status
    if reason == "API_KEY_INVALID":
        return refusal(401, said, who=_WHO, reason=reason)
    found = refusal(
        answer.status, said, who=_WHO, reason=reason, retry_after=_told_wait(answer, details)
    )
    daily = next(filter(None, map(_daily_quota, details)), "")
    if isinstance(found, RateLimited) and daily:
        return day_is_over(_WHO, said, daily)
    return found


def _told_wait(answer: Posted, details: Sequence[Mapping[str, Any]]) -> float | None:
    told = [seconds_of(d.get("retryDelay")) for d in details if _is(d, "RetryInfo")]
    told.append(retry_after_of(answer.headers))
    return max((seconds for seconds in told if seconds is not None), default=None)


def _daily_quota(detail: Mapping[str, Any]) -> str:
    if not _is(detail, "QuotaFailure"):
        return ""
    ids = (_text(_mapping(v).get("quotaId")) for v in _list(detail.get("violations")))
    return next((quota for quota in ids if re.search(r"PerDay", quota)), "")


def _is(detail: Mapping[str, Any], name: str) -> bool:
    return _text(detail.get("@type")).endswith(f"google.rpc.{name}")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
