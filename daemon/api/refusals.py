"""What is refused at the door. `headers` go out with the answer."""

from __future__ import annotations

import math

from daemon.api.problems import HttpRefusal


class KeyMissing(HttpRefusal):
    """Nobody is known to call. It never says why: a wrong key is told no better than none."""

    code = "key-missing"
    http_status = 401

    def __init__(self) -> None:
        super().__init__(
            "this needs a key or a session",
            hint="send a live key as Authorization: Bearer rk_..., or log in",
            headers={"WWW-Authenticate": 'Bearer realm="reelkiln"'},
        )


class ScopeMissing(HttpRefusal):
    """Who calls may not do this."""

    code = "scope-missing"
    http_status = 403


class CsrfRefused(HttpRefusal):
    """A session's cookie came along without proof that a page of ours sent the request."""

    code = "csrf-refused"
    http_status = 403


class OriginRefused(HttpRefusal):
    """A page of another site asks, or a proxy speaks for others, while no key is needed."""

    code = "origin-refused"
    http_status = 403


class RegistrationClosed(HttpRefusal):
    """Accounts are made by admins alone."""

    code = "registration-closed"
    http_status = 403


class PasswordWrong(HttpRefusal):
    """A password is to be changed by somebody who does not know it."""

    code = "password-wrong"
    http_status = 403


class OwnAccount(HttpRefusal):
    """An admin would lock themselves out."""

    code = "own-account"
    http_status = 409


class BodyRefused(HttpRefusal):
    """A body that is no JSON object of the fields that are asked for."""

    code = "body-refused"
    http_status = 422


class _ComeBack(HttpRefusal):
    http_status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after: float, hint: str = "") -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(message, hint=hint, headers={"Retry-After": str(self.retry_after)})


class TooManyRequests(_ComeBack):
    """A caller has asked more often than it may."""

    code = "too-many-requests"


class QueueFull(_ComeBack):
    """As many jobs wait as may."""

    code = "queue-full"
