"""What a count says against the book as it was when counted, and what follows from it.

expected = ledger at the moment of the count - units picked by then that had not left the building. The difference is
what is posted, dated at the count, so that later movements stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.count_plans import CLASSES, AbcRules, PlanRules
from tasks.domain.states import CountLineState

PLACE = ["location_id", "product_id", "condition", "lot"]


@dataclass(frozen=True)
class Tolerance:
    """How far a count may be off and still be posted: percent of the expected units, and value."""

    percent: float
    value_minor: int

    def __post_init__(self) -> None:
        if self.percent < 0 or self.value_minor < 0:
            raise ValueError("a tolerance is not negative")


@dataclass(frozen=True)
class CountRules:
    """config/rules/counts.yaml."""

    tolerance: Mapping[str, Tolerance]
    review_above_minor: int
    rounds_max: int
    abc: AbcRules
    plan: PlanRules

    def __post_init__(self) -> None:
        if set(self.tolerance) != set(CLASSES):
            raise ValueError("tolerance: expected one for each of A, B and C")
        if self.rounds_max < 1:
            raise ValueError("rounds_max: expected at least 1")


def picked_units(picks: pd.DataFrame, shipped: pd.DataFrame) -> pd.DataFrame:
    """When picked units left their place, and when they left the building or were given up.

    `picks`: order_id, location_id, product_id, lot, quantity int64, picked_at, closed_at (of the allocation, missing
    while open). `shipped`: the same key, quantity int64, shipped_at. Units of an order are taken to leave in the order
    they were picked. Gives location_id, product_id, condition, lot, quantity, picked_at, left_at (missing: still in
    the building), one row a run of units.
    """
    line = ["order_id", "location_id", "product_id", "lot"]
    taken, sent = _runs(picks, line, "picked_at"), _runs(shipped, line, "shipped_at")
    both = taken.reset_index(names="pick").merge(
        sent[[*line, "since", "until", "shipped_at"]], on=line, suffixes=("", "_sent")
    )
    overlap = np.minimum(both["until"], both["until_sent"]) - np.maximum(both["since"], both["since_sent"])
    gone = both.assign(quantity=overlap, left_at=both["shipped_at"])[overlap > 0]
    left = gone.groupby("pick")["quantity"].sum().reindex(taken.index, fill_value=0)
    rest = taken.assign(quantity=taken["quantity"] - left, left_at=taken["closed_at"])
    units = pd.concat([gone[rest.columns], rest[rest["quantity"] > 0]], ignore_index=True)
    return units.assign(condition="available")[[*PLACE, "quantity", "picked_at", "left_at"]]


def _runs(rows: pd.DataFrame, key: list[str], moment: str) -> pd.DataFrame:
    """Each row with the run of its order's units it stands for: since <= unit < until, in order of `moment`."""
    rows = rows.sort_values([*key, moment], kind="stable", ignore_index=True)
    until = rows.groupby(key)["quantity"].cumsum()
    return rows.assign(since=until - rows["quantity"], until=until)


