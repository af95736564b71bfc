"""Uploads over HTTP, as a plain client makes them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from daemon.api.context import ApiContext
from daemon.assets.uploads import Promise, Upload, Uploads
from daemon.service import Service
from daemon.storage import Part, Stored
from daemon.storage.around import Around
from daemon.storage.errors import UploadRefused, UploadUnknown
from tests.daemon.api.conftest import context_of, listening

MIB = 1 << 20


def png(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 18), colour).save(out, "PNG")
    return out.getvalue()


def promise(data: bytes, media_type: str = "image/png", **more: Any) -> dict[str, Any]:
    return {
        "media_type": media_type, "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), **more,
    }  # fmt: skip


def send(client: httpx.Client, request: dict[str, Any], data: bytes) -> httpx.Response:
    return client.request(
        request["method"], request["url"], content=data, headers=request["headers"]
    )


class Assets:
    """A catalog that remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Upload] = []

    def fulfil_upload(self, upload: Upload) -> str:
        self.given.append(upload)
        return f"asset-{upload.upload_id}"

    def stands_on(self, upload: Upload) -> bool:
        return upload.upload_id in {one.upload_id for one in self.given}


@pytest.fixture
def assets() -> Assets:
    return Assets()


@pytest.fixture
def context(service: Service, assets: Assets) -> ApiContext:
    made = context_of(service)
    assert made.uploads is not None
    made.uploads._assets = assets
    return made


@pytest.fixture
def client(context: ApiContext) -> Iterator[httpx.Client]:
    with listening(context) as found:
        yield found


@pytest.mark.parametrize(
    "path", ["/v1/uploads/presign", "/v1/assets/presign-upload", "/v1/assets/sign-upload"]
)
def test_an_upload_is_promised_sent_and_proven(
    client: httpx.Client, assets: Assets, context: ApiContext, path: str
) -> None:
    data = png()
    begun = client.post(path, json=promise(data, file_name="../../../etc/passwd\u202e.png"))
    assert begun.status_code == 201
    told = begun.json()
    here = begun.headers["location"]
    assert told["status"] == "pending"
    day = time.strftime("%Y-%m-%d", time.gmtime(context.clock()))
    assert told["key"] in (f"uploads/{day}/{told['upload_id']}",)
    assert send(client, told["request"], data).status_code == 200
    assert assets.given == []
    done = client.post(f"{here}/complete")
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "available"
    assert done.json()["asset_id"] == f"asset-{told['upload_id']}"
    assert [upload.sha256 for upload in assets.given] == [hashlib.sha256(data).hexdigest()]
    assert client.post(f"{here}/complete").json() == done.json()
    assert len(assets.given) == 1
    link = client.post(f"{here}/presign-download", json={}).json()
    got = client.get(link["url"])
    assert got.content == data
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"


def test_a_large_upload_goes_in_parts_and_on_after_a_part_was_lost(client: httpx.Client) -> None:
    data = b"RIFF" + (20 * MIB + 36).to_bytes(4, "little") + wav_body(20 * MIB)
    told = client.post("/v1/uploads/multipart", json=promise(data, "audio/wav")).json()
    here, size = f"/v1/uploads/{told['upload_id']}", told["part_bytes"]
    assert told["parts"] == 3
    asked = client.post(f"{here}/part-urls", json={"parts": [1, 2, 3]}).json()["parts"]
    assert [part["size_bytes"] for part in asked] == [size, size, len(data) - 2 * size]
    for part in (asked[0], asked[2]):
        at = (part["number"] - 1) * size
        assert send(client, part["request"], data[at : at + size]).status_code == 200
    early = client.post(f"{here}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload-not-arrived")
    assert "2" in early.json()["detail"]
    arrived = [part["number"] for part in client.get(here).json()["arrived"]]
    assert arrived == [1, 3]
    (again,) = client.post(f"{here}/part-urls", json={"parts": [2]}).json()["parts"]
    assert send(client, again["request"], data[size : 2 * size]).status_code == 200
    done = client.post(f"{here}/complete")
    assert (done.status_code, done.json()["status"]) == (200, "available"), done.text


def wav_body(size: int) -> bytes:
    rate = 48_000
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little")
    head += (1).to_bytes(2, "little") + rate.to_bytes(4, "little")
    head += (rate * 2).to_bytes(4, "little") + (2).to_bytes(2, "little")
    head += (16).to_bytes(2, "little") + b"data" + size.to_bytes(4, "little")
    return head + bytes(size)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png(), "video/mp4"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "video/mp4"),
        (b"<html><script>alert(1)</script>", "image/png"),
        (b"\xff\xfe\x00", "text/plain"),
        (b"{not json", "application/json"),
        (png()[:60], "image/png"),
    ],
)
def test_what_is_not_what_was_promised_is_refused_and_gone(
    client: httpx.Client, assets: Assets, context: ApiContext, data: bytes, media_type: str
) -> None:
    told = client.post("/v1/uploads/presign", json=promise(data, media_type)).json()
    here = f"/v1/uploads/{told['upload_id']}"
    assert send(client, told["request"], data).status_code == 200
    for _ in range(2):
        refused = client.post(f"{here}/complete")
        assert (refused.status_code, refused.json()["code"]) == (422, "upload-refused")
    assert client.get(here).json()["status"] == "refused"
    assert context.uploads is not None
    assert not context.uploads.storage.exists(told["key"])
    assert assets.given == []


