from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from daemon.accounts.people import People
from daemon.fs import RealFs
from daemon.jobs import Job, JobState
from daemon.kept import open_kept
from daemon.places import Places
from daemon.webhooks.callbacks import callback_of
from daemon.webhooks.deliveries import DeliveryState, Endpoint
from daemon.webhooks.ends import Ends
from daemon.webhooks.events import EVENTS, body_of, message_id
from daemon.webhooks.schedule import JITTER, LONGEST_RETRY_AFTER_S, WAITS_S, asked_of, wait_after
from daemon.webhooks.sender import Sender
from daemon.webhooks.settings import webhook_settings
from daemon.webhooks.signatures import is_secret, new_secret, secrets_of, signed
from daemon.webhooks.store import WebhookStore
from renderer.errors import UsageError
from renderer.limits import Limits
from renderer.spec.loading import load
from tests.daemon.postgres import running_postgres
from tests.daemon.small_daemon import made
from tests.daemon.webhook_contract import SECRET, WebhookContract
from tests.renderer import web as w
from tests.renderer.web import Web, serving

OTHER = new_secret()
ENDED = Job(
    job_id="01J" + "A" * 23, name="a\udcff.yaml", state=JobState.SUCCEEDED, kind="video",
    spec_id="a", created_at=1_700_000_000.0, updated_at=1_700_000_009.0,
    finished_at=1_700_000_009.5, bundle="a-0123456789abcdef", bundle_digest="cd" * 32, owner="ada",
)  # fmt: skip


