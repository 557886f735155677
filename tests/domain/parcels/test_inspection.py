"""What is wrong with a parcel, judged without a database; and where a parcel is, whatever order it is told in."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.read import read
from tasks.domain.parcels.inspection import InspectionRules, parcel_findings, verdicts
from tasks.domain.parcels.parcel_states import STATE_AFTER_EVENT, parcel_states
from tasks.domain.parcels.procedures import Procedure, ProcedureStep, unconfirmed_steps
from tasks.domain.parcels.sampling import SamplingRules
from tasks.domain.sharing import share_out

NOW = datetime(2026, 9, 10, 16, 0, tzinfo=UTC)
PROCEDURE = Procedure(
    "packing", 1, (ProcedureStep("items", "They match."), ProcedureStep("full", "It is.", mandatory=False))
)


@pytest.fixture
def rules(home: object) -> InspectionRules:
    """The rules as configured."""
    return read("rules/inspection.yaml", InspectionRules)


def parcel(**more: object) -> pd.DataFrame:
    """One parcel of order 1, nothing wrong with it."""
    facts = {
        "shipment_id": 7, "order_id": 1, "parcel": "P7", "packed_at": pd.Timestamp(NOW), "weight_g": 1200,
        "checks": "items=yes", "cancelled_at": pd.NaT, "hold_reason": None, "hold_until": pd.NaT, "total_minor": 5000,
        "refunded_minor": 0,
    }  # fmt: skip
    frame = pd.DataFrame([{**facts, **more}])
    for name in ("cancelled_at", "hold_until"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    kinds = {"weight_g": "Int64", "total_minor": "Int64", "checks": "str", "hold_reason": "str"}
    return frame.astype(kinds)


def content(*scans: tuple[int, int | None, str, int]) -> pd.DataFrame:
    """Parcel, line, SKU and quantity of what was scanned; everything weighs 500 g."""
    frame = pd.DataFrame(scans, columns=["shipment_id", "line_number", "sku", "quantity"])
    frame["unit_weight_g"] = pd.Series(500, index=frame.index)
    return frame.assign(order_id=1).astype({"line_number": "Int64", "unit_weight_g": "Int64"})


def parts(*lines: tuple[int, str, int, int]) -> pd.DataFrame:
    """Line, SKU, ordered and picked."""
    frame = pd.DataFrame(lines, columns=["line_number", "sku", "ordered", "picked"])
    return frame.assign(order_id=1, per=1, own=True, is_kit=False)


def found(rules: InspectionRules, parcels: pd.DataFrame, held: pd.DataFrame, asked: pd.DataFrame) -> list[list[str]]:
    """Each finding in short."""
    made = parcel_findings(parcels, held, asked, PROCEDURE, rules, NOW)
    return made[["code", "severity", "subject", "expected", "found"]].to_numpy().tolist()


def test_a_parcel_as_it_should_be_has_no_findings(rules: InspectionRules) -> None:
    """And goes."""
    held, asked = content((7, 1, "CUP", 2)), parts((1, "CUP", 2, 2))
    made = parcel_findings(parcel(), held, asked, PROCEDURE, rules, NOW)
    assert made.empty
    assert verdicts(parcel(), held, made).tolist() == ["release"]


def test_a_wrong_item_is_found_with_what_it_took_the_place_of(rules: InspectionRules) -> None:
    """The wrong one critical, the missing one major."""
    held, asked = content((7, 1, "CUP", 1), (7, None, "MUG", 1)), parts((1, "CUP", 2, 2))
    assert found(rules, parcel(), held, asked) == [
        ["wrong_item", "critical", "MUG", "0", "1"],
        ["missing_item", "major", "CUP", "2", "1"],
    ]


def test_too_much_is_judged_over_all_parcels(rules: InspectionRules) -> None:
    """Two of two are in a parcel that left; the third in this one is one too many."""
    held, asked = content((3, 1, "CUP", 2), (7, 1, "CUP", 1)), parts((1, "CUP", 2, 2))
    assert found(rules, parcel(weight_g=None), held, asked) == [["extra_item", "major", "CUP", "2", "3"]]


def test_a_short_pick_is_not_missing_from_the_parcel(rules: InspectionRules) -> None:
    """What was not picked cannot be packed; what was packed without a pick is written down."""
    asked = parts((1, "CUP", 3, 2))
    assert found(rules, parcel(), content((7, 1, "CUP", 2)), asked) == []
    assert found(rules, parcel(weight_g=None), content((7, 1, "CUP", 3)), asked) == [
        ["unpicked_item", "minor", "CUP", "2", "3"]
    ]


@pytest.mark.parametrize("checks", [None, "", "items=no", "items=", "full=yes", "items=yes|items=no", "xitems=yes"])
def test_an_unanswered_step_is_not_confirmed(rules: InspectionRules, checks: str | None) -> None:
    """Only yes is yes, and only for a mandatory step is it asked."""
    made = found(rules, parcel(checks=checks), content((7, 1, "CUP", 2)), parts((1, "CUP", 2, 2)))
    assert [row[:3] for row in made] == [["step_not_confirmed", "major", "items"]]


def test_answers_are_read_with_spaces_and_in_any_case() -> None:
    """People and scanners write them."""
    assert unconfirmed_steps(pd.Series([" Items = YES | full=no", "items=yes|items=yes"]), PROCEDURE).empty


@pytest.mark.parametrize(("weight_g", "fits"), [(899, False), (900, True), (1600, True), (1601, False), (None, True)])
def test_the_weight_tells_what_scans_do_not(rules: InspectionRules, weight_g: int | None, *, fits: bool) -> None:
    """1,000 g of goods, a tenth off either way, and 500 g of packaging; a parcel nobody weighed is not judged by it."""
    made = found(rules, parcel(weight_g=weight_g), content((7, 1, "CUP", 2)), parts((1, "CUP", 2, 2)))
    assert (made == []) is fits


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"cancelled_at": NOW}, "cancelled"),
        ({"hold_reason": "fraud"}, "held: fraud"),
        ({"refunded_minor": 5000}, "refunded in full"),
        ({"hold_reason": "stock", "hold_until": NOW}, None),
        ({"refunded_minor": 4999}, None),
        ({"total_minor": 0}, None),
    ],
)
def test_an_order_that_is_off_stops_its_parcel(
    rules: InspectionRules, order: dict[str, object], why: str | None
) -> None:
    """Whatever is in it: a gift that cost nothing goes, and a hold ends on its day."""
    made = found(rules, parcel(**order), content((7, 1, "CUP", 2)), parts((1, "CUP", 2, 2)))
    assert made == ([["order_not_to_ship", "critical", "order", "open", why]] if why else [])


def test_what_nobody_looked_at_is_not_released(rules: InspectionRules) -> None:
    """A parcel without scans is not inspected."""
    made = parcel_findings(parcel(checks="items=yes"), content(), parts(), PROCEDURE, rules, NOW)
    assert verdicts(parcel(), content(), made).tolist() == ["not_inspected"]


def test_rules_name_every_finding() -> None:
    """A finding without a severity could neither hold nor release."""
    with pytest.raises(ValueError, match="wrong_item"):
        InspectionRules({}, None, SamplingRules())  # type: ignore[arg-type]


EVENTS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(sorted(STATE_AFTER_EVENT)), st.integers(0, 6)), max_size=14
)


def _events(told: list[tuple[int, str, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(told, columns=["shipment_id", "code", "hour"])
    at = pd.Timestamp(NOW) + pd.to_timedelta(frame.pop("hour").astype("int64"), unit="h")
    return frame.assign(occurred_at=at).astype({"shipment_id": "int64", "code": "str"})


@settings(deadline=None)
@given(told=EVENTS, data=st.data())
def test_events_in_any_order_end_in_the_same_state(told: list[tuple[int, str, int]], data: st.DataObject) -> None:
    """And so do events told twice."""
    shuffled = data.draw(st.permutations(told))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(told), max_size=4) if told else st.just([]))
    expected = parcel_states(_events(told))
    pd.testing.assert_frame_equal(parcel_states(_events(shuffled)), expected)
    pd.testing.assert_frame_equal(parcel_states(_events(repeated)), expected)


@settings(deadline=None)
@given(told=EVENTS)
def test_a_parcel_delivered_stays_delivered_unless_it_comes_back(told: list[tuple[int, str, int]]) -> None:
    """Whatever else is told of it."""
    states = parcel_states(_events(told)).set_index("shipment_id")
    for shipment, state in states["state"].items():
        codes = {code for one, code, _ in told if one == shipment}
        if "returned_to_sender" in codes:
            assert state == "returned_to_sender"
        elif "delivered" in codes:
            assert state == "delivered"
        else:
            assert state not in {"delivered", "returned_to_sender"}


QUANTITIES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 5)), max_size=6)


def _queue(rows: list[tuple[str, int]], who: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", "quantity"]).astype({"group": "str", "quantity": "int64"})
    return frame.assign(**{who: range(len(rows))})


@settings(deadline=None)
@given(asked=QUANTITIES, offered=QUANTITIES)
def test_nothing_is_given_twice_and_nothing_is_kept_back(
    asked: list[tuple[str, int]], offered: list[tuple[str, int]]
) -> None:
    """Of each group the smaller of what is asked and offered; no one gets more than asked, none gives more than had."""
    made = share_out(_queue(asked, "taker"), _queue(offered, "giver"), ["group"])
    for group in "AB":
        most = [sum(units for name, units in side if name == group) for side in (asked, offered)]
        assert made.loc[made["group"] == group, "quantity"].sum() == min(most)
    for who, side in (("taker", asked), ("giver", offered)):
        sums = made.groupby(who)["quantity"].sum()
        assert all(units <= side[int(one)][1] for one, units in sums.items())  # type: ignore[call-overload]