def out_of_bin(lines: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Units of each counted line's place that were picked by counted_at and still in the building (int64).

    `lines`: line_id, counted_at and the place; `units` as `picked_units` gives them.
    """
    pairs = lines[["line_id", *PLACE, "counted_at"]].merge(units, on=PLACE)
    there = (pairs["picked_at"] <= pairs["counted_at"]) & ~(pairs["left_at"] <= pairs["counted_at"])
    sums = pairs[there].groupby("line_id")["quantity"].sum()
    return lines["line_id"].map(sums).fillna(0).astype("int64")


def compare(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Add difference int64, value_minor Int64 and within_tolerance bool to counted lines.

    `lines`: quantity and expected int64, unit_minor Int64, abc_class str (C where missing). Where no value is known
    the percentage decides alone.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    value = difference.astype("Int64") * lines["unit_minor"].astype("Int64")
    letter = lines["abc_class"].where(lines["abc_class"].isin(CLASSES), "C")
    percent = letter.map({one: rules.tolerance[one].percent for one in CLASSES}).astype("float64")
    limit = letter.map({one: rules.tolerance[one].value_minor for one in CLASSES}).astype("int64")
    near = difference.abs() * 100 <= percent * lines["expected"].clip(lower=0)
    cheap = (value.abs() <= limit).fillna(value=True).astype(bool)
    within = (difference == 0) | (near & cheap & (lines["expected"] > 0))
    return lines.assign(difference=difference, value_minor=value, within_tolerance=within)


def decide(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Say what becomes of every counted place.

    `lines`: the counts of a place in one count document that are not closed yet. line_id, case int64 (same number =
    same document and place), round int64, counter str (may be missing), counted_at, quantity, expected, on_hand and
    held (picked, cannot be given back) int64, unit_minor Int64, abc_class, known bool (the SKU is a product),
    closed_at (when the place was last counted and closed; may be missing).
    Gives the rows of `compare` with is_finding bool (the row that stands for its place), decision (matched, posted,
    recount, review or superseded), reason_code, state and reason. Ties go to the later row of the later round.
    """
    lines = compare(lines, rules).sort_values(["case", "round", "counted_at", "line_id"], ignore_index=True)
    stale = (lines["counted_at"] < lines["closed_at"]).astype(bool)
    told = pd.concat([_stale(lines[stale]), _live(lines[~stale].reset_index(drop=True), rules)], ignore_index=True)
    return told.sort_values("line_id", ignore_index=True)


def _stale(lines: pd.DataFrame) -> pd.DataFrame:
    reason = "the place was counted again at a later moment, and that count is closed"
    return lines.assign(is_finding=True, decision="superseded", reason_code=None, state=CountLineState.REJECTED.value,
                        reason=reason)  # fmt: skip


def _live(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    if lines.empty:
        return lines.assign(is_finding=False, decision=None, reason_code=None, state=None, reason=None)
    people = lines["counter"].str.strip().str.casefold()
    agreed = people.groupby([lines["case"], lines["difference"]]).transform("nunique") >= 2
    last = lines["round"] == lines.groupby("case")["round"].transform("max")
    rank = agreed.astype("int64") * 2 + last
    finding = lines.assign(rank=rank).sort_values(["case", "rank"], kind="stable").groupby("case").tail(1).index
    torn = lines["difference"].where(last).groupby(lines["case"]).transform("nunique") > 1
    decision, reason = _outcome(lines, agreed=agreed, torn=torn & ~agreed, rules=rules)
    is_finding = lines.index.isin(finding)
    chosen = lines.assign(decision=decision, why=reason)[is_finding].set_index("case")
    of_case, why = lines["case"].map(chosen["decision"]), lines["case"].map(chosen["why"])
    same = lines["difference"] == lines["case"].map(chosen["difference"])
    open_ = is_finding | (of_case == "recount")
    state = np.where(open_, of_case, np.where(same & of_case.isin(["matched", "posted"]), "approved", "rejected"))
    return lines.assign(
        is_finding=is_finding, decision=of_case.where(is_finding, "superseded"),
        reason_code=_reason_code(lines, agreed).where(is_finding & (of_case == "posted")), state=state,
        reason=why.where(open_, "another count of the place stands for it"),
    )  # fmt: skip


def _outcome(
    lines: pd.DataFrame, *, agreed: pd.Series, torn: pd.Series, rules: CountRules
) -> tuple[pd.Series, pd.Series]:
    """Decision and the words for it, the first that applies."""
    dear = (lines["value_minor"].abs() > rules.review_above_minor).fillna(value=False).astype(bool)
    impossible = (lines["held"] > 0) & (lines["on_hand"] + lines["difference"] < lines["held"])
    cases = [
        (~lines["known"], "review", "the SKU is not a product of the merchant"),
        ((lines["difference"] == 0) & ~torn, "matched", "counted as expected"),
        (dear, "review", "the difference is worth more than may be posted without a person"),
        ((agreed | (lines["within_tolerance"] & ~torn)) & impossible, "review",
         "fewer units than pickers hold for orders would be left in the book"),
        (agreed, "posted", "two people counted the same difference"),
        (lines["within_tolerance"] & ~torn, "posted", "within tolerance"),
        (lines["round"] >= rules.rounds_max, "review", "the last round settled nothing"),
        (torn, "recount", "two sheets of one round disagree"),
    ]  # fmt: skip
    conditions = [case[0].to_numpy(dtype=bool) for case in cases]
    decision = np.select(conditions, [case[1] for case in cases], "recount")
    words = np.select(conditions, [case[2] for case in cases], "outside tolerance: another person counts again")
    return pd.Series(decision, index=lines.index), pd.Series(words, index=lines.index)


def _reason_code(lines: pd.DataFrame, agreed: pd.Series) -> pd.Series:
    found, missing = lines["expected"] <= 0, lines["quantity"] == 0
    codes = np.select([found, missing, agreed], ["FOUND", "MISSING", "RECOUNTED"], "CORRECTION")
    return pd.Series(codes, index=lines.index)


def record_accuracy(findings: pd.DataFrame) -> pd.DataFrame:
    """Inventory record accuracy of what was counted, over all and by ABC class.

    `findings`: abc_class str, expected, difference int64, unit_minor Int64, within_tolerance bool, one row a counted
    place. Hit or miss a place, never netted; stock found where the record said nothing is a miss. By value: the value
    recorded less the absolute value of every difference (not below 0). Gives abc_class, places, right, accuracy
    (part of one), value_minor, off_minor, accuracy_value (missing where nothing has a value).
    """
    unit = findings["unit_minor"].astype("Int64").fillna(0)
    hit = findings["within_tolerance"] & ((findings["expected"] > 0) | (findings["difference"] == 0))
    rows = pd.DataFrame(
        {
            "abc_class": findings["abc_class"].where(findings["abc_class"].isin(CLASSES), "C"),
            "places": 1,
            "right": hit.astype("int64"),
            "value_minor": (findings["expected"].clip(lower=0) * unit).astype("int64"),
            "off_minor": (findings["difference"].abs() * unit).astype("int64"),
        }
    )
    rows["kept"] = (rows["value_minor"] - rows["off_minor"]).clip(lower=0)
    every = pd.concat([rows, rows.assign(abc_class="all")]).groupby("abc_class", sort=True).sum().reset_index()
    accuracy = every["right"] / every["places"]
    by_value = (every["kept"] / every["value_minor"].where(every["value_minor"] > 0)).round(4)
    told = every.assign(accuracy=accuracy.round(4), accuracy_value=by_value)
    return told[["abc_class", "places", "right", "accuracy", "value_minor", "off_minor", "accuracy_value"]]
