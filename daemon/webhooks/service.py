"""The sender of a root, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemon.fs import Fs
from daemon.kept import open_kept
from daemon.places import Places
from daemon.webhooks.ends import Ends
from daemon.webhooks.sender import Sender
from daemon.webhooks.settings import webhook_settings
from daemon.webhooks.store import WebhookStore
from renderer.limits import Limits


def sender_for(
    fs: Fs,
    places: Places,
    environment: Mapping[str, str],
    networks: str,
    limits: Limits,
    clock: Callable[[], float],
) -> Sender:
    """A sender that is not started. Raises UsageError and KeptUnavailable."""
    settings = webhook_settings(environment, networks)
    store = WebhookStore(engine=open_kept(places.root, environment))
    ends = Ends(fs=fs, places=places, store=store, settings=settings, clock=clock, limits=limits)
    return Sender(ends, clock)
