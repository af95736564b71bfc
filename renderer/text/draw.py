"""A typeset block as pixels."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

from renderer.text.faces import FontBook
from renderer.text.style import RGBA, Align
from renderer.text.typeset import Line, TextBlock


def draw(block: TextBlock, fonts: FontBook) -> Image.Image:
    """The block as a straight-alpha RGBA picture of exactly `block.size`."""
    style = block.style
    picture = Image.new("RGBA", block.size, (0, 0, 0, 0))
    if style.box:
        plate = ImageDraw.Draw(picture)
        corner = (block.size[0] - 1, block.size[1] - 1)
        plate.rounded_rectangle((0, 0, *corner), style.box.radius_px, fill=style.box.colour)
    if style.shadow:
        mask = _mask(block, fonts, style.outline.width_px if style.outline else 0)
        shift = Image.new("L", block.size)
        shift.paste(mask, (style.shadow.dx, style.shadow.dy))
        soft = shift.filter(ImageFilter.GaussianBlur(style.shadow.blur_px / 2))
        _lay(picture, soft, style.shadow.colour)
    if style.outline:
        _lay(picture, _mask(block, fonts, style.outline.width_px), style.outline.colour)
    _lay(picture, _mask(block, fonts, 0), style.colour)
    return picture


def _lay(picture: Image.Image, mask: Image.Image, colour: RGBA) -> None:
    alpha = mask.point(lambda value: value * colour[3] // 255)
    layer = Image.new("RGBA", picture.size, (*colour[:3], 0))
    layer.putalpha(alpha)
    picture.alpha_composite(layer)


def _mask(block: TextBlock, fonts: FontBook, stroke: int) -> Image.Image:
    mask = Image.new("L", block.size)
    pen = ImageDraw.Draw(mask)
    style = block.style
    for number, line in enumerate(block.lines):
        left = block.margin[0] + _indent(block, line)
        base = block.margin[1] + number * block.line_height + block.ascent
        for run in line.runs:
            font = fonts.faces[run.face].at(style.size_px, style.weight)
            place = (left + run.x, base)
            if not style.letter_spacing_px:
                pen.text(place, run.text, fill=255, font=font, anchor="ls", stroke_width=stroke)
                continue
            x = float(place[0])
            for char in run.text:
                pen.text((round(x), base), char, fill=255, font=font, anchor="ls",
                         stroke_width=stroke)  # fmt: skip
                x += font.getlength(char) + style.letter_spacing_px
    return mask


def _indent(block: TextBlock, line: Line) -> int:
    room = block.size[0] - 2 * block.margin[0] - line.width
    align = block.style.align
    if align is Align.CENTER:
        return room // 2
    starts_right = line.is_rtl and align in (Align.START, Align.END)
    at_right = (align is Align.RIGHT) or (align is Align.END) != starts_right and (
        align in (Align.START, Align.END)
    )  # fmt: skip
    return room if at_right else 0
