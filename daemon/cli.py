"""The `reelkiln` command."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from daemon.demo import make_demo
from daemon.progress import progress_listener
from renderer.bundle import bundle_digest, verify
from renderer.errors import ReelkilnError, Rejected, UsageError
from renderer.fonts import text_engine_fingerprint
from renderer.inputs import Inputs, inputs_from_json
from renderer.limits import Limits, setting_of
from renderer.pipeline import Prepared, Renderer
from renderer.sources import SourcePolicy
from renderer.spec.faults import describe
from renderer.spec.loading import Loaded, load
from renderer.store import LocalStore
from renderer.timebase import clock_text
from renderer.toolchain import find_toolchain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turn declarative specs into sealed, reproducible video bundles.",
)
_words = Console(stderr=True)

_CORES = os.cpu_count() or 1
_INTERRUPTED = 130
SpecFile = Annotated[Path, typer.Argument(help="A JSON or YAML spec; - reads standard input.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Media = Annotated[
    list[Path] | None, typer.Option("--media", help="A further folder that sources may lie in.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes at once.")]
Variables = Annotated[
    list[str] | None, typer.Option("--var", help="name=value for a {{name}} of the spec.")
]


def main() -> None:
    """Run the command; errors become words and an exit status, never a traceback."""
    as_json = "--json" in sys.argv
    try:
        status = app(standalone_mode=False)
    except ReelkilnError as error:
        _tell(error, as_json)
        sys.exit(error.exit_status)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if hasattr(error, "format_message"):  # what click calls a usage error
            _words.print(f"reelkiln: {error.format_message()}", markup=False)
            sys.exit(2)
        raise
    if status == _INTERRUPTED:  # typer turns Ctrl-C into a status of its own
        _words.print("reelkiln: stopped on request")
        sys.exit(status)


@app.command()
def render(
    spec: SpecFile,
    outbox: Annotated[Path, typer.Option(help="Where bundles go.")] = Path("outbox"),
    jobs: Jobs = _CORES,
    locked: Annotated[bool, typer.Option(help="Refuse sources that differ from the lock.")] = False,
    media: Media = None,
    var: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Render SPEC and print the path of its bundle."""
    loaded = _load(spec, var)
    with progress_listener(_words) as listen:
        renderer = _renderer(spec, media, jobs, listen)
        prepared = renderer.prepare(loaded, lock=_lock(spec) if locked else None)
        bundle = renderer.render(prepared, outbox)
    data = {"path": str(bundle.path), "bundle_digest": bundle.digest, "reused": bundle.reused}
    print(json.dumps(data) if as_json else bundle.path)


@app.command()
def check(spec: SpecFile, var: Variables = None, as_json: AsJson = False) -> None:
    """Say whether SPEC is valid, and everything that is wrong with it."""
    loaded = _load(spec, var)
    data = {"valid": True, "id": loaded.id, "spec_digest": loaded.digest}
    print(json.dumps(data) if as_json else f"{spec}: valid")


@app.command()
def explain(
    spec: SpecFile, media: Media = None, var: Variables = None, as_json: AsJson = False
) -> None:
    """Say what rendering SPEC would draw, what it would reuse, and why."""
    renderer = _renderer(spec, media, 1, lambda event: None)
    prepared = renderer.prepare(_load(spec, var))
    rows = _explained(renderer, prepared)
    if as_json:
        print(json.dumps({"segments": rows}))
        return
    for row in rows:
        words = f"{row['index']:4d}  {row['frames']:>15}  {row['time']:>10}  {row['action']:7}"
        print(f"{words} {row['why']}")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put it all.")] = Path("reelkiln-demo"),
    as_json: AsJson = False,
) -> None:
    """Make media and a spec, render it, verify the bundle, and say what to open."""
    _say(f"making pictures, a film and sound in {folder / 'media'} ...")
    made = make_demo(folder, find_toolchain(os.environ, text_engine=text_engine_fingerprint()))
    if made.reused:
        _say("they are there from an earlier run and are reused")
    if made.edited:
        _say(f"{made.spec} was changed by hand and is kept; remove it to get the first one back")
    with progress_listener(_words) as listen:
        renderer = _renderer(made.spec, None, _CORES, listen)
        bundle = renderer.render(renderer.prepare(_load(made.spec, None)), folder / "outbox")
    verify(bundle.path)
    _say(
        f"the bundle {'was there already; it is' if bundle.reused else 'is'} intact: {bundle.path}"
    )
    _say(f"open  {bundle.path / 'video.mp4'}  or  {bundle.path / 'contact-sheet.jpg'}")
    _say(f"change a word in {made.spec} and run the same command again")
    data = {"path": str(bundle.path), "bundle_digest": bundle.digest, "reused": bundle.reused}
    print(json.dumps(data) if as_json else bundle.path)


