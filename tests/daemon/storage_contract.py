"""The contract of every Storage. An implementation subclasses it and gives `storage`."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.storage import Part, Signed, Storage
from daemon.storage.contract import LEAST_PART_BYTES
from daemon.storage.errors import (
    KeyRefused,
    KeyTaken,
    KeyUnknown,
    RangeOutside,
    UploadRefused,
    UploadUnknown,
)
from daemon.storage.keys import checked_key
from renderer.errors import UsageError
from tests.daemon.no_tls import NO_TLS

MIB = 1 << 20
BAD_KEYS = [
    "", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", ".hidden",
    "a/.new/x", "a\\b", "a\x00b", "a\nb", "a\x7fb", "a\u202eb", "x" * 201, "a/" * 300 + "b",
    "\ud800",
]  # fmt: skip
SEGMENTS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=12
).filter(lambda text: not text.startswith("."))
KEYS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)
_ASKED = settings(
    max_examples=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)  # fmt: skip


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def bytes_of(size: int) -> bytes:
    """Bytes of which no two mebibytes are the same."""
    return b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(-(-size // 32)))[:size]


def new_key(folder: str = "some") -> str:
    return f"{folder}/{secrets.token_hex(8)}"


def read(storage: Storage, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(storage.open_range(key, start, end))


def send(signed: Signed, data: bytes, **headers: str) -> httpx.Response:
    """What a plain client does with a signed request."""
    return httpx.put(
        signed.url, content=data, headers={**signed.headers, **headers}, timeout=60, verify=NO_TLS
    )


def tampered(url: str) -> list[str]:
    """The URL with each of its parameters changed, dropped, and doubled, and the path changed."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)

    def with_query(query: list[tuple[str, str]]) -> str:
        return parts._replace(query=urlencode(query)).geturl()

    changed = [
        with_query([*pairs[:at], (name, _other(value)), *pairs[at + 1 :]])
        for at, (name, value) in enumerate(pairs)
    ]
    dropped = [with_query([*pairs[:at], *pairs[at + 1 :]]) for at in range(len(pairs))]
    elsewhere = parts._replace(path=parts.path + "x").geturl()
    return [*changed, *dropped, elsewhere]


def _other(value: str) -> str:
    """Another value of the same form."""
    if not value:
        return "x"
    last = value[-1]
    return value[:-1] + {"0": "1", "a": "b", "A": "B"}.get(last, "0" if last.isdigit() else "A")


