"""Jobs that would wait for themselves: found before anybody waits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

Waits = Callable[[str], Iterable[str]]
"""What a job waits for: references."""
Maker = Callable[[str], str]
"""The job that makes an asset; empty for none."""


def cycle_of(
    job_id: str, needs: Collection[str], makes: Collection[str], waits: Waits, maker: Maker
) -> tuple[str, ...]:
    """The way on which a job comes back to itself, as references; empty when there is none.

    `needs` are its references, `makes` the ids of the assets that it is going to make. Each job
    is looked at once, however many ways lead to it.
    """
    seen: set[str] = set()
    open_ways: list[tuple[str, ...]] = [(reference,) for reference in sorted(needs, reverse=True)]
    while open_ways:
        way = open_ways.pop()
        at = _job_of(way[-1], job_id, makes, maker)
        if at == job_id:
            return way
        if at and at not in seen:
            seen.add(at)
            open_ways += [(*way, further) for further in sorted(waits(at), reverse=True)]
    return ()


def cycle_text(way: Iterable[str]) -> str:
    """The way in words."""
    return " → ".join(("this job", *way, "this job"))


def _job_of(reference: str, job_id: str, makes: Collection[str], maker: Maker) -> str:
    scheme, _, name = reference.partition(":")
    if scheme == "job":
        return name.partition("#")[0]
    return job_id if name in makes else maker(name)
