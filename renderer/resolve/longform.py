"""Longform: hours of sound over a few backgrounds, lowered into ordinary tracks.

The whole lasts as long as its sounds together. The backgrounds share it evenly, each held
or looped, and overlap by the crossfade.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from renderer.errors import Fault, SpecInvalid
from renderer.inputs import Inputs
from renderer.media import MediaInfo
from renderer.spec.model import Background, LongformSpec, VideoBackground, VideoSpec
from renderer.spec.origins import source_key
from renderer.spec.values import to_time
from renderer.timebase import clock_text, round_half_up

MAX_AUDIO_SECONDS = 3 * 3600


def lower(spec: LongformSpec, inputs: Inputs, fps: Fraction) -> VideoSpec:
    """The same thing as a `VideoSpec`. Raises SpecInvalid when the sound is over 3 hours."""
    seconds = [_seconds(inputs.media(source_key(piece.audio))) for piece in spec.audio]
    total = Fraction(sum(seconds))
    if int(total) > MAX_AUDIO_SECONDS:  # encoders pad by milliseconds
        what = clock_text(total)
        limit = clock_text(Fraction(MAX_AUDIO_SECONDS))
        message = f"{what} of sound is more than the {limit} a longform may have"
        raise SpecInvalid([_fault("longform-audio-length", "audio", message)])
    document = {
        **spec.model_dump(include={"reelkiln", "id", "title"}, exclude_none=True),
        "output": spec.output.model_dump(by_alias=True, exclude_none=True),
        "tracks": [
            {"id": "backgrounds", "clips": _pictures(spec, round_half_up(total * fps), fps)},
            {"id": "audio", "decides_duration": True, "clips": _sounds(spec)},
        ],
    }
    return VideoSpec.model_validate(document)


def _seconds(media: MediaInfo) -> Fraction:
    if media.audio is None:
        return Fraction(0)
    return media.audio.start + media.audio.duration - media.start


def _pictures(spec: LongformSpec, total: int, fps: Fraction) -> list[Mapping[str, Any]]:
    count = len(spec.backgrounds)
    share = total // count
    crossfade = min(to_time(spec.crossfade).to_frames(fps), share // 2)
    items: list[Mapping[str, Any]] = []
    for index, background in enumerate(spec.backgrounds):
        is_last = index == count - 1
        length = total - index * share if is_last else share + crossfade
        items.append(_picture(background, length))
        if not is_last and crossfade:
            items.append({"transition": "fade", "length": f"{crossfade}f"})
    return items


def _picture(background: Background, length: int) -> Mapping[str, Any]:
    common = {"length": f"{length}f", "fit": background.fit}
    if isinstance(background, VideoBackground):
        return {"video": background.video, "volume": 0, "loop": True, **common}
    return {"image": background.image, **common}


def _sounds(spec: LongformSpec) -> list[Mapping[str, Any]]:
    last = len(spec.audio) - 1
    return [
        {
            "audio": piece.audio,
            "volume": piece.volume,
            "fade_in": spec.fade if index else 0,
            "fade_out": spec.fade if index < last else 0,
        }
        for index, piece in enumerate(spec.audio)
    ]


def _fault(code: str, field: str, message: str) -> Fault:
    return Fault(code=code, path=(field,), message=message)