def _say(line: str) -> None:
    _words.print(line, soft_wrap=True, markup=False, highlight=False)


@app.command(name="verify")
def verify_command(bundle: Path, as_json: AsJson = False) -> None:
    """Recompute every digest of a bundle."""
    manifest = verify(bundle)
    data = {"valid": True, "bundle_digest": bundle_digest(bundle), "files": len(manifest["files"])}
    print(json.dumps(data) if as_json else f"{bundle}: intact, {data['bundle_digest']}")


def _explained(renderer: Renderer, prepared: Prepared) -> list[dict[str, Any]]:
    made, fps = prepared.plan, prepared.timeline.canvas.fps
    memory = renderer.store.recall("plans", prepared.loaded.id) or {"segments": []}
    seen: set[str] = set()
    rows = []
    for index, (segment, key) in enumerate(zip(made.segments, made.segment_steps, strict=True)):
        span = segment.span
        if key in seen:
            action, why = "repeat", "the same picture as an earlier segment"
        elif renderer.store.lookup(key):
            action, why = "reuse", "drawn before"
        else:
            action, why = "run", _why(made.by_key[key].parts, span.start, memory["segments"])
        seen.add(key)
        rows.append({
            "index": index + 1, "frames": f"{span.start}..{span.end}",
            "time": clock_text(span.start / fps), "action": action, "why": why, "key": key,
        })  # fmt: skip
    return rows


def _why(parts: Any, start: int, before: list[dict[str, Any]]) -> str:
    old = next((s["parts"] for s in before if s["start"] <= start < s["end"]), None)
    if old is None:
        return "never drawn"
    changed = [n for n in parts if n in old and parts[n] != old[n]]
    added = [n for n in parts if n not in old]
    gone = [n for n in old if n not in parts]
    words = [("changed: ", changed), ("new: ", added), ("gone: ", gone)]
    return "; ".join(w + ", ".join(names) for w, names in words if names) or "moved in time"


def _load(spec: Path, var: list[str] | None) -> Loaded:
    variables = {}
    for entry in var or []:
        name, sign, value = entry.partition("=")
        if not sign:
            raise UsageError(f"--var {entry} has no =", hint="write --var name=value")
        try:
            variables[name] = json.loads(value)
        except ValueError:
            variables[name] = value
    if str(spec) == "-":
        return load(sys.stdin.buffer.read(), name="-", limits=_limits(), variables=variables)
    try:
        data = spec.read_bytes()
    except OSError as error:
        raise UsageError(f"{spec} cannot be read: {error.strerror}") from error
    return load(data, name=str(spec), limits=_limits(), variables=variables)


def _renderer(spec: Path, media: list[Path] | None, jobs: int, listen: Any) -> Renderer:
    base = Path.cwd() if str(spec) == "-" else spec.resolve().parent
    policy = SourcePolicy(
        base=base, roots=(base, *(media or ())), max_source_bytes=_limits().max_source_bytes
    )
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    store = LocalStore(_store_root())
    return Renderer(store=store, toolchain=toolchain, policy=policy, jobs=jobs, listen=listen)


def _store_root() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("REELKILN_STORE") or Path(cache) / "reelkiln")


def _limits() -> Limits:
    limits = Limits()
    for field in fields(Limits):
        text = os.environ.get(setting_of(field.name))
        if text is not None:
            if not text.isdigit():
                raise UsageError(f"{setting_of(field.name)}={text} is not a whole number")
            limits = replace(limits, **{field.name: int(text)})
    return limits


def _lock(spec: Path) -> Inputs:
    path = spec.with_name(f"{spec.stem}.lock.json")
    try:
        return inputs_from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"the lock {path} cannot be read: {error}", hint="copy lock.json of a bundle there"
        ) from error


def _tell(error: ReelkilnError, as_json: bool) -> None:
    if as_json:
        print(json.dumps(error.as_json()))
        return
    if isinstance(error, Rejected):
        for fault in error.faults:
            _words.print(
                describe(fault, error.document), markup=False, highlight=False, soft_wrap=True
            )
        return
    hint = f" ({error.hint})" if error.hint else ""
    _words.print(
        f"reelkiln: {error.message}{hint} [{error.code}]",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    tail = getattr(error, "tail", "")
    if tail:
        _words.print(tail, markup=False, highlight=False)
