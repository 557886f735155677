"""The life of a low-stock alert: every step of it, and that nothing which swings or sleeps is told twice or lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tasks.domain.states import AlertState
from tasks.domain.stock.stock_alerts import AlertRules, digests, is_due_for_digest, judge_snoozes, next_states

AS_OF = datetime(2026, 3, 6, 9, tzinfo=UTC)
RULES = AlertRules(resolve_factor=1.2, quiet_h=24)
POINT, CLOSES = 10, 12
OPEN, SNOOZED, COVERED, RESOLVED = (str(AlertState(word)) for word in ("open", "snoozed", "covered", "resolved"))


def state_after(was: str | None, free: int, *, coming: int = 0, waiting: int = 0, asleep_h: float = 0) -> str | None:
    """The state of one alert whose reorder point is 10, and which closes from 12."""
    until = pd.Timestamp(AS_OF + timedelta(hours=asleep_h)) if asleep_h else pd.NaT
    row = pd.DataFrame({"state": pd.Series([was], dtype="str"), "free": free, "waiting": waiting, "coming": coming,
                        "reorder_point": POINT})  # fmt: skip
    row["snoozed_until"] = pd.Series([until], dtype="datetime64[s, UTC]")
    told = next_states(row, RULES, AS_OF)[0]
    return None if pd.isna(told) else str(told)


@pytest.mark.parametrize(
    ("was", "free", "coming", "becomes"),
    [
        (None, 10, 0, None),
        (None, 9, 0, OPEN),
        (None, 9, 1, COVERED),
        (RESOLVED, 10, 0, RESOLVED),
        (RESOLVED, 9, 0, OPEN),
        (OPEN, 11, 0, OPEN),  # between the point and where it closes
        (OPEN, 12, 0, RESOLVED),
        (OPEN, 9, 1, OPEN),  # ten would be no more than just enough
        (OPEN, 9, 3, COVERED),
        (COVERED, 9, 1, COVERED),
        (COVERED, 9, 0, OPEN),  # the goods will not come
        (COVERED, 12, 0, RESOLVED),
    ],
)
def test_an_alert_opens_is_covered_and_closes(was: str | None, free: int, coming: int, becomes: str | None) -> None:
    """Below 10 it opens, goods on their way cover it, from 12 it is over; in between nothing changes."""
    assert state_after(was, free, coming=coming) == becomes


def test_what_paid_orders_wait_for_is_not_there() -> None:
    """Fifteen that are free and wanted by six are nine."""
    assert state_after(None, 15, waiting=6) == OPEN
    assert state_after(None, 15, waiting=5) is None


def test_a_snooze_lasts_until_its_moment_unless_the_stock_comes_back() -> None:
    """Silent before, open or covered after; an alert that is over does not sleep on."""
    assert state_after(SNOOZED, 3, asleep_h=1) == SNOOZED
    assert state_after(SNOOZED, 3, asleep_h=-1) == OPEN
    assert state_after(SNOOZED, 3, coming=7, asleep_h=-1) == COVERED
    assert state_after(SNOOZED, 12, asleep_h=1) == RESOLVED


class Alert(RuleBasedStateMachine):
    """One product's alert through days of sales, receipts, purchases and snoozes, with what was told of it."""

    def __init__(self) -> None:
        super().__init__()
        self.hour, self.free, self.coming = 0, 20, 0
        self.state: str | None = None
        self.until: float | None = None
        self.opened: int | None = None
        self.told: list[int] = []

    @rule(units=st.integers(-8, 8))
    def trade(self, units: int) -> None:
        """Goods are sold or come back."""
        self.free = max(0, self.free + units)

    @rule(units=st.integers(0, 15))
    def buy(self, units: int) -> None:
        """What is on its way now; 0: it was cancelled."""
        self.coming = units

    @rule()
    def receive(self) -> None:
        """What was on its way is here."""
        self.free, self.coming = self.free + self.coming, 0

    @rule(hours=st.integers(1, 72))
    def snooze(self, hours: int) -> None:
        """A person wants to hear nothing of it for a while."""
        if self.state in {OPEN, COVERED, SNOOZED}:
            self.state, self.until = SNOOZED, self.hour + hours

    @rule(hours=st.integers(1, 30))
    def run(self, hours: int) -> None:
        """A run of the flow: the next state, and a digest where one is due."""
        self.hour += hours
        before = self.state
        asleep = None if self.until is None else self.until - self.hour
        self.state = state_after(before, self.free, coming=self.coming, asleep_h=asleep or (-0.5 if self.until else 0))
        self._has_a_reason()
        if self.state != SNOOZED:
            self.until = None
        if self.state == OPEN and before != OPEN:
            self.opened = self.hour
        if self._is_told():
            self.told.append(self.hour)

    def _has_a_reason(self) -> None:
        """Nothing is open where it would close, nothing low is silent without a person or goods on their way."""
        if self.state in {OPEN, COVERED, SNOOZED}:
            assert self.free < CLOSES
        else:
            assert self.free >= POINT
        assert self.state != COVERED or self.free + self.coming >= POINT
        assert self.state != SNOOZED or (self.until or 0) > self.hour

    def _is_told(self) -> bool:
        at: list[Any] = [pd.Timestamp(AS_OF) + pd.Timedelta(hours=hour) for hour in (self.opened or 0, *self.told[-1:])]
        row = pd.DataFrame({"kind": "low_stock", "state": pd.Series([self.state], dtype="str"), "opened_at": at[:1]})
        row["told_at"] = pd.Series(pd.to_datetime(at[1:2] or [None], utc=True)).dt.as_unit("s")
        return bool(is_due_for_digest(row, RULES, AS_OF + timedelta(hours=self.hour))[0])

    @invariant()
    def nobody_is_told_twice_within_a_day(self) -> None:
        """However often it opens and closes."""
        assert all(later - earlier >= RULES.quiet_h for earlier, later in zip(self.told, self.told[1:], strict=False))

    def teardown(self) -> None:
        """What is open at the end is told, at the latest a day later: no alert is lost."""
        if self.state == OPEN:
            self.run(int(RULES.quiet_h))
            assert self.state != OPEN or self.told[-1] >= (self.opened or 0)


