"""The durable outbox of deliveries: enqueued once, taken by one sender, kept until it is decided.

Several daemons may share it. A sender that dies gives its delivery back after the lease.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from daemon.accounts.people import is_shut
from daemon.database import reading, writing
from daemon.kept.tables import webhook_deliveries as deliveries
from daemon.kept.tables import webhook_endpoints as endpoints
from daemon.kept.tables import webhook_settled as settled
from daemon.webhooks.deliveries import OPERATOR, Delivery, DeliveryState, Endpoint

LEASE_S = 60.0
_BEGUN = "begun"
"""Stands in `settled` once the receipts from before webhooks are."""
_GONE = "the endpoint answered 410 (Gone) and is told nothing more"
_REMOVED = "the endpoint was removed"
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Deliveries of one endpoint, of one owner and of one world; None is any."""

    endpoint: str | None = None
    owner: str | None = None
    world: str | None = None

    def clauses(self) -> tuple[ColumnElement[bool], ...]:
        """What a query asks for."""
        asked = {"endpoint": self.endpoint, "owner": self.owner, "world": self.world}
        return tuple(
            deliveries.c[name] == value for name, value in asked.items() if value is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStore:
    """Everything about webhooks that outlives a daemon. Methods raise KeptUnavailable."""

    engine: Engine

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    # -- jobs that are settled -------------------------------------------------------------

    def begin(self, ended: Collection[str]) -> None:
        """At the very first start the jobs that ended before are nobody's concern any more."""
        with writing(self.engine) as connection:
            if connection.scalar(select(settled.c.job_id).where(settled.c.job_id == _BEGUN)):
                return
            _insert_new(connection, settled, [{"job_id": name} for name in (*ended, _BEGUN)])

    def settled_jobs(self) -> set[str]:
        """The ids of all jobs whose end needs nothing more."""
        with reading(self.engine) as connection:
            return set(connection.scalars(select(settled.c.job_id)))

    def settle(self, job_id: str, found: Iterable[Delivery]) -> None:
        """Keep the deliveries of a job's end, once, whoever settles it again."""
        with writing(self.engine) as connection:
            _insert_new(connection, deliveries, [_row(delivery) for delivery in found])
            _insert_new(connection, settled, [{"job_id": job_id}])

    # -- sending ---------------------------------------------------------------------------

    def take(self, now: float, busy_hosts: Collection[str] = ()) -> Delivery | None:
        """The delivery that is due for longest, with one more attempt begun; None without one."""
        due = (
            select(deliveries)
            .where(deliveries.c.state == DeliveryState.PENDING, deliveries.c.next_at <= now)
            .where(deliveries.c.host.not_in(sorted(busy_hosts)))
            .order_by(deliveries.c.next_at, deliveries.c.message_id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with writing(self.engine) as connection:
            row = connection.execute(due).first()
            if row is None:
                return None
            changes = {"attempts": row.attempts + 1, "next_at": now + LEASE_S, "updated_at": now}
            taken = _delivery(row._asdict() | changes)
            connection.execute(update(deliveries).where(_is(taken)).values(changes))
        return taken

    def sent(self, delivery: Delivery, status: int, now: float) -> None:
        """It was taken; an endpoint that was held for gone is there again."""
        self._conclude(delivery, now, state=DeliveryState.SENT, last_status=status, last_error="")
        with writing(self.engine) as connection:
            gone = and_(
                endpoints.c.endpoint_id == delivery.endpoint, endpoints.c.disabled_at.is_not(None)
            )
            connection.execute(update(endpoints).where(gone).values(disabled_at=None))

    def put_off(
        self, delivery: Delivery, words: str, next_at: float, now: float, status: int | None = None
    ) -> None:
        """It failed and is tried again at `next_at`."""
        changes = {"next_at": next_at, "last_status": status, "last_error": words}
        self._conclude(delivery, now, **changes)

    def give_up(
        self, delivery: Delivery, words: str, now: float, status: int | None = None
    ) -> None:
        """It failed and is not tried again."""
        changes = {"state": DeliveryState.FAILED, "last_status": status, "last_error": words}
        self._conclude(delivery, now, **changes)

    def disable(self, delivery: Delivery, now: float) -> None:
        """Its endpoint is gone: nothing that waits for it is sent, nor what comes later."""
        waiting = and_(
            deliveries.c.endpoint == delivery.endpoint,
            deliveries.c.url == delivery.url,
            deliveries.c.state == DeliveryState.PENDING,
        )
        over = {"state": DeliveryState.FAILED, "last_error": _GONE, "updated_at": now}
        self.give_up(delivery, _GONE, now, 410)
        with writing(self.engine) as connection:
            connection.execute(update(deliveries).where(waiting).values(over))
            same = endpoints.c.endpoint_id == delivery.endpoint
            connection.execute(update(endpoints).where(same).values(disabled_at=now))

    def _conclude(self, delivery: Delivery, now: float, **changes: Any) -> None:
        """Note what came of an attempt, unless another sender has begun a later one."""
        with writing(self.engine) as connection:
            mine = and_(_is(delivery), deliveries.c.attempts == delivery.attempts)
            pending = deliveries.c.state == DeliveryState.PENDING
            connection.execute(
                update(deliveries).where(mine, pending).values(**changes, updated_at=now)
            )

    # -- endpoints -------------------------------------------------------------------------

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint, in place of the one with its id."""
        row = asdict(endpoint) | {
            "secrets": " ".join(endpoint.secrets),
            "events": " ".join(sorted(endpoint.events)),
        }
        with writing(self.engine) as connection:
            connection.execute(
                endpoints.delete().where(endpoints.c.endpoint_id == endpoint.endpoint_id)
            )
            connection.execute(endpoints.insert(), row)

    def remove_endpoint(self, endpoint_id: str, now: float = 0.0) -> None:
        """Forget an endpoint; what waits for it is not sent any more."""
        waiting = and_(
            deliveries.c.endpoint == endpoint_id, deliveries.c.state == DeliveryState.PENDING
        )
        over = {"state": DeliveryState.FAILED, "last_error": _REMOVED, "updated_at": now}
        with writing(self.engine) as connection:
            connection.execute(endpoints.delete().where(endpoints.c.endpoint_id == endpoint_id))
            connection.execute(update(deliveries).where(waiting).values(over))

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """The endpoint of that id."""
        found = self._endpoints(endpoints.c.endpoint_id == endpoint_id)
        return found[0] if found else None

    def endpoints_of(self, owner: str | None) -> tuple[Endpoint, ...]:
        """What an owner registered, or everybody, newest first; never the operator's own."""
        mine = endpoints.c.endpoint_id != OPERATOR
        return self._endpoints(mine if owner is None else and_(mine, endpoints.c.owner == owner))

    def hearing(self, owner: str, world: str) -> tuple[Endpoint, ...]:
        """Those of an owner's endpoints that hear of a world; none of an account that is shut."""
        with reading(self.engine) as connection:
            if is_shut(connection, owner):
                return ()
        return tuple(one for one in self.endpoints_of(owner) if one.world in ("", world))

    def _endpoints(self, which: Any) -> tuple[Endpoint, ...]:
        query = select(endpoints).where(which)
        query = query.order_by(endpoints.c.created_at.desc(), endpoints.c.endpoint_id.desc())
        with reading(self.engine) as connection:
            return tuple(_endpoint(row) for row in connection.execute(query))

    # -- looking and sending again ---------------------------------------------------------

    def newest(
        self, limit: int = 50, state: DeliveryState | None = None, which: Which | None = None,
        after: tuple[float, str] | None = None,
    ) -> tuple[Delivery, ...]:  # fmt: skip
        """Deliveries, newest first; those that follow `after`, a time and the id of a message."""
        place = tuple_(deliveries.c.created_at, deliveries.c.message_id)
        query = select(deliveries).order_by(
            deliveries.c.created_at.desc(), deliveries.c.message_id.desc()
        )
        if state is not None:
            query = query.where(deliveries.c.state == state)
        if after is not None:
            query = query.where(place < tuple_(*map(literal, after)))
        with reading(self.engine) as connection:
            found = query.where(*(which.clauses() if which else ())).limit(limit)
            rows = connection.execute(found).all()
        return tuple(_delivery(row._asdict()) for row in rows)

    def of_job(self, job_id: str) -> tuple[Delivery, ...]:
        """The deliveries of a job's end."""
        query = select(deliveries).where(deliveries.c.job_id == job_id)
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(deliveries.c.endpoint)).all()
        return tuple(_delivery(row._asdict()) for row in rows)

    def replay(self, job_id: str, now: float, which: Which | None = None) -> int:
        """Send the deliveries of a job again from the first attempt on; how many those are."""
        anew = {"state": DeliveryState.PENDING, "attempts": 0, "next_at": now, "updated_at": now}
        clauses = which.clauses() if which else ()
        with writing(self.engine) as connection:
            mine = update(deliveries).where(deliveries.c.job_id == job_id, *clauses)
            return connection.execute(mine.values(anew)).rowcount


def _is(delivery: Delivery) -> Any:
    return and_(
        deliveries.c.message_id == delivery.message_id,
        deliveries.c.endpoint == delivery.endpoint,
    )


def _insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose keys are not there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    for start in range(0, len(rows), _BATCH):
        connection.execute(statement, list(rows[start : start + _BATCH]))


def _row(delivery: Delivery) -> dict[str, Any]:
    return {**asdict(delivery), "host": delivery.host}


def _delivery(row: Mapping[str, Any]) -> Delivery:
    plain = {name: value for name, value in row.items() if name != "host"}
    return Delivery(**{**plain, "state": DeliveryState(plain["state"])})


def _endpoint(row: Row[Any]) -> Endpoint:
    plain = row._asdict()
    secrets, events = tuple(plain["secrets"].split()), tuple(plain["events"].split())
    return Endpoint(**{**plain, "secrets": secrets, "events": events})
