"""Receivers that owners register: looked up under the guard, each with a secret of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from daemon.webhooks.deliveries import Endpoint
from daemon.webhooks.events import EVENTS
from daemon.webhooks.refusals import ReceiverRefused, TooManyWebhooks
from daemon.webhooks.signatures import new_secret
from daemon.webhooks.store import WebhookStore
from renderer.errors import SourceRefused, SourceUnavailable
from renderer.http_policy import HttpPolicy
from renderer.http_post import check_receiver

MOST = 20
"""Receivers of one owner: a callback carries a signature for each."""
_SIGNING = 2  # the newest secret and the one before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Adds receivers to a store. Methods raise KeptUnavailable."""

    store: WebhookStore
    policy: HttpPolicy
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def register(
        self, url: str, *, owner: str, world: str = "", events: tuple[str, ...] = EVENTS
    ) -> Endpoint:
        """A new receiver, with its first secret. Blocks on DNS.

        Raises ReceiverRefused for an address that may not be sent to, TooManyWebhooks.
        """
        self._see_to(url)
        if len(self.store.endpoints_of(owner)) >= MOST:
            raise TooManyWebhooks(
                f"there are {MOST} receivers already", hint="remove one that is not needed"
            )
        endpoint = Endpoint(
            endpoint_id=self.new_id(), owner=owner, world=world, url=url,
            secrets=(new_secret(),), events=tuple(sorted(set(events))),
            created_at=self.clock(),
        )  # fmt: skip
        self.store.put_endpoint(endpoint)
        return endpoint

    def renew_secret(self, endpoint: Endpoint) -> Endpoint:
        """Another secret in front; the one before it signs as well until the next change."""
        secrets = (new_secret(), *endpoint.secrets)[:_SIGNING]
        changed = replace(endpoint, secrets=secrets)
        self.store.put_endpoint(changed)
        return changed

    def _see_to(self, url: str) -> None:
        try:
            check_receiver(url, self.policy)
        except SourceRefused as error:
            words = "; ".join(fault.message for fault in error.faults)
            raise ReceiverRefused(words, hint="give a public address by https") from error
        except SourceUnavailable as error:
            raise ReceiverRefused(error.message, hint=error.hint) from error
