import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from daemon.child.gate import check_schema, load_through_gate
from daemon.child.job_request import Bounds, JobRequest, request_from_bytes
from daemon.error_files import error_document
from daemon.jobs import Job, JobState
from daemon.outcomes import Ended, Fate, Outcome, decide
from daemon.worker import run_job
from renderer.errors import SpecInvalid
from renderer.limits import Limits
from renderer.spec.document import Document
from renderer.spec.loading import Loaded, load
from tests.daemon.refused_texts import texts

GOOD = (
    b'{"reelkiln": 1, "output": {"size": "64x36", "fps": 10},'
    b' "tracks": [{"clips": [{"colour": "navy", "length": 0.3}]}]}'
)
REFUSED = texts()


def request_of(root: Path, data: bytes, name: str = "a.json") -> JobRequest:
    (root / "claim").write_bytes(data)
    return JobRequest(
        spec=root / "claim",
        name=name,
        outbox=root / "outbox",
        store=root / "store",
        media=(root / "media", root / "inbox"),
    )


def rendered(root: Path, data: bytes, name: str = "a.json") -> Outcome:
    return run_job(request_of(root, data, name))


def with_image(source: str) -> bytes:
    clip = {"image": source, "length": 0.3}
    output = {"size": "64x36", "fps": 10}
    spec = {"reelkiln": 1, "output": output, "tracks": [{"clips": [clip]}]}
    return json.dumps(spec).encode()


def test_there_are_enough_texts_that_must_be_refused() -> None:
    assert len(REFUSED) > 100


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_a_strict_parser_must_refuse_is_rejected_with_line_and_column(
    text: bytes, tmp_path: Path
) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load_through_gate(request_of(tmp_path, text))
    error = caught.value.as_json()
    assert decide(Outcome(ended=Ended.TOLD, error=error), 1).fate is Fate.REJECTED
    job = Job(job_id="0" * 26, name="a.json", state=JobState.FAILED)
    document = error_document(job, error, ())
    assert document["errors"]
    for fault in document["errors"]:
        assert fault["line"] >= 1
        assert fault["column"] >= 1
        assert fault["message"]


@pytest.mark.parametrize("name", ["nothing", "deep lists", "inside: lone high surrogate"])
def test_a_text_that_must_be_refused_leaves_the_child_with_words(name: str, tmp_path: Path) -> None:
    outcome = rendered(tmp_path, REFUSED[name])
    assert (outcome.ended, outcome.code, outcome.status) == (Ended.TOLD, "spec-invalid", 3)
    assert decide(outcome, 1).fate is Fate.REJECTED
    assert outcome.stderr == ()
    assert not (tmp_path / "outbox").exists()


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    outcome = rendered(tmp_path, b'{"reelkiln": 1,\n "outputt": {},\n "tracks": 5}')
    errors = (outcome.error or {})["errors"]
    assert [(fault["line"], fault["code"]) for fault in errors] == [
        (2, "unknown-field"),
        (3, "wrong-type"),
    ]


def test_what_the_published_schema_refuses_is_rejected_where_it_stands() -> None:
    loaded = load(GOOD, name="a.json")
    assert check_schema(loaded) is None  # type: ignore[func-returns-value]
    wrong = GOOD.replace(b'"navy"', b"5")
    document = replace(loaded.document, text=wrong.decode(), value=json.loads(wrong))
    with pytest.raises(SpecInvalid) as caught:
        check_schema(replace_document(loaded, document))
    (fault,) = caught.value.faults
    assert (fault.code, fault.pointer) == ("schema-refused", "/tracks/0/clips/0/colour")
    assert fault.position is not None
    assert fault.excerpt


def test_the_published_schema_is_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_of(tmp_path, GOOD)
    assert load_through_gate(request).id == "a"
    stricter = {"$defs": {}, "required": ["id"]}
    (tmp_path / "schema").write_text(json.dumps(stricter))
    monkeypatch.setattr("renderer.schemas.schema_file", lambda name: tmp_path / "schema")
    with pytest.raises(SpecInvalid, match="required"):
        load_through_gate(request)


def test_a_brand_of_the_media_folder_passes_both_gates(tmp_path: Path) -> None:
    kit = {"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#0b3d91"}}
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "acme.json").write_text(json.dumps(kit))
    clip = {"colour": "{{brand.primary}}", "length": "1s"}
    text = json.dumps({"reelkiln": 1, "brand": "acme.json", "tracks": [{"clips": [clip]}]})
    loaded = load_through_gate(request_of(tmp_path, text.encode()))
    assert "#0b3d91" in json.dumps(loaded.canonical())


def replace_document(loaded: Loaded, document: Document) -> Loaded:
    return replace(loaded, document=document)


