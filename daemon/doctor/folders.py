"""Looks at the folders of a root: there, writable, on one file system that renames honestly."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from daemon.doctor.finding import Finding, broken, fine, poor
from daemon.fs import RealFs
from daemon.places import Places
from daemon.watching.filesystems import file_system_of

_GIB = 1024**3
_FAULT_BELOW = _GIB
_WARN_BELOW = 10 * _GIB
_CLOCK_SLACK_S = 2.0
_PROBE = ".doctor-"


def look_at_folders(places: Places) -> Iterator[Finding]:
    """Every finding about the folders; probes leave nothing behind."""
    missing = [folder for folder in places.folders() if not os.path.isdir(folder)]
    barred = [
        folder
        for folder in places.folders()
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    ]
    if not places.root.is_dir():
        yield broken("folders", f"{places.root} is not there", f"mkdir -p '{places.root}'")
        return
    yield _existing(places, missing)
    if barred:
        names = ", ".join(map(str, barred))
        yield broken("writable", f"may not be written: {names}", "chown them to the daemon's user")
    yield from _disks(places)
    yield _room(places.root)
    yield from _probed(places)


def _existing(places: Places, missing: list[Path]) -> Finding:
    if missing:
        names = ", ".join(str(folder.relative_to(places.root)) for folder in missing)
        return poor("folders", f"not there yet: {names}", "reelkiln serve makes them when it runs")
    return fine("folders", f"all {len(places.folders())} are there")


def _disks(places: Places) -> Iterator[Finding]:
    there = [folder for folder in places.folders() if folder.is_dir()]
    home = places.root.stat().st_dev
    apart = [str(folder) for folder in there if folder.stat().st_dev != home]
    if apart:
        yield broken(
            "one-disk",
            f"on another file system than {places.root}: {', '.join(apart)}",
            "put inbox, outbox and .reelkiln on one file system: jobs and bundles are renamed",
        )
    else:
        yield fine("one-disk", "everything that is renamed is on one file system")
    disk = file_system_of(places.root)
    if disk.is_watched:
        yield fine("file-system", disk.words())
    else:
        fix = "a local disk is faster; keep the index off this one with REELKILN_DATABASE_URL"
        yield poor("file-system", disk.words(), fix)


def _room(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    words = f"{free / _GIB:.1f} GiB free below {root}"
    fix = "free some space: reelkiln cache prune --max-size 10G, and remove old bundles"
    if free < _FAULT_BELOW:
        return broken("space", words, fix)
    return poor("space", words, fix) if free < _WARN_BELOW else fine("space", words)


def _probed(places: Places) -> Iterator[Finding]:
    """Try out in a folder of our own what the protocol rests on."""
    home = places.state if places.state.is_dir() else places.root
    probe = home / f"{_PROBE}{secrets.token_hex(8)}"
    try:
        probe.mkdir()
    except OSError as error:
        yield broken(
            "writable",
            f"{home} cannot be written: {error.strerror}",
            "give the daemon's user the right to, or remount it read-write",
        )
        return
    try:
        yield fine("writable", f"{home} can be written")
        for look in (_over_full_folder, _no_replace, _synced, _case, _clock):
            yield look(probe)
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _over_full_folder(probe: Path) -> Finding:
    (probe / "new").mkdir()
    (probe / "full").mkdir()
    (probe / "full" / "manifest.json").write_bytes(b"{}")
    try:
        os.rename(probe / "new", probe / "full")
    except OSError:
        return fine("rename", "a folder never replaces one that holds something")
    return broken(
        "rename", "this file system lets a rename replace a full folder", "use another one"
    )


def _no_replace(probe: Path) -> Finding:
    (probe / "a").write_bytes(b"a")
    (probe / "b").write_bytes(b"b")
    words = "renameat2 with RENAME_NOREPLACE"
    advice = "use a local file system such as ext4, xfs or btrfs"
    try:
        RealFs().rename_new(probe / "a", probe / "b")
    except FileExistsError:
        pass
    except (OSError, AttributeError) as error:
        return broken("no-replace", f"{words} does not work here: {error}", advice)
    else:
        return broken("no-replace", f"{words} replaced a file", advice)
    RealFs().rename_new(probe / "a", probe / "c")
    return fine("no-replace", f"{words} works")


def _synced(probe: Path) -> Finding:
    try:
        RealFs().sync_folder(probe)
    except OSError as error:
        return broken(
            "sync",
            f"fsync of a folder fails: {error.strerror}",
            "use a local file system: here a finished job may be lost with the power",
        )
    return fine("sync", "fsync of a folder works")


def _case(probe: Path) -> Finding:
    (probe / "case").write_bytes(b"")
    if (probe / "CASE").exists():
        return poor(
            "case",
            "upper and lower case are the same here: a.yaml and A.yaml replace one another",
            "do not drop names that differ in case alone",
        )
    return fine("case", "upper and lower case differ")


def _clock(probe: Path) -> Finding:
    before = time.time()
    (probe / "now").write_bytes(b"x")
    stamp = (probe / "now").stat().st_mtime
    return clock_finding(stamp, before, time.time())


def clock_finding(stamp: float, before: float, after: float) -> Finding:
    """Whether a file written between two moments of our clock bears a date near them."""
    off = stamp - before if stamp < before else max(0.0, stamp - after)
    if abs(off) > _CLOCK_SLACK_S:
        return poor(
            "clock",
            f"the clock of the file system is {off:+.0f} s off ours",
            "set both machines by NTP; ages of files are wrong until then",
        )
    return fine("clock", "file system and host agree")
