"""What is heard when: every clip's sound as pieces in whole samples."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from renderer.errors import Fault
from renderer.inputs import Inputs
from renderer.resolve.schedule import Schedule
from renderer.resolve.slots import Slot
from renderer.resolve.trim import source_part
from renderer.spec.clips import AudioClip, VideoClip
from renderer.spec.model import Track, VideoSpec
from renderer.spec.origins import source_key
from renderer.spec.suggest import did_you_mean
from renderer.spec.values import to_permille, to_time
from renderer.timebase import SAMPLE_RATE, Span, exact, frame_to_sample, round_half_up
from renderer.timeline import LoudnessTarget, SoundMix, SoundPiece, SoundTrack


def sound_mix(
    spec: VideoSpec, inputs: Inputs, plan: Schedule, fps: Fraction
) -> tuple[SoundMix, list[Fault]]:
    """The mix, and faults of `duck_under` that point at nothing."""
    voices = _voices(spec, inputs, plan)
    index = {spec.tracks[voice[0]].id: n for n, voice in enumerate(voices)}
    tracks, faults = [], []
    for track_number, duck_under, slots in voices:
        faults += _duck_faults(spec, track_number, duck_under, slots)
        pieces = _pieces(slots, plan, inputs, fps)
        tracks.append(
            SoundTrack(
                name=spec.tracks[track_number].id or f"tracks[{track_number}]",
                pieces=tuple(pieces),
                volume=to_permille(spec.tracks[track_number].volume),
                duck_under=index.get(duck_under, -1) if duck_under else -1,
            )
        )
    wanted = spec.output.audio.loudness
    loudness = None
    if wanted is not None:
        loudness = LoudnessTarget(
            target=round_half_up(exact(wanted.target) * 100),
            true_peak=round_half_up(exact(wanted.true_peak) * 100),
        )
    bitrate = spec.output.audio.bitrate
    return SoundMix(tracks=tuple(tracks), bitrate=bitrate, loudness=loudness), faults


_Voice = tuple[int, str | None, list[Slot]]


def _voices(spec: VideoSpec, inputs: Inputs, plan: Schedule) -> list[_Voice]:
    """Audible slots by track; clips that duck on their own split their track."""
    voices: list[_Voice] = []
    for number, track in enumerate(spec.tracks):
        by_duck: dict[str | None, list[Slot]] = {}
        for slot, span in zip(plan.slots, plan.spans, strict=True):
            if slot.track == number and span.start < plan.total and _is_heard(slot, track, inputs):
                duck = slot.clip.duck_under if isinstance(slot.clip, AudioClip) else None
                by_duck.setdefault(duck or track.duck_under, []).append(slot)
        voices += [(number, duck, slots) for duck, slots in by_duck.items()]
    return voices


def _is_heard(slot: Slot, track: Track, inputs: Inputs) -> bool:
    clip = slot.clip
    if track.muted or not isinstance(clip, (VideoClip, AudioClip)) or clip.volume == 0:
        return False
    source = clip.video if isinstance(clip, VideoClip) else clip.audio
    return inputs.media(source_key(source)).audio is not None


def _duck_faults(
    spec: VideoSpec, number: int, duck_under: str | None, slots: list[Slot]
) -> list[Fault]:
    names = [track.id for track in spec.tracks if track.id]
    own = spec.tracks[number].duck_under == duck_under
    path = ("tracks", number, "duck_under") if own else (*slots[0].path, "duck_under")
    if not duck_under or (duck_under in names and duck_under != spec.tracks[number].id):
        return []
    itself = duck_under == spec.tracks[number].id
    return [
        Fault(
            code="unknown-track",
            path=path,
            message=(
                "a track cannot duck under itself"
                if itself
                else f'no track has the id "{duck_under}"'
            ),
            hint="" if itself else did_you_mean(duck_under, names),
        )
    ]


def _pieces(slots: list[Slot], plan: Schedule, inputs: Inputs, fps: Fraction) -> list[SoundPiece]:
    numbers = {slot.path: number for number, slot in enumerate(plan.slots)}
    heard = {numbers[slot.path] for slot in slots}
    joined_after = {slot.previous: slot for slot in plan.slots if slot.join}
    pieces = []
    for slot in slots:
        number = numbers[slot.path]
        piece = _piece(slot, plan.spans[number], plan.total, inputs, fps)
        piece = _entering(piece, slot, plan, heard, number, fps)
        follower = joined_after.get(number)
        if follower and follower.join and numbers[follower.path] not in heard:
            # The neighbour is mute: what would be a crossfade becomes a fade.
            length = frame_to_sample(follower.join.length, fps)
            piece = replace(piece, fade_out=min(max(piece.fade_out, length), piece.length))
        pieces.append(piece)
    return sorted(pieces, key=lambda piece: piece.start)


def _entering(
    piece: SoundPiece, slot: Slot, plan: Schedule, heard: set[int], number: int, fps: Fraction
) -> SoundPiece:
    if slot.join is None:
        return piece
    end_before = frame_to_sample(min(plan.spans[slot.previous].end, plan.total), fps)
    overlap = end_before - piece.start
    if slot.previous in heard:
        return replace(piece, crossfade=min(overlap, piece.length))
    return replace(piece, fade_in=min(max(piece.fade_in, overlap), piece.length))


def _piece(slot: Slot, span: Span, total: int, inputs: Inputs, fps: Fraction) -> SoundPiece:
    clip = slot.clip
    if not isinstance(clip, (VideoClip, AudioClip)):
        raise TypeError(f"{slot.name} has no sound")
    part = source_part(clip, inputs, fps)
    start = frame_to_sample(span.start, fps)
    length = frame_to_sample(min(span.end, total), fps) - start
    pin = inputs[source_key(clip.video if isinstance(clip, VideoClip) else clip.audio)]
    return SoundPiece(
        name=slot.name,
        sha256=pin.sha256,
        media=pin.media,
        start=start,
        length=length,
        from_=part.from_,
        period=_period(clip, slot, part.seconds, part.speed, fps),
        speed=part.speed,
        volume=to_permille(clip.volume),
        fade_in=min(_samples(clip.fade_in, fps), length),
        fade_out=min(_samples(clip.fade_out, fps), length),
        crossfade=0,
    )


def _period(
    clip: VideoClip | AudioClip, slot: Slot, seconds: Fraction, speed: Fraction, fps: Fraction
) -> Fraction:
    if not clip.loop:
        return Fraction(0)
    # A looped video goes round in whole frames; its sound keeps step with it.
    return slot.round_frames / fps * speed if isinstance(clip, VideoClip) else seconds


def _samples(value: float | int | str, fps: Fraction) -> int:
    return round_half_up(to_time(value).to_seconds(fps) * SAMPLE_RATE)
