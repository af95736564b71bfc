"""Fonts of a spec: found by family, pinned, drawn with; broken ones refused with a place."""

import struct
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import brotli
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image

from renderer.digest import digest_of_bytes
from renderer.errors import RenderFailed, SourceRefused, SpecInvalid
from renderer.events import Event, Warned
from renderer.executors.local import LocalExecutor
from renderer.fonts import load_fonts
from renderer.pipeline import Prepared, Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import load
from renderer.steps import Step, StepKind
from renderer.store import LocalStore
from renderer.text.style import TextStyle
from renderer.text.typeset import typeset
from renderer.toolchain import Toolchain

EM = 1000
STYLE = TextStyle(families=("Kiln",), size_px=40, max_width_px=900, max_height_px=300)


def font(family: str, *, side: int = 600, weight: int = 400, italic: bool = False) -> TTFont:
    """A face with one letter, A: a square of `side` thousandths of the em."""
    pen = TTGlyphPen(None)
    _square(pen, side)
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({ord("A"): "A"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "A": pen.glyph()})
    return _finished(builder, family, weight, italic)


def cff_font(family: str) -> TTFont:
    pen = T2CharStringPen(EM, None)
    _square(pen, 600)
    empty = T2CharStringPen(EM, None)
    builder = FontBuilder(EM, isTTF=False)
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({ord("A"): "A"})
    strings = {".notdef": empty.getCharString(), "A": pen.getCharString()}
    builder.setupCFF(family, {}, strings, {})
    return _finished(builder, family, 400, False)


def _square(pen: TTGlyphPen | T2CharStringPen, side: int) -> None:
    pen.moveTo((0, 0))
    for point in ((0, side), (side, side), (side, 0)):
        pen.lineTo(point)
    pen.closePath()


