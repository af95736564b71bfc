"""What the operator says about webhooks, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from daemon.webhooks.signatures import secrets_of
from renderer.errors import UsageError
from renderer.http_policy import HttpPolicy, http_policy
from renderer.limits import Limits

URL_SETTING = "REELKILN_WEBHOOK_URL"
SECRET_SETTING = "REELKILN_WEBHOOK_SECRET"  # noqa: S105 - the name of a setting
CONNECT_S = 5.0
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """`url` hears of every job; `secrets` (newest first) sign for it and for callbacks."""

    url: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    policy: HttpPolicy


def webhook_settings(environment: Mapping[str, str], networks: str = "") -> WebhookSettings:
    """The settings. Raises UsageError for an address without a secret, or a bad one."""
    url = environment.get(URL_SETTING, "").strip()
    secrets = secrets_of(environment.get(SECRET_SETTING, ""), SECRET_SETTING)
    if url and not url.startswith(("https://", "http://")):
        raise UsageError(f"{URL_SETTING} is not an http address", hint="https://example.com/hook")
    if url and not secrets:
        raise UsageError(
            f"{URL_SETTING} is set without {SECRET_SETTING}: receivers could not tell ours",
            hint="set both; docs/webhooks.md says how a secret is made",
        )
    return WebhookSettings(url=url, secrets=secrets, policy=webhook_policy(networks))


def webhook_policy(networks: str = "") -> HttpPolicy:
    """Where webhooks may go: public addresses by https, the operator's `networks` also by http."""
    return replace(
        http_policy(Limits(), networks),
        connect_s=CONNECT_S, idle_s=TIMEOUT_S, total_s=TIMEOUT_S, plain_inside_only=True,
    )  # fmt: skip
