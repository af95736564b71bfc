"""What is refused of those who register receivers."""

from __future__ import annotations

from renderer.errors import ReelkilnError


class WebhookUnknown(ReelkilnError):
    """There is no such receiver or delivery, or it is a stranger's."""

    code = "webhook-unknown"
    http_status = 404
    exit_status = 2


class ReceiverRefused(ReelkilnError):
    """Nothing may be sent to the address, or nobody knows where it is."""

    code = "receiver-refused"
    http_status = 422
    exit_status = 4


class TooManyWebhooks(ReelkilnError):
    """An owner has as many receivers as it may."""

    code = "too-many-webhooks"
    http_status = 409
