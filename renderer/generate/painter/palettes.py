"""Colours that go together, chosen by what the words are about; a brand's own come first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from renderer.generate.painter.canvas import RGB, blend
from renderer.generate.painter.chance import Chance

_BLACK, _WHITE = (6, 7, 10), (250, 249, 245)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """From the darkest to the lightest, and the accent of lights."""

    dark: RGB
    deep: RGB
    mid: RGB
    light: RGB
    glow: RGB
    accent: RGB

    @property
    def sun(self) -> RGB:
        """The accent as the brightest thing in the picture."""
        lift = 0.35 if sum(self.accent) > 480 else 0.75
        return blend(self.accent, _WHITE, lift)

    @property
    def is_night(self) -> bool:
        """Whether lights and stars belong into it."""
        return sum(self.deep) < 190


def _of(text: str) -> Palette:
    dark, deep, mid, light, glow, accent = (_rgb(word) for word in text.split())
    return Palette(dark=dark, deep=deep, mid=mid, light=light, glow=glow, accent=accent)


def _rgb(text: str) -> RGB:
    digits = text.lstrip("#")
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


PALETTES = {
    "ocean": _of("04202f 0b4a6b 1f8aa8 7cc6cf f3e9d2 ffb35c"),
    "forest": _of("0c1f17 1d4a36 3f7d58 9cc08b f2efcf f2b544"),
    "sunset": _of("1f1236 5b2a5e b8446a f08a5d fbd9a5 fff1d0"),
    "night": _of("050b1e 10214b 274690 5f7fc4 c3d3f2 ffe9b0"),
    "desert": _of("33150d 7a3522 c06a3a e6ab6d f8e3bf fff4dd"),
    "winter": _of("122238 33547a 6f97ba b4d0e0 f3f7fa ffd7b0"),
    "neon": _of("0a0618 2a1057 6d1fb0 e0399b ffb3d9 33e6ff"),
    "fire": _of("180806 571410 a82a17 ec6a21 ffc45e fff0c2"),
    "lavender": _of("1d1830 43386b 7f6fae bfaed6 f3e6ef ffd6a8"),
    "technical": _of("07131f 0f3350 1a6e8e 43b5b8 d4f1e8 ffd166"),
    "paper": _of("2a2522 6b5647 b08b69 dcc4a2 f7efe1 d1493f"),
    "gold": _of("1b1407 4f3a12 93701f d3ac4a f8eac0 fffaf0"),
}

_WORDS = {
    "ocean": "sea ocean water wave waves ship boat lighthouse lighthouses harbour island coast "
    "beach river lake fish whale whales dive coral surf sail northern rain",
    "forest": "forest tree trees garden plant plants leaf leaves moss jungle green nature bird "
    "birds tea farm bees spring hike trail",
    "sunset": "sunset sunrise evening dusk dawn love summer romance holiday wine poetry",
    "night": "night star stars moon space galaxy planet planets universe astronomy dream sleep "
    "comet telescope orbit midnight dark",
    "desert": "desert sand dune dunes canyon camel egypt pyramid pyramids clay mars savanna "
    "history ancient rome",
    "winter": "winter snow ice glacier arctic antarctic cold ski mountain mountains alps frost "
    "christmas peak climbing",
    "neon": "neon cyber cyberpunk game games gaming arcade synth music party club dance robot "
    "robots future city cities tokyo street streets",
    "fire": "fire volcano volcanoes lava heat forge kiln autumn candle spice spices cooking chili "
    "grill dragon",
    "lavender": "lavender flower flowers calm meditation yoga spa soft wellness mind music piano "
    "poem silk",
    "technical": "code software data computer computers network science engineering machine "
    "machines electricity physics chemistry bridge bridges algorithm algorithms ai energy "
    "artificial intelligence medicine health",
    "paper": "paper book books writing letter library coffee bread craft wood typewriter news map "
    "maps school study",
    "gold": "gold money finance luxury jewel jewellery crown honey economy market king queen award",
}
_BY_WORD = {word: name for name, words in _WORDS.items() for word in words.split()}


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in small letters, each with what is left without an s at its end."""
    found = re.findall(r"[a-z]+", text.lower())
    return tuple(form for word in found for form in dict.fromkeys((word, word.removesuffix("s"))))


def palette_for(subject: str, brand: tuple[str, ...], chance: Chance) -> Palette:
    """The brand's palette, else the one that the most words are about, else one by chance."""
    if brand:
        return brand_palette(brand)
    found = [_BY_WORD[word] for word in words_of(subject) if word in _BY_WORD]
    if not found:
        return PALETTES[chance.one_of(sorted(PALETTES))]
    return PALETTES[max(found, key=lambda name: (found.count(name), -found.index(name)))]


def brand_palette(colours: tuple[str, ...]) -> Palette:
    """A ramp from almost black to almost white through the brand's first colours."""
    primary, *others = (_rgb(text) for text in colours)
    secondary = others[0] if others else blend(primary, _WHITE, 0.35)
    accent = others[1] if len(others) > 1 else blend(secondary, _WHITE, 0.5)
    mid = primary if sum(primary) < _PALE else blend(primary, _BLACK, 0.4)
    mid = mid if sum(mid) > _GLOOM else blend(mid, _WHITE, 0.2)
    # One hue from dark to light: two that are far apart would meet in the sky as stripes.
    light = blend(blend(mid, _WHITE, 0.45), secondary, 0.2)
    return Palette(
        dark=blend(mid, _BLACK, 0.82),
        deep=blend(mid, _BLACK, 0.45),
        mid=mid,
        light=light,
        glow=blend(light, _WHITE, 0.7),
        accent=accent,
    )


_GLOOM, _PALE = 120, 560
"""Sums of red, green and blue that are too dark and too light for the middle of a ramp."""