class StorageContract:
    tick_s = 0.01  # how finely its times tell

    @pytest.fixture
    def storage(self) -> Storage:
        raise NotImplementedError

    @pytest.fixture
    def expired(self) -> Callable[[Callable[[], Signed]], Signed]:
        """A signed request that is over: made by the callable, an hour and more ago."""
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"a", bytes_of(3 * MIB + 1)])
    def test_bytes_come_back_as_they_went_in(self, storage: Storage, data: bytes) -> None:
        key = new_key()
        stored = storage.put(key, data, media_type="video/mp4")
        assert read(storage, key) == data
        assert storage.head(key) == stored
        assert (stored.key, stored.size_bytes, stored.media_type) == (key, len(data), "video/mp4")
        assert stored.sha256 == sha(data)
        assert stored.modified > 1e9
        assert stored.etag

    @given(key=KEYS)
    @_ASKED
    def test_whatever_is_a_key_can_be_stored_and_listed(self, storage: Storage, key: str) -> None:
        whole = f"{new_key('any')}/{key}"
        storage.put(whole, b"x")
        assert read(storage, whole) == b"x"
        folder = "/".join(whole.split("/")[:2])
        assert [entry.key for entry in storage.list(folder)] == [whole]

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_what_is_no_key_is_refused_everywhere(
        self, storage: Storage, key: str, tmp_path: Path
    ) -> None:
        (tmp_path / "f").write_bytes(b"x")
        part = Part(number=1, size_bytes=1, etag="x")
        acts: list[Callable[[], object]] = [
            lambda: storage.put(key, b"x"),
            lambda: storage.put_file(key, tmp_path / "f", move=True),
            lambda: storage.open_range(key),
            lambda: storage.head(key),
            lambda: storage.exists(key),
            lambda: storage.delete(key),
            lambda: storage.local_path(key),
            lambda: storage.presign("GET", key),
            lambda: storage.public_url(key),
            lambda: storage.begin(key),
            lambda: storage.part_url(key, "0" * 32, 1),
            lambda: storage.list_parts(key, "0" * 32),
            lambda: storage.complete(key, "0" * 32, [part]),
            lambda: storage.abort(key, "0" * 32),
        ]
        for act in acts:
            with pytest.raises(KeyRefused):
                act()
        assert isinstance(storage.delete_many([key])[key], KeyRefused)
        assert (tmp_path / "f").read_bytes() == b"x"

    def test_nothing_is_ever_overwritten(self, storage: Storage, tmp_path: Path) -> None:
        key = new_key()
        storage.put(key, b"first")
        (tmp_path / "f").write_bytes(b"second")
        with pytest.raises(KeyTaken):
            storage.put(key, b"second")
        with pytest.raises(KeyTaken):
            storage.put_file(key, tmp_path / "f", move=True)
        with pytest.raises(KeyTaken):
            storage.begin(key)
        assert read(storage, key) == b"first"
        assert (tmp_path / "f").read_bytes() == b"second"

    def test_of_many_who_put_at_once_one_wins(self, storage: Storage) -> None:
        key, won = new_key(), list[bytes]()

        def race(data: bytes) -> None:
            try:
                storage.put(key, data)
            except KeyTaken:
                return
            won.append(data)

        threads = [threading.Thread(target=race, args=(b"%d" % n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [read(storage, key)] == won

    @pytest.mark.parametrize("move", [False, True])
    @pytest.mark.parametrize("size", [0, 5, 17 * MIB])
    def test_a_file_is_copied_or_moved(
        self, storage: Storage, tmp_path: Path, size: int, move: bool
    ) -> None:
        key, path, data = new_key(), tmp_path / "f", bytes_of(size)
        path.write_bytes(data)
        stored = storage.put_file(key, path, media_type="image/png", move=move)
        assert (stored.size_bytes, stored.media_type, stored.sha256) == (
            size, "image/png", sha(data),
        )  # fmt: skip
        assert read(storage, key) == data
        assert path.exists() is not move

    def test_a_link_is_no_file(self, storage: Storage, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"x")
        (tmp_path / "link").symlink_to(tmp_path / "f")
        for path in (tmp_path / "link", tmp_path):
            with pytest.raises(UsageError):
                storage.put_file(new_key(), path, move=True)
        assert (tmp_path / "f").exists()

    def test_ranges_are_as_python_slices(self, storage: Storage) -> None:
        key, data = new_key(), bytes_of(2 * MIB + 7)
        storage.put(key, data)
        for start, end in ((0, 1), (5, 9), (MIB - 1, MIB + 1), (2 * MIB, None), (7, 99 * MIB)):
            assert read(storage, key, start, end) == data[start:end]

    @pytest.mark.parametrize(("start", "end"), [(5, None), (5, 9), (9, 12), (3, 3), (-1, 2)])
    def test_a_range_without_bytes_is_refused(
        self, storage: Storage, start: int, end: int | None
    ) -> None:
        key = new_key()
        storage.put(key, b"12345")
        with pytest.raises(RangeOutside):
            storage.open_range(key, start, end)

    def test_what_is_not_there_is_unknown(self, storage: Storage) -> None:
        key = new_key()
        assert not storage.exists(key)
        assert storage.local_path(key) is None
        for act in (storage.head, storage.open_range):
            with pytest.raises(KeyUnknown):
                act(key)
        storage.delete(key)

    def test_a_folder_is_no_stored_thing(self, storage: Storage) -> None:
        key = new_key()
        storage.put(f"{key}/below", b"x")
        assert not storage.exists(key)
        with pytest.raises(KeyUnknown):
            storage.head(key)
        storage.delete(key)
        assert storage.exists(f"{key}/below")

    def test_what_is_deleted_is_gone_and_its_key_is_free(self, storage: Storage) -> None:
        key = new_key()
        storage.put(key, b"first")
        assert read(storage, key) == b"first"
        storage.delete(key)
        assert not storage.exists(key)
        storage.put(key, b"after")
        assert read(storage, key) == b"after"

    def test_many_are_deleted_with_a_result_for_each(self, storage: Storage) -> None:
        keys = [new_key() for _ in range(12)]
        for key in keys[:10]:
            storage.put(key, b"x")
        told = storage.delete_many([*keys, "../x"])
        assert [told[key] for key in keys] == [None] * 12
        assert isinstance(told["../x"], KeyRefused)
        assert not any(map(storage.exists, keys))

    def test_lists_are_sorted_by_bytes_and_keep_to_their_folder(self, storage: Storage) -> None:
        top = new_key("lists")
        keys = [f"{top}/{name}" for name in ("b", "a/z", "a.b", "a/ü", "é", "a/a/a", "Z")]
        for key in [*keys, f"{top}x/other"]:
            storage.put(key, b"123")
        entries = list(storage.list(top))
        assert [entry.key for entry in entries] == sorted(keys, key=str.encode)
        assert {entry.size_bytes for entry in entries} == {3}
        assert [entry.key for entry in storage.list(f"{top}/a")] == [
            f"{top}/a/a/a", f"{top}/a/z", f"{top}/a/ü",
        ]  # fmt: skip
        assert list(storage.list(new_key("nothing"))) == []
        assert set(keys) < {entry.key for entry in storage.list()}

    def test_a_signed_get_needs_no_credentials(self, storage: Storage) -> None:
        key = new_key("ü b")
        storage.put(key, b"0123456789", media_type="video/mp4")
        signed = storage.presign("GET", key, file_name='größe "1".mp4')
        got = httpx.get(signed.url, headers=dict(signed.headers), verify=NO_TLS)
        assert (got.status_code, got.content) == (200, b"0123456789")
        assert got.headers["content-type"] == "video/mp4"
        assert got.headers["content-disposition"].startswith("attachment;")
        assert "gr%C3%B6%C3%9Fe%20%221%22.mp4" in got.headers["content-disposition"]
        part = httpx.get(signed.url, headers={"Range": "bytes=2-4"}, verify=NO_TLS)
        assert (part.status_code, part.content) == (206, b"234")
        assert (
            httpx.get(signed.url, headers={"Range": "bytes=99-"}, verify=NO_TLS).status_code == 416
        )
        tag = got.headers["etag"]
        assert (
            httpx.get(signed.url, headers={"If-None-Match": tag}, verify=NO_TLS).status_code == 304
        )

    def test_a_signed_put_stores_what_was_announced(self, storage: Storage) -> None:
        key, data = new_key(), b"some bytes"
        signed = storage.presign(
            "PUT", key, media_type="image/png", size_bytes=len(data), sha256=sha(data)
        )
        assert signed.method == "PUT"
        assert send(signed, data).status_code == 200
        stored = storage.head(key)
        assert (stored.sha256, stored.media_type) == (sha(data), "image/png")
        assert read(storage, key) == data
        assert send(signed, data).status_code in (409, 412)
        assert read(storage, key) == data

    @pytest.mark.parametrize("data", [b"some bytez", b"some byte", b"some bytes!", b""])
    def test_a_signed_put_of_other_bytes_is_refused(self, storage: Storage, data: bytes) -> None:
        key, promised = new_key(), b"some bytes"
        signed = storage.presign(
            "PUT", key, media_type="image/png", size_bytes=len(promised), sha256=sha(promised)
        )
        assert 400 <= send(signed, data).status_code < 500
        assert not storage.exists(key)

    def test_a_signed_put_of_another_type_is_refused(self, storage: Storage) -> None:
        key = new_key()
        signed = storage.presign("PUT", key, media_type="image/png", size_bytes=1)
        refused = send(signed, b"x", **{"Content-Type": "text/html"})
        assert 400 <= refused.status_code < 500
        assert not storage.exists(key)

    def test_a_signed_request_is_for_one_method_and_one_key(self, storage: Storage) -> None:
        key = new_key()
        storage.put(key, b"x")
        reads, writes = storage.presign("GET", key), storage.presign("PUT", new_key())
        assert httpx.put(reads.url, content=b"y", verify=NO_TLS).status_code == 403
        assert httpx.delete(reads.url, verify=NO_TLS).status_code in (403, 405)
        assert httpx.get(writes.url, verify=NO_TLS).status_code == 403
        bare = reads.url.partition("?")[0]
        assert httpx.get(bare, verify=NO_TLS).status_code in (400, 403)

    def test_no_changed_parameter_is_accepted(self, storage: Storage) -> None:
        key, data = new_key(), b"some bytes"
        storage.put(key, data)
        for url in tampered(storage.presign("GET", key, file_name="a.png").url):
            assert 400 <= httpx.get(url, verify=NO_TLS).status_code < 500, url
        fresh = new_key()
        signed = storage.presign(
            "PUT", fresh, media_type="image/png", size_bytes=len(data), sha256=sha(data)
        )
        for url in tampered(signed.url):
            changed = httpx.put(url, content=data, headers=dict(signed.headers), verify=NO_TLS)
            assert 400 <= changed.status_code < 500, url
        upload = storage.begin(fresh)
        part = storage.part_url(fresh, upload, 1, size_bytes=len(data))
        for url in tampered(part.url):
            assert 400 <= httpx.put(url, content=data, verify=NO_TLS).status_code < 500, url
        assert storage.list_parts(fresh, upload) == ()
        assert not storage.exists(fresh)
        storage.abort(fresh, upload)

    def test_a_request_that_is_over_is_refused(
        self, storage: Storage, expired: Callable[[Callable[[], Signed]], Signed]
    ) -> None:
        key = new_key()
        storage.put(key, b"x")
        upload = storage.begin(new_key())
        assert (
            httpx.get(expired(lambda: storage.presign("GET", key)).url, verify=NO_TLS).status_code
            == 403
        )
        fresh = new_key()
        assert send(expired(lambda: storage.presign("PUT", fresh)), b"x").status_code == 403
        part = new_key()
        upload = storage.begin(part)
        old = expired(lambda: storage.part_url(part, upload, 1))
        assert send(old, b"x").status_code == 403
        assert storage.list_parts(part, upload) == ()
        assert not storage.exists(fresh)

    @pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * 3600 + 1])
    def test_links_last_a_second_to_seven_days(self, storage: Storage, seconds: int) -> None:
        key = new_key()
        with pytest.raises(UsageError):
            storage.presign("GET", key, expires_s=seconds)
        storage.presign("GET", key, expires_s=7 * 24 * 3600)
        upload = storage.begin(key)
        with pytest.raises(UsageError):
            storage.part_url(key, upload, 1, expires_s=seconds)
        storage.abort(key, upload)

    def test_an_upload_in_parts_goes_on_after_a_part_was_lost(self, storage: Storage) -> None:
        self.upload_in_parts(storage, bytes_of(11 * MIB))

    def upload_in_parts(self, storage: Storage, data: bytes, size: int = LEAST_PART_BYTES) -> None:
        """What a plain client does: send, lose a part, ask what is there, send what is missing."""
        key = new_key()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        upload = storage.begin(key, media_type="video/mp4")

        def send_part(number: int) -> None:
            piece = pieces[number - 1]
            signed = storage.part_url(key, upload, number, size_bytes=len(piece))
            assert send(signed, piece).status_code == 200

        lost = 2
        for number in range(len(pieces), 0, -1):
            if number != lost:
                send_part(number)
        assert not storage.exists(key)
        there = storage.list_parts(key, upload)
        assert [p.number for p in there] == [n for n in range(1, len(pieces) + 1) if n != lost]
        missing = {*range(1, len(pieces) + 1)} - {part.number for part in there}
        for number in sorted(missing):
            send_part(number)
        stored = storage.complete(key, upload, storage.list_parts(key, upload))
        assert (stored.size_bytes, stored.media_type) == (len(data), "video/mp4")
        assert hashlib.sha256(read(storage, key)).hexdigest() == sha(data)
        with pytest.raises(UploadUnknown):
            storage.list_parts(key, upload)

    def test_a_part_may_be_sent_again_and_the_last_one_counts(self, storage: Storage) -> None:
        key = new_key()
        upload = storage.begin(key)
        for data in (b"wrong", b"right"):
            assert send(storage.part_url(key, upload, 1), data).status_code == 200
            time.sleep(self.tick_s)
        parts = storage.list_parts(key, upload)
        assert [(part.number, part.size_bytes) for part in parts] == [(1, 5)]
        storage.complete(key, upload, parts)
        assert read(storage, key) == b"right"

    def test_parts_of_another_size_are_refused(self, storage: Storage) -> None:
        key = new_key()
        upload = storage.begin(key)
        signed = storage.part_url(key, upload, 1, size_bytes=4)
        assert 400 <= send(signed, b"12345").status_code < 500
        assert storage.list_parts(key, upload) == ()
        storage.abort(key, upload)

    def test_parts_that_make_no_whole_are_refused(self, storage: Storage) -> None:
        key = new_key()
        upload = storage.begin(key)
        for number in (1, 2):
            send(storage.part_url(key, upload, number), b"tiny")
        one, two = storage.list_parts(key, upload)
        strange = Part(number=2, size_bytes=4, etag=one.etag[::-1])
        absent = Part(number=3, size_bytes=4, etag=one.etag)
        for parts in ([], [one, two], [two, one], [one, one], [one, strange], [absent]):
            with pytest.raises(UploadRefused):
                storage.complete(key, upload, parts)
        assert not storage.exists(key)
        storage.complete(key, upload, [two])
        assert read(storage, key) == b"tiny"

    def test_a_completed_upload_overwrites_nothing(self, storage: Storage) -> None:
        key = new_key()
        upload = storage.begin(key)
        send(storage.part_url(key, upload, 1), b"late")
        storage.put(key, b"early")
        with pytest.raises(KeyTaken):
            storage.complete(key, upload, storage.list_parts(key, upload))
        assert read(storage, key) == b"early"
        storage.abort(key, upload)

    def test_an_aborted_upload_is_gone(self, storage: Storage) -> None:
        key = new_key()
        upload = storage.begin(key)
        signed = storage.part_url(key, upload, 1)
        send(signed, b"x")
        storage.abort(key, upload)
        storage.abort(key, upload)
        with pytest.raises(UploadUnknown):
            storage.list_parts(key, upload)
        assert send(signed, b"x").status_code == 404
        assert not storage.exists(key)

    def test_an_upload_is_of_one_key(self, storage: Storage) -> None:
        key, other = new_key(), new_key()
        upload = storage.begin(key)
        send(storage.part_url(key, upload, 1), b"x")
        parts = storage.list_parts(key, upload)
        with pytest.raises(UploadUnknown):
            storage.list_parts(other, upload)
        with pytest.raises(UploadUnknown):
            storage.complete(other, upload, parts)
        assert not storage.exists(other)
        storage.abort(other, upload)
        assert storage.list_parts(key, upload) == parts
        storage.abort(key, upload)

    @pytest.mark.parametrize("number", [0, -1, 10_001])
    def test_parts_are_numbered_from_one(self, storage: Storage, number: int) -> None:
        key = new_key()
        upload = storage.begin(key)
        with pytest.raises(UsageError):
            storage.part_url(key, upload, number)
        storage.abort(key, upload)

    def test_public_addresses_are_there_when_the_operator_named_one(self, storage: Storage) -> None:
        assert storage.public_url("a b/ü.png") == "https://cdn.example/films/a%20b/%C3%BC.png"


@given(text=st.text(max_size=60))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_key_leads_nowhere_but_down(text: str) -> None:
    try:
        checked_key(text)
    except KeyRefused:
        return
    assert (Path("/top") / text).resolve().is_relative_to("/top")
    assert not re.search(r"[\x00-\x1f\x7f\\]|(^|/)\.|//|^/|/$", text)
