"""Chooses scene and colours by the words of the subject, and paints."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from renderer.errors import BadProviderRequest
from renderer.generate.contract import ImageRequest, ImageResult
from renderer.generate.fitting import png_of
from renderer.generate.painter.abstract import facets, lights, rays, ribbons
from renderer.generate.painter.canvas import Canvas
from renderer.generate.painter.chance import Chance
from renderer.generate.painter.overlay import paint_overlay
from renderer.generate.painter.palettes import Palette, palette_for, words_of
from renderer.generate.painter.scenes import city, contours, ridges, sea

Scene = Callable[[Canvas, Palette, Chance], None]
SCENES: dict[str, Scene] = {
    "city": city, "contours": contours, "facets": facets, "lights": lights,
    "rays": rays, "ribbons": ribbons, "ridges": ridges, "sea": sea,
}  # fmt: skip
_MAX_SIDE = 8192
_WORDS = {
    "city": "city cities street streets tower town tokyo london night building buildings office "
    "architecture bridge bridges traffic cyberpunk economy finance market",
    "contours": "map maps data science geology history earth terrain hike trail ancient archive "
    "research geography canyon island",
    "facets": "crystal ice glass technology computer computers machine machines geometry algorithm "
    "algorithms ai artificial intelligence medicine robot robots software code mineral chemistry",
    "lights": "party music club night festival rain lights christmas dance city jazz concert love "
    "candle dream",
    "rays": "sun summer energy light new launch sale award hope electricity fire joy school spring "
    "marathon training sport running race",
    "ribbons": "silk music calm yoga wind sound voice design fashion coffee meditation flow piano "
    "wine sleep poetry",
    "ridges": "mountain mountains alps snow winter forest valley volcano volcanoes desert dune "
    "dunes hill hills nature travel peak climbing birds autumn space star stars "
    "galaxy planet planets moon telescope astronomy universe comet",
    "sea": "sea ocean water wave waves ship boat lighthouse lighthouses harbour coast beach river "
    "lake whale whales fish island surf sail",
}
_BY_WORD: dict[str, list[str]] = {}
for _scene, _words in sorted(_WORDS.items()):
    for _word in _words.split():
        _BY_WORD.setdefault(_word, []).append(_scene)


class OfflinePainter:
    """See `renderer.generate.contract.Provider`. Needs no network and no key."""

    name = "offline"
    model = "painter-1"
    """Another number whenever the same request gives other pixels."""

    def generate(self, request: ImageRequest) -> ImageResult:
        """As `Provider.generate`. References are looked at by nobody here."""
        if not all(1 <= side <= _MAX_SIDE for side in request.size):
            raise BadProviderRequest(
                f"the painter has no canvas of {request.size[0]}x{request.size[1]}",
                hint=f"ask for at most {_MAX_SIDE} pixels a side",
            )
        return ImageResult(
            data=png_of(paint(request), compression=1),  # whoever asked packs it once more
            media_type="image/png",
            provider=self.name,
            model=self.model,
            response_id=request.digest[:16],
            facts={} if request.transparent else {"scene": scene_for(request)},
        )


def paint(request: ImageRequest) -> Image.Image:
    """The picture of a request: RGBA where it shall be transparent, else RGB."""
    chance = Chance(request.digest)
    palette = palette_for(
        request.subject or request.prompt, request.palette, chance.child("palette")
    )
    if request.transparent:
        return paint_overlay(request.size, palette, chance.child("overlay"))
    canvas = Canvas(request.size, palette.dark)
    SCENES[scene_for(request)](canvas, palette, chance.child("scene"))
    return canvas.finished(chance.child("grain"))


def scene_for(request: ImageRequest) -> str:
    """The scene that the most words are about; by chance where several or none are.

    With another seed another scene may come, so that pictures of one subject differ.
    """
    found: list[str] = []
    for word in words_of(request.subject or request.prompt):
        found += _BY_WORD.get(word, ())
    most = max((found.count(name) for name in found), default=0)
    names = sorted({name for name in found if found.count(name) == most}) or sorted(SCENES)
    return Chance(request.digest).child("choice").one_of(names)