class TestSqlite(WebhookContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[WebhookStore]:
        engine = open_kept(tmp_path, {})
        yield WebhookStore(engine=engine)
        engine.dispose()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_postgres() as url:
        yield url.render_as_string(hide_password=False)


class TestPostgres(WebhookContract):
    @pytest.fixture
    def store(self, address: str, tmp_path: Path) -> Iterator[WebhookStore]:
        engine = open_kept(tmp_path, {"REELKILN_DATABASE_URL": address})
        with engine.begin() as connection:
            connection.execute(
                text("TRUNCATE webhook_deliveries, webhook_endpoints, webhook_settled")
            )
        yield WebhookStore(engine=engine)
        engine.dispose()


@dataclass
class Stage:
    """A root with a sender whose clock the test moves."""

    root: Path
    web: Web
    now: float = field(default_factory=time.time)
    environment: dict[str, str] = field(default_factory=dict)
    engines: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fs = RealFs()
        self.places = Places(self.root)
        if not self.places.state.exists():
            made(self.fs, self.root)
        self.environment.setdefault("REELKILN_WEBHOOK_SECRET", SECRET)

    def sender(self, networks: str = "127.0.0.1") -> Sender:
        """A daemon's start."""
        engine = open_kept(self.root, {})
        self.engines.append(engine)
        self.store = WebhookStore(engine=engine)
        settings = webhook_settings(self.environment, networks)
        settings = replace(
            settings, policy=replace(settings.policy, connect_s=1, idle_s=1, total_s=1)
        )
        self.ends = Ends(
            fs=self.fs, places=self.places, store=self.store, settings=settings,
            clock=lambda: self.now,
        )  # fmt: skip
        return Sender(self.ends, clock=lambda: self.now, chance=lambda: 0.5)

    def end(self, job: Job = ENDED, spec: bytes = b"reelkiln: 1\n") -> Job:
        """The folders as a job that ended leaves them."""
        job = replace(job, spec_sha256=hashlib.sha256(spec).hexdigest())
        folder = self.places.failed if job.state is JobState.FAILED else self.places.own("done")
        name = job.name if job.state is JobState.FAILED else job.job_id
        (folder / name).write_bytes(spec)
        self.places.receipt(job.job_id).write_text(json.dumps(job.as_json()))
        return job

    def callback(self, path: str = "/hook", **more: object) -> bytes:
        url = self.web.url(path)
        value = {"url": url, **more} if more else url
        return json.dumps({"reelkiln": 1, "callback": value}).encode()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as web:
        web.answers["/hook"] = w.body(b"")
        yield web


@pytest.fixture
def stage(tmp_path: Path, web: Web) -> Iterator[Stage]:
    stage = Stage(tmp_path / "root", web)
    yield stage
    for engine in stage.engines:
        engine.dispose()


def begun(stage: Stage) -> Sender:
    sender = stage.sender()
    sender.look()
    return sender


def reconciled(stage: Stage, sender: Sender) -> int:
    stage.ends.reconcile()
    return sender.send_due()


# -- signatures --------------------------------------------------------------------------------


def test_a_signature_is_what_the_standard_says_it_is() -> None:
    headers = signed((SECRET,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    said = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    digest = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


def test_while_secrets_change_both_are_accepted_and_no_other() -> None:
    headers = dict(signed((OTHER, SECRET), "msg_1", int(time.time()), b"{}"))
    assert headers["webhook-signature"].count(" ") == 1
    assert Webhook(OTHER).verify(b"{}", headers) == {}
    assert Webhook(SECRET).verify(b"{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", headers)


def test_every_flipped_bit_of_what_is_signed_is_refused() -> None:
    body = b'{"type":"job.failed"}'
    headers = dict(signed((SECRET,), "msg_1", int(time.time()), body))
    parts = {**headers, "body": body.decode()}
    for name, value in parts.items():
        for place in range(len(value)):
            for bit in range(7):
                flipped = value[:place] + chr(ord(value[place]) ^ 1 << bit) + value[place + 1 :]
                changed = {**parts, name: flipped}
                if _same_digest(name, value, flipped):
                    continue
                with pytest.raises((WebhookVerificationError, ValueError)):
                    Webhook(SECRET).verify(changed.pop("body"), changed)


def _same_digest(name: str, old: str, new: str) -> bool:
    """Base64 has unused bits, and the library takes a number in several spellings."""
    if name == "webhook-timestamp":
        return False
    if name != "webhook-signature" or not new.startswith("v1,"):
        return False
    try:
        return base64.b64decode(old[3:]) == base64.b64decode(new[3:])
    except ValueError:
        return False


def test_secrets_are_read_strictly_and_never_repeated() -> None:
    assert secrets_of(f" {OTHER}  {SECRET}\n", "S") == (OTHER, SECRET)
    short = "whsec_" + base64.b64encode(b"x" * 23).decode()
    long = "whsec_" + base64.b64encode(b"x" * 65).decode()
    for bad in ("sesame", short, long, SECRET[:-1], SECRET.upper(), "whsec_", SECRET + "!"):
        assert not is_secret(bad)
        with pytest.raises(UsageError) as caught:
            secrets_of(f"{SECRET} {bad}", "S")
        assert "secret 2 of 2" in str(caught.value)
        assert bad not in str(caught.value).replace("whsec_ and", "")


def test_an_address_needs_a_secret() -> None:
    with pytest.raises(UsageError, match="without REELKILN_WEBHOOK_SECRET"):
        webhook_settings({"REELKILN_WEBHOOK_URL": "https://a.test/"})
    with pytest.raises(UsageError, match="not an http address"):
        webhook_settings({"REELKILN_WEBHOOK_URL": "a.test", "REELKILN_WEBHOOK_SECRET": SECRET})
    assert SECRET not in repr(webhook_settings({"REELKILN_WEBHOOK_SECRET": SECRET}))


# -- what is said ------------------------------------------------------------------------------


def test_the_body_is_thin_and_plain() -> None:
    body = json.loads(body_of(ENDED))
    assert (body["type"], body["timestamp"]) == ("job.succeeded", "2023-11-14T22:13:29.500Z")
    assert body["data"]["job_id"] == ENDED.job_id
    assert body["data"]["name"] == "a?.yaml"
    assert body["data"]["error"] is None


@pytest.mark.parametrize("letter", ["a", "\0", '"', "é", "\u2028", "🎞", "\ud800"])
def test_no_job_makes_a_body_of_20_kilobytes(letter: str) -> None:
    words = letter * 3000
    error = {"code": words, "message": words * 20, "errors": [words] * 50}
    job = replace(
        ENDED, name="\udcff" * 255, owner=words, world=words, spec_id=words, bundle=words,
        state=JobState.FAILED, error=error, kind=words,
    )  # fmt: skip
    body = body_of(job)
    assert len(body) < 20_000
    assert json.loads(body.decode("utf-8"))["type"] == "job.failed"


# -- the schedule ------------------------------------------------------------------------------


def test_the_schedule_is_that_of_the_standard() -> None:
    hours = 3600
    assert (
        0, 5, 300, 1800, 2 * hours, 5 * hours, 10 * hours, 14 * hours, 20 * hours, 24 * hours,
    ) == WAITS_S  # fmt: skip
    assert wait_after(10, 0.0) is None


@given(st.integers(1, 9), st.floats(0, 1, exclude_max=True), st.floats(0, 1e9))
def test_a_wait_is_the_planned_one_and_up_to_a_tenth_or_what_was_asked(
    attempt: int, chance: float, asked_s: float
) -> None:
    wait_s = wait_after(attempt, chance)
    assert wait_s is not None
    assert WAITS_S[attempt] <= wait_s <= WAITS_S[attempt] * (1 + JITTER)
    longer = wait_after(attempt, chance, asked_s)
    assert longer == max(wait_s, min(asked_s, LONGEST_RETRY_AFTER_S))


def test_retry_after_is_a_number_or_a_date_and_capped() -> None:
    soon = format_datetime(datetime.fromtimestamp(1000 + 90, UTC), usegmt=True)
    assert asked_of("120", 1000.0) == 120
    assert asked_of(soon, 1000.0) == 90
    assert asked_of(soon, 5000.0) == 0
    assert asked_of("9" * 90, 0.0) == LONGEST_RETRY_AFTER_S
    for odd in ("", "soon", "-5", "1.5", "١٢", "Mon, 99 Foo 2020", "\0"):
        assert asked_of(odd, 0.0) == 0


# -- callbacks ---------------------------------------------------------------------------------

PLAIN = b'{"reelkiln":1,"tracks":[{"clips":[{"text":"a","length":1}]}]'


def test_a_callback_is_delivery_and_no_content() -> None:
    bare = load(PLAIN + b"}", name="a.json")
    for said in (b'"https://a.test/x?y=1"', b'{"url":"https://a.test/","events":["job.failed"]}'):
        told = load(PLAIN + b',"callback":' + said + b"}", name="a.json")
        assert told.digest == bare.digest
        assert told.canonical() == bare.canonical()
        assert told.spec.callback is not None


@pytest.mark.parametrize(
    ("said", "url", "events"),
    [
        (b'"https://a.test/"', "https://a.test/", EVENTS),
        (b'{"url":"https://a.test/"}', "https://a.test/", EVENTS),
        (b'{"url":"https://a.test/","events":["job.failed"]}', "https://a.test/", ("job.failed",)),
        (b'"https://{{h}}/","variables":{"h":"b.test"}', "https://b.test/", EVENTS),
        (b'"https://a.test/","tracks":7', "https://a.test/", EVENTS),
    ],
)
def test_a_callback_is_read_also_from_a_spec_that_is_refused(
    said: bytes, url: str, events: tuple[str, ...]
) -> None:
    found = callback_of(b'{"reelkiln":1,"callback":' + said + b"}", "a.json", Limits())
    assert found is not None
    assert found.url == url
    assert sorted(found.events) == sorted(events)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"callback", b'{"callback":', b'{"callback":7}', b'{"callback":"ftp://a/"}',
        b'{"callback":{"url":"https://a.test/","events":[]}}', b'{"callback":"https://a@b/"}',
        b'{"callback":"https://{{x}}/"}', b'[{"callback":1}]', b'{"callback":"https://a.test/ b"}',
        b'\xff{"callback":1}', b'{"a":"callback"}',
    ],
)  # fmt: skip
def test_what_is_no_callback_is_none(data: bytes) -> None:
    assert callback_of(data, "a.json", Limits()) is None


# -- from receipt to receiver ------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", [JobState.SUCCEEDED, JobState.FAILED, JobState.PARTIAL, JobState.CANCELLED]
)
def test_a_callback_is_told_of_each_end_and_the_public_library_accepts_it(
    stage: Stage, state: JobState
) -> None:
    sender = begun(stage)
    job = stage.end(replace(ENDED, state=state), stage.callback())
    sender.hint(job.job_id)
    sender.look()
    assert sender.send_due() == 1
    ((headers, body),) = stage.web.posts
    told = Webhook(SECRET).verify(body, headers)
    assert told["type"] == f"job.{state}"
    assert headers["webhook-id"] == message_id(job.job_id)
    assert headers["Content-Type"] == "application/json"
    assert stage.store.newest()[0].state is DeliveryState.SENT
    assert (reconciled(stage, sender), len(stage.web.posts)) == (0, 1)


