"""A delivery as a whole: which limits a file is held to and what follows from those it breaks."""

import pandas as pd
import pytest

from config.read import read
from tasks.domain.receiving.delivery_limits import GateRules, Limit, Profile, Verdict, measures, verdict

TALLY = pd.DataFrame(
    [
        ("orders.quantity is a whole number of at least 1", "quantity", "range", 4000, 400),
        ("orders.email is an e-mail address", "email", "type", 4000, 100),
        ("orders.phone is a text", "phone", "type", 0, 0),
    ],
    columns=["rule", "field", "check", "rows", "bad"],
)
RULES = GateRules(
    shares_from_rows=100,
    volume_from_imports=5,
    default={
        "rows_min": Limit(warn=1),
        "quarantined_share_max": Limit(warn=0.02, refuse=0.2),
        "bad_share_max": Limit(warn=0.05),
        "volume_min": Limit(warn=0.4),
        "ahead_h_max": Limit(warn=1),
    },
    kinds={"stock": {"rows_min": Limit(refuse=1)}, "orders": {"email.type": Limit(warn=0.02)}},
)


def _judged(kind: str, profile: Profile, tally: pd.DataFrame = TALLY) -> Verdict:
    expected = measures(kind, tally, profile, RULES)
    held = (expected["value"] >= expected["at_least"].fillna(0)) & (
        expected["value"] <= expected["at_most"].fillna(float("inf"))
    )
    return verdict(expected[~held])


def test_two_rules_of_one_text_are_refused() -> None:
    """A measure is known by the text of its rule: of two that read alike, one would hide the other."""
    same = TALLY.assign(rule="orders.quantity is a whole number")
    with pytest.raises(ValueError, match=r"two rules have the same text: orders\.quantity is a whole number"):
        measures("orders", same, {"rows": 4000}, RULES)


def test_a_file_of_mostly_bad_rows_is_refused_in_plain_words() -> None:
    """The reason says how many, of how many, and how many may be."""
    found = _judged("orders", {"rows": 4000, "quarantined_share": 0.78}, TALLY[:0])
    assert found == Verdict(True, ("3,120 of 4,000 rows (78 %) are bad; expected at most 20 %",), ())


def test_a_rule_is_held_to_its_own_limit_otherwise_to_the_default() -> None:
    """E-mail may be bad in 2 %, quantity in 5 %; a rule nobody was asked is not judged."""
    found = _judged("orders", {"rows": 4000})
    assert not found.refused
    assert found.warnings == (
        "orders.quantity is a whole number of at least 1: broken in 400 of 4,000 rows (10 %); expected at most 5 %",
        "orders.email is an e-mail address: broken in 100 of 4,000 rows (2.5 %); expected at most 2 %",
    )


def test_a_share_of_few_rows_warns_but_does_not_refuse() -> None:
    """Three bad rows of five are quarantined one by one; the other two are loaded."""
    found = _judged("orders", {"rows": 5, "quarantined_share": 0.6}, TALLY[:0])
    assert not found.refused
    assert len(found.warnings) == 2


def test_an_empty_stock_export_is_refused_and_an_empty_orders_export_is_not() -> None:
    """No new orders is news; no stock at all is a broken export."""
    assert _judged("stock", {"rows": 0}, TALLY[:0]).refused
    assert _judged("orders", {"rows": 0}, TALLY[:0]) == Verdict(
        False, (), ("the file has 0 rows; expected at least 1",)
    )


def test_a_file_much_shorter_than_usual_is_warned_of() -> None:
    """A truncated export has a third of its usual rows."""
    found = _judged("orders", {"rows": 1200, "recent_rows_median": 4000}, TALLY[:0])
    assert found.warnings == ("the file has 1,200 rows, 30 % of the usual 4,000; expected at least 40 %",)


def test_a_moment_in_the_future_is_warned_of() -> None:
    """Times are compared whatever zone they are written in."""
    profile: Profile = {"rows": 9, "last_at": "2026-09-07T22:00:00+02:00", "as_of": "2026-09-07T18:00:00+00:00"}
    assert _judged("orders", profile, TALLY[:0]).warnings == (
        "the latest moment is 2.0 hours ahead; expected at most 1",
    )


def test_a_misspelt_measure_is_refused() -> None:
    """A limit nobody reads would be worse than none."""
    with pytest.raises(ValueError, match="'rows_minimum' is not a measure"):
        GateRules(1, 1, {"rows_minimum": Limit(warn=1)})


def test_the_configured_rules_are_readable() -> None:
    """config/rules/gates.yaml says what its reader expects."""
    assert read("rules/gates.yaml", GateRules).limit("stock", "rows_min") == Limit(warn=1, refuse=1)
