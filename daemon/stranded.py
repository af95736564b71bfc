"""Claims of a living daemon that none of its shifts works on: a full disk cut them short.

Everybody else leaves them alone, since their owner lives; so it lets go of them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from daemon.inbox import Claimed, Inbox
from daemon.jobs import job_from_json
from daemon.places import Places, claim_of


def let_go(
    inbox: Inbox,
    places: Places,
    busy: Collection[str],
    clock: Callable[[], float],
    *,
    blamed: str = "",
) -> None:
    """Give back what is ours and not among the `busy` jobs; no attempt is used up.

    Only that of the job `blamed` counts: what brought its shift down may do so each time.
    To be called by the thread that claims. Works on a full disk too, by renames alone: what the
    status document then says too much is put right by whoever takes the claim. Raises OSError.
    """
    for claim in inbox.claims():
        if claim.owner != inbox.papers.owner or claim.job_id in busy:
            continue
        if claim.job_id == blamed:
            inbox.release(claim)
            continue
        job = inbox.ledger.read(claim.job_id)
        meant = None if job else inbox.papers.read(places.intent(claim))
        if meant is not None:
            inbox.put_back(claim, job_from_json(meant))  # nobody looked at it yet
        elif job is None or not _given_back(inbox, Claimed(claim=claim, job=job, data=b""), clock):
            inbox.abandon(claim)
    _drop_own_intents(inbox, places)


def _drop_own_intents(inbox: Inbox, places: Places) -> None:
    """Remove what we noted of claims that are none: the drop was put back, or never taken."""
    papers = inbox.papers
    found = [claim for name in papers.fs.names(places.own("intents")) if (claim := claim_of(name))]
    mine = [claim for claim in found if claim.owner == papers.owner]
    over = [claim for claim in mine if not papers.holds(claim)]
    if over:  # the fault may have hit the very sync that made the record last
        papers.fs.sync_folder(places.own("jobs"))
    for claim in over:
        papers.fs.unlink(places.intent(claim))


def _given_back(inbox: Inbox, claimed: Claimed, clock: Callable[[], float]) -> bool:
    try:
        inbox.give_back(claimed, clock())
    except OSError:  # no room for a status document, which the caller can do without
        return False
    return True
