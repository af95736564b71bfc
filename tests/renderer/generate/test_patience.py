from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.errors import (
    ContentPolicy,
    DailyQuota,
    NoImage,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from renderer.generate.patience import Limiter, Patience, patiently

PASSING = st.builds(
    lambda kind, wait: kind("x", retry_after=wait),
    st.sampled_from([RateLimited, ProviderUnavailable, NoImage]),
    st.none() | st.floats(0, 300, allow_nan=False),
)
LASTING = st.sampled_from([ContentPolicy, DailyQuota]).map(lambda kind: kind("x"))


class Script:
    """Fails as written, then gives; remembers when it was asked."""

    def __init__(self, failures: list[ProviderRefused]) -> None:
        self.failures = failures
        self.now = 0.0
        self.asked_at: list[float] = []
        self.limiter = Limiter(sleep=self.sleep, clock=lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, before: ProviderRefused | None) -> str:
        asked = len(self.asked_at)
        assert before is (self.failures[asked - 1] if asked else None)
        self.asked_at.append(self.now)
        if asked < len(self.failures):
            raise self.failures[asked]
        return "made"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PASSING, LASTING), max_size=8))
def test_tries_are_few_and_never_earlier_than_told(failures: list[ProviderRefused]) -> None:
    script, patience = Script(failures), Patience()
    raised: ProviderRefused | None = None
    try:
        assert patiently(script.ask, script.limiter, patience) == "made"
    except ProviderRefused as error:
        raised = error
    assert raised is (failures[len(script.asked_at) - 1] if raised else None)
    assert len(script.asked_at) <= 4
    waits = [
        later - sooner for sooner, later in zip(script.asked_at, script.asked_at[1:], strict=False)
    ]
    for wait, least, failure in zip(waits, (1, 2, 4), failures, strict=False):
        assert wait >= least * (1 - 1e-9)
        assert wait >= (failure.retry_after or 0) * (1 - 1e-9)
        assert not isinstance(failure, (ContentPolicy, DailyQuota))
        assert (failure.retry_after or 0) <= patience.longest_s


def test_when_one_is_told_to_wait_all_wait() -> None:
    script = Script([])
    script.limiter.hold(50)
    assert patiently(script.ask, script.limiter, Patience()) == "made"
    assert script.asked_at == [50]


def test_requests_are_spread_over_the_minute() -> None:
    script = Script([])
    limiter = Limiter(per_minute=12, sleep=script.sleep, clock=lambda: script.now)
    for _ in range(4):
        patiently(lambda before: script.asked_at.append(script.now), limiter, Patience())
    assert script.asked_at == [0, 5, 10, 15]


@pytest.mark.parametrize("failure", [ContentPolicy("x"), DailyQuota("x")])
def test_what_does_not_pass_is_not_tried_again(failure: ProviderRefused) -> None:
    script = Script([failure])
    ask: Callable[[ProviderRefused | None], str] = script.ask
    with pytest.raises(type(failure)):
        patiently(ask, script.limiter, Patience())
    assert script.asked_at == [0]