def test_a_missing_source_fails_and_the_guess_knows_every_folder(tmp_path: Path) -> None:
    for folder, name in (("media", "x.png"), ("inbox", "photo.png")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    outcome = rendered(tmp_path, with_image("phto.png"))
    assert (outcome.ended, outcome.code, outcome.status) == (Ended.TOLD, "source-refused", 4)
    assert decide(outcome, 1).fate is Fate.FAILED
    (fault,) = (outcome.error or {})["errors"]
    assert fault["hint"] == 'did you mean "photo.png"?'
    assert (fault["pointer"], fault["line"]) == ("/tracks/0/clips/0/image", 1)


def test_sources_are_taken_from_media_first_and_then_from_the_inbox(tmp_path: Path) -> None:
    for folder, size in (("media", 8), ("inbox", 16)):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (size, size), "lime").save(tmp_path / folder / "both.png")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "inbox" / "beside.png")
    for source in ("media/both.png", "inbox/beside.png"):
        outcome = rendered(tmp_path, with_image(Path(source).name))
        assert outcome.bundle is not None, outcome
        digest = hashlib.sha256((tmp_path / source).read_bytes()).hexdigest()
        assert digest in (outcome.bundle / "lock.json").read_text()


@pytest.mark.parametrize("source", ["../secret.png", "/etc/passwd", "../.reelkiln/store/a"])
def test_sources_outside_the_folders_are_refused_without_a_word_of_them(
    source: str, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "secret.png").write_text("canary")
    outcome = rendered(tmp_path, with_image(source))
    (fault,) = (outcome.error or {})["errors"]
    assert fault["code"] == "source-outside"
    assert "in the media folder" in fault["hint"]
    assert "canary" not in json.dumps(outcome.error)


@pytest.mark.parametrize(
    "name",
    ["a\nb.json", "..json", "\udcff\udcfe\u202e.json", "-" * 250 + ".json"],
    ids=ascii,
)
def test_a_hostile_name_is_only_a_name(name: str, tmp_path: Path) -> None:
    outcome = rendered(tmp_path, GOOD, name)
    assert outcome.ended is Ended.SUCCEEDED, outcome
    assert outcome.bundle is not None
    assert outcome.bundle.parent == tmp_path / "outbox"
    assert outcome.bundle.name.isascii()


def test_a_drop_that_is_no_plain_file_is_rejected_and_nothing_of_its_target_told(
    tmp_path: Path,
) -> None:
    request = request_of(tmp_path, GOOD)
    request.spec.unlink()
    request.spec.symlink_to("/etc/passwd")
    outcome = run_job(request)
    assert decide(outcome, 1).fate is Fate.REJECTED
    assert (outcome.error or {})["errors"][0]["code"] == "spec-unreadable"
    assert "root:" not in json.dumps(outcome.error)
    for make in (Path.mkdir, os.mkfifo):
        request.spec.unlink() if request.spec.is_symlink() else request.spec.rmdir()
        make(request.spec)
        with pytest.raises(SpecInvalid):
            load_through_gate(request)


def test_a_claim_that_is_no_longer_there_is_told_in_words(tmp_path: Path) -> None:
    request = request_of(tmp_path, GOOD)
    request.spec.unlink()
    outcome = run_job(request)
    assert (outcome.ended, outcome.code) == (Ended.TOLD, "render-failed")
    assert "No such file" in (outcome.error or {})["message"]


def test_an_outbox_that_cannot_be_written_holds_the_job(tmp_path: Path) -> None:
    request = replace(request_of(tmp_path, GOOD), outbox=Path("/sys/kernel/outbox"))
    outcome = run_job(request)
    assert (outcome.ended, outcome.code) == (Ended.TOLD, "folder-unusable"), outcome
    assert decide(outcome, 5).fate is Fate.HELD


def test_a_store_that_cannot_be_written_holds_the_job(tmp_path: Path) -> None:
    request = replace(request_of(tmp_path, GOOD), store=Path("/sys/kernel/store"))
    outcome = run_job(request)
    assert outcome.code == "folder-unusable", outcome
    assert not decide(outcome, 1).counts


def test_warnings_reach_the_outcome(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    frames[0].save(tmp_path / "media" / "a.png", save_all=True, append_images=frames[1:])
    outcome = rendered(tmp_path, with_image("a.png"))
    assert outcome.ended is Ended.SUCCEEDED, outcome
    (warning,) = outcome.warnings
    assert warning["code"] == "source"


def test_a_request_comes_through_as_it_was(tmp_path: Path) -> None:
    request = JobRequest(
        spec=tmp_path / "\udcff",
        name="\udcff\n",
        outbox=tmp_path,
        store=tmp_path,
        media=(tmp_path / "m", tmp_path / "i"),
        jobs=3,
        limits=Limits(max_fps=7),
        networks="10.0.0.0/8",
        bounds=Bounds(memory_bytes=5),
    )
    line = request.as_bytes(42)
    assert line.count(b"\n") == 1
    assert request_from_bytes(line) == (request, 42)
