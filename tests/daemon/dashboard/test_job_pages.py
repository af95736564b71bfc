from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from typing import Any

import httpx
import pytest

from daemon.dashboard.page_routes import PAGES
from tests.daemon.api.conftest import SPEC, until
from tests.daemon.dashboard.conftest import Site, registered, sent, text_of

EVIL = "<img src=x onerror=alert(1)>"
TITLED = {
    **SPEC,
    "tracks": [*SPEC["tracks"], {"clips": [{"text": EVIL, "length": "1s"}]}],  # type: ignore[misc]
}


def handed_in(browser: httpx.Client, spec: object = SPEC, **more: str) -> str:
    """The id of a job that was handed in on the page."""
    answer = sent(browser, "/ui/submit", "/ui/submit", document=json.dumps(spec), **more)
    assert answer.status_code == 200, text_of(answer.text)
    return answer.url.path.rpartition("/")[2]


def ended(browser: httpx.Client, job_id: str) -> dict[str, Any]:
    def told() -> dict[str, Any] | None:
        job: dict[str, Any] = browser.get(f"/v1/jobs/{job_id}").json()
        return job if job["finished_at"] else None

    found: dict[str, Any] = until(told)
    return found


@pytest.fixture(scope="module")
def root(running: Site) -> httpx.Client:
    """The browser of the first account, who is an admin."""
    return registered(running, "root")


@pytest.fixture(scope="module")
def ada(running: Site, root: httpx.Client) -> httpx.Client:
    return registered(running, "ada")


@pytest.fixture(scope="module")
def bo(running: Site, root: httpx.Client) -> httpx.Client:
    return registered(running, "bo")


@pytest.fixture(scope="module")
def rendered(ada: httpx.Client) -> str:
    """A job of Ada's that has succeeded."""
    job_id = handed_in(ada, TITLED)
    assert ended(ada, job_id)["status"] == "succeeded"
    return job_id