Alert.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_an_alert_is_told_of_once_and_never_lost = Alert.TestCase


def test_stock_that_swings_around_its_point_is_told_of_once() -> None:
    """Nine, eleven, nine, eleven, for a week of runs: one digest."""
    state: str | None = None
    told_at: pd.Timestamp | None = None
    opened_at: pd.Timestamp | None = None
    digests = 0
    for hour in range(0, 168, 4):
        as_of = AS_OF + timedelta(hours=hour)
        was, state = state, state_after(state, 9 if hour % 8 == 0 else 11)
        opened_at = pd.Timestamp(as_of) if state == OPEN and was != OPEN else opened_at
        row = pd.DataFrame({"kind": ["low_stock"], "state": [state], "opened_at": [opened_at]})
        row["told_at"] = pd.Series([told_at], dtype="datetime64[s, UTC]")
        if is_due_for_digest(row, RULES, as_of)[0]:
            digests, told_at = digests + 1, pd.Timestamp(as_of)
    assert digests == 1


def test_a_digest_is_one_notice_a_merchant_and_known_by_its_alerts() -> None:
    """The same alerts make the same notice; fifty are listed, the rest is counted."""
    many = [("B", f"low_stock:B:{number:02}", "low_stock", f"{number:02}", "x") for number in range(53)]
    columns = ["merchant", "cause", "kind", "subject", "detail"]
    rows = pd.DataFrame([*many, ("A", "a", "oversell", "S", "y")], columns=columns)
    told = digests(rows, AS_OF)
    assert told["merchant"].tolist() == ["A", "B"]
    assert (len(told["alerts"][1]), told["more"].tolist()) == (50, [0, 3])
    assert told["alerts"][0] == [{"what": "oversell", "subject": "S", "detail": "y"}]
    assert digests(rows.sample(frac=1, random_state=1), AS_OF).equals(told)
    assert digests(rows[1:], AS_OF)["subject"][1] != told["subject"][1]


def test_a_snooze_needs_an_alert_a_name_and_a_moment_to_come() -> None:
    """Each row that lacks one is refused with what was found; one without a moment, or said before, is passed over."""
    later, past = (pd.Timestamp(AS_OF) + pd.Timedelta(hours=hours) for hours in (9, -9))
    rows = pd.DataFrame(
        [(2, "CUP", later, "Ada"), (3, "POT", later, "Ada"), (4, "CUP", later, " "), (5, "CUP", past, "Ada"),
         (6, "CUP", pd.NaT, None), (7, "JUG", later, "Ada")],
        columns=["row_number", "subject", "snooze_until", "set_by"],
    ).assign(merchant_id=1, alert="low_stock", comment=pd.Series([None] * 6, dtype="str"))  # fmt: skip
    known = pd.DataFrame({"alert_id": [8, 9], "merchant_id": 1, "alert": "low_stock", "subject": ["CUP", "JUG"],
                          "state": [OPEN, SNOOZED], "until_now": [pd.NaT, later]})  # fmt: skip
    good, refused = judge_snoozes(rows, known, AS_OF)
    assert good[["row_number", "alert_id"]].to_numpy().tolist() == [[2, 8]]
    assert dict(zip(refused["row_number"], refused["reason"], strict=True)) == {
        3: "subject: found 'POT', expected an alert of low_stock that is not closed",
        4: "set_by: found '', expected the name of who decides",
        5: "snooze_until: found '2026-03-06 00:00 UTC', expected a moment to come",
    }
