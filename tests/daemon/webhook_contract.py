"""What the durable outbox of webhooks does, whatever database it lies in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from daemon.webhooks.deliveries import Delivery, DeliveryState, Endpoint
from daemon.webhooks.store import LEASE_S, WebhookStore, Which

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def delivery(number: int, **changes: Any) -> Delivery:
    job_id = f"{number:026d}"
    plain = Delivery(
        message_id=f"msg_{job_id}", endpoint="operator", job_id=job_id, owner="ada\ud800",
        event="job.succeeded", url=f"https://h{number}.test/", body="{}", next_at=float(number),
        created_at=float(number),
    )  # fmt: skip
    return replace(plain, **changes)


def put(store: WebhookStore, *found: Delivery) -> None:
    for one in found:
        store.settle(one.job_id, (one,))


class WebhookContract:
    def test_the_end_of_a_job_is_kept_once(self, store: WebhookStore) -> None:
        put(store, delivery(1), delivery(1, body="other"))
        assert [one.body for one in store.of_job(delivery(1).job_id)] == ["{}"]
        assert delivery(1).job_id in store.settled_jobs()

    def test_a_delivery_is_taken_by_one_sender_until_its_lease_ends(
        self, store: WebhookStore
    ) -> None:
        put(store, *(delivery(number) for number in range(1, 9)))
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: store.take(100.0), range(12)))
        assert len({one.job_id for one in taken if one}) == len([one for one in taken if one]) == 8
        assert store.take(100.0 + LEASE_S - 1) is None
        again = store.take(100.0 + LEASE_S)
        assert again is not None
        assert (again.attempts, again.owner) == (2, "ada\ud800")

    def test_what_waits_longest_goes_first_and_busy_hosts_are_left_alone(
        self, store: WebhookStore
    ) -> None:
        put(store, delivery(3), delivery(1), delivery(2), delivery(200))
        first = store.take(100.0)
        assert first is not None
        second = store.take(100.0, ["h1.test", "h2.test"])
        assert second is not None
        assert [first.host, second.host] == ["h1.test", "h3.test"]

    def test_a_sender_that_was_overtaken_decides_nothing(self, store: WebhookStore) -> None:
        put(store, delivery(1))
        slow, fast = store.take(100.0), store.take(100.0 + LEASE_S)
        assert slow is not None
        assert fast is not None
        store.give_up(slow, "late", 200.0)
        assert store.newest()[0].state is DeliveryState.PENDING
        store.sent(fast, 200, 200.0)
        store.put_off(slow, "late", 0.0, 201.0)
        (now,) = store.newest()
        assert (now.state, now.last_status, now.last_error) == (DeliveryState.SENT, 200, "")

    def test_replay_begins_anew_under_the_same_id(self, store: WebhookStore) -> None:
        put(store, delivery(1))
        taken = store.take(100.0)
        assert taken is not None
        store.give_up(taken, "no", 100.0)
        assert store.take(1e9) is None
        assert store.replay(taken.job_id, 200.0) == 1
        again = store.take(200.0)
        assert again is not None
        assert (again.message_id, again.attempts) == (taken.message_id, 1)
        assert store.replay("nobody", 200.0) == 0

    def test_an_endpoint_that_is_gone_hears_nothing_until_it_takes_one_again(
        self, store: WebhookStore
    ) -> None:
        mine = Endpoint(
            endpoint_id="e1", owner="ada", url="https://a.test/", secrets=(SECRET, SECRET),
            events=("job.failed",), created_at=1.0,
        )  # fmt: skip
        store.put_endpoint(mine)
        assert store.endpoints_of("ada") == (mine,)
        assert store.endpoints_of("bob") == ()
        put(store, *(delivery(number, endpoint="e1", url=mine.url) for number in (1, 2)))
        taken = store.take(100.0)
        assert taken is not None
        store.disable(taken, 100.0)
        assert {one.state for one in store.newest()} == {DeliveryState.FAILED}
        assert store.endpoint("e1") == replace(mine, disabled_at=100.0)
        store.replay(taken.job_id, 200.0)
        taken = store.take(200.0)
        assert taken is not None
        store.sent(taken, 204, 200.0)
        assert store.endpoint("e1") == mine
        store.remove_endpoint("e1")
        assert store.endpoint("e1") is None

    def test_only_the_first_start_ever_lets_old_jobs_be(self, store: WebhookStore) -> None:
        store.begin(["A"])
        store.begin(["B"])
        assert "A" in store.settled_jobs()
        assert "B" not in store.settled_jobs()

    def test_thousands_of_old_jobs_are_let_be_at_once(self, store: WebhookStore) -> None:
        ids = [f"{number:026d}" for number in range(2345)]
        store.begin(ids)
        assert store.settled_jobs() >= set(ids)

    def test_deliveries_are_asked_for_by_endpoint_owner_and_world_in_pages(
        self, store: WebhookStore
    ) -> None:
        owner, world = "ada\ud800", "north\0"
        put(store, *(delivery(number, endpoint="e1", world=world) for number in (1, 2, 3)))
        put(store, delivery(4, endpoint="e2"), delivery(5, endpoint="e1", owner="bob"))
        mine = Which(endpoint="e1", owner=owner, world=world)
        first = store.newest(2, which=mine)
        last = first[-1]
        rest = store.newest(2, which=mine, after=(last.created_at, last.message_id))
        assert [one.created_at for one in (*first, *rest)] == [3.0, 2.0, 1.0]
        assert store.newest(9, which=Which(world="south")) == ()
        assert store.replay(delivery(5).job_id, 9.0, mine) == 0
        assert store.replay(delivery(1).job_id, 9.0, mine) == 1
        assert store.hearing(owner, world) == ()
        store.remove_endpoint("e1", 9.0)
        failed = store.newest(9, DeliveryState.FAILED)
        assert {one.last_error for one in failed} == {"the endpoint was removed"}
        assert len(failed) == 4
