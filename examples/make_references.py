"""Renders the examples and keeps one frame of each as its reference picture.

    python examples/make_references.py [SPEC ...]

Look at every picture in `examples/reference/` before you commit it: the tests believe them.
`expected.json` says what each example must give, and which frame is its picture.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from daemon.child.generating import Generating
from renderer.bundle import Bundle
from renderer.events import ignore
from renderer.expanding import expanded
from renderer.fonts import text_engine_fingerprint
from renderer.limits import Limits
from renderer.picturing import draw, seal_album
from renderer.pipeline import Prepared, Renderer
from renderer.sources import SourcePolicy
from renderer.spec.asset import AssetSpec
from renderer.spec.generated import GENERATE
from renderer.spec.loading import Loaded, load
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

EXAMPLES = Path(__file__).parent
REFERENCES = EXAMPLES / "reference"
LARGEST_BYTES = 20_000
_WIDTH = 320  # references are this wide at most; at this size they fit with little loss
_TO_RGB = "scale=in_color_matrix=bt709:in_range=tv:out_range=pc:flags=accurate_rnd+bitexact"


def expected() -> Mapping[str, Mapping[str, Any]]:
    """What each spec must give: `size`, `fps`, `frames`, `samples`, and the frame to look at;
    pictures by name where it gives no film."""
    table: Mapping[str, Mapping[str, Any]] = json.loads((EXAMPLES / "expected.json").read_text())
    return table


def reference_of(name: str) -> Path:
    """Where the picture of the spec `name` lies; a JSON twin shares that of its YAML."""
    return REFERENCES / f"{name.partition('.')[0]}.jpg"


def reference(name: str) -> Image.Image:
    """The picture of the spec `name`."""
    with Image.open(reference_of(name)) as picture:
        return picture.convert("RGB")


def renderer_in(folder: Path) -> Renderer:
    """A renderer of the examples with its store in `folder`."""
    roots = (EXAMPLES,)
    policy = SourcePolicy(
        base=EXAMPLES, roots=roots, max_source_bytes=Limits().max_source_bytes,
        suppliers={GENERATE: Generating(settings={}, listen=ignore)},
    )  # fmt: skip
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    return Renderer(store=LocalStore(folder), toolchain=toolchain, policy=policy)


def prepared(name: str, renderer: Renderer) -> Prepared:
    """The example `name`, loaded and planned."""
    return renderer.prepare(loaded(name))


def loaded(name: str) -> Loaded:
    """The example `name`; a topic as the film that it becomes."""
    return expanded(load((EXAMPLES / name).read_bytes(), name=name))


def rendered(name: str, renderer: Renderer, outbox: Path) -> Bundle:
    """The sealed bundle of the example `name`."""
    example = loaded(name)
    if isinstance(example.spec, AssetSpec):
        return seal_album(draw(example, example.spec, renderer), renderer, outbox)
    return renderer.render(renderer.prepare(example), outbox)


def picture_of(bundle: Bundle, wanted: Mapping[str, Any], binary: Path) -> Image.Image:
    """What is looked at: the frame `still` of a film, or the first of its `pictures`."""
    if "pictures" not in wanted:
        return frame_of(bundle.path / "video.mp4", wanted["still"], binary)
    with Image.open(bundle.path / wanted["pictures"][0]) as picture:
        return picture.convert("RGB")


def frame_of(video: Path, number: int, binary: Path) -> Image.Image:
    """One frame of a finished video, in RGB."""
    chain = rf"select=eq(n\,{number}),{_TO_RGB},format=rgb24"
    source = ("-v", "error", "-nostdin", "-i", str(video))
    command = [str(binary), *source, "-vf", chain, "-frames:v", "1", "-f", "image2pipe",
               "-c:v", "png", "pipe:1"]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    with tempfile.TemporaryFile() as file:
        file.write(done.stdout)
        return Image.open(file).convert("RGB")


def likeness(frame: Image.Image, kept: Image.Image, binary: Path) -> float:
    """SSIM over all three colours of a frame, scaled to its reference, and that reference.

    1 when they are the same; a frame of another shape has no likeness at all: 0.
    """
    if small(frame.size) != kept.size:
        return 0.0
    frame = frame.resize(kept.size, Image.Resampling.BOX)
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in (("one.png", frame), ("other.png", kept)):
            picture.convert("RGB").save(Path(folder) / name)
        command = [str(binary), "-nostdin", "-i", "one.png", "-i", "other.png", "-lavfi",
                   "[0]format=gbrp[a];[1]format=gbrp[b];[a][b]ssim", "-f", "null", "-"]  # fmt: skip
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=folder, timeout=120
        )
    found = re.search(r"SSIM .*All:([0-9.]+)", done.stderr)
    if found is None:
        raise ValueError(f"FFmpeg gave no likeness: {done.stderr[-300:]}")
    return float(found[1])


def worst_patch(frame: Image.Image, kept: Image.Image) -> int:
    """The largest difference of an 8x8 patch, 0 to 255: finds what is small, say a lost word."""
    frame = frame.resize(kept.size, Image.Resampling.BOX)
    patches = ImageChops.difference(frame, kept).reduce(8)
    return max(high for _, high in patches.getextrema())


def small(size: tuple[int, int]) -> tuple[int, int]:
    """The size of the reference of a frame of `size`."""
    width = min(_WIDTH, size[0])
    return width, round(size[1] * width / size[0])


def save_reference(frame: Image.Image, path: Path) -> None:
    """The frame as a small JPEG, as fine as fits into LARGEST_BYTES."""
    picture = frame.resize(small(frame.size), Image.Resampling.BOX)
    for quality in range(95, 30, -5):
        picture.save(path, quality=quality, subsampling=0, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            return
    raise ValueError(f"{path.name} does not fit into {LARGEST_BYTES} bytes")


def main(names: Sequence[str]) -> None:
    """Make the references of `names`, or of all."""
    from make_media import make_media

    make_media()
    REFERENCES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        renderer = renderer_in(Path(folder) / "store")
        for name, wanted in sorted(expected().items()):
            if name in names or not names:
                bundle = rendered(name, renderer, Path(folder) / "outbox")
                binary = renderer.toolchain.ffmpeg
                picture = picture_of(bundle, wanted, binary)
                save_reference(picture, reference_of(name))
                kept = reference(name)
                alike, worst = likeness(picture, kept, binary), worst_patch(picture, kept)
                sys.stdout.write(f"{name:25} likeness {alike:.4f}, worst patch {worst}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
