from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from renderer.errors import NoImage
from renderer.generate.contract import ImageRequest
from renderer.generate.fitting import fitted

SIDE = st.integers(1, 120)


def sent(size: tuple[int, int], form: str = "PNG", mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new(mode, size, "red").save(out, form)
    return out.getvalue()


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(SIDE, SIDE), st.tuples(SIDE, SIDE), st.booleans(),
    st.sampled_from([("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("JPEG", "RGB"),
                     ("JPEG", "CMYK"), ("WEBP", "RGB"), ("PNG", "L")]),
)  # fmt: skip
def test_whatever_comes_has_the_asked_size(
    came: tuple[int, int], asked: tuple[int, int], clear: bool, form: tuple[str, str]
) -> None:
    data = sent(came, form[0], form[1]) if form[1] != "L" else gray(came)
    request = ImageRequest(prompt="x", size=asked, transparent=clear)
    made, measured = fitted(data, request, "it")
    with Image.open(BytesIO(made)) as picture:
        assert (picture.size, picture.mode) == (asked, "RGBA" if clear else "RGB")
        assert not picture.info
    assert measured == came


def gray(size: tuple[int, int]) -> bytes:
    out = BytesIO()
    Image.new("L", size, 90).save(out, "PNG")
    return out.getvalue()


def test_it_is_cut_in_the_middle() -> None:
    out = BytesIO()
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    wide.save(out, "PNG")
    made, _ = fitted(out.getvalue(), ImageRequest(prompt="x", size=(50, 50)), "it")
    with Image.open(BytesIO(made)) as picture:
        assert picture.getchannel("R").getextrema()[1] < 20  # type: ignore[operator]
        assert picture.crop((4, 0, 46, 50)).getcolors() == [(2100, (0, 0, 255))]


def test_green_ground_becomes_clear_and_leaves_no_rim() -> None:
    out = BytesIO()
    ground = Image.new("RGB", (90, 90), (0, 255, 0))
    ground.paste((200, 40, 40), (30, 30, 60, 60))
    ground.save(out, "PNG")
    request = ImageRequest(prompt="x", size=(60, 60), transparent=True)
    made, _ = fitted(out.getvalue(), request, "it")
    with Image.open(BytesIO(made)) as picture:
        assert picture.getpixel((2, 2))[3] == 0  # type: ignore[index]
        assert picture.getpixel((30, 30)) == (200, 40, 40, 255)
        for red, green, blue, alpha in picture.get_flattened_data():  # type: ignore[misc]
            assert alpha == 0 or green <= max(red, blue) + 2


@pytest.mark.parametrize("data", [b"", b"<svg/>", sent((50, 50))[:60], b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NoImage):
        fitted(data, ImageRequest(prompt="x", size=(8, 8)), "it")