def test_a_job_page_says_what_was_made_of_what_and_why(ada: httpx.Client, rendered: str) -> None:
    html = ada.get(f"/ui/jobs/{rendered}").text
    words = text_of(html)
    for expected in ("succeeded", "never drawn", "Bundle digest", "Toolchain", "a.png", "hello"):
        assert expected in words, expected
    job = ada.get(f"/v1/jobs/{rendered}").json()
    files = ada.get(job["links"]["files"]).json()["files"]
    assert len(files) >= 4
    for file in files:
        assert file["sha256"] in words
        assert f'href="{file["url"]}"' in html
    assert job["bundle_digest"] in words
    assert f'src="/v1/jobs/{rendered}/files/video.mp4"' in html
    part = ada.get(f"/v1/jobs/{rendered}/files/video.mp4", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    drawn = ada.get(f"/ui/jobs/{rendered}/timeline.svg")
    assert drawn.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "segment 1: run, never drawn" in "".join(ET.fromstring(drawn.text).itertext())


def test_what_is_rendered_again_is_told_to_be_reused(ada: httpx.Client, rendered: str) -> None:
    again = handed_in(ada, TITLED, fresh="true")
    assert again != rendered
    ended(ada, again)
    words = text_of(ada.get(f"/ui/jobs/{again}").text)
    assert "0 drawn, 1 reused" in words
    assert "drawn before" in words
    assert "never drawn" in text_of(ada.get(f"/ui/jobs/{rendered}").text)


def test_the_same_document_leads_to_the_job_there_is(ada: httpx.Client) -> None:
    first = handed_in(ada, {**SPEC, "id": "same"})
    ended(ada, first)
    answer = sent(ada, "/ui/submit", "/ui/submit", document=json.dumps({**SPEC, "id": "same"}))
    assert answer.url.path == f"/ui/jobs/{first}"
    assert "was asked for before" in text_of(answer.text)


def test_a_stranger_sees_nothing_and_an_admin_sees_all(
    root: httpx.Client, ada: httpx.Client, bo: httpx.Client, rendered: str
) -> None:
    pages = [page for page in PAGES if "{job_id}" in page.path]
    assert len(pages) >= 6
    for page in pages:
        answers = []
        for browser, job_id in ((bo, rendered), (bo, "0" * 26)):
            path = page.path.replace("{job_id}", job_id)
            if page.method == "POST":
                answers.append(sent(browser, "/ui/submit", path))
            else:
                answers.append(browser.get(path))
        assert [answer.status_code for answer in answers] == [404, 404], page.path
        theirs, nobodys = (re.sub(r"[0-9A-Z]{26}", "", text_of(answer.text)) for answer in answers)
        assert theirs == nobodys
    assert rendered in ada.get("/ui/jobs").text
    assert rendered in root.get("/ui/jobs").text
    theirs = bo.get("/ui/jobs").text
    assert rendered not in theirs
    assert "There is no job yet" in theirs
    owner = ada.get("/v1/me").json()["owner"]
    assert bo.get(f"/ui/jobs?owner={owner}").status_code == 403
    with bo.stream("GET", "/ui/jobs/events") as stream:
        handed_in(ada, {**SPEC, "id": "unseen"})
        mine = handed_in(bo, {**SPEC, "id": "mine"})
        said = ""
        for part in stream.iter_text():
            said += part
            if f"event: {mine}" in said and "succeeded" in said:
                break
    assert "unseen" not in said
    assert said.count("event: fresh") == 1


def test_script_in_names_texts_and_errors_stays_text(
    running: Site, root: httpx.Client, ada: httpx.Client, rendered: str
) -> None:
    inbox = running.service.places.inbox
    wrong = {**SPEC, EVIL: 1, "id": "</title><script>alert(2)</script>"}
    (inbox / f"{EVIL[:-1]} onload=x>.json").write_text(json.dumps(wrong))
    (inbox / "\udcff\u202e.json").write_text(json.dumps(wrong))

    def failed() -> list[str]:
        jobs = root.get("/v1/jobs?status=failed").json()["jobs"]
        return [job["job_id"] for job in jobs] if len(jobs) >= 2 else []

    ids = until(failed)
    pages = [root.get(f"/ui/jobs/{job_id}").text for job_id in ids]
    pages += [root.get("/ui/jobs").text, ada.get(f"/ui/jobs/{rendered}").text]
    pages += [ada.get(f"/ui/jobs/{rendered}/timeline.svg").text]
    pages += [sent(ada, "/ui/submit", "/ui/check", document=json.dumps(wrong)).text]
    pages += [sent(ada, "/ui/submit", "/ui/submit", document=json.dumps(wrong)).text]
    pages += [ada.get("/ui/jobs", params={"kind": f'"{EVIL}', "name": EVIL}).text]
    for page in pages:
        assert "<img src=x" not in page
        assert "<script>" not in page
        assert "</title><script" not in page
    assert sum("&lt;img src=x" in page for page in pages) >= 5
    with root.stream("GET", "/ui/jobs/events?newest=nothing") as stream:
        first = next(stream.iter_text())
    assert "event: fresh" in first


def test_errors_stand_with_their_lines_and_a_caret(running: Site, root: httpx.Client) -> None:
    text = "reelkiln: 1\ntracks:\n  - clips:\n      - {text: Hello, lenght: 2s}\n"
    (running.service.places.inbox / "typo.yaml").write_text(text)
    (job,) = until(lambda: root.get("/v1/jobs?name=typo.yaml&status=failed").json()["jobs"])
    html = root.get(f"/ui/jobs/{job['job_id']}").text
    words = text_of(html)
    assert "line 4, column 23" in words
    assert 'did you mean "length"' in words
    excerpt = re.search(r'<pre class="excerpt"[^>]*>([^<]*)</pre>', html)
    assert excerpt
    shown, caret = excerpt[1].split("\n")[:2]
    assert shown[caret.index("^") :].startswith("lenght")
    assert "Try again" not in words  # the same bytes would be refused again


def test_a_document_is_checked_while_it_is_written(ada: httpx.Client) -> None:
    def check(text: str) -> str:
        answer = sent(ada, "/ui/submit", "/ui/check", document=text)
        assert answer.status_code == 200
        return text_of(answer.text)

    assert check(json.dumps(SPEC)) == "Valid: hello , a video."
    assert check("") == ""
    assert "line 2, column 1" in check("reelkiln: 1\r\ntrakcs: []\r\n")
    assert "line 1" in check('{"reelkiln": 1,}')


def test_what_is_refused_comes_back_with_its_text_and_its_reasons(ada: httpx.Client) -> None:
    text = "\n\nreelkiln: 1\ntrakcs: []  # </textarea>\n"
    answer = sent(ada, "/ui/submit", "/ui/submit", document=text, world="north", priority="high")
    assert answer.status_code == 422
    assert "line 4, column 1" in text_of(answer.text)
    assert "\n\n\nreelkiln: 1\ntrakcs: []  # &lt;/textarea&gt;\n</textarea>" in answer.text
    assert "<option selected>high</option>" in answer.text
    assert 'value="north"' in answer.text
    nothing = sent(ada, "/ui/submit", "/ui/submit", document=" ")
    assert (nothing.status_code, "there is no document" in text_of(nothing.text)) == (400, True)
    priority = sent(ada, "/ui/submit", "/ui/submit", document=json.dumps(SPEC), priority="x")
    assert priority.status_code == 400


def test_a_failed_job_is_tried_again_as_a_new_one(running: Site, ada: httpx.Client) -> None:
    picture = running.service.places.root / "media" / "late.png"
    tracks = [{"clips": [{"image": "late.png", "length": "1s"}]}]
    job_id = handed_in(ada, {**SPEC, "id": "late", "tracks": tracks})
    assert ended(ada, job_id)["status"] == "failed"
    words = text_of(ada.get(f"/ui/jobs/{job_id}").text)
    assert "late.png" in words
    assert "Try again" in words
    shutil.copy(picture.with_name("a.png"), picture)
    until(lambda: not running.service.inbox.claims())  # its bytes lie where retries look
    answer = sent(ada, "/ui/submit", f"/ui/jobs/{job_id}/retry")
    again = answer.url.path.rpartition("/")[2]
    assert again != job_id
    assert ended(ada, again)["status"] == "succeeded"
    assert f'href="/ui/jobs/{job_id}"' in ada.get(f"/ui/jobs/{again}").text


def test_a_bundle_that_is_gone_is_told_to_be(running: Site, ada: httpx.Client) -> None:
    job_id = handed_in(ada, {**SPEC, "id": "gone"})
    bundle = ended(ada, job_id)["bundle"]
    shutil.rmtree(running.service.places.outbox / bundle)
    answer = ada.get(f"/ui/jobs/{job_id}")
    assert (answer.status_code, "no longer in the outbox" in text_of(answer.text)) == (200, True)


def test_the_events_of_a_job_are_pieces_of_its_page(ada: httpx.Client, rendered: str) -> None:
    job_id = handed_in(ada, {**SPEC, "id": "events"})
    with ada.stream("GET", f"/ui/jobs/{job_id}/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        said = "".join(stream.iter_text())
    assert said.index("event: progress") < said.index("event: done")
    assert 'class="state succeeded"' in said
    again = ada.get(f"/ui/jobs/{rendered}/events", headers={"Last-Event-ID": "999"})
    assert again.status_code == 204


def test_filters_and_pages_of_the_list(site: Site) -> None:
    ada = registered(site, "ada")
    made = [handed_in(ada, {**SPEC, "id": f"n{n}"}, world="north" if n % 2 else "")
            for n in range(33)]  # fmt: skip

    def shown(query: str) -> list[str]:
        html = ada.get(f"/ui/jobs{query}").text
        return re.findall(r'href="/ui/jobs/([0-9A-Z]{26})"', html)

    first = ada.get("/ui/jobs").text
    following = re.search(r'href="(\?cursor=[^"]*)" rel="next"', first)
    assert following
    assert shown("") + shown(following[1]) == made[::-1]
    assert "sse-connect" in first
    assert "sse-connect" not in ada.get(f"/ui/jobs{following[1]}").text
    assert shown("?world=north&kind=") == [job for n, job in enumerate(made) if n % 2][::-1]
    assert shown("?status=failed") == []
    assert len(shown("?status=queued")) == 30
    assert shown("?until=2001-01-01") == []
    assert len(shown("?since=2001-01-01&kind=video")) == 30
    assert "All" in text_of(ada.get("/ui/jobs?since=2001-01-01").text)
    for wrong in ("?since=yesterday", "?status=odd", "?until=9999-12-31"):
        assert ada.get(f"/ui/jobs{wrong}").status_code == 400


def test_a_job_that_waits_can_be_cancelled(site: Site) -> None:
    ada = registered(site, "ada")
    job_id = handed_in(ada)
    answer = sent(ada, "/ui/submit", f"/ui/jobs/{job_id}/cancel")
    assert answer.url.path == f"/ui/jobs/{job_id}"
    assert "asked to end" in text_of(answer.text)
    assert (site.service.places.own("cancel") / job_id).exists()
    for picture in ("timeline", "lineage"):
        assert ada.get(f"/ui/jobs/{job_id}/{picture}.svg").status_code == 404