def test_bytes_that_were_changed_in_the_storage_are_refused(
    client: httpx.Client, context: ApiContext
) -> None:
    data = b"what was sent"
    told = client.post("/v1/uploads/presign", json=promise(data, "text/plain")).json()
    send(client, told["request"], data)
    assert context.storage is not None
    path = context.storage.local_path(told["key"])
    assert path is not None
    path.write_bytes(data.upper())
    refused = client.post(f"/v1/uploads/{told['upload_id']}/complete")
    assert refused.status_code == 422


@pytest.mark.parametrize("kind", ["text/vtt", "text/plain", "application/x-subrip"])
def test_texts_are_taken_as_texts(client: httpx.Client, kind: str) -> None:
    data = "WEBVTT\n\n00:00.000 --> 00:01.000\ngrüße\n".encode()
    told = client.post("/v1/uploads/presign", json=promise(data, kind)).json()
    send(client, told["request"], data)
    done = client.post(f"/v1/uploads/{told['upload_id']}/complete").json()
    assert (done["status"], done["media_type"]) == ("available", kind)


def test_an_upload_that_never_came_can_still_be_sent(client: httpx.Client) -> None:
    data = png()
    told = client.post("/v1/uploads/presign", json=promise(data)).json()
    here = f"/v1/uploads/{told['upload_id']}"
    early = client.post(f"{here}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload-not-arrived")
    send(client, told["request"], data)
    assert client.post(f"{here}/complete").status_code == 200


def test_a_crash_between_joining_and_proving_loses_nothing(
    client: httpx.Client, context: ApiContext
) -> None:
    data = png()
    told = client.post("/v1/uploads/multipart", json=promise(data)).json()
    here = f"/v1/uploads/{told['upload_id']}"
    (part,) = client.post(f"{here}/part-urls", json={"parts": [1]}).json()["parts"]
    send(client, part["request"], data)
    uploads = context.uploads
    assert uploads is not None
    upload = uploads.find(told["upload_id"])
    assert upload is not None
    uploads.storage.complete(upload.key, upload.parts_id, uploads.arrived(upload))
    assert client.post(f"{here}/complete").json()["status"] == "available"


def test_parts_that_another_call_joined_meanwhile_are_joined(
    client: httpx.Client, context: ApiContext
) -> None:
    class Overtaken(Around):
        def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
            self.inner.complete(key, upload_id, parts)
            raise UploadUnknown(key)

    uploads = context.uploads
    assert uploads is not None
    uploads.storage = Overtaken(uploads.storage)
    data = png()
    told = client.post("/v1/uploads/multipart", json=promise(data)).json()
    here = f"/v1/uploads/{told['upload_id']}"
    (part,) = client.post(f"{here}/part-urls", json={"parts": [1]}).json()["parts"]
    send(client, part["request"], data)
    assert client.post(f"{here}/complete").json()["status"] == "available"


def test_uploads_are_removed_one_by_one_and_many_at_once(
    client: httpx.Client, assets: Assets, context: ApiContext
) -> None:
    data = png()
    ids = []
    for kind in ("presign", "multipart", "presign", "presign"):
        told = client.post(f"/v1/uploads/{kind}", json=promise(data)).json()
        ids.append(told["upload_id"])
        if told["request"]:
            send(client, told["request"], data)
    kept = ids.pop()
    assert client.post(f"/v1/uploads/{kept}/complete").status_code == 200
    assert client.delete(f"/v1/uploads/{ids[0]}").status_code == 204
    assert client.delete(f"/v1/uploads/{ids[0]}").status_code == 404
    told = client.post("/v1/uploads/delete", json={"upload_ids": [*ids, kept]}).json()
    assert [(one["upload_id"], one["removed"], one["code"]) for one in told["results"]] == [
        (ids[0], False, "not-found"), (ids[1], True, ""), (ids[2], True, ""),
        (kept, False, "upload-refused"),
    ]  # fmt: skip
    assert context.storage is not None
    assert [entry.key.rpartition("/")[2] for entry in context.storage.list()] == [kept]
    assert list((context.storage.root / ".uploads").iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_bytes": 0}, {"size_bytes": 1 << 49}, {"sha256": "ABC"}, {"media_type": "png"},
        {"media_type": "text/html; charset=utf-8"}, {"expires_s": 604_801}, {"expires_s": 0},
        {"key": "mine"}, {"media_type": "image/png\r\nX-Evil: 1"},
    ],
)  # fmt: skip
def test_a_promise_that_cannot_be_is_refused(client: httpx.Client, wrong: dict[str, Any]) -> None:
    refused = client.post("/v1/uploads/presign", json={**promise(png()), **wrong})
    assert 400 <= refused.status_code < 423


