"""Putting right what a dead daemon left: at start, every few seconds, by several at once."""

from __future__ import annotations

import re

from daemon.fs import Fs
from daemon.inbox import Inbox
from daemon.jobs import Job, job_from_json
from daemon.owners import Owners
from daemon.places import UNOWNED, Claim, Places, claim_of
from daemon.submissions import sweep_submitted

_WORK = re.compile(r"^([0-9A-Z]{26})\.a([0-9]{1,6})\.")


def recover(inbox: Inbox, owners: Owners, fs: Fs, places: Places) -> tuple[Claim, ...]:
    """Free the claims of the dead and clear away what they left; the claims free to take.

    Nothing is removed because it is old: only because its owner is known to be dead.
    """
    _free_claims(inbox, owners, fs, places)
    _drop_intents(inbox, owners, fs, places)
    _trash_work(inbox, owners, fs, places)
    _sweep_parts(owners, fs, places)
    _sweep_wishes(inbox, fs, places)
    sweep_submitted(inbox.papers, owners.is_dead)
    _forget_owners(inbox, owners, fs, places)
    return inbox.waiting()


def _free_claims(inbox: Inbox, owners: Owners, fs: Fs, places: Places) -> None:
    lost = [c for c in inbox.claims() if c.owner != UNOWNED and owners.is_dead(c.owner)]
    if lost:  # the record for which a claim is let go may be the last thing its owner wrote
        fs.sync_folder(places.own("jobs"))
    for claim in lost:
        known = fs.stat(places.status(claim.job_id)) is not None
        meant = None if known else _intended(inbox, claim, places)
        if meant is None:
            inbox.release(claim)
        else:
            inbox.put_back(claim, meant)  # nobody looked at it yet


def _intended(inbox: Inbox, claim: Claim, places: Places) -> Job | None:
    data = inbox.papers.read(places.intent(claim))
    return None if data is None else job_from_json(data)


def _drop_intents(inbox: Inbox, owners: Owners, fs: Fs, places: Places) -> None:
    found = [claim for name in fs.names(places.own("intents")) if (claim := claim_of(name))]
    over = [
        claim
        for claim in found
        if owners.is_dead(claim.owner) and fs.stat(places.claimed(claim)) is None
    ]
    if over:  # what made the intents needless may be the last thing a daemon did before it died
        fs.sync_folder(places.own("claimed"))
    for claim in over:
        inbox.forget(claim)


def _trash_work(inbox: Inbox, owners: Owners, fs: Fs, places: Places) -> None:
    work = places.own("work")
    found = {name: _WORK.match(name) for name in fs.names(work)}
    live = {
        (claim.job_id, claim.attempt)
        for claim in inbox.claims()
        if claim.owner != UNOWNED and not owners.is_dead(claim.owner)
    }
    for name, match in found.items():
        if match is not None and (match[1], int(match[2])) not in live:
            try:
                fs.rename_new(work / name, places.own("trash") / name)
            except FileNotFoundError:
                continue  # its owner, or another daemon, was faster


def _sweep_parts(owners: Owners, fs: Fs, places: Places) -> None:
    parts = places.own("parts")
    for name in fs.names(parts):
        owner = name.partition(".")[0]
        if owner != owners.me and owners.is_dead(owner):
            fs.unlink(parts / name)


def _sweep_wishes(inbox: Inbox, fs: Fs, places: Places) -> None:
    wishes = places.own("cancel")
    names = fs.names(wishes)
    if not names:
        return
    live = {claim.job_id for claim in inbox.claims()}
    for name in names:
        if name not in live and inbox.outbox.receipt(name) is not None:
            fs.unlink(wishes / name)


def _forget_owners(inbox: Inbox, owners: Owners, fs: Fs, places: Places) -> None:
    busy = {claim.owner for claim in inbox.claims()}
    for name in fs.names(places.own("owners")):
        owner = name.removesuffix(".json")
        if owner not in busy and owners.is_dead(owner):
            owners.forget(owner)
