"""The `reelkiln` command."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from stamina.instrumentation import set_on_retry_hooks

from daemon.child.generating import Generating
from daemon.commands.accounts import accounts_app
from daemon.commands.cache import cache_app
from daemon.commands.inspect import InspectAs, form_of, write_inspection
from daemon.commands.jobs import jobs_app
from daemon.commands.keys import keys_app
from daemon.commands.preview import run_preview
from daemon.commands.progress import progress_listener
from daemon.commands.prompt import fake_gemini, prompt_app
from daemon.commands.publish import publish_command
from daemon.commands.reindex import reindex_command
from daemon.commands.serve import serve
from daemon.commands.webhooks import webhooks_app
from daemon.commands.worlds import worlds_app
from daemon.crash import unexpected
from daemon.demo import make_demo
from daemon.doctor import doctor_command
from daemon.settings import limits_of, open_store, template_folders
from renderer.branding import brand_applied
from renderer.bundle import verify
from renderer.errors import ReelkilnError, Rejected, UsageError
from renderer.events import Event, Warned
from renderer.expanding import expanded
from renderer.fonts import text_engine_fingerprint
from renderer.http_policy import http_policy
from renderer.inputs import Inputs
from renderer.picturing import draw, seal_album
from renderer.pipeline import Renderer
from renderer.schemas import schema_file, schemas
from renderer.sources import SourcePolicy
from renderer.sources.locking import changes, lock_path, read_lock, write_lock
from renderer.spec.asset import AssetSpec
from renderer.spec.faults import describe
from renderer.spec.generated import GENERATE
from renderer.spec.loading import Loaded, load
from renderer.spec.suggest import did_you_mean
from renderer.toolchain import find_toolchain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turn declarative specs into sealed, reproducible video bundles.",
)
app.add_typer(cache_app, name="cache")
app.add_typer(jobs_app, name="jobs")
app.add_typer(keys_app, name="keys")
app.add_typer(accounts_app, name="accounts")
app.add_typer(webhooks_app, name="webhooks")
app.add_typer(prompt_app, name="prompt")
app.command(name="fake-gemini")(fake_gemini)
app.add_typer(worlds_app, name="worlds")
app.command(name="doctor")(doctor_command)
app.command(name="reindex")(reindex_command)
app.command(name="publish")(publish_command)
app.command(name="serve")(serve)
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
    set_on_retry_hooks(())  # retries are told as events; stamina would log them to the terminal
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
        _tell(unexpected(error), as_json)
        sys.exit(1)
    if status == _INTERRUPTED:  # typer turns Ctrl-C into a status of its own
        _words.print("reelkiln: stopped on request")
    if status:  # what a command ended with by typer.Exit
        sys.exit(status)


@app.command()
def render(
    spec: SpecFile,
    outbox: Annotated[Path, typer.Option(help="Where bundles go.")] = Path("outbox"),
    jobs: Jobs = _CORES,
    locked: Annotated[bool, typer.Option(help="Refuse sources that differ from the lock.")] = False,
    draft: Annotated[bool, typer.Option(help="Draw fast and rough, to look at.")] = False,
    range_: Annotated[str, typer.Option("--range", help="Only from A to B: 10s..15s.")] = "",
    media: Media = None,
    var: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Render SPEC and print the path of its bundle; 5 when some of its pictures are missing."""
    loaded = _load(spec, var, media)
    loaded = loaded.drafted() if draft else loaded
    loaded = loaded.limited_to(range_) if range_ else loaded
    partial = None
    with progress_listener(_words) as listen:
        renderer = _renderer(spec, media, jobs, listen)
        lock = read_lock(lock_path(spec)) if locked else None
        with renderer.store.workdir():  # what was acquired is not pruned before it is rendered
            if isinstance(loaded.spec, AssetSpec):
                album = draw(loaded, loaded.spec, renderer, lock=lock)
                bundle, partial = seal_album(album, renderer, outbox), album.partial
            else:
                bundle = renderer.render(renderer.prepare(loaded, lock=lock), outbox)
    data = {"path": str(bundle.path), "bundle_digest": bundle.digest, "reused": bundle.reused}
    if partial is not None:
        data["partial"] = partial.as_json()
    print(json.dumps(data) if as_json else bundle.path)
    if partial is not None:
        if not as_json:
            _tell(partial, as_json)
        raise typer.Exit(partial.exit_status)


@app.command()
def check(spec: SpecFile, var: Variables = None, as_json: AsJson = False) -> None:
    """Say whether SPEC is valid, and everything that is wrong with it."""
    loaded = _load(spec, var)
    data = {"valid": True, "id": loaded.id, "spec_digest": loaded.digest}
    print(json.dumps(data) if as_json else f"{spec}: valid")


