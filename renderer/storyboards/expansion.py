"""expand: a topic and a storyboard become an ordinary spec, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from renderer.brand.applying import branded
from renderer.brand.defaults import RGB, brand_defaults, contrast
from renderer.brand.kit import BrandKit, Logo
from renderer.spec.topic import TopicSpec
from renderer.storyboards.template import Storyboard
from renderer.storyboards.wording import Script, Shot, caption_lines, script_of

_Plain = dict[str, Any]
_DISSOLVE = 6
"""Tenths of a second in which one picture becomes the next."""
_MOVES = ("zoom-in", "pan-right", "zoom-out", "pan-left")
_ACCENT = "#ffd166"
_SHADE = "#05070c"
_READABLE = 4.5
_LOUD = {"loudness": {"target": -16}}


def expand(spec: TopicSpec, board: Storyboard, kit: BrandKit | None = None) -> _Plain:
    """The spec of a film about a topic: title, scenes, captions, voice, music, an upright cut.

    The same words give the same spec; a brand's looks are written out in it.
    """
    script = script_of(spec, board)
    plain = _Film(spec, board, script, kit).spec()
    return branded(plain, kit) if kit else plain


@dataclass(frozen=True, slots=True)
class _Film:
    topic: TopicSpec
    board: Storyboard
    script: Script
    kit: BrandKit | None

    def spec(self) -> _Plain:
        topic, script = self.topic, self.script
        envelope = topic.model_dump(
            mode="json", by_alias=True, exclude_defaults=True,
            include={"id", "callback", "on_failed_promise", "provenance", "reelkiln"},
        )  # fmt: skip
        output = topic.output.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        shown = f"{min(30, script.title.length // 2) / 10:g}s"
        variants = {"variants": {"story": self._story()}} if topic.story != "none" else {}
        return {
            **envelope,
            "title": topic.title or script.topic,
            "output": {"thumbnail_at": shown, "audio": _LOUD, **output},
            "styles": self._styles(upright=False),
            "tracks": [*self._tracks()],
            **variants,
            "made_from": {"topic": script.topic, "storyboard": self.board.reference},
        }

    def _story(self) -> _Plain:
        """The upright cut: pictures of its own, and letters for a telephone."""
        logo = self.kit.logo if self.kit else None
        marks = [{"id": "logo", "clips": [_logo(logo, upright=True)]}] if logo else []
        return {
            "size": self.topic.story,
            "styles": self._styles(upright=True),
            "tracks": [
                *marks,
                {"id": "picture", "decides_duration": True,
                 "clips": [*self._pictures("story_graphic")]},
                self._title_shade(upright=True),
                {"id": "mark", "clips": [self._bar(upright=True)]},
                {"id": "promise", "clips": [self._promise(upright=True)]},
            ],
        }  # fmt: skip

    # -- letters ---------------------------------------------------------------------------

    def _styles(self, *, upright: bool) -> _Plain:
        size = _title_size(self.script.topic)
        accent, room = self._accent(), "84%" if upright else "62%"
        return {
            "topic": {
                "like": "headline", "colour": "white", "size": f"{size + 1 if upright else size}%",
                "align": "left", "line_spacing": 1.05, "width": room,
            },
            "promise": {
                "like": "subtitle", "size": "4.2%", "align": "left", "colour": accent,
                "weight": 600, "width": room,
            },
            "heading": {
                "like": "subtitle", "colour": "white", "size": "6.4%" if upright else "5.4%",
                "weight": 700, "align": "left", "width": "70%",
            },
            "number": {
                "like": "subtitle", "size": "4%", "weight": 800, "colour": accent,
                "letter_spacing": 2,
            },
            "said": {
                "like": "caption", "colour": "white", "size": "5%" if upright else "4.4%",
                "weight": 500, "width": "84%" if upright else "74%",
            },
        }  # fmt: skip

    def _accent(self) -> str:
        """The accent of the brand, if it can be read on the shade; white where it cannot."""
        if self.kit is None:
            return _ACCENT
        text = brand_defaults(self.kit).palette["brand.accent"]
        is_seen = contrast(_rgb(text), _rgb(_SHADE)) >= _READABLE
        return text if is_seen else "white"

    # -- tracks, bottom first --------------------------------------------------------------

    def _tracks(self) -> Iterator[_Plain]:
        yield {"id": "picture", "decides_duration": True, "clips": [*self._pictures("thumbnail")]}
        yield {"id": "shade", "clips": [self._scene_shade()]}
        yield self._title_shade(upright=False)
        yield {"id": "mark", "clips": [self._bar(upright=False)]}
        yield {"id": "title", "clips": [self._topic_card()]}
        yield {"id": "promise", "clips": [self._promise(upright=False)]}
        if any(shot.heading for shot in self.script.scenes):
            yield {"id": "headings", "clips": [*self._headings()]}
        yield {"id": "numbers", "clips": [*self._numbers()]}
        if self.kit and self.kit.logo:
            yield {"id": "logo", "clips": [_logo(self.kit.logo, upright=False)]}
        yield {"id": "captions", "captions": True, "clips": [*self._captions()]}
        yield {"id": "voice", "clips": [*self._voice()]}
        yield {"id": "effects", "volume": 0.3, "clips": [*self._effects()]}
        yield {"id": "music", "volume": 0.7, "duck_under": "voice", "clips": [self._music()]}

    def _pictures(self, template: str) -> Iterator[_Plain]:
        for number, shot in enumerate(self.script.shots):
            if number:
                yield {"transition": "fade", "length": _time(_DISSOLVE)}
            recipe: _Plain = {"image": shot.picture, "template": template, "seed": shot.seed}
            recipe |= {"on_unavailable": self.topic.on_unavailable}
            if self.topic.provider:
                recipe["provider"] = self.topic.provider
            is_last = number == len(self.script.scenes)
            length = shot.length if is_last else shot.length + _DISSOLVE
            yield {
                "image": {"generate": recipe},
                "length": _time(length),
                "motion": {"move": _MOVES[number % len(_MOVES)], "amount": 0.1},
            }

    def _scene_shade(self) -> _Plain:
        """Dark above and below, so that words are read on any picture."""
        colours = [f"{_SHADE}b8", f"{_SHADE}38", f"{_SHADE}00", f"{_SHADE}59", f"{_SHADE}cc"]
        return {
            "gradient": {"angle": 180, "colours": colours},
            "start": _time(self.script.title.length),
            "length": "end",
            "enter": {"fade": _time(_DISSOLVE)},
        }

    def _title_shade(self, *, upright: bool) -> _Plain:
        strong, weak = ("d9", "4d") if upright else ("e6", "1a")
        fill = {
            "angle": 0 if upright else 90,
            "colours": [f"{_SHADE}{strong}", f"{_SHADE}99", f"{_SHADE}{weak}"],
        }
        clip = {"gradient": fill, "length": self._title_end(), "exit": {"fade": _time(_DISSOLVE)}}
        return {"id": "title-shade", "clips": [clip]}

    def _title_end(self) -> str:
        return _time(self.script.title.length + _DISSOLVE)

    def _bar(self, *, upright: bool) -> _Plain:
        return {
            "colour": self._accent(), "anchor": "left",
            "size": "14%x0.5%" if upright else "9%x0.9%",
            "offset": {"x": "8.8%", "y": "18%"} if upright else {"x": "7.6%", "y": "27%"},
            "length": self._title_end(),
            "enter": {"slide": {"side": "left", "length": "0.7s"}},
            "exit": {"fade": _time(_DISSOLVE)},
        }  # fmt: skip

    def _topic_card(self) -> _Plain:
        return {
            "text": self.script.topic, "style": "topic", "anchor": "left",
            "offset": {"x": "1%", "y": "-4%"}, "length": self._title_end(),
            "enter": {"fade": "0.8s"}, "exit": {"fade": _time(_DISSOLVE)},
        }  # fmt: skip

    def _promise(self, *, upright: bool) -> _Plain:
        return {
            "text": self.script.title.heading, "style": "promise", "anchor": "left",
            "offset": {"x": "1%", "y": "21%" if upright else "33%"}, "start": "0.6s",
            "length": _time(self.script.title.length + _DISSOLVE - 6),
            "enter": {"fade": "0.6s"}, "exit": {"fade": _time(_DISSOLVE)},
        }  # fmt: skip

    def _headings(self) -> Iterator[_Plain]:
        for shot in self.script.scenes:
            yield self._above(shot, {"text": shot.heading, "style": "heading"}, "8%")

    def _numbers(self) -> Iterator[_Plain]:
        count = len(self.script.scenes)
        for number, shot in enumerate(self.script.scenes, start=1):
            yield self._above(shot, {"text": f"{number} / {count}", "style": "number"}, "2%")

    def _words(self, shot: Shot) -> tuple[int, int]:
        """When the words of a scene stand there, from and to: not while pictures change."""
        end = shot.start + shot.length
        return shot.start + _DISSOLVE, end if end == self.script.length else end - 1

    def _above(self, shot: Shot, words: _Plain, down: str) -> _Plain:
        start, end = self._words(shot)
        return {
            **words, "anchor": "top-left", "offset": {"x": "1%", "y": down},
            "start": _time(start), "length": _time(end - start),
            "enter": {"fade": "0.4s"}, "exit": {"fade": "0.3s"},
        }  # fmt: skip

    def _captions(self) -> Iterator[_Plain]:
        for shot in self.script.scenes:
            lines = caption_lines(shot.say)
            total = sum(map(len, lines))
            begin, end = self._words(shot)
            shown, done = end - begin, 0
            for line in lines:
                start = shown * done // total
                done += len(line)
                length = shown * done // total - start
                yield {
                    "text": line, "style": "said", "anchor": "bottom",
                    "offset": {"y": "-2%"},
                    "start": _time(begin + start), "length": _time(length),
                }  # fmt: skip

    # -- what is heard ---------------------------------------------------------------------

    def _voice(self) -> Iterator[_Plain]:
        for number, shot in enumerate(self.script.shots):
            recipe = {
                "speech": shot.say, "language": self.topic.language,
                "pace": self.board.pace.words_a_minute,
            }  # fmt: skip
            rest = _DISSOLVE // 2 if number else _DISSOLVE + 2
            yield {"audio": {"generate": recipe}, "start": _time(shot.start + rest)}

    def _effects(self) -> Iterator[_Plain]:
        for number, shot in enumerate(self.script.scenes, start=1):
            effect = {"effect": "whoosh", "seed": number}
            yield {"audio": {"generate": effect}, "start": _time(shot.start)}

    def _music(self) -> _Plain:
        length = -(-self.script.length // 10)
        recipe = {"music": self.script.music, "length": length, "seed": self.script.title.seed}
        return {"audio": {"generate": recipe}, "length": "end", "fade_out": "1.5s"}


def _title_size(topic: str) -> int:
    """Large letters for few of them."""
    steps = ((26, 11), (48, 9), (80, 7), (140, 5))
    return next((size for most, size in steps if len(topic) <= most), 4)


def _logo(logo: Logo, *, upright: bool) -> _Plain:
    """The mark in its corner, unless words stand there: headings at the top, captions below."""
    is_free = logo.corner != "top-left" and not (upright and logo.corner.startswith("bottom"))
    corner = logo.corner if is_free else "top-right"
    across = "-3%" if corner.endswith("right") else "3%"
    down = "-4%" if corner.startswith("bottom") else "4%"
    return {
        "image": logo.image, "fit": "contain", "size": f"{logo.width}x{logo.width}",
        "anchor": corner, "offset": {"x": across, "y": down}, "length": "end",
    }  # fmt: skip


def _rgb(text: str) -> RGB:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _time(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}s" if tenths % 10 else f"{tenths // 10}s"
