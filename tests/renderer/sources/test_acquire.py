import io
import ipaddress
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from renderer.digest import digest_of_bytes
from renderer.errors import Fault, SourceChanged, SourceRefused, SourceUnavailable, StorageFull
from renderer.events import Event, Warned, ignore
from renderer.http_policy import HttpPolicy
from renderer.inputs import Inputs, SourceUse
from renderer.media import MediaKind
from renderer.sources import SourcePolicy, acquire
from renderer.store import LocalStore
from tests.renderer import web as w
from tests.renderer.moving import H264, PICTURE, make
from tests.renderer.web import Web

QUICK = HttpPolicy(
    networks=(ipaddress.ip_network("127.0.0.1"),), idle_s=5, pause_s=0.01, max_bytes=100_000
)
PLACE = ("tracks", 0, "clips", 1, "image")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def policy(tmp_path: Path) -> SourcePolicy:
    base = tmp_path / "base"
    base.mkdir()
    return SourcePolicy(base=base, roots=(base,), max_source_bytes=100_000, http=QUICK)


def use(source: str, *kinds: MediaKind, path: tuple[str | int, ...] = PLACE) -> SourceUse:
    return SourceUse(source=source, expected=frozenset(kinds or (MediaKind.IMAGE,)), path=path)


def faults(
    uses: list[SourceUse], policy: SourcePolicy, store: LocalStore, lock: Inputs | None = None
) -> tuple[Fault, ...]:
    with pytest.raises((SourceRefused, SourceChanged)) as caught:
        acquire(uses, policy, store, lock=lock)
    return caught.value.faults


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


def objects(store: LocalStore) -> list[str]:
    return sorted(path.name for path in (store.root / "objects").rglob("*") if path.is_file())


# ---------------------------------------------------------------------------- download