@app.command()
def lock(
    spec: SpecFile, media: Media = None, var: Variables = None, as_json: AsJson = False
) -> None:
    """Pin the sources of SPEC in a lock beside it, for render --locked; say what changed."""
    path = lock_path(spec)
    before = read_lock(path) if path.exists() else Inputs(pins={})
    renderer = _renderer(spec, media, 1, _tell_warning)
    inputs = renderer.acquire(_load(spec, var, media))
    write_lock(path, inputs)
    found = changes(before, inputs)
    if not as_json:
        for line in found:
            _words.print(line, markup=False, highlight=False, soft_wrap=True)
    print(json.dumps({"path": str(path), "changes": found}) if as_json else path)


@app.command()
def explain(
    spec: SpecFile, media: Media = None, var: Variables = None, as_json: AsJson = False
) -> None:
    """Say what rendering SPEC would draw, what it would reuse, and why."""
    renderer = _renderer(spec, media, 1, lambda event: None)
    rows = renderer.explain(renderer.prepare(_load(spec, var, media)))
    if as_json:
        print(json.dumps({"segments": [row.as_json() for row in rows]}))
        return
    for row in rows:
        frames = f"{row.span.start}..{row.span.end}"
        print(f"{row.index:4d}  {frames:>15}  {row.time:>10}  {row.action:7} {row.why}")


@app.command()
def inspect(
    spec: SpecFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .txt, .json, .svg or .png file.")
    ] = None,
    form: Annotated[
        InspectAs | None, typer.Option("--format", help="Else by the name of the file, else text.")
    ] = None,
    media: Media = None,
    var: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Show the resolved timeline of SPEC: tracks, clips, gaps, cuts, what is reused, the cost."""
    renderer = _renderer(spec, media, 1, lambda event: None)
    found = renderer.inspect(renderer.prepare(_load(spec, var)))
    write_inspection(found, form_of(form, out, as_json=as_json), out)


@app.command()
def preview(
    spec: SpecFile,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")
    ] = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    media: Media = None,
    var: Variables = None,
) -> None:
    """Play SPEC on a page of this machine while you write it; print the page's address."""
    renderer = _renderer(spec, media, _CORES, lambda event: None)
    run_preview(spec, renderer, lambda: _load(spec, var), port=port, open_browser=open_)


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(help="spec, manifest, prompt, storyboard or brand.")
    ] = "spec",
) -> None:
    """Print a JSON Schema, for editors and other programs."""
    known = sorted(schemas())
    if name not in known:
        hint = did_you_mean(name, known) or "schemas: " + ", ".join(known)
        raise UsageError(f'no schema is called "{name}"', hint=hint)
    print(schema_file(name).read_text(encoding="utf-8"), end="")


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
def verify_command(
    bundle: Annotated[Path, typer.Argument(help="The folder of a bundle.")],
    digest: Annotated[str, typer.Option(help="The bundle_digest that it must have.")] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute everything in a bundle, and name whatever differs."""
    manifest = verify(bundle, bundle_digest=digest)
    data = {"valid": True, "bundle_digest": manifest.bundle_digest, "files": len(manifest.files)}
    print(json.dumps(data) if as_json else f"{bundle}: intact, {manifest.bundle_digest}")


def _load(spec: Path, var: list[str] | None, media: list[Path] | None = None) -> Loaded:
    variables = {}
    for entry in var or []:
        name, sign, value = entry.partition("=")
        if not sign:
            raise UsageError(f"--var {entry} has no =", hint="write --var name=value")
        try:
            variables[name] = json.loads(value, parse_constant=_as_text)
        except ValueError:
            variables[name] = value
    limits = limits_of(os.environ)
    base = _base(spec)
    prepare = brand_applied(base, (base, *(media or ())), limits)
    if str(spec) == "-":
        data = sys.stdin.buffer.read()
    else:
        try:
            data = spec.read_bytes()
        except OSError as error:
            raise UsageError(f"{spec} cannot be read: {error.strerror}") from error
    loaded = load(data, name=str(spec), limits=limits, variables=variables, prepare=prepare)
    return expanded(loaded, template_folders(os.environ))


def _base(spec: Path) -> Path:
    """Where the relative sources of a spec lie first."""
    return Path.cwd() if str(spec) == "-" else spec.resolve().parent


def _as_text(word: str) -> str:
    """NaN and Infinity, which JSON does not have, are words like any other."""
    return word


def _renderer(spec: Path, media: list[Path] | None, jobs: int, listen: Any) -> Renderer:
    base = _base(spec)
    limits = limits_of(os.environ)
    policy = SourcePolicy(
        base=base,
        roots=(base, *(media or ())),
        max_source_bytes=limits.max_source_bytes,
        max_image_pixels=limits.max_image_pixels,
        http=http_policy(limits, os.environ.get("REELKILN_ALLOW_NETWORKS", "")),
        suppliers={GENERATE: Generating(settings=os.environ, listen=listen)},
    )
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    store = open_store(os.environ)
    return Renderer(store=store, toolchain=toolchain, policy=policy, jobs=jobs, listen=listen)


def _tell_warning(event: Event) -> None:
    if isinstance(event, Warned):
        _words.print(f"warning: {event.message}", markup=False, soft_wrap=True)


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