def test_only_the_events_that_were_asked_for_are_told(stage: Stage) -> None:
    sender = begun(stage)
    stage.end(ENDED, stage.callback(events=["job.failed"]))
    assert reconciled(stage, sender) == 0
    stage.end(
        replace(ENDED, job_id="01J" + "B" * 23, state=JobState.FAILED),
        stage.callback(events=["job.failed"]),
    )
    assert reconciled(stage, sender) == 1


def test_the_operator_hears_of_all_and_an_account_of_its_own(stage: Stage) -> None:
    stage.environment["REELKILN_WEBHOOK_URL"] = stage.web.url("/all")
    stage.web.answers |= {"/all": w.body(b""), "/ada": w.body(b"")}
    sender = begun(stage)
    stage.store.put_endpoint(
        Endpoint(endpoint_id="e1", owner="ada", url=stage.web.url("/ada"), secrets=(OTHER,))
    )
    stage.end(ENDED)
    stage.end(replace(ENDED, job_id="01J" + "B" * 23, owner="bob"))
    assert reconciled(stage, sender) == 3
    assert sorted(path for path, _ in stage.web.requests) == ["/ada", "/all", "/all"]
    for (path, _), (headers, body) in zip(stage.web.requests, stage.web.posts, strict=True):
        Webhook(OTHER if path == "/ada" else SECRET).verify(body, headers)


