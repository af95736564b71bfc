"""Where things stand: fit, crop, anchor, scale, as integer geometry.

Boxes have even sides, since 4:2:0 video has one colour sample for two pixels each way; only
a picture that keeps its own pixels keeps its own size.
"""

from __future__ import annotations

from fractions import Fraction

from renderer.media import Size
from renderer.timebase import round_half_up
from renderer.timeline import Placement, Point, Rect

_ANCHORS: dict[str, tuple[int, int]] = {
    "top-left": (0, 0), "top": (1, 0), "top-right": (2, 0),
    "left": (0, 1), "center": (1, 1), "right": (2, 1),
    "bottom-left": (0, 2), "bottom": (1, 2), "bottom-right": (2, 2),
}  # fmt: skip


def place(
    natural: Size, box: Size, *, fit: str, crop: Rect | None = None, permille: int = 1000
) -> Placement:
    """A picture of `natural` display size fitted into `box`, centred at (0, 0).

    `fit` is one of cover, contain, contain-blur, stretch, none; `none` has no use for the
    box and takes `permille`, thousandths of its own size. `crop` is in display pixels of
    the source. The caller moves the centre and sets the rotation.
    """
    seen = (crop[2], crop[3]) if crop else natural
    scale_to, cut, pad_to = _fitted(seen, box, fit) if fit != "none" else (
        scaled_box(seen, permille) if permille != 1000 else seen, None, None
    )  # fmt: skip
    pad_at = (0, 0)
    if pad_to is not None:
        pad_at = ((pad_to[0] - scale_to[0]) // 2, (pad_to[1] - scale_to[1]) // 2)
    return Placement(
        crop=crop,
        scale_to=scale_to,
        cut=cut,
        pad_to=pad_to,
        pad_at=pad_at,
        blur_behind=fit == "contain-blur" and pad_to is not None,
        rotation_mdeg=0,
        centre=(0, 0),
    )


def _fitted(seen: Size, box: Size, fit: str) -> tuple[Size, Rect | None, Size | None]:
    if fit == "stretch":
        return box, None, None
    ratios = (Fraction(box[0], seen[0]), Fraction(box[1], seen[1]))
    if fit == "cover":
        scaled = even_size(*(side * max(ratios) for side in seen), at_least=box)
        cut = ((scaled[0] - box[0]) // 2 & ~1, (scaled[1] - box[1]) // 2 & ~1, *box)
        return scaled, None if scaled == box else cut, None
    scaled = even_size(*(side * min(ratios) for side in seen), at_most=box)
    needs_pad = fit == "contain-blur" and scaled != box
    return scaled, None, box if needs_pad else None


def even_size(
    width: Fraction, height: Fraction, *, at_least: Size = (2, 2), at_most: Size | None = None
) -> Size:
    """The nearest even size, kept within bounds."""
    sides = [2 * max(1, round_half_up(side / 2)) for side in (width, height)]
    sides = [max(side, low) for side, low in zip(sides, at_least, strict=True)]
    if at_most is not None:
        sides = [min(side, high) for side, high in zip(sides, at_most, strict=True)]
    return sides[0], sides[1]


def scaled_box(box: Size, permille: int) -> Size:
    """`box` times a scale in thousandths, even."""
    factor = Fraction(permille, 1000)
    return even_size(box[0] * factor, box[1] * factor)


def anchored_centre(size: Size, canvas: Size, anchor: str, offset: Point) -> Point:
    """Where the middle of a thing of `size` stands, in half pixels, held at `anchor`."""
    column, row = _ANCHORS[anchor]
    x = column * (canvas[0] - size[0]) + size[0] + 2 * offset[0]
    y = row * (canvas[1] - size[1]) + size[1] + 2 * offset[1]
    return x, y


def crop_rect(natural: Size, left: int, right: int, top: int, bottom: int) -> Rect | None:
    """The rectangle left when edges are cut off; None when nothing is cut.

    A rectangle without area comes back with zero or negative sides; the caller refuses it.
    """
    if not (left or right or top or bottom):
        return None
    return left, top, natural[0] - left - right, natural[1] - top - bottom
