from PIL import Image, ImageColor

from renderer.spec.values import to_colour


def test_a_colour_name_means_the_same_before_and_after_pillow_has_parsed_it() -> None:
    ImageColor.colormap["teal"] = "#008080"
    before = to_colour("teal")
    Image.new("RGB", (1, 1), "teal")
    assert before == to_colour("teal") == (0, 128, 128, 255)
    assert to_colour("tael") is None
