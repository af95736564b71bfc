"""What accounts, keys and idempotency records refuse."""

from __future__ import annotations

from renderer.errors import ReelkilnError


class PasswordUnfit(ReelkilnError):
    """The password is too short or too long."""

    code = "password-unfit"
    http_status = 422
    exit_status = 2


class EmailUnfit(ReelkilnError):
    """The text is no address of mail."""

    code = "email-unfit"
    http_status = 422
    exit_status = 2


class EmailTaken(ReelkilnError):
    """There is an account of that address."""

    code = "email-taken"
    http_status = 409


class AccountUnknown(ReelkilnError):
    """There is no account of that id."""

    code = "account-unknown"
    http_status = 404
    exit_status = 2


class KeyUnknown(ReelkilnError):
    """There is no key of that id, or it is a stranger's."""

    code = "key-unknown"
    http_status = 404
    exit_status = 2


class KeyUnfit(ReelkilnError):
    """A key cannot be made as asked."""

    code = "key-unfit"
    http_status = 422
    exit_status = 2


class IdempotencyKeyUnfit(ReelkilnError):
    """The Idempotency-Key is empty, too long, or has characters that it may not."""

    code = "idempotency-key-unfit"
    http_status = 400


class IdempotencyInFlight(ReelkilnError):
    """The first request with this Idempotency-Key is still being answered."""

    code = "idempotency-in-flight"
    http_status = 409
    retryable = True


class IdempotencyKeyReused(ReelkilnError):
    """The Idempotency-Key was used before, for another request."""

    code = "idempotency-key-reused"
    http_status = 422
