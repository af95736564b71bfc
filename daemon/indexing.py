"""The index follows the folders on a thread of its own: nobody waits for a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.exc import SQLAlchemyError

from daemon.index import IndexUnavailable, JobIndex
from daemon.jobs import Job
from daemon.ledger import Ledger
from daemon.logs import logger

_MOST_DUE = 20_000
_BATCH = 500
_LINGER_S = 0.05  # a job that changes often within that time is written once
_LONGEST_WAIT_S = 30.0
_END_S = 10.0
_log = logger("indexing")


@dataclass(slots=True, kw_only=True)
class Indexing:
    """Writes to the index what `changed` was told of, many jobs in one transaction.

    While the database is gone or locked, ids gather, each once; past `most_due` they are dropped,
    and when the database answers again every record is compared with it (`catch_up`). So it is
    at start, for a daemon that died took its list with it. `ids` lists the records there are.
    """

    index: JobIndex
    ledger: Ledger
    ids: Callable[[], Sequence[str]]
    most_due: int = _MOST_DUE
    _due: dict[str, None] = field(default_factory=dict)
    _behind: bool = True
    _ending: bool = False
    _news: threading.Condition = field(default_factory=threading.Condition)
    _retry: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)
        self._thread.start()

    def stop(self, longest_s: float = _END_S) -> None:
        """Write what is due, unless that takes too long; the next start makes up for the rest."""
        with self._news:
            self._ending = True
            self._news.notify()
        self._retry.set()
        if self._thread is not None:
            self._thread.join(longest_s)
            if self._thread.is_alive():
                _log.warning("the index is behind", hint="the next start catches up")

    def changed(self, job_id: str) -> None:
        """A record changed. Never waits for the database."""
        with self._news:
            if job_id not in self._due and len(self._due) >= self.most_due:
                self._behind = True
            else:
                self._due[job_id] = None
            self._news.notify()

    def _run(self) -> None:
        wait_s = 1.0
        while self._has_news():
            try:
                self._write()
                wait_s = 1.0
            except (IndexUnavailable, SQLAlchemyError, OSError) as error:
                _log.warning("the index is behind", error=str(error), retry_s=wait_s)
                if self._ending:
                    return
                self._retry.wait(wait_s)
                wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)

    def _has_news(self) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._due or self._behind or self._ending)
            news = bool(self._due or self._behind)
        if news and not self._ending:
            self._retry.wait(_LINGER_S)
        return news

    def _write(self) -> None:
        with self._news:
            batch = list(islice(self._due, _BATCH))
            for job_id in batch:
                del self._due[job_id]
            catching_up, self._behind = self._behind and not batch, self._behind and bool(batch)
        try:
            self.index.put_all(self._read(batch))
            if catching_up:
                self._catch_up()
        except BaseException:
            with self._news:
                self._due.update(dict.fromkeys(batch))
                self._behind = self._behind or catching_up
            raise

    def _catch_up(self) -> None:
        """Write each record that the index does not hold as ended: those end for good."""
        ids = iter(self.ids())
        while batch := list(islice(ids, _BATCH)):
            if self._ending:
                return
            ended = self.index.ended(batch)
            self.index.put_all(self._read([job_id for job_id in batch if job_id not in ended]))

    def _read(self, ids: Sequence[str]) -> Iterator[Job]:
        for job_id in ids:
            job = self.ledger.read(job_id)
            if job is not None:
                yield job
