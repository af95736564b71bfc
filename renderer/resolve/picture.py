"""What is seen where: a clip becomes an element with its picture placed on the canvas."""

from __future__ import annotations

from dataclasses import replace

from renderer.errors import Fault, Path
from renderer.inputs import Inputs
from renderer.media import Size
from renderer.resolve import layout
from renderer.resolve.slots import Slot
from renderer.resolve.trim import source_part
from renderer.resolve.typography import Typography, fit_warnings
from renderer.spec.clips import (
    ColourClip,
    Crop,
    Fitted,
    GradientClip,
    GradientFill,
    ImageClip,
    Motion,
    Passage,
    Slide,
    TextClip,
    VideoClip,
    Visible,
)
from renderer.spec.model import VideoSpec
from renderer.spec.origins import source_key
from renderer.spec.values import (
    RGBA,
    to_box,
    to_colour,
    to_permille,
    to_pixels,
    to_time,
)
from renderer.text.faces import FontBook
from renderer.text.typeset import typeset
from renderer.timebase import Span, exact, round_half_up
from renderer.timeline import (
    Canvas,
    ColourPicture,
    Element,
    GradientPicture,
    Move,
    Passing,
    Picture,
    Placement,
    Point,
    Rect,
    StillPicture,
    TextPicture,
    VideoPicture,
)


