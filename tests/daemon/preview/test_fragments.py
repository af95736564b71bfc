import io
import threading
from pathlib import Path

import av
import pytest

from daemon.preview.fragments import picture_fragment, sound_fragment, sound_fragments
from daemon.preview.playlists import master_playlist, picture_playlist, sound_playlist
from daemon.preview.scenes import head_steps, read_scene, segment_steps, sound_steps
from renderer.events import ignore
from renderer.executors.local import LocalExecutor
from renderer.graph.exact import timescale
from renderer.pipeline import Prepared, Renderer
from renderer.steps import Step
from tests.daemon.preview.stage import loader, make_spec, renderer_of


def made(renderer: Renderer, steps: tuple[Step, ...]) -> Path:
    executor = LocalExecutor(toolchain=renderer.toolchain, jobs=2)
    results = executor.run(steps, renderer.store, ignore, threading.Event())
    last = steps[-1]
    return renderer.store.path(results[last.key].outputs[last.outputs[0]].sha256)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Renderer, Prepared]:
    folder = tmp_path_factory.mktemp("film")
    renderer = renderer_of(folder)
    scene = read_scene(1, renderer, loader(make_spec(folder)))
    assert scene.error is None
    assert scene.resolved
    return renderer, renderer.plan(scene.resolved)


def test_the_fragments_of_the_picture_share_a_head_and_play_every_frame_at_its_time(
    drawn: tuple[Renderer, Prepared],
) -> None:
    renderer, prepared = drawn
    fps = prepared.timeline.canvas.fps
    tick = timescale(fps) // int(fps)
    head = picture_fragment(made(renderer, head_steps(prepared, renderer.toolchain.digest)), 0).head
    bodies = []
    for number, segment in enumerate(prepared.plan.segments):
        path = made(renderer, segment_steps(prepared, number))
        fragment = picture_fragment(path, segment.span.start * tick)
        assert fragment.head == head
        bodies.append(fragment.body)
    assert len(bodies) > 2
    with av.open(io.BytesIO(head + b"".join(bodies))) as film:
        times = [frame.pts for frame in film.decode(video=0)]
    assert times == [n * tick for n in range(prepared.timeline.length)]


def test_the_fragments_of_the_sound_play_the_samples_of_the_mix_without_a_shift(
    drawn: tuple[Renderer, Prepared],
) -> None:
    renderer, prepared = drawn
    mix = made(renderer, sound_steps(prepared))
    count = len(sound_fragments(prepared.timeline.samples))
    bodies = [sound_fragment(mix, number) for number in range(count)]
    with pytest.raises(IndexError):
        sound_fragment(mix, count)
    whole = bodies[0].head + b"".join(fragment.body for fragment in bodies)
    with av.open(str(mix)) as container, av.open(io.BytesIO(whole)) as film:
        expected = {f.pts: f.to_ndarray() for f in container.decode(audio=0)}
        heard = {f.pts: f.to_ndarray() for f in film.decode(audio=0)}
    seen = {pts: data for pts, data in heard.items() if pts >= 0}
    common = seen.keys() & expected.keys()
    assert len(common) >= len(expected) - 1
    # AAC draws noise by a state that a decoder carries along; a shift would differ by far more;
    # the first packet is heard without the priming before it, which some players leave out.
    assert max(abs(seen[pts] - expected[pts]).max() for pts in common if pts > 1024) < 0.02


def test_the_playlists_say_as_much_as_is_drawn(drawn: tuple[Renderer, Prepared]) -> None:
    prepared = drawn[1]
    text = picture_playlist(prepared)
    lengths = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF")]
    assert sum(lengths) == pytest.approx(prepared.timeline.length / 25)
    assert 'URI="sound.m3u8"' in master_playlist(prepared)
    assert "sound/0.m4s" in sound_playlist(prepared)
