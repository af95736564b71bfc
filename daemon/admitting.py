"""What a claimed job names is looked up and put on record, before anybody runs it.

A worker of the daemon asks in the middle of an attempt; for a worker that is elsewhere the daemon
reads the document itself, so that nobody is handed a job that has to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from daemon.catalog.refusals import AssetNotThere
from daemon.child.needs import Blocked, PromiseFailed, checked, needs_of
from daemon.inbox import Claimed, Inbox
from daemon.promises.contract import Needs, Standing, Supply
from daemon.promises.references import References, unkept
from daemon.reading import Reading
from renderer.errors import ReelkilnError


def on_record(
    inbox: Inbox, references: References, claimed: Claimed, needs: Needs
) -> tuple[Claimed, Supply]:
    """What a job named is on record before it is answered: of two that would wait for each
    other and are looked at together, one at least finds the other."""
    first = references.supply(claimed.job, needs)
    if first.refused:
        return claimed, first
    promises = references.promises
    names = promises.names(claimed.job.job_id, needs.makes)
    told = inbox.note(
        claimed, waits_for=unkept(first.found), promised=names,
        on_failed_promise=needs.on_failed_promise,
    )  # fmt: skip
    promises.promise(told.job, needs.makes)
    return told, references.supply(told.job, needs)


def brought(references: References, supply: Supply, go_on: Callable[[], None]) -> Supply:
    """The supply with every file on this machine; what lies elsewhere is fetched now.

    Nothing is fetched for a job that has to wait. `go_on` is called now and then, and what it
    raises ends this. Raises StorageUnavailable, StorageRefused, StorageFull.
    """
    if supply.refused or unkept(supply.found):
        return supply
    found, lost = dict(supply.found), {}
    for name, it in sorted(supply.found.items()):
        if it.standing is Standing.AVAILABLE and it.path is None and it.sha256:
            try:
                found[name] = replace(it, path=references.promises.bring(it.asset_id, go_on))
            except AssetNotThere as error:
                lost[name] = error.message
    return replace(supply, found=found, lost=lost)


def admitted(inbox: Inbox, reading: Reading, claimed: Claimed) -> Claimed | None:
    """The job, if it may run now. None when it was made to wait, or failed, for what it names.

    A document that nobody can read is let through: whoever runs it tells why.
    """
    try:
        loaded = reading.load(claimed.data, name=claimed.job.name, owner=claimed.job.owner)
    except ReelkilnError:
        return claimed
    needs = needs_of(loaded)
    if not needs:
        return claimed
    told, supply = on_record(inbox, reading.references, claimed, needs)
    try:
        checked(loaded, supply)
    except Blocked as blocked:
        inbox.block(told, blocked.waits_for)
    except PromiseFailed as error:
        inbox.fail(told, error.as_json())
    else:
        return told
    return None
