"""The timeline: what is seen and heard when, in whole frames and whole samples. Types only.

Everything optional in a spec is decided here. Layers are listed bottom first. `schedule`
says when, `layout` says where, `resolve` puts the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from renderer.errors import Path
from renderer.media import MediaInfo, Size
from renderer.spec.values import RGBA
from renderer.text.typeset import TextBlock
from renderer.timebase import SAMPLE_RATE, Span, frame_to_sample

Point = tuple[int, int]
"""(x, y) in pixels, right and down."""

Rect = tuple[int, int, int, int]
"""(x, y, width, height) in pixels."""


class Quality(StrEnum):
    """Encoder effort and fidelity."""

    DRAFT = "draft"
    STANDARD = "standard"
    HIGH = "high"
    LOSSLESS = "lossless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The picture that is drawn on."""

    size: Size
    fps: Fraction
    background: RGBA
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a source picture becomes pixels on the canvas; all whole numbers.

    The source is cut to `crop`, scaled to `scale_to`, cut again to `cut` (a part of the
    scaled picture), padded into `pad_to` at `pad_at` where asked, turned by
    `rotation_mdeg` (thousandths of a degree, clockwise), and its middle is put at
    `centre`, which is given in half pixels so that odd sizes have one too.
    """

    crop: Rect | None
    scale_to: Size
    cut: Rect | None
    pad_to: Size | None
    pad_at: Point
    blur_behind: bool
    rotation_mdeg: int
    centre: Point

    @property
    def box(self) -> Size:
        """The size before turning."""
        if self.pad_to is not None:
            return self.pad_to
        return (self.cut[2], self.cut[3]) if self.cut else self.scale_to


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPicture:
    """Frames of a video file: local frame k shows the source at `from_ + k / fps * speed`.

    `loop_frames` is after how many local frames the source begins again; 0 for never.
    """

    sha256: str
    media: MediaInfo
    from_: Fraction
    speed: Fraction
    loop_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StillPicture:
    """A still picture file."""

    sha256: str
    media: MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPicture:
    """Typeset words."""

    block: TextBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourPicture:
    """One colour."""

    colour: RGBA


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientPicture:
    """A blend of colours. `angle` in degrees as in the spec."""

    kind: str
    angle: int
    colours: tuple[RGBA, ...]


Picture = VideoPicture | StillPicture | TextPicture | ColourPicture | GradientPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A camera move: `amount` in thousandths of the picture."""

    name: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Entering or leaving: fade and slide lengths in frames, 0 for none; slide's side."""

    fade: int = 0
    slide: int = 0
    side: str = ""

    @property
    def length(self) -> int:
        """Frames until it is over."""
        return max(self.fade, self.slide)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One clip's picture. `span` is the whole clip; local frame 0 is its first."""

    name: str
    path: Path
    span: Span
    picture: Picture
    placement: Placement
    opacity: int  # thousandths
    move: Move | None
    enter: Passing
    exit: Passing


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An element on its own, over `span`, which lies within the element's."""

    span: Span
    element: Element

    @property
    def name(self) -> str:
        """The clip's name in messages."""
        return self.element.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Two elements changing from `before` to `after` over `length` frames from `start`.

    `span` is what is shown of it: all, unless the video ends first.
    """

    span: Span
    before: Element
    after: Element
    transition: str
    start: int
    length: int

    @property
    def name(self) -> str:
        """Both clips' names in messages."""
        return f"{self.before.name} > {self.after.name}"


Layer = Shown | Blend


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPiece:
    """One clip's sound, in samples on the timeline.

    `from_` is where in the source (seconds, on its own clock from zero) it begins,
    `period` how many source-time seconds one round of a loop lasts (0: no loop).
    `crossfade` is how many samples it overlaps the piece before it on its track.
    """

    name: str
    sha256: str
    media: MediaInfo
    start: int
    length: int
    from_: Fraction
    period: Fraction
    speed: Fraction
    volume: int  # thousandths
    fade_in: int
    fade_out: int
    crossfade: int

    @property
    def end(self) -> int:
        """The first sample after it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundTrack:
    """Pieces in order; only neighbours joined by a crossfade overlap.

    `duck_under` is the index of the track whose sound makes this one quieter, or -1.
    """

    name: str
    pieces: tuple[SoundPiece, ...]
    volume: int  # thousandths
    duck_under: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoudnessTarget:
    """EBU R128 target in hundredths of LUFS and of dBTP."""

    target: int
    true_peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundMix:
    """Everything heard. No tracks: the video has no sound stream at all.

    `skip` samples at the start of the mix are before the part that is wanted.
    """

    tracks: tuple[SoundTrack, ...]
    bitrate: str
    loudness: LoudnessTarget | None
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Words to read along, shown over `span`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The whole video, decided."""

    canvas: Canvas
    length: int  # frames
    layers: tuple[Layer, ...]
    sound: SoundMix
    thumbnail_frame: int
    captions: tuple[Caption, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """Samples of the whole mix."""
        return frame_to_sample(self.length, self.canvas.fps, SAMPLE_RATE)
