"""Documents broken by hand, each with the places where it is broken.

A `«` stands right before each place where a fault is expected; the codes are named in the
same order. The marks are taken out before the document is read.
"""

from __future__ import annotations

from dataclasses import dataclass

MARK = "«"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A broken document, marked, with the codes of its faults and the exit status."""

    name: str
    marked: str
    codes: tuple[str, ...]
    suffix: str = "yaml"
    exit_status: int = 3

    @property
    def data(self) -> bytes:
        return self.marked.replace(MARK, "").encode("utf-8", "surrogateescape")

    @property
    def places(self) -> list[tuple[int, int]]:
        """Line and column of every mark, as the reader of the document counts."""
        found = []
        before, *rest = self.marked.split(MARK)
        for part in rest:
            found.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
            before += part
        return found


def _clip(text: str) -> str:
    return f"reelkiln: 1\ntracks:\n  - clips:\n      - {text}\n"


def _clips(text: str) -> str:
    return f"reelkiln: 1\ntracks:\n  - clips:\n{text}"


def _output(text: str) -> str:
    return f"reelkiln: 1\noutput: {{{text}}}\ntracks: [{{clips: [{{text: Hello}}]}}]\n"


def _track(text: str) -> str:
    return f"reelkiln: 1\ntracks:\n  - clips: [{{text: Hello, id: hi}}]\n  - {text}\n"


def _filled(variables: str, clip: str) -> str:
    return f"reelkiln: 1\nvariables: {{{variables}}}\ntracks:\n  - clips:\n      - {clip}\n"


def _longform(text: str) -> str:
    return f"reelkiln: 1\nkind: longform\n{text}"


_CLIPS = [
    # a slip of the finger
    ("no-kind", "{«txt: Hello}"),
    ("no-kind", "{«imge: a.png}"),
    ("no-kind", "{start: 1s, «color: navy}"),
    ("no-kind", "{«transitions: fade}"),
    ("no-kind", "{«vidio: b.mp4, length: 5}"),
    ("no-kind", "«{start: 1s, length: 2s}"),
    ("no-kind", "«{}"),
    ("wrong-type", "«Hello"),
    ("wrong-type", "«[image, a.png]"),
    ("wrong-type", "«5"),
    ("unknown-field", "{image: a.png, «lenght: 5s}"),
    ("unknown-field", "{video: b.mp4, «trimm: {from: 1}}"),
    ("unknown-field", "{video: b.mp4, trim: {«form: 1, to: 2}}"),
    ("unknown-field", "{text: Hello, style: {«color: red}}"),
    ("unknown-field", "{text: Hello, enter: {«fad: 1}}"),
    ("unknown-field", "{image: a.png, «Length: 5s}"),
    ("unknown-field unknown-field", "{image: a.png, «fitt: cover, «anchr: top}"),
    ("unknown-field", "{text: Hello, style: {outline: {«widht: 2}}}"),
    ("unknown-field", '{image: a.png, «"": 1}'),
    # a field of another kind
    ("unknown-field", "{image: a.png, «volume: 2}"),
    ("unknown-field", "{text: Hello, «fit: cover}"),
    ("unknown-field", "{audio: s.wav, «opacity: 0.5}"),
    ("unknown-field", "{gap: 1s, «id: g}"),
    ("unknown-field", "{transition: fade, «start: 1}"),
    # two kinds at once
    ("two-kinds", "{image: a.png, «text: Hello}"),
    ("two-kinds", "{«audio: s.wav, video: b.mp4}"),
    ("two-kinds", "{colour: navy, «gradient: [navy, teal]}"),
    ("two-kinds two-kinds", "{video: b.mp4, «audio: s.wav, «text: Hello}"),
    # another type
    ("wrong-type", "{image: «5}"),
    ("wrong-type", "{image: «[a.png, b.png]}"),
    ("wrong-type", "{image: «}"),
    ("wrong-type", "{text: «true}"),
    ("wrong-type", "{text: «2026}"),
    ("wrong-type", "{image: a.png, opacity: «'0.5'}"),
    ("wrong-type", "{image: a.png, opacity: «true}"),
    ("wrong-type", "{image: a.png, scale: «big}"),
    ("wrong-type", "{image: a.png, rotation: «[90]}"),
    ("wrong-type", "{image: a.png, crop: «10%}"),
    ("wrong-type", "{image: a.png, offset: «[1, 2]}"),
    ("wrong-type", "{video: b.mp4, loop: «yes}"),
    ("wrong-type", "{video: b.mp4, loop: «1}"),
    ("wrong-type", "{video: b.mp4, trim: «2s}"),
    ("wrong-type", "{text: Hello, enter: «0.5}"),
    ("wrong-type", "{text: Hello, style: «7}"),
    ("wrong-type", "{text: Hello, style: {weight: «400.5}}"),
    ("wrong-type", "{text: Hello, style: {italic: «'no'}}"),
    ("wrong-type", "{gradient: «navy}"),
    ("wrong-type", "{image: a.png, start: «[1]}"),
    ("wrong-type", "{image: a.png, length: «{after: x}}"),
    # out of range
    ("out-of-range", "{image: a.png, opacity: «1.01}"),
    ("out-of-range", "{image: a.png, opacity: «-0.1}"),
    ("out-of-range", "{image: a.png, scale: «0}"),
    ("out-of-range", "{image: a.png, scale: «20.5}"),
    ("out-of-range", "{image: a.png, rotation: «3601}"),
    ("out-of-range", "{image: a.png, length: «-1}"),
    ("out-of-range", "{image: a.png, start: «1e7}"),
    ("out-of-range", "{video: b.mp4, speed: «0}"),
    ("out-of-range", "{video: b.mp4, volume: «11}"),
    ("out-of-range", "{text: Hello, style: {weight: «950}}"),
    ("out-of-range", "{text: Hello, style: {safe_area: «0.3}}"),
    ("out-of-range", "{image: a.png, motion: {amount: «0}}"),
    ("out-of-range", "{gradient: {angle: «361, colours: [navy, teal]}}"),
    ("too-short", "{image: «''}"),
    ("too-few", "{gradient: «[navy]}"),
    ("too-many", f"{{gradient: «[{', '.join(['navy'] * 17)}]}}"),
    # times
    ("bad-format", "{image: a.png, length: «soon}"),
    ("bad-format", "{image: a.png, length: «5 s}"),
    ("bad-format", "{image: a.png, length: «'5,5'}"),
    ("bad-format", "{image: a.png, length: «5min}"),
    ("bad-format", "{image: a.png, length: «1:75}"),
    ("bad-format", "{image: a.png, length: «-5s}"),
    ("bad-format", "{image: a.png, length: «''}"),
    ("bad-format", "{image: a.png, length: «4.5f}"),
    ("bad-format", "{image: a.png, length: «1_000}"),
    ("bad-format", "{image: a.png, start: «aut}"),
    ("bad-format", "{image: a.png, start: «'after:'}"),
    ("bad-format", "{image: a.png, start: «'after: intro'}"),
    ("bad-format", "{image: a.png, start: «'before:intro'}"),
    ("bad-format", "{image: a.png, start: {after: «'the intro'}}"),
    ("bad-format", "{gap: «long}"),
    ("bad-format", "{transition: fade, length: «auto}"),
    ("bad-format", "{audio: s.wav, fade_in: «1 second}"),
    ("wrong-type", "{gap: «}"),
    # colours, sizes, names
    ("bad-format", "{colour: «nvy}"),
    ("bad-format", "{colour: «Navy}"),
    ("bad-format", "{colour: «'#12'}"),
    ("bad-format", "{colour: «'#12345g'}"),
    ("bad-format", "{colour: «'rgb(1,2,3)'}"),
    ("bad-format", "{gradient: [navy, «tael]}"),
    ("bad-format", "{text: Hello, style: {colour: «whit}}"),
    ("bad-format", "{text: Hello, style: {shadow: {colour: «'0x000000'}}}"),
    ("bad-format", "{image: a.png, size: «640}".replace("640", "'640'")),
    ("bad-format", "{image: a.png, size: «640×360}"),
    ("bad-format", "{image: a.png, size: «50%}"),
    ("bad-format", "{image: a.png, crop: {left: «10px}}"),
    ("bad-format", "{image: a.png, offset: {x: «'5 %'}}"),
    ("bad-format", "{image: a.png, id: «'my clip'}"),
    ("bad-format", "{image: a.png, id: «-intro}"),
    ("bad-format", "{text: Hello, style: {size: «large}}"),
    # choices
    ("not-one-of", "{transition: «disolve}"),
    ("not-one-of", "{transition: «Fade}"),
    ("not-one-of", "{transition: «5}"),
    ("not-one-of", "{image: a.png, anchor: «top-centre}"),
    ("not-one-of", "{image: a.png, anchor: «middle}"),
    ("not-one-of", "{image: a.png, fit: «crop}"),
    ("not-one-of", "{colour: navy, fit: «cover}"),
    ("not-one-of", "{image: a.png, motion: «zoom}"),
    ("not-one-of", "{text: Hello, enter: {slide: «up}}"),
    ("not-one-of", "{text: Hello, style: {align: «justify}}"),
    ("not-one-of", "{text: Hello, style: {outline: «no}}"),
    # names that nothing has
    ("unknown-style", "{text: Hello, style: «headlin}"),
    ("unknown-clip", "{text: Hello, start: «after:intro}"),
    ("unknown-clip", "{text: Hello, length: «with:intro}"),
    ("unknown-clip", "{text: Hello, start: {with: «intro, offset: 1s}}"),
    ("bad-reference", "{text: Hello, start: «{offset: 1s}}"),
    ("unknown-track", "{audio: s.wav, duck_under: «voice}"),
]  # fmt: skip

_OUTPUTS = [
    ("wrong-type", "size: «1080"),
    ("bad-format", "size: «1920*1080"),
    ("bad-format", "size: «1080P"),
    ("bad-format", "size: «'0x100'"),
    ("wrong-type", "size: «0x100"),
    ("bad-size", "size: «1921x1080"),
    ("bad-size", "size: «8x8"),
    ("over-limit", "size: «7680x4320"),
    ("out-of-range", "fps: «0"),
    ("out-of-range", "fps: «0.5"),
    ("out-of-range", "fps: «1/2"),
    ("out-of-range", "fps: «300"),
    ("over-limit", "fps: «144"),
    ("over-limit", "fps: «240000/1001"),
    ("bad-format", "fps: «30fps"),
    ("bad-format", "fps: «30000/0"),
    ("not-one-of", "format: «mov"),
    ("not-one-of", "quality: «best"),
    ("bad-format", "background: «blak"),
    ("bad-format", "duration: «ten"),
    ("over-limit", "duration: «5:00:00"),
    ("out-of-range", "duration: «-1"),
    ("unknown-field", "«resolution: 1080p"),
    ("unknown-field", "audio: {«bit_rate: 192k}"),
    ("not-one-of", "audio: {bitrate: «192000}"),
    ("out-of-range", "audio: {loudness: {target: «0}}"),
    ("wrong-type", "checks: {allow_black: «'true'}"),
    ("wrong-type", "checks: «[]"),
    ("bad-size out-of-range bad-format", "size: «101x100, fps: «1/3, background: «blakc"),
]  # fmt: skip

_TRACKS = [
    ("missing-field", "«{id: music}"),
    ("wrong-type", "{clips: «{text: Hello}}"),
    ("wrong-type", "«[]"),
    ("unknown-field", "{clips: [], «visible: false}"),
    ("wrong-type", "{clips: [], muted: «'no'}"),
    ("duplicate-id", "{clips: [{text: Again, id: «hi}]}"),
    ("unknown-track", "{id: music, clips: [], duck_under: «musik}"),
    ("unknown-track", "{id: music, clips: [], duck_under: «music}"),
    ("unknown-clip", "{clips: [{text: Again, start: «with:ho}]}"),
]  # fmt: skip

_VARIABLES = [
    ("unknown-variable", "who: Ada", '{text: «"Hello {{whom}}"}'),
    ("unknown-variable", "who: {first: Ada}", '{text: «"Hello {{who.last}}"}'),
    ("unknown-variable", "", '{text: Hello, length: «"{{n}}"}'),
    ("wrong-type", "n: true", '{text: Hello, length: «"{{n}}"}'),
    ("bad-format", "n: soon", '{text: Hello, length: «"{{n}}"}'),
    ("out-of-range", "n: 2", '{text: Hello, opacity: «"{{n}}"}'),
    ("wrong-type", "n: '1'", '{text: Hello, opacity: «"{{n}}"}'),
    ("wrong-type", "n: 5", '{text: «"{{n}}"}'),
    ("bad-format", "w: 640", '{image: a.png, size: «"{{w}}by{{w}}"}'),
    ("nested-variable", 'a: «"{{b}}", b: 1', "{text: Hello}"),
    ("nested-variable", 'a: «"{{a}}"', "{text: Hello}"),
    ("nested-variable", 'a: {b: [«"x {{a}}"]}', "{text: Hello}"),
    ("bad-placeholder", "a: 1", '{text: «"{{a b}}"}'),
    ("bad-placeholder", "a: 1", '{text: «"{{a}"}'),
    ("bad-placeholder", "a: 1", '{text: «"{{}}"}'),
    ("bad-key", "a: 1", "{text: Hello, length: {«{a}}}"),
    ("bad-format", "«a b: 1", "{text: Hello}"),
    ("bad-format", "s: [navy, tael]", '{gradient: «"{{s}}"}'),
    ("unknown-style", "s: fancy", '{text: Hello, style: «"{{s}}"}'),
]  # fmt: skip

_LONGFORMS = [
    ("longform-no-background", "backgrounds: «[]\naudio: [{audio: s.wav}]\n"),
    ("longform-no-audio", "backgrounds: [{image: a.png}]\naudio: «[]\n"),
    ("longform-no-background longform-no-audio", "backgrounds: «[]\naudio: «[]\n"),
    ("longform-backgrounds",
     f"backgrounds: «[{', '.join(['{image: a.png}'] * 5)}]\naudio: [{{audio: s.wav}}]\n"),
    ("wrong-type", "backgrounds: «{image: a.png}\naudio: [{audio: s.wav}]\n"),
    ("no-kind", "backgrounds: [{«imag: a.png}]\naudio: [{audio: s.wav}]\n"),
    ("two-kinds", "backgrounds: [{«image: a.png, video: b.mp4}]\naudio: [{audio: s.wav}]\n"),
    ("missing-field", "backgrounds: [{image: a.png}]\naudio: [«{volume: 1}]\n"),
    ("unknown-field", "backgrounds: [{image: a.png}]\naudio: [{audio: s.wav}]\n«crossfad: 1s\n"),
    ("bad-format", "backgrounds: [{image: a.png}]\naudio: [{audio: s.wav}]\ncrossfade: «slow\n"),
    ("unknown-field", "backgrounds: [{image: a.png}]\naudio: [{audio: s.wav}]\n«tracks: []\n"),
    ("not-one-of", "backgrounds: [{image: a.png, fit: «none}]\naudio: [{audio: s.wav}]\n"),
]  # fmt: skip

_END = "tracks: [{clips: [{text: Hello}]}]\n"
_YAMLS = [
    ("empty-document", "«"),
    ("empty-document", "«\n\n  \n"),
    ("empty-document", "«# nothing but a remark\n"),
    ("wrong-type", "«- a\n- b\n"),
    ("wrong-type", "«just words\n"),
    ("wrong-type", "reelkiln: 1\ntracks:\n  - clips:\n      -« \n"),
    ("missing-field", "«" + _END),
    ("missing-field", "«reelkiln: 1\n"),
    ("missing-field missing-field", "««{}\n"),
    ("not-one-of", "reelkiln: «2\n" + _END),
    ("wrong-type", "reelkiln: «true\n" + _END),
    ("not-one-of", "reelkiln: «'1'\n" + _END),
    ("no-kind", "reelkiln: 1\nkind: «vidoe\n" + _END),
    ("no-kind", "reelkiln: 1\nkind: «3\n" + _END),
    ("too-few", "reelkiln: 1\ntracks: «[]\n"),
    ("unknown-field", "reelkiln: 1\n«track: []\n" + _END),
    ("unknown-field", "reelkiln: 1\n«backgrounds: []\n" + _END),
    ("bad-format", "reelkiln: 1\nid: «a/b\n" + _END),
    ("too-long", f"reelkiln: 1\ntitle: «{'x' * 301}\n" + _END),
    ("duplicate-key", "reelkiln: 1\ntracks: []\n«" + _END),
    ("duplicate-key duplicate-key", "reelkiln: 1\n«reelkiln: 1\n«reelkiln: 1\n" + _END),
    ("duplicate-key", "reelkiln: 1\ntracks: [{clips: [{text: a, «\"text\": b}]}]\n"),
    ("not-finite", "reelkiln: 1\noutput: {fps: «.nan}\n" + _END),
    ("not-finite", "reelkiln: 1\noutput: {fps: «-.inf}\n" + _END),
    ("not-finite", "reelkiln: 1\noutput: {fps: «1e999}\n" + _END),
    ("bad-number", "reelkiln: 1\noutput: {fps: «99999999999999999999}\n" + _END),
    ("bad-number", f"reelkiln: 1\noutput: {{fps: «{'9' * 5000}}}\n" + _END),
    ("bad-key", "reelkiln: 1\nvariables: {«1: a}\n" + _END),
    ("bad-key", "reelkiln: 1\nvariables: {«true: a}\n" + _END),
    ("bad-key", "reelkiln: 1\nvariables: {? «[a, b] : c}\n" + _END),
    ("bad-key", "reelkiln: 1\noutput: &o {fps: 25}\nvariables: {«<<: *o}\n" + _END),
    ("bad-tag", "reelkiln: 1\ntitle: «!!python/object/apply:os.system [ls]\n" + _END),
    ("bad-tag", "reelkiln: 1\ntitle: «!secret x\n" + _END),
    ("bad-tag", "reelkiln: 1\ntitle: «!!str 5\n" + _END),
    ("bad-tag wrong-type", "reelkiln: 1\noutput: {fps: «!!float '25', checks: «1}\n" + _END),
    ("bad-alias", "reelkiln: 1\ntitle: «*nothing\n" + _END),
    ("bad-alias", "reelkiln: 1\nvariables: {a: &a [«*a]}\n" + _END),
    ("several-documents", "reelkiln: 1\n" + _END + "«---\nreelkiln: 1\n"),
    ("bad-yaml", "reelkiln: 1\ntitle: a«: b\n" + _END),
    ("bad-yaml", "reelkiln: 1\ntracks:\n«\t- clips: []\n"),
    ("bad-yaml", "reelkiln: 1\ntracks:\n  - clips: []\n «- clips: []\n"),
    ("bad-yaml", 'reelkiln: 1\ntitle: "a «\\q b"\n' + _END),
    ("bad-yaml", "reelkiln: 1\ntitle: «@home\n" + _END),
    ("half-written", "reelkiln: 1\ntracks: [{clips: [{text: Hello«"),
    ("half-written", "reelkiln: 1\ntracks:\n  - clips: [{text: Hello},«\n"),
    ("half-written", 'reelkiln: 1\ntitle: "An unfinished«'),
    ("bad-character", "reelkiln: 1\ntitle: a«\x07b\n" + _END),
    ("bad-character", "reelkiln: 1\ntitle: a«\x00b\n" + _END),
    ("bad-utf8", "reelkiln: 1\ntitle: caf«\udce9\n" + _END),
    ("bad-utf8", "«\udcff\udcfer\x00e\x00"),
    ("half-written", "reelkiln: 1\ntitle: caf«\udcc3"),
    ("too-deep", "reelkiln: 1\nvariables: {a: " + "[" * 30 + "«[]"),
    ("too-deep", "reelkiln: 1\nvariables:\n" + "".join(f"{'  ' * n}a:\n" for n in range(1, 32))
     + "  " * 32 + "«a: 1\n"),
    ("too-deep", "a: " + "[" * 31 + "«[" + "[" * 50_000),
]  # fmt: skip

_JEND = '"tracks": [{"clips": [{"text": "Hello"}]}]'
_JSONS = [
    ("empty-document", "«"),
    ("half-written", '{"reelkiln": 1, "tracks": [{"clips": [{"text": "Hel«'),
    ("half-written", '{"reelkiln": 1,«\n'),
    ("half-written", '{"reelkiln": 1, "tracks": [{"clips": []}]«'),
    ("half-written", '{"reelkiln": tr«'),
    ("half-written", '{"reelkiln": 1, "title": "\\u00«'),
    ("half-written", '{"reelkiln": 1.«'),
    ("bad-json", '{"reelkiln": 1, ' + _JEND + "«,}"),
    ("bad-json", '{"reelkiln": 1 «"id": "a", ' + _JEND + "}"),
    ("bad-json", "{«reelkiln: 1, " + _JEND + "}"),
    ("bad-json", "{«'reelkiln': 1, " + _JEND + "}"),
    ("bad-json", '{"reelkiln": 1, «// a remark\n' + _JEND + "}"),
    ("bad-json", '{"reelkiln": 1, "id": «None, ' + _JEND + "}"),
    ("bad-json", '{"reelkiln": «01, ' + _JEND + "}"),
    ("bad-json", '{"reelkiln": «+1, ' + _JEND + "}"),
    ("bad-json", '{"reelkiln": 1, "output": {"fps": «.5}, ' + _JEND + "}"),
    ("bad-json", '{"reelkiln" «1}'),
    ("bad-json", '{"reelkiln": 1, ' + _JEND + "} «{}"),
    ("bad-json", '{"reelkiln": 1, "title": "a «\nb", ' + _JEND + "}"),
    ("bad-json", '{"reelkiln": 1, "title": "a «\\q", ' + _JEND + "}"),
    ("bad-json", '{"reelkiln": 1, "title": «unquoted, ' + _JEND + "}"),
    ("bad-character", '{"reelkiln": 1, "title": «"\\ud800", ' + _JEND + "}"),
    ("duplicate-key", '{"reelkiln": 1, «"reelkiln": 1, ' + _JEND + "}"),
    ("duplicate-key unknown-field",
     '{"reelkiln": 1, "id": "a", «"id": "b", «"naem": 1, ' + _JEND + "}"),
    ("duplicate-key",
     '{"reelkiln": 1, "title": "\\"id\\": 1", "id": "a", «"\\u0069d": "b", ' + _JEND + "}"),
    ("not-finite", '{"reelkiln": 1, "title": "NaN", "output": {"fps": «NaN}, ' + _JEND + "}"),
    ("not-finite not-finite",
     '{"reelkiln": 1, "output": {"fps": «Infinity, "duration": «-Infinity}, ' + _JEND + "}"),
    ("not-finite", '{"reelkiln": 1, "output": {"fps": «1e400}, ' + _JEND + "}"),
    ("bad-number", '{"reelkiln": «9007199254740993, ' + _JEND + "}"),
    ("bad-number", '{"reelkiln": «' + "1" * 6000 + ", " + _JEND + "}"),
    ("bad-utf8", '{"reelkiln": 1, "title": "«\udcff", ' + _JEND + "}"),
    ("too-deep", '{"a": ' + "[" * 31 + "«[" + "[" * 100_000),
    ("wrong-type", "«[1, 2]"),
    ("wrong-type", '«"text"'),
    ("missing-field missing-field", "««{}"),
    ("no-kind", '{"reelkiln": 1, "tracks": [{"clips": [{«"txt": "Hello"}]}]}'),
    ("unknown-field",
     '{\n  "reelkiln": 1,\n  "tracks": [\n    {"clips": [{"image": "a", «"lenght": 5}]}\n  ]\n}\n'),
    ("bad-format",
     '{"reelkiln": 1, "tracks": [{"clips": [{"image": "写真.png", "length": «"soon"}]}]}'),
    ("out-of-range",
     '{"reelkiln": 1,\r\n\t"tracks": [{"clips": [{"image": "a", "opacity": «2}]}]}'),
    ("unknown-variable", '{"reelkiln": 1, "tracks": [{"clips": [{"text": «"{{x}}"}]}]}'),
]  # fmt: skip

_SEVERAL = """\
reelkiln: 1
output: {size: «1921x1080, «bogus: 1}
variables: {n: 5}
tracks:
  - id: one
    clips:
      - {image: a.png, «lenght: 5s}
      - {«txt: Hello}
      - {text: Hello, style: «headlin, start: «after:nobody}
      - {text: «"{{m}}", opacity: «"{{n}}"}
  - {id: «one, clips: []}
"""
_SEVERAL_CODES = (
    "bad-size", "unknown-field", "unknown-field", "no-kind", "unknown-style", "unknown-clip",
    "unknown-variable", "out-of-range", "duplicate-id",
)  # fmt: skip


def _table() -> list[Broken]:
    rows = [(codes, _clip(text), "yaml") for codes, text in _CLIPS]
    rows += [(codes, _output(text), "yaml") for codes, text in _OUTPUTS]
    rows += [(codes, _track(text), "yaml") for codes, text in _TRACKS]
    rows += [(codes, _filled(own, clip), "yaml") for codes, own, clip in _VARIABLES]
    rows += [(codes, _longform(text), "yaml") for codes, text in _LONGFORMS]
    rows += [(codes, text, "yaml") for codes, text in _YAMLS]
    rows += [(codes, text, "json") for codes, text in _JSONS]
    table = [
        Broken(
            name=f"{number:03d}-{codes.split()[0]}",
            marked=text,
            codes=tuple(codes.split()),
            suffix=suffix,
        )
        for number, (codes, text, suffix) in enumerate(rows)
    ]
    return [*table, Broken(name="several", marked=_SEVERAL, codes=_SEVERAL_CODES)]


BROKEN_DOCUMENTS = _table()
