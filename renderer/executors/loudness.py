"""Loudness: measure a mix by EBU R 128, then choose one gain for all of it.

Measuring first and multiplying by one number rounded to 0.01 dB keeps the dynamics and
gives the same samples on every machine, which FFmpeg's `loudnorm` does not; it is also
four times faster. FFmpeg's `ebur128` gives three decimals only as metadata.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from renderer.errors import OutputRejected, RenderFailed
from renderer.executors.commands import command_of, run_command
from renderer.executors.context import Context
from renderer.steps import Command, Step

_LABEL = re.compile(r"\[\w+\]")
_CENT = Decimal("0.01")
_SILENCE_LUFS = Decimal(-70)  # the absolute gate of R 128: nothing was heard above it
_KEPT_BYTES = 4096  # one report of the filter is about 300
_METER = (
    "apad=pad_len=4800,"  # the last tenth of a second counts too: the meter reads whole ones
    "ebur128=peak=true:metadata=1:framelog=quiet,ametadata=mode=print:file=-"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """A measured mix: integrated loudness in LUFS and true peak as a share of full scale."""

    integrated: Decimal
    peak: Decimal

    @property
    def peak_db(self) -> Decimal:
        """True peak in dBTP, rounded up to 0.01 so that it is never understated."""
        if self.peak <= 0:
            return Decimal(-120)
        return Decimal(math.ceil(2000 * math.log10(self.peak + Decimal("0.0005")))) * _CENT


def measure(step: Step, context: Context) -> Loudness:
    """Run the mix of `step` once with no gain, listening only."""
    command = command_of(step)
    tail = bytearray()

    def keep(data: bytes) -> None:
        tail.extend(data)
        del tail[:-_KEPT_BYTES]

    run_command(
        step,
        context,
        command=_metering(command, step.title),
        words={"@gain": "0dB"},
        stdout_to=keep,
        reports=False,
    )
    return _parsed(tail.decode("ascii", "replace"), step.title)


def choose_gain(measured: Loudness, wanted: Mapping[str, str]) -> Decimal:
    """The gain in dB, to 0.01, that reaches `target_lufs` or stops at `true_peak_db`.

    Silence is left alone.
    """
    if measured.integrated <= _SILENCE_LUFS:
        return Decimal("0.00")
    wish = Decimal(wanted["target_lufs"]) - measured.integrated
    wish = wish.quantize(_CENT, ROUND_HALF_EVEN)
    room = Decimal(wanted["true_peak_db"]) - measured.peak_db
    return min(wish, room.quantize(_CENT, ROUND_FLOOR))


def _metering(command: Command, title: str) -> Command:
    """The same inputs and graph, with a meter in place of the outputs."""
    if "-map" not in command.argv:
        raise RenderFailed(f"{title}: a mix needs labelled outputs to be measured")
    cut = command.argv.index("-map")
    options = command.argv[cut:]
    labels = [value for value in options if _LABEL.fullmatch(value)]
    if not labels:
        raise RenderFailed(f"{title}: a mix needs labelled outputs to be measured")
    first, *others = dict.fromkeys(labels)
    sinks = "".join(f";{label}anullsink" for label in others)
    return Command(
        argv=(*command.argv[:cut], "-map", "[measured]", "-f", "null", "-"),
        graph=f"{command.graph};{first}{_METER}[measured]{sinks}",
    )


def _parsed(report: str, title: str) -> Loudness:
    integrated = re.findall(r"r128\.I=(-?[\d.]+|-?inf|nan)\n", report)
    peak = re.findall(r"r128\.true_peak=([\d.]+)\n", report)
    if not integrated or not peak:
        raise OutputRejected(f"{title}: FFmpeg's loudness meter did not report")
    heard = integrated[-1] if integrated[-1][-1].isdigit() else str(_SILENCE_LUFS)
    return Loudness(integrated=Decimal(heard), peak=Decimal(peak[-1]))
