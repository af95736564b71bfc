"""`reelkiln prompt`: show, lint and render prompt templates; and the fake Gemini to try with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from daemon.settings import open_store, template_folders
from renderer.brand.kit import BrandKit, parse_brand
from renderer.errors import Fault, SpecInvalid, UsageError
from renderer.expanding import storyboards
from renderer.prompts.asset_types import AssetType
from renderer.prompts.filling import Prompt, fill
from renderer.prompts.template import lint
from renderer.spec.faults import describe
from renderer.storyboards.template import lint_storyboard
from renderer.template_files import find_template, template_versions

prompt_app = typer.Typer(help="Show, check and try the prompt templates.", no_args_is_help=True)

TemplateName = Annotated[str, typer.Argument(help="thumbnail@1.0, or thumbnail for the latest.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="name=value for a placeholder of the template.")
]
BrandFile = Annotated[Path | None, typer.Option("--brand", help="A brand kit.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


@prompt_app.command()
def show(
    template: Annotated[str, typer.Argument(help="thumbnail@1.0; all when left out.")] = "",
    values: Set = None,
    brand: BrandFile = None,
    as_json: AsJson = False,
) -> None:
    """List templates and storyboards; show one, with --set subject=… as the prompt it becomes."""
    folders = template_folders(os.environ)
    if not template:
        rows = [
            {"template": f"{kind.value}@{version}", "path": str(path), "size": list(kind.size)}
            for kind in AssetType
            for version, path in sorted(template_versions(kind, folders).items())
        ]
        rows += [
            {"template": f"{name}@{version}", "path": str(path), "size": []}
            for name, versions in sorted(storyboards(folders).items())
            for version, path in sorted(versions.items())
        ]
        lines = [f"{row['template']:20} {row['path']}" for row in rows]
        print(json.dumps({"templates": rows}) if as_json else "\n".join(lines))
        return
    found = find_template(template, folders)
    if values:
        prompt = fill(found, _values(values), brand=_brand(brand))
        print(json.dumps(_told(prompt)) if as_json else f"{prompt.text}\n\nNot: {prompt.negative}")
        return
    plain = found.model_dump(mode="json", exclude_none=True)
    if as_json:
        print(json.dumps(plain))
        return
    print(f"{found.name}  {found.type.size[0]}x{found.type.size[1]}  {found.description}")
    for name, about in found.placeholders.items():
        need = "required" if about.required else "may be left out"
        print(f"  {name}: {about.type}, {need}. {about.description}".rstrip())


@prompt_app.command(name="lint")
def lint_command(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Templates; all when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say all that is wrong with templates and storyboards. Exit status 3 when anything is."""
    folders = template_folders(os.environ)
    paths = files or [
        path for kind in AssetType for path in template_versions(kind, folders).values()
    ]
    if not files:
        paths += [path for known in storyboards(folders).values() for path in known.values()]
    faults = [(path, fault) for path in paths for fault in _faults_of(path)]
    if as_json:
        told = [{"file": str(path), **fault.as_json()} for path, fault in faults]
        print(json.dumps({"files": len(paths), "errors": told}))
    else:
        for path, fault in faults:
            print(describe(fault, str(path)))
        print(f"{len(paths)} templates, {len(faults)} faults")
    if faults:
        raise typer.Exit(SpecInvalid.exit_status)


def _faults_of(path: Path) -> tuple[Fault, ...]:
    data = _read(path)
    check = lint_storyboard if b"reelkiln_storyboard" in data else lint
    return check(data, name=str(path))


@prompt_app.command()
def render(
    template: TemplateName,
    values: Set = None,
    brand: BrandFile = None,
    out: Annotated[Path, typer.Option("--out", help="Where the PNG goes.")] = Path("picture.png"),
    provider: Annotated[str, typer.Option(help="offline, gemini or openai.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Another picture of the same prompt.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make the picture of a template, in its exact size; the same request is asked once only."""
    from daemon.providers import provider_of  # the painter's numpy takes long to import
    from renderer.generate.contract import request_for
    from renderer.generate.pinning import generate_image

    found = find_template(template, template_folders(os.environ))
    prompt = fill(found, _values(values or []), brand=_brand(brand))
    store = open_store(os.environ)
    made = generate_image(request_for(prompt, seed=seed), provider_of(os.environ, provider), store)
    try:
        out.write_bytes(store.path(made.output.sha256).read_bytes())
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    data = {
        "path": str(out), "sha256": made.output.sha256, "size": list(made.size),
        "reused": made.is_reused, "template": prompt.template, "prompt_digest": prompt.digest,
        "provenance": dict(sorted(made.provenance.items())),
    }  # fmt: skip
    print(json.dumps(data) if as_json else out)


def fake_gemini(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8090,
) -> None:
    """Serve a fake Gemini, to try that provider without a key, until Ctrl-C."""
    from aiohttp import web

    from daemon.fake_gemini import FakeGemini

    address = f"http://{host}:{port}"
    words = f"REELKILN_PROVIDER=gemini REELKILN_GEMINI_KEY=any REELKILN_GEMINI_BASE={address}"
    print(words, flush=True)
    web.run_app(FakeGemini().app(), host=host, port=port, print=None)


def _values(entries: list[str]) -> Mapping[str, str]:
    values = {}
    for entry in entries:
        name, sign, value = entry.partition("=")
        if not sign:
            raise UsageError(f"--set {entry} has no =", hint="write --set subject=a boat")
        values[name] = value
    return values


def _brand(path: Path | None) -> BrandKit | None:
    return parse_brand(_read(path), name=str(path)) if path else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _told(prompt: Prompt) -> dict[str, object]:
    return {
        "text": prompt.text, "negative": prompt.negative, "asset_type": prompt.asset_type.value,
        "size": list(prompt.size), "transparent": prompt.is_transparent,
        "palette": list(prompt.palette), "template": prompt.template, "digest": prompt.digest,
    }  # fmt: skip
