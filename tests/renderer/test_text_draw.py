"""What is drawn: outlines, shadows, boxes, and nothing cut off at an edge."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from math import cos, radians, sin

import pytest
from PIL import Image, ImageChops

from renderer.fonts import load_fonts
from renderer.media import Size
from renderer.resolve.typography import Typography
from renderer.spec.values import to_colour
from renderer.text.draw import draw
from renderer.text.style import Outline, Shadow, TextBox, TextStyle
from renderer.text.typeset import typeset

FONTS = load_fonts()
PLAIN = TextStyle(families=("Noto Sans",), size_px=48, max_width_px=900, max_height_px=900)
RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)
TALL = "Ǻgjữ ญี่ปุ่น ظِلٌّ क्षि 漢 🎉"
HOUSE = ("headline", "title", "subtitle", "body", "caption", "lower-third", "quote")


def picture(text: str, style: TextStyle) -> Image.Image:
    return draw(typeset(text, style, FONTS), FONTS)


def channel_where(image: Image.Image, colour: tuple[int, int, int, int]) -> Image.Image:
    """White where the picture has exactly this colour."""
    ground = Image.new("RGBA", image.size, colour)
    difference = ImageChops.difference(image, ground)
    flat = difference.convert("RGB").convert("L").point(lambda value: 0 if value else 255)
    return ImageChops.multiply(flat, image.getchannel("A").point(lambda a: 255 if a == 255 else 0))


def test_an_outline_is_as_wide_as_asked_on_every_side() -> None:
    plain, width = picture("I", PLAIN), 9
    outlined = picture("I", replace(PLAIN, outline=Outline(width_px=width, colour=RED)))
    bare, dressed = plain.getchannel("A").getbbox(), outlined.getchannel("A").getbbox()
    assert bare
    assert dressed
    grown = (dressed[2] - dressed[0]) - (bare[2] - bare[0])
    assert abs(grown - 2 * width) <= 1
    assert abs((dressed[3] - dressed[1]) - (bare[3] - bare[1]) - 2 * width) <= 1


def test_an_outline_is_round_at_corners_and_without_holes() -> None:
    width, text = 12, "Lv8i汉"
    style = replace(PLAIN, outline=Outline(width_px=width, colour=RED))
    block = typeset(text, style, FONTS)
    outlined = draw(block, FONTS).getchannel("A")
    letters = draw(replace(block, style=replace(style, outline=None)), FONTS).getchannel("A")
    for radius in (2, 6, width - 1):
        for angle in range(0, 360, 15):
            dx, dy = cos(radians(angle)) * radius, sin(radians(angle)) * radius
            moved = ImageChops.offset(letters, round(dx), round(dy))
            lacking = ImageChops.subtract(moved, outlined)
            assert lacking.getextrema()[1] < 64, (radius, angle)


def test_an_outline_leaves_the_letters_as_they_are() -> None:
    white = (255, 255, 255, 255)
    plain = channel_where(picture("Q", PLAIN), white)
    outlined = channel_where(
        picture("Q", replace(PLAIN, outline=Outline(width_px=6, colour=RED))), white
    )
    assert plain.crop(plain.getbbox()).tobytes() == outlined.crop(outlined.getbbox()).tobytes()


def test_a_shadow_lies_where_it_is_cast() -> None:
    shadow = Shadow(dx=7, dy=11, blur_px=0, colour=BLUE)
    image = picture("I", replace(PLAIN, shadow=shadow, colour=RED))
    letter, cast = channel_where(image, RED).getbbox(), channel_where(image, BLUE).getbbox()
    assert letter
    assert cast
    assert (cast[2] - letter[2], cast[3] - letter[3]) == (7, 11)


def test_emoji_cast_a_shadow_and_fade_with_the_colour() -> None:
    shadow = Shadow(dx=40, dy=0, blur_px=0, colour=BLUE)
    assert channel_where(picture("🎉", replace(PLAIN, shadow=shadow)), BLUE).getbbox()
    faint = picture("🎉", replace(PLAIN, colour=(255, 255, 255, 64)))
    assert faint.getchannel("A").getextrema() == (0, 64)


def test_the_words_stand_in_the_middle_of_their_box() -> None:
    box = TextBox(colour=BLUE, padding_x_px=20, padding_y_px=12, radius_px=0)
    image = picture("HHH", replace(PLAIN, box=box))
    ink = ImageChops.invert(channel_where(image, BLUE)).getbbox()
    assert ink
    assert abs(ink[0] - (image.width - ink[2])) <= 3
    assert abs(ink[1] - (image.height - ink[3])) <= PLAIN.size_px // 6


def test_a_colour_name_means_the_same_after_pillow_has_read_it() -> None:
    before = to_colour("rebeccapurple")
    Image.new("RGB", (1, 1), "rebeccapurple")
    assert to_colour("rebeccapurple") == before == (102, 51, 153, 255)


@pytest.mark.parametrize("canvas", [(320, 180), (180, 320), (240, 240)], ids=str)
@pytest.mark.parametrize("name", HOUSE)
def test_a_house_style_keeps_its_ink_inside_and_its_block_in_the_safe_area(
    name: str, canvas: Size
) -> None:
    style, faults = Typography({}, canvas, FONTS).style(name, ())
    assert not faults
    for text in (TALL, TALL * 4, "Ågy!"):
        block = typeset(text, replace(style, box=None), FONTS)
        assert block.overflow == (0, 0)
        assert block.size[0] <= canvas[0] * 0.9 + 1
        assert block.size[1] <= canvas[1] * 0.9 + 1
        ink = draw(block, FONTS).getchannel("A").point(lambda a: 255 if a > 2 else 0).getbbox()
        assert ink
        assert ink[0] > 0
        assert ink[1] > 0
        assert ink[2] < block.size[0]
        assert ink[3] < block.size[1]


def test_text_needs_no_library_of_the_system() -> None:
    """The same picture where Pillow has neither FreeType nor Raqm nor FriBiDi."""
    script = (
        "import sys, hashlib; sys.modules['PIL._imagingft'] = None\n"
        "from tests.renderer.test_text_draw import PLAIN, TALL, picture\n"
        "print(hashlib.sha256(picture(TALL, PLAIN).tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == hashlib.sha256(picture(TALL, PLAIN).tobytes()).hexdigest()