class Pictures:
    """Makes elements; collects faults and warnings as it goes."""

    def __init__(self, spec: VideoSpec, inputs: Inputs, fonts: FontBook, canvas: Canvas) -> None:
        self._inputs = inputs
        self._fonts = fonts
        self._canvas = canvas
        self._typography = Typography(spec.styles, canvas.size, fonts)
        self.faults: list[Fault] = self._typography.named_faults()
        self.warnings: list[str] = []

    def element(self, slot: Slot, span: Span) -> Element:
        """The element of a visible clip shown over `span`."""
        clip = slot.clip
        if not isinstance(clip, Visible):
            raise TypeError(f"{slot.name} cannot be seen")
        picture, placement = self._picture(slot)
        motion = clip.motion if isinstance(clip, (VideoClip, ImageClip)) else None
        return Element(
            name=slot.name,
            path=slot.path,
            span=span,
            picture=picture,
            placement=self._anchored(clip, placement),
            opacity=to_permille(clip.opacity),
            move=_move(motion),
            enter=self._passing(clip.enter),
            exit=self._passing(clip.exit),
        )

    def _picture(self, slot: Slot) -> tuple[Picture, Placement]:
        clip = slot.clip
        if isinstance(clip, TextClip):
            return self._text(clip, slot.path)
        if isinstance(clip, VideoClip):
            return self._video(clip, slot)
        if isinstance(clip, ImageClip):
            pin = self._inputs[source_key(clip.image)]
            picture = StillPicture(sha256=pin.sha256, media=pin.media)
            return picture, self._fitted(clip, _display_size(pin.media.video), slot.path)
        if isinstance(clip, ColourClip):
            colour = self._colour(clip.colour, (*slot.path, "colour"))
            return ColourPicture(colour=colour), self._fitted(clip, self._box(clip), slot.path)
        if isinstance(clip, GradientClip):
            return self._gradient(clip, slot.path), self._fitted(clip, self._box(clip), slot.path)
        raise TypeError(f"{slot.name} has no picture")

    def _video(self, clip: VideoClip, slot: Slot) -> tuple[Picture, Placement]:
        pin = self._inputs[source_key(clip.video)]
        part = source_part(clip, self._inputs, self._canvas.fps)
        if pin.media.video is not None and pin.media.video.hdr:
            self._warn(f"{pin.source} is of high dynamic range and is mapped to the ordinary one")
        picture = VideoPicture(
            sha256=pin.sha256,
            media=pin.media,
            from_=part.from_,
            speed=part.speed,
            loop_frames=slot.round_frames if clip.loop else 0,
        )
        return picture, self._fitted(clip, _display_size(pin.media.video), slot.path)

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _text(self, clip: TextClip, path: Path) -> tuple[Picture, Placement]:
        style, faults = self._typography.style(clip.style, path)
        self.faults += faults
        block = typeset(clip.text, style, self._fonts)
        self.warnings += fit_warnings(block)
        if block.missing:
            points = " ".join(f"U+{ord(point[0]):04X}" for point in block.missing[:8])
            self.warnings.append(f"no font has a glyph for {points}, in {clip.text[:40]!r}")
        size = layout.scaled_box(block.size, to_permille(clip.scale))
        plain = layout.place(block.size, size, fit="stretch")
        return TextPicture(block=block), plain

    def _gradient(self, clip: GradientClip, path: Path) -> Picture:
        fill = clip.gradient
        if not isinstance(fill, GradientFill):
            fill = GradientFill(colours=fill)
        colours = tuple(self._colour(text, (*path, "gradient")) for text in fill.colours)
        return GradientPicture(kind=fill.kind, angle=fill.angle, colours=colours)

    def _colour(self, text: str, path: Path) -> RGBA:
        colour = to_colour(text)
        if colour is None:
            self.faults.append(unknown_colour(text, path))
        return colour or (0, 0, 0, 255)

    def _fitted(self, clip: Fitted, natural: Size, path: Path) -> Placement:
        crop = self._crop(clip.crop, natural, path)
        permille = to_permille(clip.scale)
        return layout.place(natural, self._box(clip), fit=clip.fit, crop=crop, permille=permille)

    def _box(self, clip: Fitted) -> Size:
        box = to_box(clip.size, self._canvas.size) if clip.size else self._canvas.size
        return layout.scaled_box(box, to_permille(clip.scale))

    def _crop(self, crop: Crop | None, natural: Size, path: Path) -> Rect | None:
        if crop is None:
            return None
        sides = [to_pixels(side, natural[0]) for side in (crop.left, crop.right)]
        sides += [to_pixels(side, natural[1]) for side in (crop.top, crop.bottom)]
        rect = layout.crop_rect(natural, sides[0], sides[1], sides[2], sides[3])
        if rect and (min(sides) < 0 or rect[2] < 2 or rect[3] < 2):
            self.faults.append(
                Fault(
                    code="crop-outside",
                    path=(*path, "crop"),
                    message=f"nothing is left of the {natural[0]}x{natural[1]} picture",
                    hint="cut less off",
                )
            )
            return None
        return rect

    def _anchored(self, clip: Visible, placement: Placement) -> Placement:
        canvas = self._canvas.size
        offset: Point = (0, 0)
        if clip.offset is not None:
            offset = (to_pixels(clip.offset.x, canvas[0]), to_pixels(clip.offset.y, canvas[1]))
        area, margin = canvas, (0, 0)
        if isinstance(clip, TextClip):
            share = self._typography.safe_area(clip.style)
            margin = (round_half_up(canvas[0] * share), round_half_up(canvas[1] * share))
            area = (canvas[0] - 2 * margin[0], canvas[1] - 2 * margin[1])
        x, y = layout.anchored_centre(placement.box, area, clip.anchor, offset)
        return replace(
            placement,
            rotation_mdeg=round_half_up(exact(clip.rotation) * 1000) % 360_000,
            centre=(x + 2 * margin[0], y + 2 * margin[1]),
        )

    def _passing(self, passage: Passage | None) -> Passing:
        if passage is None:
            return Passing()
        fps = self._canvas.fps
        slide = passage.slide
        if isinstance(slide, str):
            slide = Slide(side=slide)
        return Passing(
            fade=to_time(passage.fade).to_frames(fps) if passage.fade is not None else 0,
            slide=to_time(slide.length).to_frames(fps) if slide else 0,
            side=slide.side if slide else "",
        )


def unknown_colour(text: str, path: Path) -> Fault:
    """The fault of a colour name that CSS does not know."""
    return Fault(
        code="unknown-colour",
        path=path,
        message=f'"{text}" is not a colour',
        hint='write a CSS name such as "navy", or "#102030"',
    )


def _display_size(facts: object) -> Size:
    size = getattr(facts, "display_size", None)
    if size is None:
        raise TypeError("a source without a picture was used as one")
    width, height = size
    return width, height


def _move(motion: Motion | str | None) -> Move | None:
    if motion is None:
        return None
    if isinstance(motion, str):
        motion = Motion.model_validate({"move": motion})
    return Move(name=motion.move, amount=to_permille(motion.amount))
