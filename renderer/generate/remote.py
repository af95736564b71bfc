"""What providers behind an HTTP API have in common: settings, limits, one question, one answer."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from renderer.generate.patience import Limiter, Patience
from renderer.generate.refusals import pictureless, unreached
from renderer.posting import Posted, PostFailed, post


class RemoteSettings(Protocol):
    """Where and how to ask. `timeout_s` bounds each try."""

    @property
    def key(self) -> str:
        """The secret that opens it."""
        ...

    @property
    def model(self) -> str:
        """The id of the model."""
        ...

    @property
    def timeout_s(self) -> float:
        """Seconds."""
        ...


Settings = TypeVar("Settings", bound=RemoteSettings)


class Remote(Generic[Settings]):
    """The common half of a `renderer.generate.contract.Provider`. `who` names it in messages."""

    who = "The provider"

    def __init__(
        self, settings: Settings, limiter: Limiter, patience: Patience | None = None
    ) -> None:
        self._settings = settings
        self._limiter = limiter
        self._patience = patience or Patience()

    @property
    def model(self) -> str:
        """The id of the model."""
        return self._settings.model

    def _post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Posted:
        """One try. Raises ProviderUnavailable without a whole answer."""
        sent = {"Content-Type": "application/json", **headers}
        try:
            return post(url, json.dumps(body).encode(), sent, timeout_s=self._settings.timeout_s)
        except PostFailed as error:
            raise unreached(self.who, error) from error


def json_of(answer: Posted) -> Any:
    """The document in an answer; None when there is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def decoded(text: str, who: str) -> bytes:
    """The bytes of a picture that came as base64. Raises NoImage."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise pictureless(who, f"the picture is not base64 ({error})") from error