def test_a_url_is_pinned_to_bytes_in_the_store(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    web.answers["/a.png"] = w.body(picture())
    source = web.url("/a.png")
    pin = acquire([use(source)], policy, store)[source]
    assert pin.sha256 == digest_of_bytes(picture())
    assert pin.size_bytes == len(picture())
    assert pin.media.kind is MediaKind.IMAGE
    assert store.path(pin.sha256).read_bytes() == picture()
    assert list((store.root / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (w.body(b"", 404), "source-missing"),
        (w.body(b"<!DOCTYPE html><html>Sorry</html>", Content_Type="image/png"), "source-form"),
        (w.body(b"#EXTM3U\nhttp://127.0.0.2/secret.ts\n"), "source-form"),
        (w.body(b""), "source-form"),
        (w.body(picture()[:-30]), "source-unreadable"),
        (w.body(bytes(100_001)), "source-too-large"),
        (w.redirect("http://10.0.0.1/"), "source-address"),
    ],
)
def test_a_refusal_stands_where_the_source_is_named_and_nothing_is_kept(
    web: Web, policy: SourcePolicy, store: LocalStore, answer: w.Answer, code: str
) -> None:
    web.answers["/a.png"] = answer
    source = web.url("/a.png?token=secret")
    elsewhere = ("tracks", 5, "clips", 0, "image")
    first, second = faults([use(source), use(source, path=elsewhere)], policy, store)
    assert (first.code, first.path, second.path) == (code, PLACE, elsewhere)
    assert "http://" in first.message
    assert "secret" not in first.message + first.hint
    assert objects(store) == []
    assert list((store.root / "work").iterdir()) == []


def test_a_url_is_refused_when_the_network_is_not_allowed(
    policy: SourcePolicy, store: LocalStore
) -> None:
    offline = replace(policy, http=None)
    (fault,) = faults([use("http://example.com/a.png")], offline, store)
    assert fault.code == "source-scheme"
    (fault,) = faults([use("concat://a.png|b.png")], policy, store)
    assert fault.code == "source-scheme"


def test_a_server_that_is_down_is_unavailable_with_the_place_in_words(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    web.answers["/a.png"] = w.body(b"", 500)
    said: list[Event] = []
    with pytest.raises(SourceUnavailable, match=r"^tracks\[0\]\.clips\[1\]\.image: http.*500"):
        acquire([use(web.url("/a.png"))], policy, store, listen=said.append)
    assert [e.code for e in said if isinstance(e, Warned)] == ["source-retry", "source-retry"]


def test_a_mistake_of_the_author_comes_before_a_server_that_is_down(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    web.answers["/a.png"] = w.body(b"", 503)
    found = faults([use(web.url("/a.png")), use("gone.png")], policy, store)
    assert [fault.code for fault in found] == ["source-missing"]


def test_a_server_that_recovers_is_waited_for(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    web.answers["/a.png"] = w.in_turn(
        w.body(b"", 500), w.cut_short(picture()[:50], len(picture())), w.body(picture())
    )
    source = web.url("/a.png")
    assert acquire([use(source)], policy, store)[source].size_bytes == len(picture())


def test_bytes_that_still_stand_are_not_sent_twice(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    source = web.url("/a.png")
    web.answers["/a.png"] = w.body(picture(), ETag='"1"')
    first = acquire([use(source)], policy, store)
    sent = w.body(b"", 304)
    web.answers["/a.png"] = lambda h: (sent if h.headers["If-None-Match"] == '"1"' else _fail)(h)
    assert acquire([use(source)], policy, store) == first
    web.answers["/a.png"] = w.body(picture("blue"), ETag='"2"')
    assert acquire([use(source)], policy, store) != first


def _fail(handler: object) -> None:
    raise AssertionError("asked without the validator")


def test_bytes_lost_from_the_store_are_fetched_anew(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    source = web.url("/a.png")
    web.answers["/a.png"] = w.body(picture(), ETag='"1"')
    pin = acquire([use(source)], policy, store)[source]
    store.path(pin.sha256).unlink()
    whole, same = w.body(picture()), w.body(b"", 304)
    web.answers["/a.png"] = lambda h: (same if h.headers["If-None-Match"] else whole)(h)
    assert acquire([use(source)], policy, store)[source] == pin
    assert store.path(pin.sha256).read_bytes() == picture()


# -------------------------------------------------------------------------------- lock


def test_with_a_lock_stored_bytes_need_no_network(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    source = web.url("/a.png")
    web.answers["/a.png"] = w.body(picture())
    lock = acquire([use(source)], policy, store)
    web.requests.clear()
    web.answers["/a.png"] = w.body(picture("blue"))
    assert acquire([use(source)], policy, store, lock=lock) == lock
    assert acquire([use(source)], replace(policy, http=None), store, lock=lock) == lock
    assert web.requests == []


def test_with_a_lock_and_an_empty_store_the_bytes_must_be_the_same(
    web: Web, policy: SourcePolicy, store: LocalStore, tmp_path: Path
) -> None:
    source = web.url("/a.png")
    web.answers["/a.png"] = w.body(picture())
    lock = acquire([use(source)], policy, store)
    fresh = LocalStore(tmp_path / "fresh")
    assert acquire([use(source)], policy, fresh, lock=lock) == lock
    web.answers["/a.png"] = w.body(picture("blue"))
    (fault,) = faults([use(source)], policy, LocalStore(tmp_path / "other"), lock)
    assert (fault.code, fault.path) == ("source-changed", PLACE)
    old, new = digest_of_bytes(picture()), digest_of_bytes(picture("blue"))
    assert old in fault.message
    assert new in fault.message


def test_a_local_file_that_changed_is_named_with_both_digests(
    policy: SourcePolicy, store: LocalStore
) -> None:
    for name in ("a.png", "b.png"):
        (policy.base / name).write_bytes(picture())
    uses = [use("a.png"), use("b.png", path=("tracks", 0, "clips", 2, "image"))]
    lock = acquire(uses, policy, store)
    (policy.base / "b.png").write_bytes(picture("lime"))
    (fault,) = faults(uses, policy, store, lock)
    assert fault.path == ("tracks", 0, "clips", 2, "image")
    assert fault.message == (
        f"b.png changed: the lock says {digest_of_bytes(picture())}, "
        f"now {digest_of_bytes(picture('lime'))}"
    )
    assert "reelkiln lock" in fault.hint


def test_a_source_the_lock_does_not_name_is_said_and_an_extra_one_too(
    policy: SourcePolicy, store: LocalStore
) -> None:
    for name in ("a.png", "b.png"):
        (policy.base / name).write_bytes(picture())
    lock = acquire([use("a.png")], policy, store)
    (fault,) = faults([use("a.png"), use("b.png")], policy, store, lock)
    assert (fault.code, "b.png is not in the lock" in fault.message) == ("source-changed", True)
    both = acquire([use("a.png"), use("b.png")], policy, store)
    said: list[Event] = []
    acquire([use("a.png")], policy, store, lock=both, listen=said.append)
    (warning,) = [event for event in said if isinstance(event, Warned)]
    assert (warning.code, "b.png" in warning.message) == ("lock-extra", True)


def test_that_a_source_changed_says_more_than_what_it_changed_to(
    web: Web, policy: SourcePolicy, store: LocalStore
) -> None:
    (policy.base / "a.png").write_bytes(picture())
    web.answers["/b.png"] = w.body(picture("lime"))
    uses = [use("a.png"), use(web.url("/b.png"))]
    lock = acquire(uses, policy, store)
    store.path(digest_of_bytes(picture("lime"))).unlink()
    (policy.base / "a.png").write_bytes(b"no picture any more")
    web.answers["/b.png"] = w.body(b"<html>gone</html>")
    assert [fault.code for fault in faults(uses, policy, store, lock)] == ["source-changed"] * 2
    assert objects(store) == []
    with pytest.raises(SourceRefused) as caught:
        acquire([*uses, use("gone.png")], policy, store, lock=lock)
    codes = sorted(fault.code for fault in caught.value.faults)
    assert codes == ["source-changed", "source-changed", "source-missing"]


def test_a_full_disk_is_told_as_such(web: Web, policy: SourcePolicy, store: LocalStore) -> None:
    web.answers["/a.png"] = w.body(bytes(90_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageFull, match="no room left"):
            acquire([use(web.url("/a.png"))], policy, store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((store.root / "work").iterdir()) == []


# ------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("wanted", "name", "words", "hint"),
    [
        (MediaKind.IMAGE, "v.mp4", "is a video without sound, here a still image", "write video:"),
        (MediaKind.IMAGE, "m.gif", "is a moving GIF without sound", "write video:"),
        (MediaKind.VIDEO, "p.png", "is a still image, here a video", "write image:"),
        (MediaKind.AUDIO, "v.mp4", "is a video without sound, here sound", "choose another"),
        (MediaKind.FONT, "p.png", "is a still image, here a font", "choose another"),
    ],
)
def test_the_wrong_kind_of_source_is_said_with_a_way_out(
    policy: SourcePolicy, store: LocalStore, wanted: MediaKind, name: str, words: str, hint: str
) -> None:
    if name == "p.png":
        (policy.base / name).write_bytes(picture())
    else:
        make(policy.base / name, *PICTURE, *(H264 if name == "v.mp4" else ()))
    path = ("tracks", 0, "clips", 0, wanted.value)
    kinds = (wanted, MediaKind.VIDEO) if wanted is MediaKind.AUDIO else (wanted,)
    (fault,) = faults([use(name, *kinds, path=path)], policy, store)
    assert (fault.code, fault.path) == ("source-kind", path)
    assert words in fault.message
    assert fault.hint.startswith(hint)


def test_an_animated_still_is_warned_about(policy: SourcePolicy, store: LocalStore) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime")]
    frames[0].save(policy.base / "a.png", save_all=True, append_images=frames[1:])
    said: list[Event] = []
    acquire([use("a.png")], policy, store, listen=said.append)
    (warning,) = [event for event in said if isinstance(event, Warned)]
    assert "a.png is an animation of 2 frames" in warning.message


def test_every_fault_of_every_source_is_reported_at_once(
    policy: SourcePolicy, store: LocalStore
) -> None:
    (policy.base / "empty.png").touch()
    uses = [use("gone.png"), use("../out.png"), use("empty.png"), use("http://10.0.0.1/a.png")]
    with pytest.raises(SourceRefused) as caught:
        acquire(uses, policy, store, listen=ignore)
    codes = sorted(fault.code for fault in caught.value.faults)
    assert codes == ["source-address", "source-form", "source-missing", "source-outside"]
    assert all(fault.hint for fault in caught.value.faults)
