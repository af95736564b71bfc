"""How words look: styles as written become pixels on this canvas.

Sizes in pixels are meant for a canvas whose shorter side is 1080 and grow with it, except
the letter size, which is what it says; shares are of the canvas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from renderer.errors import Fault, Path
from renderer.media import Size
from renderer.spec.style import TextStyle as WrittenStyle
from renderer.spec.suggest import did_you_mean
from renderer.spec.values import RGBA, to_colour, to_pixels
from renderer.text.faces import FontBook
from renderer.text.style import Align, Direction, Outline, Shadow, TextBox, TextStyle
from renderer.text.typeset import TextBlock
from renderer.timebase import exact, round_half_up

_REFERENCE_SIDE = 1080
_WORTH_A_WORD_PERCENT = 60
"""Letters that shrink below this share of the asked size are worth a warning."""

_HOUSE: dict[str, dict[str, Any]] = {
    "": {
        "font": "Noto Sans", "size": "5%", "weight": 500, "italic": False, "colour": "white",
        "align": "center", "line_spacing": 1.1, "letter_spacing": 0, "outline": "none",
        "shadow": {"x": 0, "y": 3, "blur": 10, "colour": "#00000099"}, "box": "none",
        "width": "90%", "safe_area": 0.05, "direction": "auto",
    },
    "headline": {"size": "11%", "weight": 800, "line_spacing": 1.0, "letter_spacing": -1},
    "title": {"size": "8%", "weight": 700, "line_spacing": 1.05},
    "subtitle": {"size": "5%", "weight": 500},
    "body": {"size": "4%", "weight": 400, "align": "start", "line_spacing": 1.25},
    "caption": {
        "size": "4.5%", "weight": 600, "shadow": "none",
        "box": {"colour": "#000000b0", "padding": 18, "radius": 10},
    },
    "lower-third": {
        "size": "4.5%", "weight": 600, "align": "start", "shadow": "none",
        "box": {"colour": "#0b1d33e0", "padding": 28, "radius": 8},
    },
    "quote": {"font": "Noto Serif", "size": "6%", "weight": 400, "line_spacing": 1.25},
}  # fmt: skip


class Typography:
    """Finds and resolves text styles for one canvas."""

    def __init__(self, named: Mapping[str, WrittenStyle], canvas: Size, fonts: FontBook) -> None:
        self._named = named
        self._canvas = canvas
        self._fonts = fonts

    def style(self, wanted: str | WrittenStyle, path: Path) -> tuple[TextStyle, list[Fault]]:
        """The style in pixels, and what was wrong with how it was written."""
        if isinstance(wanted, str) and wanted not in self._named and wanted not in _HOUSE:
            known = [*self._named, *filter(None, _HOUSE)]
            fault = Fault(
                code="unknown-style",
                path=(*path, "style"),
                message=f'no text style is called "{wanted}"',
                hint=did_you_mean(wanted, known) or "styles: " + ", ".join(sorted(known)),
            )
            return self._in_pixels(_HOUSE[""]), [fault]
        where: Path = (*path, "style")
        if isinstance(wanted, str) and wanted in self._named:
            where = ("styles", wanted)
        fields = self._merged(wanted)
        return self._in_pixels(fields), self._faults(fields, where)

    def named_faults(self) -> list[Fault]:
        """What is wrong with the styles of the spec, used or not."""
        return [fault for name in self._named for fault in self.style(name, ())[1]]

    def safe_area(self, wanted: str | WrittenStyle) -> Fraction:
        """The margin of a style, as a share of the canvas."""
        return exact(self._merged(wanted).get("safe_area", 0))

    def _merged(self, wanted: str | WrittenStyle) -> dict[str, Any]:
        if isinstance(wanted, str):
            if wanted not in self._named:
                return {**_HOUSE[""], **_HOUSE.get(wanted, {})}
            wanted = self._named[wanted]
        written = wanted.model_dump(exclude_none=True)
        return {**_HOUSE[""], **_HOUSE[written.pop("like", "")], **written}

    def _faults(self, fields: Mapping[str, Any], path: Path) -> list[Fault]:
        faults = []
        if not self._fonts.has_family(fields["font"]):
            families = self._fonts.families
            faults.append(
                Fault(
                    code="unknown-font",
                    path=(*path, "font"),
                    message=f'no font family is called "{fields["font"]}"',
                    hint=_families_hint(fields["font"], families),
                )
            )
        for place, text in _colours(fields):
            if to_colour(text) is None:
                faults.append(
                    Fault(
                        code="unknown-colour",
                        path=(*path, *place),
                        message=f'"{text}" is not a colour',
                        hint='write a CSS name such as "navy", or "#102030"',
                    )
                )
        return faults

    def _in_pixels(self, fields: Mapping[str, Any]) -> TextStyle:
        width, height = self._canvas
        margin = round_half_up(width * exact(fields["safe_area"]))
        return TextStyle(
            families=(fields["font"],),
            weight=int(fields["weight"]),
            italic=fields["italic"],
            size_px=max(1, self._letter_size(fields["size"])),
            colour=_rgba(fields["colour"]),
            align=Align(fields["align"]),
            line_spacing_percent=round_half_up(exact(fields["line_spacing"]) * 100),
            letter_spacing_px=self._scaled(fields["letter_spacing"]),
            outline=self._outline(fields["outline"]),
            shadow=self._shadow(fields["shadow"]),
            box=self._box(fields["box"]),
            max_width_px=max(1, min(to_pixels(fields["width"], width), width - 2 * margin)),
            max_height_px=max(1, height - 2 * round_half_up(height * exact(fields["safe_area"]))),
            direction=Direction(fields["direction"]),
        )

    def _letter_size(self, size: float | str) -> int:
        # A share is of the shorter side, so that a story is not set in giant letters.
        return to_pixels(size, min(self._canvas))

    def _scaled(self, pixels: float) -> int:
        return round_half_up(exact(pixels) * min(self._canvas) / _REFERENCE_SIDE)

    def _outline(self, fields: Any) -> Outline | None:
        if fields == "none":
            return None
        fields = {"width": 4, "colour": "black", **fields}
        width = max(1, self._scaled(fields["width"])) if fields["width"] else 0
        return Outline(width_px=width, colour=_rgba(fields["colour"])) if width else None

    def _shadow(self, fields: Any) -> Shadow | None:
        if fields == "none":
            return None
        return Shadow(
            dx=self._shift(fields["x"], self._canvas[0]),
            dy=self._shift(fields["y"], self._canvas[1]),
            blur_px=self._scaled(fields["blur"]),
            colour=_rgba(fields["colour"]),
        )

    def _shift(self, value: float | str, whole: int) -> int:
        return to_pixels(value, whole) if isinstance(value, str) else self._scaled(value)

    def _box(self, fields: Any) -> TextBox | None:
        if fields == "none":
            return None
        padding = self._scaled(fields["padding"])
        return TextBox(
            colour=_rgba(fields["colour"]),
            padding_x_px=padding,
            padding_y_px=padding * 2 // 3,
            radius_px=self._scaled(fields["radius"]),
        )


def _families_hint(name: str, families: Sequence[str]) -> str:
    known = "families: " + ", ".join(sorted(families))
    return "; ".join(filter(None, (did_you_mean(name, families), known)))


def fit_warnings(block: TextBlock) -> list[str]:
    """What the reader should know of how a text fits its room; mostly nothing."""
    beyond, asked = block.overflow, block.style.size_px
    words = f'the text "{block.text[:40]}"'
    if any(beyond):
        cut = f"{beyond[0]} px on the right and {beyond[1]} px below are cut off"
        return [f"{words} overflows its room even in letters of {block.size_px} px: {cut}"]
    if block.size_px * 100 < asked * _WORTH_A_WORD_PERCENT:
        return [f"{words} is set at {block.size_px} px, not {asked} px, so that it fits"]
    return []


def _colours(fields: Mapping[str, Any]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = [(("colour",), fields["colour"])]
    parts = (part for part in ("outline", "shadow", "box") if isinstance(fields[part], Mapping))
    return [*found, *(((part, "colour"), fields[part]["colour"]) for part in parts)]


def _rgba(text: str) -> RGBA:
    return to_colour(text) or (255, 255, 255, 255)
