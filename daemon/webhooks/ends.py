"""From receipts to deliveries: whoever ended a job, and whenever it was, it is told of once.

The receipts are the truth; what the daemon says of ended jobs is a hint to look sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from daemon.fs import Fs
from daemon.jobs import Job
from daemon.logs import logger
from daemon.places import Places
from daemon.records import ids_in, read_job
from daemon.webhooks.callbacks import bytes_of, callback_of
from daemon.webhooks.deliveries import CALLBACK, OPERATOR, Delivery, Endpoint
from daemon.webhooks.events import EVENTS, body_of, event_of, message_id
from daemon.webhooks.settings import WebhookSettings
from daemon.webhooks.store import WebhookStore
from renderer.errors import UsageError
from renderer.limits import Limits

_log = logger("webhooks")


@dataclass(slots=True, kw_only=True)
class Ends:
    """Watches the receipts of one root."""

    fs: Fs
    places: Places
    store: WebhookStore
    settings: WebhookSettings
    clock: Callable[[], float]
    limits: Limits = field(default_factory=Limits)
    _before: tuple[str, ...] | None = None
    _known: set[str] = field(default_factory=set)
    _listed: tuple[int, int] = (0, 0)  # the folder as it was listed last, and how often

    def begin(self) -> None:
        """At start: the operator's endpoint is kept, and jobs from before webhooks are not told.

        Called again when the database was away: what ended meanwhile is told of.
        """
        if self._before is None:
            self._before = tuple(self._receipts())
        self.store.begin(self._before)
        self._known = self.store.settled_jobs()
        there, url = self.store.endpoint(OPERATOR), self.settings.url
        if url and (there is None or there.url != url):
            mine = Endpoint(
                endpoint_id=OPERATOR, owner="", url=url, secrets=(), created_at=self.clock()
            )
            self.store.put_endpoint(mine)

    def reconcile(self) -> int:
        """Settle every job that has a receipt and is not settled; how many those were.

        A folder that does not change is listed twice: a file may come in the same tick of the
        folder's clock as the first listing, and after it.
        """
        folder = self.fs.stat(self.places.receipts)
        changed_at = folder.st_mtime_ns if folder else 0
        times = self._listed[1] + 1 if self._listed[0] == changed_at else 1
        if times > 2:
            return 0
        owed = [job_id for job_id in self._receipts() if job_id not in self._known]
        for job_id in owed:
            self.settle(job_id)
        self._listed = (changed_at, times)
        return len(owed)

    def settle(self, job_id: str) -> None:
        """Turn the end of a job into deliveries. Nothing while it has no receipt."""
        if job_id in self._known or self.fs.stat(self.places.receipt(job_id)) is None:
            return
        try:
            job = read_job(self.fs, self.places.receipt(job_id))
            found = tuple(self._deliveries(job))
        except (UsageError, ValueError, OverflowError, OSError) as error:
            _log.warning("a job that ended cannot be told of", job_id=job_id, error=str(error))
        else:
            self.store.settle(job_id, found)
        self._known.add(job_id)  # a receipt that could not be read is tried at the next start

    def _receipts(self) -> list[str]:
        return ids_in(self.fs, self.places.receipts)

    def _deliveries(self, job: Job) -> Iterator[Delivery]:
        event, body = event_of(job), body_of(job).decode()
        for endpoint, url in self._receivers(job, event):
            now = self.clock()
            yield Delivery(
                message_id=message_id(job.job_id), endpoint=endpoint, job_id=job.job_id,
                owner=job.owner, world=job.world, event=event, url=url, body=body,
                next_at=now, created_at=now, updated_at=now,
            )  # fmt: skip

    def _receivers(self, job: Job, event: str) -> Iterator[tuple[str, str]]:
        """Who is to hear of it: (endpoint, address)."""
        if event not in EVENTS:
            return
        operator = self.store.endpoint(OPERATOR) if self.settings.url else None
        if operator is not None and operator.disabled_at is None:
            yield OPERATOR, operator.url
        for endpoint in self.store.hearing(job.owner, job.world):
            if endpoint.disabled_at is None and event in endpoint.events:
                yield endpoint.endpoint_id, endpoint.url
        data = bytes_of(self.fs, self.places, job, self.limits)
        callback = callback_of(data, job.name, self.limits)
        if callback is not None and event in callback.events:
            yield CALLBACK, callback.url
