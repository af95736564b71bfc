"""`reelkiln doctor`: is everything here as the daemon needs it, and if not, what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from daemon.doctor.finding import Finding, Level
from daemon.doctor.folders import look_at_folders
from daemon.doctor.host import look_at_host
from daemon.places import Places

__all__ = ["Finding", "Level", "doctor_command", "examine"]

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


def examine(root: Path, environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Everything looked at, in a fixed order."""
    places = Places(root.absolute())
    return (*look_at_folders(places), *look_at_host(places, environment))


def doctor_command(root: Root = Path(), as_json: AsJson = False) -> None:
    """Look at folders, disk, programs and settings; print a fix for each fault."""
    findings = examine(root, os.environ)
    sick = any(finding.level is Level.FAULT for finding in findings)
    if as_json:
        print(json.dumps({"fit": not sick, "findings": [f.as_json() for f in findings]}))
    else:
        for finding in findings:
            print(f"{finding.level:<6}{finding.check:<12}{finding.message}")
            if finding.fix:
                print(f"{'':<18}fix: {finding.fix}")
    if sick:
        raise typer.Exit(1)
