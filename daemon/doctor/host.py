"""Looks at the machine and the installation: programs, fonts, limits, modules, index."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from daemon.doctor.bounds import inotify_findings, resource_bounds
from daemon.doctor.finding import Finding, broken, fine
from daemon.places import Places
from daemon.settings import limits_of
from renderer.errors import ReelkilnError
from renderer.fonts import load_fonts, text_engine_fingerprint
from renderer.toolchain import find_toolchain

_OURS = "reelkiln"


def look_at_host(places: Places, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Every finding about the machine."""
    yield _settings(environment)
    yield _toolchain(environment)
    yield _fonts()
    yield from inotify_findings()
    yield resource_bounds()
    yield foreign_daemon(_files_of_distributions())
    yield _store(places)
    yield _index(places, environment)


def _settings(environment: Mapping[str, str]) -> Finding:
    try:
        limits_of(environment)
    except ReelkilnError as error:
        return broken("limits", error.message, "correct or remove the setting")
    return fine("limits", "the limits of the environment are valid")


def _toolchain(environment: Mapping[str, str]) -> Finding:
    try:
        found = find_toolchain(environment, text_engine=text_engine_fingerprint())
    except ReelkilnError as error:
        return broken("ffmpeg", error.message, error.hint or "reinstall reelkiln")
    return fine("ffmpeg", f"{found.ffmpeg_version} at {found.ffmpeg}")


def _fonts() -> Finding:
    try:
        families = load_fonts().families
    except (ReelkilnError, OSError) as error:
        return broken("fonts", f"the fonts cannot be read: {error}", "reinstall reelkiln")
    return fine("fonts", f"{len(families)} families")


def foreign_daemon(owners: Iterable[str]) -> Finding:
    """Whether another distribution puts its files into the package `daemon`."""
    others = sorted({owner for owner in owners if owner.lower() != _OURS})
    if others:
        return broken(
            "modules",
            f"another distribution has a package `daemon`: {', '.join(others)}",
            f"pip uninstall {' '.join(others)}, or install reelkiln in an environment of its own, "
            "and reinstall reelkiln",
        )
    return fine("modules", "the package `daemon` is ours alone")


def _files_of_distributions() -> Iterator[str]:
    for distribution in distributions():
        files = distribution.files or ()
        if any(file.parts[:2] == ("daemon", "__init__.py") for file in files):
            yield str(distribution.metadata["Name"])


def _store(places: Places) -> Finding:
    root = places.own("store")
    if not os.path.lexists(root):  # whoever asks may not be who the daemon runs as
        return fine("store", "not made yet")
    if not root.is_dir() or not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return broken(
            "store",
            f"{root} is not a folder that may be written",
            "chown it to the daemon's user; its content can be made again",
        )
    return fine("store", f"{root} can be written")


def _index(places: Places, environment: Mapping[str, str]) -> Finding:
    from daemon.index import JobIndex, index_url  # SQLAlchemy takes long to import

    try:
        url = index_url(places.root, environment)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return fine("index", "not made yet")
        index = JobIndex(url)
        try:
            index.upgrade()
            count = sum(index.counts().values())
        finally:
            index.close()
    except ReelkilnError as error:
        return broken("index", error.message, error.hint or "reelkiln reindex")
    return fine("index", f"{count} jobs in {url.render_as_string(hide_password=True)}")
