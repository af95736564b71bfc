"""A typeset block becomes an RGBA picture of exactly its size."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from renderer.text.faces import FontBook
from renderer.text.ink import Ink, colour_glyphs, letters, outline
from renderer.text.runs import Run
from renderer.text.style import Colour, TextBox
from renderer.text.typeset import TextBlock, ruler_for

_SMOOTHING = 4
_CLEAR = (0, 0, 0, 0)

Point = tuple[int, int]


def draw(block: TextBlock, fonts: FontBook) -> Image.Image:
    """The block on a transparent ground, RGBA with straight alpha, of `block.size`.

    `fonts` must be the book it was typeset with. Raises ToolchainUnfit when a face is gone.
    """
    style = block.style
    ink = _BlockInk(block, fonts)
    picture = Image.new("RGBA", block.size, _CLEAR)
    if style.box:
        picture.alpha_composite(_filled(_box_mask(block, style.box), style.box.colour))
    pictures = ink.pictures()
    body = ink.outlined(style.outline.width_px) if style.outline else ink.letters
    if style.shadow:
        cast = Image.new("L", block.size, 0)
        whole = ImageChops.lighter(body, pictures.getchannel("A")) if pictures else body
        cast.paste(whole, (style.shadow.dx, style.shadow.dy))
        soft = cast.filter(ImageFilter.GaussianBlur(style.shadow.blur_px))
        picture.alpha_composite(_filled(soft, style.shadow.colour))
    if style.outline:
        picture.alpha_composite(_filled(body, style.outline.colour))
    picture.alpha_composite(_filled(ink.letters, style.colour))
    if pictures:
        picture.alpha_composite(_faded(pictures, style.colour[3]))
    return picture


class _BlockInk:
    """The ink of all runs of a block, each in its place."""

    def __init__(self, block: TextBlock, fonts: FontBook) -> None:
        self._block = block
        self._fonts = fonts
        self._ruler = ruler_for(block.style, block.size_px, fonts)
        self.letters = Image.new("L", block.size, 0)
        for run, baseline in self._runs(is_coloured=False):
            _lighten(self.letters, letters(run, self._ruler), (run.x, baseline))

    def outlined(self, width_px: int) -> Image.Image:
        """The letters and all within `width_px` of them."""
        mask = self.letters.copy()
        for run, baseline in self._runs(is_coloured=False):
            _lighten(mask, outline(run, self._ruler, width_px), (run.x, baseline))
        return mask

    def pictures(self) -> Image.Image | None:
        """The glyphs with colours of their own; None when there are none."""
        layer: Image.Image | None = None
        for run, baseline in self._runs(is_coloured=True):
            layer = layer or Image.new("RGBA", self._block.size, _CLEAR)
            for ink in colour_glyphs(run, self._ruler):
                place = _place(ink, (run.x, baseline))
                under = layer.crop(place)
                layer.paste(Image.alpha_composite(under, ink.picture), place)
        return layer

    def _runs(self, *, is_coloured: bool) -> Iterator[tuple[Run, int]]:
        for line in self._block.lines:
            for run in line.runs:
                if self._fonts.face(run.face_key).has_colour is is_coloured:
                    yield run, line.baseline


def _lighten(mask: Image.Image, ink: Ink | None, origin: Point) -> None:
    if ink is None:
        return
    place = _place(ink, origin)
    mask.paste(ImageChops.lighter(mask.crop(place), ink.picture), place)


def _place(ink: Ink, origin: Point) -> tuple[int, int, int, int]:
    left, top = origin[0] + ink.left, origin[1] + ink.top
    return (left, top, left + ink.picture.width, top + ink.picture.height)


def _box_mask(block: TextBlock, box: TextBox) -> Image.Image:
    # Pillow draws corners without smoothing: draw them larger and average.
    width, height = block.size
    radius = min(box.radius_px, width // 2, height // 2)
    large = Image.new("L", (width * _SMOOTHING, height * _SMOOTHING), 0)
    ImageDraw.Draw(large).rounded_rectangle(
        (0, 0, large.width - 1, large.height - 1), radius * _SMOOTHING, fill=255
    )
    return large.reduce(_SMOOTHING)


def _filled(mask: Image.Image, colour: Colour) -> Image.Image:
    layer = Image.new("RGBA", mask.size, colour)
    layer.putalpha(_dimmed(mask, colour[3]))
    return layer


def _faded(picture: Image.Image, alpha: int) -> Image.Image:
    picture.putalpha(_dimmed(picture.getchannel("A"), alpha))
    return picture


def _dimmed(mask: Image.Image, alpha: int) -> Image.Image:
    return ImageChops.multiply(mask, Image.new("L", mask.size, alpha))
