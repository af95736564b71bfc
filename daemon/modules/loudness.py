"""`python -m daemon.modules.loudness MANIFEST OUTPUTS`: how loud a file is, in numbers and drawn.

Its one input may be anything with sound. It writes `report.json` (EBU R 128) and `waveform.png`.
The parameters `width` and `height` say how large the picture is, in pixels.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from renderer.errors import OutputRejected, ReelkilnError, UsageError
from renderer.ffmpeg import run
from renderer.toolchain import find_toolchain

REPORT, WAVEFORM = "report.json", "waveform.png"
_SETTINGS: Mapping[str, int] = {"width": 1200, "height": 240}
_MOST_PIXELS = 8192
_PER_SECOND = 10  # the meter tells every tenth of a second
_SILENCE = Decimal(-70)  # the absolute gate of R 128
_CENT = Decimal("0.01")
_DEADLINE_S, _STALL_S = 6 * 3600.0, 120.0  # whoever runs us has less patience
_METER = (
    "apad=pad_len=4800,"  # the last tenth of a second counts too: the meter reads whole ones
    "ebur128=peak=true:metadata=1:framelog=quiet,ametadata=mode=print:file=-"
)
_VALUE = re.compile(r"lavfi\.r128\.(M|I|LRA|true_peak)=(\S+)")


@dataclass(slots=True)
class Meter:
    """Reads what FFmpeg's `ebur128` says of each tenth of a second."""

    latest: dict[str, str] = field(default_factory=dict)
    momentary: list[Decimal | None] = field(default_factory=list)
    _tenths: list[Decimal | None] = field(default_factory=list)
    _rest: str = ""

    def feed(self, data: bytes) -> None:
        """More of its words."""
        *lines, self._rest = (self._rest + data.decode("ascii", "replace")).split("\n")
        for line in lines:
            found = _VALUE.search(line)
            if found:
                self._take(found[1], found[2])

    def report(self) -> dict[str, Any]:
        """The numbers: LUFS, LU, dBTP; null for silence."""
        if "I" not in self.latest:
            raise OutputRejected("the loudness meter said nothing", hint="is there any sound?")
        if self._tenths:
            self._close_second()
        return {
            "standard": "EBU R 128",
            "integrated_lufs": _number(_loudness(self.latest["I"])),
            "range_lu": _number(_decimal(self.latest.get("LRA", "0"))),
            "true_peak_dbtp": _number(_decibels(self.latest.get("true_peak", "0"))),
            "momentary_lufs": [_number(value) for value in self.momentary],
        }

    def _take(self, name: str, value: str) -> None:
        self.latest[name] = value
        if name == "M":
            self._tenths.append(_loudness(value))
            if len(self._tenths) == _PER_SECOND:
                self._close_second()

    def _close_second(self) -> None:
        heard = [value for value in self._tenths if value is not None]
        self.momentary.append(max(heard) if heard else None)
        self._tenths.clear()


def main(argv: Sequence[str]) -> int:
    """Make both outputs. The exit status."""
    try:
        manifest, outputs = (Path(word).absolute() for word in argv)
    except ValueError:
        print("usage: python -m daemon.modules.loudness MANIFEST OUTPUTS", file=sys.stderr)
        return UsageError.exit_status
    try:
        report_on(json.loads(manifest.read_text(encoding="utf-8")), outputs)
    except (ReelkilnError, OSError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_status", 1)
    return 0


def report_on(told: Mapping[str, Any], outputs: Path) -> None:
    """Write both files into `outputs`. Raises UsageError and what FFmpeg's runs do."""
    source, settings = _input_of(told), _settings_of(told)
    meter = Meter()
    _ffmpeg(
        ("-i", str(source), "-map", "0:a:0", "-af",
         _METER, "-f", "null", "-"),
        outputs, "the loudness", meter,
    )  # fmt: skip
    text = json.dumps(meter.report(), indent=1, sort_keys=True) + "\n"
    (outputs / REPORT).write_text(text, encoding="utf-8")
    size = f"{settings['width']}x{settings['height']}"
    drawn = f"[0:a:0]aformat=channel_layouts=mono,showwavespic=s={size}:colors=0x3b82f6[drawn]"
    _ffmpeg(
        ("-i", str(source), "-filter_complex", drawn, "-map", "[drawn]", "-frames:v", "1",
         "-map_metadata", "-1", "-bitexact", str(outputs / WAVEFORM)),
        outputs, "the waveform", None,
    )  # fmt: skip


def _ffmpeg(argv: Sequence[str], cwd: Path, title: str, meter: Meter | None) -> None:
    run(
        argv,
        binary=find_toolchain(os.environ).ffmpeg,
        deadline_s=_DEADLINE_S,
        stall_s=_STALL_S,
        stop=threading.Event(),
        cwd=cwd,
        title=title,
        stdout_to=meter.feed if meter else None,
    )


def _input_of(told: Mapping[str, Any]) -> Path:
    inputs = [name for name in sorted(told) if name not in _SETTINGS]
    if len(inputs) != 1 or not isinstance(told[inputs[0]], str):
        words = ", ".join(inputs) or "nothing"
        raise UsageError(f"one input with sound is needed, found {words}")
    return Path(told[inputs[0]])


def _settings_of(told: Mapping[str, Any]) -> Mapping[str, int]:
    settings = {name: told.get(name, default) for name, default in _SETTINGS.items()}
    for name, value in settings.items():
        if not isinstance(value, int) or not 16 <= value <= _MOST_PIXELS:
            raise UsageError(f"{name} must be 16 to {_MOST_PIXELS} pixels, not {value}")
    return settings


def _loudness(text: str) -> Decimal | None:
    """LUFS; None for what the gate does not let through."""
    value = _decimal(text)
    return None if value is None or value <= _SILENCE else value


def _decimal(text: str) -> Decimal | None:
    value = Decimal(text)
    return value if value.is_finite() else None


def _decibels(share: str) -> Decimal | None:
    """dBTP of a share of full scale, rounded up so that it is never understated."""
    value = _decimal(share)
    if value is None or value <= 0:
        return None
    return Decimal(math.ceil(2000 * math.log10(value))) * _CENT


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value.quantize(_CENT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
