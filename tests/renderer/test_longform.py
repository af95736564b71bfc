from pathlib import Path

from renderer.bundle import verify
from tests.command import reelkiln

SPEC = """
reelkiln: 1
kind: longform
output: {size: 320x180, fps: 30000/1001, quality: draft}
backgrounds: [{image: a.png}, {video: b.mp4}]
audio: [{audio: b.mp4}, {audio: b.mp4}, {audio: b.mp4}]
crossfade: 0.5s
fade: 0.2s
"""


def test_backgrounds_fill_the_whole_length_of_the_sounds(media: Path, tmp_path: Path) -> None:
    (media / "long.yaml").write_text(SPEC)
    done = reelkiln("render", media / "long.yaml", "--outbox", tmp_path, store=tmp_path / "s")
    assert done.returncode == 0, done.stderr
    facts = verify(Path(done.stdout.strip())).media["video.mp4"]
    assert facts.picture.frames == 270  # 9 s at 29.97, rounded once
    assert facts.sound.samples == round(270 * 48000 * 1001 / 30000)


def test_a_fifth_background_is_an_error_of_its_own(tmp_path: Path) -> None:
    spec = tmp_path / "many.yaml"
    images = ", ".join("{image: a.png}" for _ in range(5))
    spec.write_text(f"reelkiln: 1\nkind: longform\nbackgrounds: [{images}]\naudio: []\n")
    done = reelkiln("check", spec, "--json", store=tmp_path)
    assert done.returncode == 3
    assert "longform-backgrounds" in done.stdout
    assert "longform-no-audio" in done.stdout
