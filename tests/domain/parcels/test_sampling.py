"""How many parcels are opened by hand, and which."""

import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import SHARED

from tasks.domain.parcels.sampling import AQLS, LEVELS, SamplingRules, is_drawn, sampled_units, sampling_plan, seed_of

TABLE = SHARED / "data" / "aql_z14_single_normal.csv"


@pytest.mark.parametrize(
    ("lot", "aql", "expected"),
    [
        (1201, 2.5, ("K", 125, 7, 8)),
        (3200, 2.5, ("K", 125, 7, 8)),
        (501, 2.5, ("J", 80, 5, 6)),
        (60, 4.0, ("E", 13, 1, 2)),
        (8, 0.65, ("F", 8, 0, 1)),
        (1, 2.5, ("C", 1, 0, 1)),
    ],
)
def test_the_plan_of_a_lot(lot: int, aql: float, expected: tuple[str, int, int, int]) -> None:
    """Plans as they are published; a sample as large as the lot is all of it, and a lot of one is that one."""
    found = sampling_plan(lot, SamplingRules("II", aql))
    assert (found.code_letter, found.sample_size, found.accept, found.reject) == expected


@pytest.mark.skipif(not TABLE.exists(), reason="the table of published plans is not on this machine")
def test_every_published_plan_is_met() -> None:
    """All 1,246 rows of the published table, at both ends of each bracket."""
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = []
    for row in rows:
        rules = SamplingRules(row["level"], float(row["aql"]))
        ends = [int(row["lot_from"]), int(row["lot_to"] or 10**9)]
        for lot in ends:
            found, size = sampling_plan(lot, rules), min(int(row["sample_size"]), lot)
            if (found.code_letter, found.sample_size, found.accept, found.reject) != (
                row["code_letter"], size, int(row["accept"]), int(row["reject"]),
            ):  # fmt: skip
                wrong.append((row, lot, found))
    assert wrong == []
    assert len(rows) == 1246


@given(lot=st.integers(1, 1_000_000), level=st.sampled_from(sorted(LEVELS)), aql=st.sampled_from(AQLS))
def test_a_plan_can_be_carried_out(lot: int, level: str, aql: float) -> None:
    """The sample is in the lot, and a lot passes or fails, never neither."""
    found = sampling_plan(lot, SamplingRules(level, aql))
    assert 1 <= found.sample_size <= lot
    assert found.reject == found.accept + 1


def test_an_auditor_draws_the_same_parcels() -> None:
    """From the seed and the names alone, in whatever order they are listed; another word draws others."""
    names = pd.Series([f"P{number}" for number in range(200)])
    seed = seed_of("wave W1", SamplingRules())
    first, again = is_drawn(names, seed, 32), is_drawn(names.sample(frac=1, random_state=7), seed, 32)
    assert first.sum() == 32
    assert set(names[first]) == set(names[again.sort_index()])
    other = is_drawn(names, seed_of("wave W1", SamplingRules(draw="second")), 32)
    assert set(names[first]) != set(names[other])
    assert 0 <= seed < 2**63


def test_a_wave_is_drawn_from_as_a_whole() -> None:
    """Whichever of its orders are packed first, the same ones are opened; orders not packed yet count."""
    orders = pd.DataFrame({"lot": "wave W1", "unit": [f"M:{number}" for number in range(60)]})
    rules = SamplingRules("II", 2.5)
    whole = sampled_units(orders, orders, rules)
    early, late = sampled_units(orders[:25], orders, rules), sampled_units(orders[25:], orders, rules)
    assert whole["by_hand"].tolist() == [*early["by_hand"], *late["by_hand"]]
    assert whole["by_hand"].sum() == 20
    assert whole["plan"].unique().tolist() == [
        "ISO 2859-1 single normal, level II, AQL 2.5; lot wave W1 of 60; letter F: open 20, accept 1, reject 2"
    ]


@pytest.mark.parametrize("wrong", [{"level": "IV"}, {"aql": 3.0}])
def test_a_plan_the_standard_does_not_have_is_refused(wrong: dict[str, str | float]) -> None:
    """With what it does have."""
    with pytest.raises(ValueError, match="expected one of"):
        SamplingRules(**wrong)  # type: ignore[arg-type]