def test_a_receiver_hears_of_its_events_in_its_world_while_its_account_is_open(
    stage: Stage,
) -> None:
    sender = begun(stage)
    people = People(stage.engines[-1])
    ada = people.register("ada@example.org", "lighthouses of the north", now=1.0)
    for number, more in enumerate([{"events": ("job.failed",)}, {"world": "south"}, {}]):
        stage.web.answers[f"/{number}"] = w.body(b"")
        stage.store.put_endpoint(
            Endpoint(
                endpoint_id=f"e{number}", owner=ada.account_id, secrets=(OTHER,),
                url=stage.web.url(f"/{number}"), **more,
            )
        )  # fmt: skip
    mine = replace(ENDED, owner=ada.account_id)
    stage.end(mine)
    stage.end(replace(mine, job_id="01J" + "B" * 23, world="south", state=JobState.FAILED))
    assert reconciled(stage, sender) == 4
    assert sorted(path for path, _ in stage.web.requests) == ["/0", "/1", "/2", "/2"]
    people.disable(ada.account_id, now=2.0)
    stage.end(replace(mine, job_id="01J" + "C" * 23))
    stage.ends.reconcile()
    assert sender.send_due() == 0


def test_a_callback_is_signed_with_the_secret_of_its_owner(stage: Stage) -> None:
    sender = begun(stage)
    stage.store.put_endpoint(
        Endpoint(
            endpoint_id="e1", owner="ada", url=stage.web.url("/hook"), secrets=(OTHER,),
            events=("job.failed",),
        )
    )  # fmt: skip
    stage.end(ENDED, stage.callback())
    assert reconciled(stage, sender) == 1
    Webhook(OTHER).verify(stage.web.posts[0][1], stage.web.posts[0][0])


def test_without_a_secret_nothing_is_sent(stage: Stage) -> None:
    stage.environment["REELKILN_WEBHOOK_SECRET"] = ""
    sender = begun(stage)
    stage.end(ENDED, stage.callback())
    reconciled(stage, sender)
    assert stage.web.requests == []
    (one,) = stage.store.newest()
    assert (one.state, "REELKILN_WEBHOOK_SECRET" in one.last_error) == (DeliveryState.FAILED, True)


