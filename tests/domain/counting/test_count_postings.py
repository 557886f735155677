"""What comes late corrects the counts it was missing from: the rule alone, on a ledger kept in a list."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.counting.count_postings import corrections

MORNING = pd.Timestamp("2026-03-06T00:00:00Z").as_unit("s")
EVENING = datetime(2026, 3, 6, 20, tzinfo=UTC)


@dataclass
class Place:
    """Moves (hour, units), picks (hour picked, hour left, units) and settled counts (hour, units) of one place."""

    moves: list[tuple[int, int]] = field(default_factory=list)
    picks: list[tuple[int, int, int]] = field(default_factory=list)
    settled: dict[int, int] = field(default_factory=dict)
    posted: list[tuple[int, int]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    def expected(self, hour: int) -> int:
        """What lies in the bin by the ledger: its moves by then, less what was picked and had not left."""
        out = sum(units for picked, left, units in self.picks if picked <= hour < left)
        return sum(units for when, units in [*self.moves, *self.posted] if when <= hour) - out

    def count(self, hour: int, units: int) -> None:
        """A count is settled, unless a later one was."""
        if not any(when >= hour for when in self.settled):
            self.posted.append((hour, units - self.expected(hour)))
            self.settled[hour] = units

    def correct(self, since: int) -> None:
        """What is known now of the time since then corrects the counts made after it."""
        touched = sorted(hour for hour in self.settled if hour >= since)
        rows = pd.DataFrame({
            "location_id": 1, "product_id": 1, "condition": "available", "lot": "", "warehouse": "MAIN", "code": "CC",
            "round": 1, "location": "A-01", "merchant": "HEARTH", "sku": "MUG",
            "counted_at": pd.Series(pd.to_timedelta(touched, unit="h") + MORNING, dtype="datetime64[s, UTC]"),
            "quantity": pd.Series([self.settled[hour] for hour in touched], dtype="int64"),
            "expected": pd.Series([self.expected(hour) for hour in touched], dtype="int64"),
            "posted": pd.Series([sum(when == hour for when, _ in self.posted) for hour in touched], dtype="int64"),
        })  # fmt: skip
        moves = corrections(rows, EVENING)
        hours = (moves["effective_at"] - MORNING) // pd.Timedelta(hours=1)
        self.posted += list(zip(hours.tolist(), moves["quantity"].tolist(), strict=True))
        self.causes += moves["cause"].tolist()


moved = st.tuples(st.just("move"), st.integers(1, 19), st.integers(-9, 9).filter(bool))
sold = st.tuples(st.just("sale"), st.integers(1, 12), st.integers(1, 5))
counted = st.tuples(st.just("count"), st.integers(1, 19), st.integers(0, 40))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(moved, sold, counted), max_size=12))
def test_the_book_follows_the_last_count_and_what_came_after_it(facts: list[tuple[str, int, int]]) -> None:
    """In whatever order movements, picks and counts become known; right after each count the book is what it found."""
    place = Place()
    for what, hour, units in facts:
        if what == "count":
            place.count(hour, units)
            continue
        if what == "move":
            place.moves.append((hour, units))
        else:
            place.picks.append((hour, hour + 3, units))
            place.moves.append((hour + 3, -units))
        place.correct(hour)
    for hour, units in place.settled.items():
        assert place.expected(hour) == units
    assert len(set(place.causes)) == len(place.causes)
    if place.settled:
        last = max(place.settled)
        out = sum(units for picked, left, units in place.picks if picked <= last < left)
        later = sum(units for when, units in place.moves if when > last)
        assert sum(units for _, units in [*place.moves, *place.posted]) == place.settled[last] + out + later
