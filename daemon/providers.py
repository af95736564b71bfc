"""Which provider makes pictures, and how to reach it: settings of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from renderer.errors import UsageError
from renderer.generate.contract import Provider
from renderer.generate.gemini import Gemini, GeminiSettings
from renderer.generate.openai_images import OpenAiImages, OpenAiSettings
from renderer.generate.painter import OfflinePainter
from renderer.generate.patience import Limiter
from renderer.spec.suggest import did_you_mean

PROVIDERS = ("offline", "gemini", "openai")
_SETTINGS = {  # name of the field: end of the variable
    "key": "KEY", "model": "MODEL", "base": "BASE", "version": "VERSION", "quality": "QUALITY",
}  # fmt: skip


def provider_of(environment: Mapping[str, str], name: str = "") -> Provider:
    """The provider of that name, else of REELKILN_PROVIDER, else the offline painter.

    One call for all tasks, so that they share its limiter. A key that is missing is only told
    when a call is made: what is pinned needs none. Raises UsageError.
    """
    name = name or environment.get("REELKILN_PROVIDER") or "offline"
    if name not in PROVIDERS:
        hint = did_you_mean(name, PROVIDERS) or "providers: " + ", ".join(PROVIDERS)
        raise UsageError(f'no provider is called "{name[:40]}"', hint=hint)
    if name == "offline":
        return OfflinePainter()
    limiter = Limiter(
        at_once=_whole(environment, "REELKILN_PROVIDER_AT_ONCE", 4, least=1),
        per_minute=_whole(environment, "REELKILN_PROVIDER_PER_MINUTE", 0, least=0),
    )
    timeout_s = float(_whole(environment, "REELKILN_PROVIDER_TIMEOUT_S", 30, least=1))
    given = _given(environment, name)
    if name == "gemini":
        return Gemini(GeminiSettings(timeout_s=timeout_s, **given), limiter)
    return OpenAiImages(OpenAiSettings(timeout_s=timeout_s, **given), limiter)


def providers_of(environment: Mapping[str, str]) -> Callable[[str], Provider]:
    """`provider_of` for all tasks of a process: of one name there is one provider."""
    return cache(lambda name: provider_of(environment, name))


def _given(environment: Mapping[str, str], name: str) -> dict[str, str]:
    prefix = f"REELKILN_{name.upper()}_"
    fields = GeminiSettings if name == "gemini" else OpenAiSettings
    return {
        field: environment[prefix + end].strip()
        for field, end in _SETTINGS.items()
        if environment.get(prefix + end, "").strip() and field in fields.__dataclass_fields__
    }


def _whole(environment: Mapping[str, str], setting: str, default: int, *, least: int) -> int:
    text = environment.get(setting, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) < least:
        raise UsageError(f"{setting}={text[:40]} is not a whole number of at least {least}")
    return int(text)
