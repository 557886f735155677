"""Processes that sell, allocate, release, adjust and receive at once on one database."""

import pytest
from killed_runs import context

from benchmarks.ordering.contention import contend


@pytest.mark.parametrize(("kind", "writers"), [("sqlite", 2), ("postgresql", 2)])
def test_whatever_happens_at_once_could_have_happened_one_after_the_other(
    kind: str, writers: int, request: pytest.FixtureRequest
) -> None:
    """I3 at every commit, no order lost, and the end is that of the same deeds in their order of commit."""
    context()  # otherwise the benchmark's server, which knows nothing of receiving, would be that of all later tests
    server = request.getfixturevalue("postgresql_server") if kind == "postgresql" else None
    (told,) = contend(server, writers, 120, seeds=[7], sales=6)
    assert (told.oversold, told.lost, told.serial) == (0, 0, True)
    assert told.promises > 20
    assert set(told.deeds) == {"sell", "allocate", "receive", "adjust", "release"}
