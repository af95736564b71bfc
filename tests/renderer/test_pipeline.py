import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av

from renderer.bundle import verify
from tests.command import reelkiln

SPEC = """
reelkiln: 1
output: {size: 320x180, fps: 24000/1001, quality: draft}
variables: {name: Ada}
tracks:
  - id: picture
    decides_duration: true
    clips:
      - {image: a.png, length: 24f, motion: zoom-in}
      - {transition: fade, length: 6f}
      - {video: b.mp4, trim: {from: 0.5s}, length: 30f, speed: 1.25}
  - clips: [{text: "Hello {{name}}", start: 0.2s, length: 1s, enter: {fade: 0.2s}}]
  - clips: [{gradient: [navy, teal], size: 20%x20%, anchor: top-right, length: end}]
"""


def rendered(media: Path, folder: Path, jobs: int) -> dict[str, str]:
    (media / "spec.yaml").write_text(SPEC)
    done = reelkiln(
        "render",
        media / "spec.yaml",
        "--outbox",
        folder / "out",
        "--json",
        "--jobs",
        str(jobs),
        store=folder / "store",
    )
    assert done.returncode == 0, done.stderr
    data: dict[str, str] = json.loads(done.stdout)
    return data


def test_a_spec_becomes_a_bundle_of_exact_length_that_verifies(media: Path, tmp_path: Path) -> None:
    bundle = Path(rendered(media, tmp_path, 2)["path"])
    manifest = verify(bundle)
    assert manifest.media["video.mp4"].picture.frames == 48
    with av.open(str(bundle / "video.mp4")) as video:
        frames = [frame.pts * frame.time_base for frame in video.decode(video=0)]
    assert len(frames) == 48
    assert frames[1] - frames[0] == frames[47] - frames[46]


def test_two_folders_and_one_or_four_jobs_give_the_same_bundle(media: Path, tmp_path: Path) -> None:
    one = rendered(media, tmp_path / "one", 1)
    four = rendered(media, tmp_path / "four", 4)
    assert one["bundle_digest"] == four["bundle_digest"]
    for path in sorted(Path(one["path"]).iterdir()):
        assert path.read_bytes() == (Path(four["path"]) / path.name).read_bytes(), path.name


def test_a_callback_changes_nothing_of_the_bundle(tmp_path: Path) -> None:
    clips = '[{"clips": [{"colour": "teal", "length": "2f"}]}]'
    plain = '{"reelkiln": 1, "output": {"size": "64x36"}, "tracks": ' + clips
    token = "https://example.test/hook?token=secret"
    found = []
    for name, text in (("one", "}"), ("two", f', "callback": "{token}"' + "}")):
        (tmp_path / name).mkdir()
        spec = tmp_path / name / "spec.json"
        spec.write_text(plain + text)
        out = tmp_path / name / "out"
        done = reelkiln("render", spec, "--outbox", out, "--json", store=tmp_path / "store")
        assert done.returncode == 0, done.stderr
        found.append(Path(json.loads(done.stdout)["path"]))
    one, two = found
    assert one.name == two.name
    for path in sorted(one.iterdir()):
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name
        assert b"token=secret" not in path.read_bytes()


def test_a_broken_spec_gives_places_and_exit_status_three(tmp_path: Path) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text("reelkiln: 1\ntracks:\n  - clips:\n      - {image: a.png, lenth: 3}\n")
    done = reelkiln("check", spec, store=tmp_path)
    assert done.returncode == 3
    assert 'bad.yaml:4:24  tracks[0].clips[0].lenth  unknown field (did you mean "length"?)' in (
        done.stderr.replace("\n", " ")
    )


def test_a_missing_source_gives_its_place_and_exit_status_four(tmp_path: Path) -> None:
    spec = tmp_path / "gone.json"
    spec.write_text('{"reelkiln": 1, "tracks": [{"clips": [{"image": "gone.png"}]}]}')
    done = reelkiln("render", spec, "--outbox", tmp_path / "out", store=tmp_path / "store")
    assert done.returncode == 4
    assert "there is no file gone.png" in done.stderr
    assert "gone.json:1:49" in done.stderr


def test_two_processes_may_render_one_spec_at_once(media: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: rendered(media, tmp_path, 1), range(2))
    assert one["bundle_digest"] == two["bundle_digest"]
    assert sorted([one["reused"], two["reused"]]) == [False, True]
    assert [p.name for p in (tmp_path / "out").iterdir()] == [Path(one["path"]).name]
    assert list((tmp_path / "store" / "work").iterdir()) == []


def test_a_damaged_cache_never_gives_a_wrong_bundle(media: Path, tmp_path: Path) -> None:
    right = rendered(media, tmp_path, 2)
    shutil.rmtree(tmp_path / "out")
    objects = sorted(p for p in (tmp_path / "store" / "objects").glob("*/*") if p.stat().st_size)
    # Every object is damaged, and of half of the steps nothing is known.
    for path in objects:
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    for path in sorted((tmp_path / "store" / "steps").glob("*/*"))[::2]:
        path.unlink()
    assert rendered(media, tmp_path, 2)["bundle_digest"] == right["bundle_digest"]
    assert list((tmp_path / "store" / "corrupt").iterdir())


def test_black_is_put_into_quarantine_unless_it_is_meant(tmp_path: Path) -> None:
    spec = tmp_path / "dark.yaml"
    clips = "tracks: [{clips: [{colour: black, length: 4f}]}]\n"
    spec.write_text("reelkiln: 1\noutput: {size: 64x36, fps: 25}\n" + clips)
    out = tmp_path / "out"
    done = reelkiln("render", spec, "--outbox", out, "--json", store=tmp_path / "s")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["code"] == "output-rejected"
    assert [p.name for p in out.iterdir()] == [".quarantine"]
    assert (Path(said["folder"]) / "video.mp4").is_file()
    assert "allow_black" in said["findings"][0]["expected"]
    meant = "output: {size: 64x36, fps: 25, checks: {allow_black: true}}\n"
    spec.write_text("reelkiln: 1\n" + meant + clips)
    done = reelkiln("render", spec, "--outbox", out, store=tmp_path / "s")
    assert done.returncode == 0, done.stderr


def test_a_draft_is_a_bundle_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "reelkiln: 1\noutput: {size: 64x36}\ntracks: [{clips: [{colour: red, length: 3f}]}]\n"
    )
    words = ("render", tmp_path / "a.yaml", "--outbox", tmp_path / "out")
    whole = reelkiln(*words, store=tmp_path / "store").stdout.strip()
    draft = reelkiln(*words, "--draft", store=tmp_path / "store").stdout.strip()
    assert whole != draft
    assert json.loads((Path(draft) / "spec.json").read_bytes())["output"]["quality"] == "draft"
