"""The bodies of the protocol: pictures, blocks and errors as Google writes them."""

from __future__ import annotations

import base64
from typing import Any

_TYPE = "type.googleapis.com/google.rpc."
Json = dict[str, Any]


def picture(data: bytes, response_id: str, model: str, *, thoughts: tuple[bytes, ...] = ()) -> Json:
    """A picture; `thoughts` are drafts, which come before it and after it."""
    drafts = [{**_inline(draft), "thought": True} for draft in thoughts]
    parts = [*drafts, {"text": "Here is your picture."}, _inline(data), *drafts]
    return _answer(parts, response_id, model)


def words(text: str, response_id: str, model: str) -> Json:
    """Text where a picture was asked for."""
    return _answer([{"text": text}], response_id, model)


def raw_data(text: str, response_id: str, model: str) -> Json:
    """A picture whose data is `text`, whatever that is."""
    part = {"inlineData": {"mimeType": "image/png", "data": text}}
    return _answer([part], response_id, model)


def blocked(reason: str, response_id: str, model: str) -> Json:
    """The prompt was blocked: no candidate at all."""
    return {"promptFeedback": {"blockReason": reason}, **_about(response_id, model)}


def finished(reason: str, response_id: str, model: str) -> Json:
    """The picture was stopped: a candidate without content."""
    candidate = {"content": {}, "finishReason": reason, "finishMessage": "Stopped.", "index": 0}
    return {"candidates": [candidate], **_about(response_id, model)}


def error(number: int, status: str, message: str, *details: Json) -> Json:
    """An error body."""
    body: Json = {"code": number, "message": message, "status": status}
    if details:
        body["details"] = list(details)
    return {"error": body}


def retry_info(seconds: float) -> Json:
    """How long to wait."""
    return {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{seconds:g}s"}


def quota_failure(quota_id: str) -> Json:
    """Which quota is used up."""
    metric = "generativelanguage.googleapis.com/generate_content_requests"
    violation = {"quotaMetric": metric, "quotaId": quota_id, "quotaDimensions": {}}
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}


def error_info(reason: str) -> Json:
    """Google's own word for the error."""
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def _inline(data: bytes) -> Json:
    text = base64.b64encode(data).decode("ascii")
    return {"inlineData": {"mimeType": "image/png", "data": text}}


def _answer(parts: list[Json], response_id: str, model: str) -> Json:
    content = {"parts": parts, "role": "model"}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 1290, "totalTokenCount": 1300}
    return {"candidates": [candidate], "usageMetadata": usage, **_about(response_id, model)}


def _about(response_id: str, model: str) -> Json:
    return {"modelVersion": model, "responseId": response_id}
