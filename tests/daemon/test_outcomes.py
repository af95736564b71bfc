from typing import Any

import pytest

from daemon.outcomes import (
    MAX_RETRIES,
    Decision,
    Ended,
    Fate,
    FolderUnusable,
    JobDied,
    Outcome,
    OutOfMemory,
    decide,
    poison_error,
)
from renderer import errors


def told(error: errors.ReelkilnError, **more: Any) -> Outcome:
    return Outcome(ended=Ended.TOLD, error={**error.as_json(), **more})


def ended(how: Ended) -> Outcome:
    return Outcome(ended=how, error=JobDied("gone").as_json())


FAULT = [errors.Fault(code="wrong-type", message="no")]
PERMANENT = [
    errors.SourceRefused(FAULT),
    errors.SourceChanged(FAULT),
    errors.ProviderRefused("no"),
    errors.CommandFailed("ended with status 1", status=1),
    errors.OutputRejected("all black"),
    errors.ToolchainUnfit("no FFmpeg"),
    errors.RenderFailed("no"),
    errors.UsageError("no"),
    errors.JoinMismatch("no"),
]
PASSING = [errors.SourceUnavailable("502"), errors.StoreCorrupt("damaged")]
SUSPECT = [
    ended(Ended.DIED),
    ended(Ended.OVERDUE),
    ended(Ended.STALLED),
    told(OutOfMemory("no")),
    told(errors.CommandTimedOut("stood still")),
    told(errors.CommandFailed("killed by a signal", status=-11)),
    told(errors.CommandFailed("Cannot allocate memory", status=244)),
]
SYSTEM = [errors.StorageFull("full"), FolderUnusable("read-only")]


def test_what_is_published_has_succeeded_whatever_else_is_known() -> None:
    assert decide(Outcome(ended=Ended.SUCCEEDED), 9) == Decision(fate=Fate.SUCCEEDED)


def test_faults_of_the_spec_reject_it_at_once() -> None:
    decision = decide(told(errors.SpecInvalid(FAULT)), 1)
    assert decision.fate is Fate.REJECTED
    assert decision.error is not None
    assert decision.error["errors"]


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: error.code)
def test_what_trying_again_cannot_mend_fails_at_once(error: errors.ReelkilnError) -> None:
    decision = decide(told(error), 1)
    assert decision.fate is Fate.FAILED
    assert decision.counts
    assert (decision.error or {})["code"] == error.code


@pytest.mark.parametrize("error", PASSING, ids=lambda error: error.code)
def test_a_fault_that_passes_is_tried_again_after_1_2_and_4_seconds(
    error: errors.ReelkilnError,
) -> None:
    decisions = [decide(told(error), attempt) for attempt in (1, 2, 3, 4)]
    assert [d.wait_s for d in decisions] == [1, 2, 4, 0]
    assert [d.fate for d in decisions] == [Fate.RETRY] * MAX_RETRIES + [Fate.FAILED]


@pytest.mark.parametrize("outcome", SUSPECT, ids=lambda o: f"{o.ended}-{o.code}")
def test_a_suspect_gets_one_more_attempt_alone_and_then_is_poison(outcome: Outcome) -> None:
    first, second, later = (decide(outcome, attempt) for attempt in (1, 2, 7))
    assert (first.fate, first.wait_s, first.counts) == (Fate.RETRY, 1, True)
    assert second.fate is later.fate is Fate.FAILED
    assert (second.error or {})["code"] == "poison"
    assert (second.error or {})["cause"]["code"] == outcome.code


@pytest.mark.parametrize("error", SYSTEM, ids=lambda error: error.code)
@pytest.mark.parametrize("attempt", [1, 2, 50])
def test_a_fault_of_the_system_never_counts(error: errors.ReelkilnError, attempt: int) -> None:
    decision = decide(told(error), attempt)
    assert (decision.fate, decision.counts) == (Fate.HELD, False)


@pytest.mark.parametrize(
    "outcome", [ended(Ended.STOPPED), told(errors.Interrupted("SIGTERM from elsewhere"))]
)
def test_who_was_stopped_is_not_to_blame(outcome: Outcome) -> None:
    decision = decide(outcome, 2)
    assert (decision.fate, decision.counts) == (Fate.STOPPED, False)


def test_every_error_of_the_tree_has_a_fate() -> None:
    def below(error: type[errors.ReelkilnError]) -> list[type[errors.ReelkilnError]]:
        return [error, *(deeper for sub in error.__subclasses__() for deeper in below(sub))]

    for error in below(errors.ReelkilnError):
        data = {"code": error.code, "message": "", "retryable": error.retryable}
        for attempt in range(1, 9):
            assert decide(Outcome(ended=Ended.TOLD, error=data), attempt).fate in Fate


def test_poison_can_be_told_of_a_job_whose_daemon_died() -> None:
    error = poison_error(None, 2)
    assert error["code"] == "poison"
    assert error["cause"] is None
    assert "2 attempts" in error["message"]
