"""The sender: a thread that turns ended jobs into deliveries and sends what is due."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from daemon.following import Following
from daemon.kept import KeptUnavailable
from daemon.logs import logger
from daemon.webhooks.deliveries import CALLBACK, OPERATOR, Delivery
from daemon.webhooks.ends import Ends
from daemon.webhooks.schedule import asked_of, wait_after
from daemon.webhooks.settings import SECRET_SETTING
from daemon.webhooks.signatures import signed
from renderer.errors import SourceRefused, SourceUnavailable
from renderer.http import shown
from renderer.http_post import Answered, post

RECONCILE_EVERY_S = 15.0
AT_ONCE = 4
"""Attempts at the same time, each to another host."""
_LONGEST_SLEEP_S = 1.0
_GONE = 410
_NO_SECRET = f"there is no secret to sign with: set {SECRET_SETTING}"
_log = logger("webhooks")


class Sender:
    """Sends the webhooks of one root. Several daemons may send for the same root.

    `chance` gives numbers from 0 up to 1.
    """

    def __init__(
        self,
        ends: Ends,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ends, self._store, self._settings = ends, ends.store, ends.settings
        self._clock, self._chance = clock, chance
        self._following = Following("webhooks", self._run)
        self._reconciled_at: float | None = None
        self._sending: dict[Future[None], str] = {}
        self._has_begun = False

    def start(self) -> None:
        """Begin to send."""
        self._following.start()

    def stop(self) -> None:
        """End; what is being sent just now is waited for, at most the timeout of an attempt."""
        self._following.stop()
        self._store.close()

    def hint(self, job_id: str) -> None:
        """A job has probably ended."""
        self._following.hint(job_id)

    def look(self) -> None:
        """Turn the ends that are known of into deliveries; from time to time look for others."""
        now = time.monotonic()
        if not self._has_begun:
            self._ends.begin()
            self._has_begun = True
        for job_id in self._following.hinted():
            self._ends.settle(job_id)
        if self._reconciled_at is None or now - self._reconciled_at >= RECONCILE_EVERY_S:
            self._ends.reconcile()
            self._reconciled_at = now

    def send_due(self) -> int:
        """Send what is due now, one after another; how many attempts that took."""
        count = 0
        while (delivery := self._store.take(self._clock())) is not None:
            self.send(delivery)
            count += 1
        return count

    def send(self, delivery: Delivery) -> None:
        """One attempt, and what follows from it."""
        secrets = self._secrets_for(delivery)
        if not secrets:
            self._give_up(delivery, _NO_SECRET)
            return
        body = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            **signed(secrets, delivery.message_id, int(self._clock()), body),
        }
        try:
            answered = post(delivery.url, body, headers, self._settings.policy)
        except SourceRefused as error:  # trying again cannot help
            self._give_up(delivery, "; ".join(fault.message for fault in error.faults))
        except SourceUnavailable as error:
            self._again(delivery, str(error))
        else:
            self._answered(delivery, answered)

    def _answered(self, delivery: Delivery, answered: Answered) -> None:
        now, status = self._clock(), answered.status
        if 200 <= status < 300:
            self._store.sent(delivery, status, now)
        elif status == _GONE:
            _log.warning("a webhook's receiver is gone", url=shown(delivery.url))
            self._store.disable(delivery, now)
        else:
            words = f"{shown(delivery.url)} answered {status}"
            self._again(delivery, words, status, asked_of(answered.retry_after, now))

    def _again(
        self, delivery: Delivery, words: str, status: int | None = None, asked_s: float = 0.0
    ) -> None:
        now = self._clock()
        wait_s = wait_after(delivery.attempts, self._chance(), asked_s)
        if wait_s is None:
            self._give_up(delivery, words, status)
        else:
            self._store.put_off(delivery, words, now + wait_s, now, status)

    def _give_up(self, delivery: Delivery, words: str, status: int | None = None) -> None:
        _log.warning("a webhook is given up", job_id=delivery.job_id, why=words)
        self._store.give_up(delivery, words, self._clock(), status)

    def _secrets_for(self, delivery: Delivery) -> tuple[str, ...]:
        """Those of the endpoint. A callback is signed for every receiver that its owner has, so
        that one more takes nothing from the others."""
        if delivery.endpoint == OPERATOR:
            return self._settings.secrets
        if delivery.endpoint == CALLBACK:
            hearing = self._store.hearing(delivery.owner, delivery.world)
            own = tuple(secret for one in hearing for secret in one.secrets)
            return own if own and delivery.owner else (*own, *self._settings.secrets)
        endpoint = self._store.endpoint(delivery.endpoint)
        return endpoint.secrets if endpoint else ()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self._following.is_over:
                try:
                    self.look()
                    self._fill(pool)
                except (KeptUnavailable, OSError) as error:
                    _log.error("webhooks wait", error=str(error))
                except Exception as error:  # a fault of ours ends no thread that nobody watches
                    _log.error("webhooks stumbled", error=repr(error))
                self._following.wait(_LONGEST_SLEEP_S)
            wait(self._sending)

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Begin attempts while there are free places and something is due."""
        for done in [future for future in self._sending if future.done()]:
            del self._sending[done]
            error = done.exception()
            if error is not None:  # the lease ends, then it is tried again
                _log.error("a webhook could not be sent", error=repr(error))
        while len(self._sending) < AT_ONCE and not self._following.is_over:
            delivery = self._store.take(self._clock(), self._sending.values())
            if delivery is None:
                return
            future = pool.submit(self.send, delivery)
            self._sending[future] = delivery.host
            future.add_done_callback(lambda _: self._following.wake())