def test_a_job_that_ended_while_no_daemon_lived_is_told_of(stage: Stage) -> None:
    begun(stage)
    job = stage.end(ENDED, stage.callback())  # ... and here the daemon dies
    sender = begun(stage)
    assert sender.send_due() == 1
    assert stage.web.posts[0][0]["webhook-id"] == message_id(job.job_id)


def test_a_spec_that_was_not_moved_any_more_still_has_its_callback(stage: Stage) -> None:
    sender = begun(stage)
    job = stage.end(ENDED, stage.callback())
    done = stage.places.own("done") / job.job_id
    done.rename(stage.places.own("claimed") / f"normal.{job.job_id}.somebody.a1")
    assert reconciled(stage, sender) == 1


def test_what_was_taken_by_a_sender_that_died_is_sent_again_with_its_id(stage: Stage) -> None:
    sender = begun(stage)
    stage.end(ENDED, stage.callback())
    stage.ends.reconcile()
    assert stage.store.take(stage.now) is not None  # ... and here the daemon dies
    sender = begun(stage)
    assert sender.send_due() == 0
    stage.now += 60
    assert sender.send_due() == 1
    assert stage.web.posts[0][0]["webhook-id"] == message_id(ENDED.job_id)


def test_jobs_from_before_webhooks_are_not_told_of(stage: Stage) -> None:
    stage.end(ENDED, stage.callback())
    sender = begun(stage)
    assert reconciled(stage, sender) == 0


def test_a_folder_that_does_not_change_is_not_listed_for_ever(stage: Stage) -> None:
    begun(stage)
    stage.end(ENDED)
    assert [stage.ends.reconcile() for _ in range(4)] == [1, 0, 0, 0]
    folder = stage.places.receipts
    stage.end(replace(ENDED, job_id="01J" + "B" * 23))
    tick = folder.stat()
    assert stage.ends.reconcile() == 1
    stage.end(replace(ENDED, job_id="01J" + "C" * 23))
    os.utime(folder, ns=(tick.st_atime_ns, tick.st_mtime_ns))  # the folder's clock is coarse
    assert stage.ends.reconcile() == 1


def test_a_receipt_that_cannot_be_read_harms_no_other(stage: Stage) -> None:
    sender = begun(stage)
    stage.places.receipt("01J" + "0" * 23).write_text("{")
    odd = replace(ENDED, job_id="01J" + "1" * 23, finished_at=1e99, name="\ud800")
    stage.end(replace(odd, state=JobState.CANCELLED))
    stage.places.receipt("01J" + "2" * 23).mkdir()
    stage.end(ENDED, stage.callback())
    assert reconciled(stage, sender) == 1


def test_the_schedule_is_kept_to_the_second_and_then_given_up(stage: Stage) -> None:
    stage.web.answers["/hook"] = w.body(b"secret words of the receiver", 500)
    sender = begun(stage)
    stage.end(ENDED, stage.callback())
    stage.ends.reconcile()
    bodies: set[bytes] = set()
    for wait_s in WAITS_S:
        if wait_s:
            stage.now += wait_s * 1.05 - 1  # chance is one half
            assert sender.send_due() == 0
            stage.now += 1.001
        assert sender.send_due() == 1
    headers = [sent for sent, _ in stage.web.posts]
    bodies = {body for _, body in stage.web.posts}
    assert len(headers) == 10
    assert len({sent["webhook-id"] for sent in headers}) == len(bodies) == 1
    assert len({sent["webhook-timestamp"] for sent in headers}) == 10
    (one,) = stage.store.newest()
    assert (one.state, one.last_status, one.attempts) == (DeliveryState.FAILED, 500, 10)
    assert "secret words" not in repr(one)
    stage.now += 1e6
    assert sender.send_due() == 0


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 503])
def test_whatever_is_not_2xx_is_tried_again(stage: Stage, status: int) -> None:
    stage.web.answers |= {
        "/hook": w.redirect("/other", status), "/other": w.body(b""),
    }  # fmt: skip
    sender = begun(stage)
    stage.end(ENDED, stage.callback())
    assert reconciled(stage, sender) == 1
    (one,) = stage.store.newest()
    assert (one.state, one.last_status) == (DeliveryState.PENDING, status)
    assert [path for path, _ in stage.web.requests] == ["/hook"]


