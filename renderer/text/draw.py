"""A typeset block becomes an RGBA picture of exactly its size."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from renderer.text.faces import FontBook
from renderer.text.style import Colour, TextBox
from renderer.text.typeset import Ruler, TextBlock

_SMOOTHING = 4


def draw(block: TextBlock, fonts: FontBook) -> Image.Image:
    """The block on a transparent ground, RGBA with straight alpha, of `block.size`.

    `fonts` must be the book it was typeset with. Raises ToolchainUnfit when a face is gone.
    """
    style = block.style
    picture = Image.new("RGBA", block.size, (0, 0, 0, 0))
    if style.box:
        picture.alpha_composite(_filled(_box_mask(block, style.box), style.box.colour))
    letters = _letters(block, fonts, 0)
    body = _letters(block, fonts, style.outline.width_px) if style.outline else letters
    if style.shadow:
        cast = Image.new("L", block.size, 0)
        cast.paste(body, (style.shadow.dx, style.shadow.dy))
        soft = cast.filter(ImageFilter.GaussianBlur(style.shadow.blur_px))
        picture.alpha_composite(_filled(soft, style.shadow.colour))
    if style.outline:
        picture.alpha_composite(_filled(body, style.outline.colour))
    picture.alpha_composite(_filled(letters, style.colour))
    return picture


def _letters(block: TextBlock, fonts: FontBook, stroke_px: int) -> Image.Image:
    mask = Image.new("L", block.size, 0)
    pen = ImageDraw.Draw(mask)
    ruler = Ruler(style=block.style, size_px=block.size_px, fonts=fonts)
    for line in block.lines:
        for run in line.runs:
            font = fonts.opened(fonts.face(run.face_key), block.style.weight, block.size_px)
            for text, offset in ruler.pieces(run):
                pen.text(
                    (run.x + offset, line.baseline),
                    text,
                    fill=255,
                    font=font,
                    anchor="ls",
                    direction="rtl" if run.is_rtl else "ltr",
                    features=ruler.features(run),
                    stroke_width=stroke_px,
                )
    return mask


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
    layer.putalpha(ImageChops.multiply(mask, Image.new("L", mask.size, colour[3])))
    return layer