def test_a_part_that_an_upload_has_not_is_refused(client: httpx.Client) -> None:
    told = client.post("/v1/uploads/multipart", json=promise(png())).json()
    refused = client.post(f"/v1/uploads/{told['upload_id']}/part-urls", json={"parts": [2]})
    assert refused.status_code == 400


def test_strangers_do_not_learn_of_an_upload(client: httpx.Client) -> None:
    def key(owner: str, **headers: str) -> dict[str, str]:
        wish = {"owner": owner, "scopes": ["render", "read", *(["admin"] if not owner else [])]}
        made = client.post("/v1/keys", json=wish if owner else {"scopes": wish["scopes"]},
                           headers=headers).json()  # fmt: skip
        return {"X-API-Key": made["key"]}

    root = key("")
    ada, bob = key("ada", **root), key("bob", **root)
    data = png()
    told = client.post("/v1/uploads/presign", json=promise(data), headers=ada).json()
    here = f"/v1/uploads/{told['upload_id']}"
    assert send(client, told["request"], data).status_code == 200, "it needs no key"
    for method, path, body in (
        ("GET", here, None), ("DELETE", here, None), ("POST", f"{here}/complete", None),
        ("POST", f"{here}/part-urls", {"parts": [1]}), ("POST", f"{here}/presign-download", {}),
    ):  # fmt: skip
        assert client.request(method, path, json=body, headers=bob).status_code == 404
    removed = client.post(
        "/v1/uploads/delete", json={"upload_ids": [told["upload_id"]]}, headers=bob
    )
    assert removed.json()["results"][0]["code"] == "not-found"
    assert client.post(f"{here}/complete", headers=ada).status_code == 200


def test_uploads_that_nobody_completed_are_swept(context: ApiContext) -> None:
    uploads = context.uploads
    assert isinstance(uploads, Uploads)
    data = png()
    asked = Promise(
        media_type="image/png", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    old, done = uploads.promise(asked, ""), uploads.promise(asked, "", in_parts=False)
    uploads.storage.put(done.key, data, media_type="image/png")
    uploads.complete(done)
    uploads.sweep(3600)
    assert uploads.find(old.upload_id) is not None
    uploads.sweep(0)
    assert uploads.find(old.upload_id) is None
    assert uploads.find(done.upload_id) is not None
    assert uploads.storage.exists(done.key)


def test_bytes_that_an_asset_stands_on_stay_whatever_the_upload_says(context: ApiContext) -> None:
    """Who completed it died after the asset was made, and before the upload said so."""
    uploads = context.uploads
    assert isinstance(uploads, Uploads)
    data = png()
    asked = Promise(
        media_type="image/png", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    upload = uploads.promise(asked, "")
    uploads.storage.put(upload.key, data, media_type="image/png")
    uploads.complete(upload)
    uploads._write(upload)
    uploads.sweep(0)
    with pytest.raises(UploadRefused, match="an asset is made"):
        uploads.remove(upload)
    assert uploads.storage.exists(upload.key)
    assert uploads.complete(upload).state == "available"


def test_a_body_that_stalls_leaves_nothing_behind(service: Service) -> None:
    context = context_of(service, stall_s=0.2)
    with listening(context) as client:
        data = png()
        told = client.post("/v1/uploads/presign", json=promise(data)).json()

        def slowly() -> Iterator[bytes]:
            yield data[:10]
            time.sleep(1)
            yield data[10:]

        headers = {**told["request"]["headers"], "Content-Length": str(len(data))}
        try:
            stalled = client.put(told["request"]["url"], content=slowly(), headers=headers)
            assert stalled.status_code == 408
        except httpx.TransportError:
            pass  # the server hung up while we were talking
        assert context.storage is not None
        assert list((context.storage.root / ".new").iterdir()) == []
        assert not context.storage.exists(told["key"])


def test_many_complete_at_once_and_one_asset_is_made(
    client: httpx.Client, context: ApiContext
) -> None:
    data = png()
    told = client.post("/v1/uploads/multipart", json=promise(data)).json()
    here = f"/v1/uploads/{told['upload_id']}"
    (part,) = client.post(f"{here}/part-urls", json={"parts": [1]}).json()["parts"]
    send(client, part["request"], data)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(client.post(f"{here}/complete").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 4


def test_without_a_folder_signed_requests_find_nothing(service: Service, tmp_path: Path) -> None:
    context = dataclasses.replace(context_of(service), storage=None, uploads=None)
    with listening(context) as client:
        signed = "/v1/storage/a?expires=1&kid=a&owner=&signature=a"
        assert client.get(signed).status_code == 404
        assert client.post("/v1/uploads/presign", json=promise(png())).status_code == 503
