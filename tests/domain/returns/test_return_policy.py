"""Who may send what back: windows to the day, the law's floor, and the first rule that fits."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.read import ConfigError, read
from tasks.domain.returns.return_policy import (
    Answer,
    Grade,
    PolicyRule,
    ReturnPolicy,
    decided_products,
    decided_returns,
)
from tasks.domain.states import Disposition

DELIVERED = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
WINDOW = PolicyRule("in_window", Answer.APPROVE, within_days=30)
OVER = PolicyRule("over", Answer.REJECT, tell={"en": "Too late."})
FLOOR = PolicyRule("eu", Answer.APPROVE, countries=("EU",), within_days=14)


def policy(*rules: PolicyRule) -> ReturnPolicy:
    """A policy of these rules."""
    return ReturnPolicy("1", "MAIN", 3, 7, rules, {"as_new": Grade(Disposition.RESTOCK)})


def asked(**facts: Any) -> pd.DataFrame:
    """One requested product, delivered on the first of March."""
    row = {
        "return_id": 1, "merchant": "HEARTH", "channel": "web", "country": "GB", "zone": "Europe/London",
        "found": "one", "reason": None, "on_order": True, "final_sale": False, "quantity": 1, "left": 1,
        "anchored_at": DELIVERED, "requested_at": DELIVERED + timedelta(days=1), "anchor": "delivery",
    }  # fmt: skip
    frame = pd.DataFrame([row | facts])
    for name in ("anchored_at", "requested_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame.astype({"reason": "str", "country": "str"})


def rule(rules: ReturnPolicy, **facts: Any) -> str:
    """The rule that decides."""
    return str(decided_products(asked(**facts), rules)["rule"].iloc[0])


@pytest.mark.parametrize(
    ("requested", "decided"),
    [
        (datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC), "in_window"),  # 23:59:59 of the last day in London: summer time
        (datetime(2026, 3, 31, 23, 0, 0, tzinfo=UTC), "over"),
        (datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC), "in_window"),  # asked before the delivery was known
    ],
)
def test_the_last_day_is_included_on_the_merchant_s_calendar(requested: datetime, decided: str) -> None:
    """Thirty days after a delivery on the first is all of the thirty-first, over a change of clocks."""
    assert rule(policy(FLOOR, WINDOW, OVER), requested_at=requested) == decided


@pytest.mark.parametrize(("zone", "decided"), [("Europe/London", "over"), ("America/New_York", "in_window")])
def test_the_same_moment_is_another_day_elsewhere(zone: str, decided: str) -> None:
    """Delivered and asked late in the evening, UTC."""
    late = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
    assert rule(policy(FLOOR, WINDOW, OVER), zone=zone, requested_at=late) == decided


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 60), st.sampled_from(["DE", "FR", "IE", "GB", "US"]), st.booleans())
def test_nobody_in_the_eu_is_refused_within_fourteen_days(days: int, country: str, final: bool) -> None:
    """Whatever the shop sells as final, by the policy that is delivered with this project."""
    rules = read("rules/returns.yaml", ReturnPolicy)
    found = decided_products(
        asked(country=country, final_sale=final, requested_at=DELIVERED + timedelta(days=days)), rules
    ).iloc[0]
    if country not in {"GB", "US"} and days <= 14:
        assert found["answer"] == "approve"
    elif final or days > 30:
        assert found["answer"] == "reject"
    else:
        assert found["rule"] == "in_window"


def test_a_policy_without_the_law_s_floor_is_refused() -> None:
    """So are one with two rules of one name, one that may end undecided, and a rejection without words."""
    with pytest.raises(ValueError, match="14 days in the EU"):
        policy(WINDOW, OVER)
    with pytest.raises(ValueError, match="14 days in the EU"):
        policy(PolicyRule("eu", Answer.APPROVE, countries=("EU",), within_days=13), OVER)
    with pytest.raises(ValueError, match="needs its own id"):
        policy(FLOOR, FLOOR, OVER)
    with pytest.raises(ValueError, match="must always apply"):
        policy(FLOOR, WINDOW)
    with pytest.raises(ValueError, match="expected a text for the customer"):
        PolicyRule("no", Answer.REJECT)


def test_a_misspelt_word_of_the_policy_is_refused_with_its_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong answer names the rule it stands in."""
    text = (
        Path("config/rules/returns.yaml").read_text(encoding="utf-8").replace("answer: manual}", "answer: perhaps}", 1)
    )
    (home / "rules").mkdir()
    (home / "rules" / "returns.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(home))
    with pytest.raises(ConfigError, match=r"rules\.0\.answer: found 'perhaps'"):
        read("rules/returns.yaml", ReturnPolicy)


@pytest.mark.parametrize("reason", ["Wrong item", "WRONG-ITEM", " wrong_item "])
def test_a_reason_is_known_in_any_spelling(reason: str) -> None:
    """Shops write them as they like."""
    ours = PolicyRule("ours", Answer.APPROVE, reasons=("wrong_item",), within_days=90)
    assert rule(policy(ours, FLOOR, WINDOW, OVER), reason=reason, requested_at=DELIVERED + timedelta(days=80)) == "ours"


def test_what_decided_is_said_in_words() -> None:
    """The rule, what the days count from, and how many there are."""
    assert (
        decided_products(asked(), policy(FLOOR, WINDOW, OVER))["why"].iloc[0]
        == "in_window: counted from delivery on 2026-03-01, 30 days"
    )
    unknown = asked(found="unknown", on_order=False, anchored_at=pd.NaT, left=0)
    rules = policy(PolicyRule("unknown", Answer.MANUAL, on_order=False), FLOOR, WINDOW, OVER)
    assert decided_products(unknown, rules)["why"].iloc[0] == "unknown"


def test_products_that_disagree_are_for_a_person() -> None:
    """One in time and one too late: neither is answered over the other's head."""
    rules = policy(FLOOR, WINDOW, OVER)
    two = pd.concat([asked(), asked(requested_at=DELIVERED + timedelta(days=99))], ignore_index=True)
    one = decided_returns(decided_products(two, rules), rules)
    assert json.loads(one.drop(columns="why").to_json(orient="records")) == [
        {"return_id": 1, "state": "manual", "rule": "in_window, over"}
    ]