def _finished(builder: FontBuilder, family: str, weight: int, italic: bool) -> TTFont:
    builder.setupHorizontalMetrics({".notdef": (EM, 0), "A": (EM, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200, usWeightClass=weight)
    builder.setupPost()
    builder.updateHead(macStyle=2 if italic else 0, created=0, modified=0)
    return builder.font


def saved(made: TTFont | TTCollection, flavor: str | None = None) -> bytes:
    if flavor:
        made.flavor = flavor
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def collection(*fonts: TTFont) -> bytes:
    made = TTCollection()
    made.fonts = [TTFont(BytesIO(saved(one))) for one in fonts]
    return saved(made)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved(font("Kiln")), id="ttf"),
        pytest.param(saved(cff_font("Kiln")), id="otf"),
        pytest.param(saved(font("Kiln"), "woff2"), id="woff2"),
        pytest.param(collection(font("Other"), font("Kiln")), id="ttc"),
    ],
)
def test_a_font_file_of_any_kind_is_found_by_its_family(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "stored-under-its-digest"
    path.write_bytes(data)
    fonts = load_fonts([path])
    block = typeset("AA", STYLE, fonts)
    (run,) = block.lines[0].runs
    assert fonts.face(run.face_key).family == "Kiln"
    assert block.own_fonts == block.faces == (fonts.own_files[0].sha256,)
    assert block.size[0] in range(64, 84)  # 600 + 1000 thousandths of 40 px, or both advances


def test_the_nearest_weight_and_slant_of_a_family_are_taken(tmp_path: Path) -> None:
    sides = {"regular": (400, False), "bold": (700, False), "slanted": (400, True)}
    paths = []
    for name, (weight, italic) in sides.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(saved(font("Kiln", weight=weight, italic=italic, side=len(paths))))
    fonts = load_fonts(paths)

    def chosen(weight: int, italic: bool) -> str:
        block = typeset("A", replace(STYLE, weight=weight, italic=italic), fonts)
        files = [file.sha256 for file in fonts.own_files]
        return paths[files.index(block.own_fonts[0])].name

    assert chosen(300, False) == chosen(500, False) == "regular"
    assert chosen(800, False) == "bold"
    assert chosen(400, True) == "slanted"


@pytest.mark.parametrize("keep", [4, 12, 60, 200])
@pytest.mark.parametrize("flavor", [None, "woff2"], ids=str)
def test_a_damaged_font_is_refused_by_its_place_in_the_spec(
    tmp_path: Path, flavor: str | None, keep: int
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(saved(font("Kiln")))
    bad.write_bytes(saved(font("Kiln"), flavor)[:keep])
    with pytest.raises(SourceRefused) as caught:
        load_fonts([good, bad])
    assert [fault.where for fault in caught.value.faults] == ["fonts[1]"]


def test_a_web_font_of_the_first_version_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "old.woff"
    path.write_bytes(saved(font("Kiln"), "woff"))
    with pytest.raises(SourceRefused, match="only WOFF2 is unpacked"):
        load_fonts([path])


def test_a_web_font_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(font("Kiln"), "woff2")
    (packed,) = struct.unpack_from(">L", data, 20)
    start = len(data.rstrip(b"\0")) - packed  # the stream ends in no zero, its padding does
    assert brotli.decompress(data[start : start + packed])
    bomb = brotli.compress(bytes(8 << 20), quality=1)
    path = tmp_path / "bomb.woff2"
    path.write_bytes(data[:20] + struct.pack(">L", len(bomb)) + data[24:start] + bomb)
    monkeypatch.setattr("renderer.webfont._LARGEST_UNPACKED_BYTES", 1 << 20)
    with pytest.raises(SourceRefused, match="unpacks to more"):
        load_fonts([path])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "brand.ttf").write_bytes(saved(font("Kiln Blocks")))
    return tmp_path


class Session:
    """A renderer in a folder, which remembers what it heard."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.events: list[Event] = []
        policy = SourcePolicy(base=folder, roots=(folder,), max_source_bytes=1 << 30)
        self.store = LocalStore(folder / "store")
        self.renderer = Renderer(
            store=self.store, toolchain=toolchain, policy=policy, listen=self.events.append
        )

    def prepared(self, style: str, text: str = "AAA", fonts: str = "[brand.ttf]") -> Prepared:
        document = (
            "reelkiln: 1\noutput: {size: 320x180, fps: 10}\n"
            f"fonts: {fonts}\n"
            f'tracks:\n  - clips:\n      - {{text: "{text}", length: 1s, style: {style}}}\n'
        )
        return self.renderer.prepare(load(document.encode(), name="reel.yaml"))

    def drawn(self, prepared: Prepared) -> Image.Image:
        step = text_step(prepared)
        executor = LocalExecutor(toolchain=self.renderer.toolchain, jobs=1)
        results = executor.run([step], self.store, self.events.append, threading.Event())
        path = self.store.path(results[step.key].outputs["picture.png"].sha256)
        return Image.open(path).convert("RGBA")


def text_step(prepared: Prepared) -> Step:
    (step,) = [one for one in prepared.plan.steps if one.kind is StepKind.DRAW_TEXT]
    return step


@pytest.fixture
def session(project: Path) -> Session:
    # Text needs no FFmpeg; a toolchain that names none proves it.
    nothing = Toolchain(ffmpeg=Path("none"), ffmpeg_version="none", ffmpeg_sha256="0" * 64)
    return Session(project, nothing)


BLOCKS = "{font: Kiln Blocks, size: 40, shadow: none, align: left}"


def test_text_is_drawn_with_the_font_of_the_spec(session: Session) -> None:
    image = session.drawn(session.prepared(BLOCKS))
    solid = image.getchannel("A").point(lambda a: 255 if a > 200 else 0).getbbox()
    assert solid
    assert solid[3] - solid[1] in (23, 24)  # 600 thousandths of 40 px
    assert solid[2] - solid[0] in range(103, 106)  # two whole advances and a square


def test_a_font_file_that_changes_gives_another_step(session: Session, project: Path) -> None:
    before = text_step(session.prepared(BLOCKS))
    assert text_step(session.prepared(BLOCKS)).key == before.key
    assert [read.sha256 for read in before.reads] == [
        digest_of_bytes((project / "brand.ttf").read_bytes())
    ]
    (project / "brand.ttf").write_bytes(saved(font("Kiln Blocks", side=601)))
    assert text_step(session.prepared(BLOCKS)).key != before.key


def test_a_font_that_is_not_used_is_not_part_of_the_step(session: Session) -> None:
    assert text_step(session.prepared("title")).reads == ()


def test_a_machine_with_other_fonts_draws_nothing(session: Session) -> None:
    prepared = session.prepared(BLOCKS)
    step = text_step(prepared)
    other = replace(step, key="0" * 64, params={**step.params, "faces": ["0" * 64]})
    executor = LocalExecutor(toolchain=session.renderer.toolchain, jobs=1)
    with pytest.raises(RenderFailed, match="not those the render was planned with"):
        executor.run([other], session.store, session.events.append, threading.Event())


def test_an_unknown_family_is_a_fault_with_a_place_and_a_guess(session: Session) -> None:
    with pytest.raises(SpecInvalid) as caught:
        session.prepared("{font: Kiln Bloks}")
    (fault,) = caught.value.faults
    assert fault.code == "unknown-font"
    assert fault.position is not None
    assert fault.position.line == 6
    assert 'did you mean "Kiln Blocks"' in fault.hint
    assert "Noto Serif" in fault.hint


def test_a_style_that_no_clip_uses_is_checked_too(session: Session) -> None:
    document = b"reelkiln: 1\nstyles: {claim: {font: Nowhere}}\ntracks: [{clips: [{colour: red}]}]"
    with pytest.raises(SpecInvalid) as caught:
        session.renderer.prepare(load(document, name="reel.yaml"))
    assert [fault.where for fault in caught.value.faults] == ["styles.claim.font"]


def test_a_damaged_font_file_is_a_fault_with_a_place(session: Session, project: Path) -> None:
    data = (project / "brand.ttf").read_bytes()
    (project / "brand.ttf").write_bytes(data[:100])
    with pytest.raises(SourceRefused) as caught:
        session.prepared("title")
    assert caught.value.faults[0].position is not None
    assert caught.value.faults[0].position.line == 3


def test_text_that_shrinks_much_or_overflows_or_lacks_glyphs_is_warned_of(
    session: Session,
) -> None:
    def words(text: str, style: str) -> str:
        session.events.clear()
        session.prepared(style, text)
        return " ".join(event.message for event in session.events if isinstance(event, Warned))

    assert words("fits", "title") == ""
    assert "so that it fits" in words("many words " * 60, "{size: 100}")
    assert "overflows" in words("a\\n" * 90, "{size: 100}")
    assert "U+F0000" in words("\\U000F0000", "title")


def test_the_page_on_fonts_names_every_family() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "fonts.md").read_text()
    assert [name for name in load_fonts().families if name not in page] == []
