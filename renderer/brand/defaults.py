"""What a brand kit means for rendered text, backgrounds and titles: a pure mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderer.brand.kit import BrandKit, Colours, Logo

RGB = tuple[int, int, int]
_LIGHT, _DARK, _BLACK = (255, 255, 255), (17, 17, 20), (0, 0, 0)
_HEADINGS = ("headline", "title", "quote")
_BODIES = ("subtitle", "body", "caption", "lower-third")
_READABLE = 4.5  # contrast of text and ground, as WCAG asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandDefaults:
    """What a document says where it says nothing, once it has a brand.

    `palette` maps `brand.primary` and the like to `#rrggbb`. `text` is for text without a
    style, `styles` for the built-in ones by name: fields of a text style as a spec writes
    them. `fonts` are files to use, `logo` the mark, `background` the colour behind all.
    """

    palette: Mapping[str, str]
    background: str
    text: Mapping[str, Any]
    styles: Mapping[str, Mapping[str, Any]]
    fonts: tuple[str, ...]
    logo: Logo | None


def brand_defaults(kit: BrandKit) -> BrandDefaults:
    """The defaults of a brand."""
    palette = palette_of(kit.colours)
    body = _family(kit.fonts.body)
    heading = {**(_family(kit.fonts.heading) or body)}
    if kit.fonts.heading_weight:
        heading["weight"] = int(kit.fonts.heading_weight)
    text = {**body, "colour": palette["brand.text"]}
    styles: dict[str, Mapping[str, Any]] = {
        name: {"colour": palette["brand.text"], **heading} for name in _HEADINGS
    }
    for name in _BODIES:
        styles[name] = dict(text)
    on_primary = _hex(readable_on(_rgb(palette["brand.primary"])))
    plate = {"colour": f"{palette['brand.primary']}e6"}
    styles["lower-third"] = {**body, "colour": on_primary, "box": plate}
    return BrandDefaults(
        palette=palette,
        background=palette["brand.background"],
        text=text,
        styles=styles,
        fonts=tuple(kit.fonts.files),
        logo=kit.logo,
    )


def palette_of(colours: Colours) -> Mapping[str, str]:
    """Every colour of the brand by its name, `brand.primary` and so on; none is missing."""
    primary = _rgb(colours.primary)
    background = _rgb(colours.background) if colours.background else _mixed(primary, _DARK, 75)
    secondary = _rgb(colours.secondary) if colours.secondary else _mixed(primary, _LIGHT, 35)
    accent = _rgb(colours.accent) if colours.accent else _mixed(secondary, _LIGHT, 50)
    text = _rgb(colours.text) if colours.text else readable_on(background)
    named = {
        "primary": primary, "secondary": secondary, "accent": accent,
        "background": background, "text": text,
        **{name: _rgb(colour) for name, colour in colours.more.items()},
    }  # fmt: skip
    return {f"brand.{name}": _hex(colour) for name, colour in sorted(named.items())}


def readable_on(ground: RGB) -> RGB:
    """Black or white: whichever can be read on `ground`, white where both can."""
    return _LIGHT if contrast(_LIGHT, ground) >= _READABLE else _better(ground)


def contrast(one: RGB, other: RGB) -> float:
    """The contrast of two colours by WCAG, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _better(ground: RGB) -> RGB:
    return max((_LIGHT, _BLACK), key=lambda colour: contrast(colour, ground))


def _luminance(colour: RGB) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def _mixed(one: RGB, other: RGB, percent: int) -> RGB:
    red, green, blue = (
        (a * (100 - percent) + b * percent + 50) // 100 for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def _rgb(text: str) -> RGB:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _hex(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _family(name: str | None) -> dict[str, Any]:
    return {"font": name} if name else {}