def test_retry_after_is_honoured(stage: Stage) -> None:
    stage.web.answers["/hook"] = w.in_turn(w.body(b"", 503, Retry_After="600"), w.body(b""))
    sender = begun(stage)
    stage.end(ENDED, stage.callback())
    reconciled(stage, sender)
    stage.now += 599
    assert sender.send_due() == 0
    stage.now += 1
    assert sender.send_due() == 1


def test_410_ends_it_for_the_endpoint_until_another_address_is_set(stage: Stage) -> None:
    stage.environment["REELKILN_WEBHOOK_URL"] = stage.web.url("/gone")
    stage.web.answers["/gone"] = w.body(b"", 410)
    sender = begun(stage)
    for letter in "ABC":
        stage.end(replace(ENDED, job_id="01J" + letter * 23))
    stage.ends.reconcile()
    assert sender.send_due() == 1
    assert {one.state for one in stage.store.newest()} == {DeliveryState.FAILED}
    stage.end(replace(ENDED, job_id="01J" + "D" * 23))
    assert reconciled(stage, sender) == 0
    sender = begun(stage)
    stage.end(replace(ENDED, job_id="01J" + "E" * 23))
    assert reconciled(stage, sender) == 0
    stage.environment["REELKILN_WEBHOOK_URL"] = stage.web.url("/hook")
    sender = begun(stage)
    stage.end(replace(ENDED, job_id="01J" + "F" * 23))
    assert reconciled(stage, sender) == 1


def test_every_send_is_guarded(stage: Stage) -> None:
    """The first attempt, a later one and a replay: nobody but the operator lets networks in."""
    stage.web.answers["/hook"] = w.body(b"", 500)
    sender = stage.sender()
    sender.look()
    stage.end(ENDED, stage.callback())
    assert reconciled(stage, sender) == 1
    guarded = stage.sender(networks="")
    guarded.look()
    stage.now += 10
    assert guarded.send_due() == 1
    stage.store.replay(ENDED.job_id, stage.now)
    assert guarded.send_due() == 1
    stage.end(replace(ENDED, job_id="01J" + "B" * 23), stage.callback())
    assert reconciled(stage, guarded) == 1
    assert len(stage.web.requests) == 1
    one, other = stage.store.newest()
    assert one.state is other.state is DeliveryState.FAILED
    assert "not a public address" in one.last_error


def test_a_thread_sends_by_itself_and_ends_when_it_is_told(stage: Stage) -> None:
    stage.environment["REELKILN_WEBHOOK_URL"] = stage.web.url("/hook")
    sender = stage.sender()
    sender.start()
    until(lambda: "begun" in stage.store.settled_jobs())
    jobs = [stage.end(replace(ENDED, job_id=f"01J{number:023d}")) for number in range(20)]
    for job in jobs:
        sender.hint(job.job_id)
    until(lambda: len(stage.web.posts) == len(jobs))
    sender.stop()
    assert {one.state for one in stage.store.newest()} == {DeliveryState.SENT}


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_recipe_of_the_page_accepts_ours_and_no_others() -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    recipe: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], recipe)
    now = int(time.time())
    headers = signed((OTHER, SECRET), "msg_1", now, b"{}")
    assert recipe["is_ours"]([SECRET], headers, b"{}")
    assert recipe["is_ours"]([new_secret(), OTHER], headers, b"{}")
    assert not recipe["is_ours"]([SECRET], headers, b"{} ")
    assert not recipe["is_ours"]([new_secret()], headers, b"{}")
    for late in (now - 302, now + 302):
        assert not recipe["is_ours"]([SECRET], signed((SECRET,), "msg_1", late, b"{}"), b"{}")
