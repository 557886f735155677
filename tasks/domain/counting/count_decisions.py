"""What becomes of every counted place: matched, posted, counted again, shown to a person."""

import numpy as np
import pandas as pd

from tasks.domain.counting.count_plans import CLASSES
from tasks.domain.counting.count_rules import CountRules, versions_in_force
from tasks.domain.counting.count_states import CountDecision, CountFinding, ReasonCode
from tasks.domain.counting.wrong_bins import pair_bins
from tasks.domain.first_reason import first_reason
from tasks.domain.states import CountLineState

SKU = ["warehouse", "code", "product_id"]
_MATCHED, _POSTED, _RECOUNT, _REVIEW = (
    str(one) for one in (CountDecision.MATCHED, CountDecision.POSTED, CountDecision.RECOUNT, CountDecision.REVIEW)
)


def compare(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Add difference int64, value_minor Int64, within_tolerance bool, rule str and policy int64 to counted lines.

    `lines`: quantity and expected int64, unit_minor Int64, abc_class str (C where missing), warehouse, counted_at,
    time_zone; judged_minor Int64, where there, is the value to be judged instead of the line's own. Where no value is
    known the percentage decides alone. `policy` is the number of the version applied.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    value = difference.astype("Int64") * lines["unit_minor"].astype("Int64")
    percent, limit, rule, policy = _limits(lines, rules)
    near = difference.abs().to_numpy() * 100 <= percent * lines["expected"].clip(lower=0).to_numpy()
    judged = lines["judged_minor"] if "judged_minor" in lines else value.abs()
    cheap = (judged <= limit).fillna(value=True).to_numpy(dtype=bool)
    within = (difference == 0).to_numpy() | (near & cheap & (lines["expected"] > 0).to_numpy())
    return lines.assign(difference=difference, value_minor=value, within_tolerance=within, rule=rule, policy=policy)


def _limits(lines: pd.DataFrame, rules: CountRules) -> tuple[np.ndarray, np.ndarray, pd.Series, np.ndarray]:
    """Percent, value, name and version of the tolerance of each line."""
    policy = versions_in_force(lines, rules)
    sites, names = pd.factorize(lines["warehouse"])
    letters = pd.Categorical(lines["abc_class"].where(lines["abc_class"].isin(CLASSES), "C"), CLASSES).codes
    each = [
        one.limits(str(site), letter)
        for one in rules.versions for site in names for letter in CLASSES
    ]  # fmt: skip
    which = (policy * len(names) + sites) * len(CLASSES) + letters
    percent = np.array([tolerance.percent for tolerance, _ in each], dtype="float64")
    value = np.array([tolerance.value_minor for tolerance, _ in each], dtype="int64")
    words = pd.Series([name for _, name in each], dtype="str")
    if lines.empty:
        return percent[:0], value[:0], words[:0], policy
    return percent[which], value[which], words.take(which).set_axis(lines.index), policy


def decide(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Say what becomes of every counted place.

    `lines`: the counts of a place in one count document that are not closed yet. line_id, case int64 (same number =
    same document and place), round int64, counter str (may be missing), counted_at, quantity, expected, on_hand and
    held (picked, cannot be given back) int64, unit_minor and sku_minor Int64 (value of the SKU's differences posted
    in the document before), abc_class, location_id and product_id Int64 (missing: not known), warehouse, time_zone,
    code, condition, lot, location, closed_at (when the place was last counted and closed; may be missing).

    Gives the rows of `compare` with is_finding bool (the row that stands for its place), finding, decision (matched,
    posted, recount, review or superseded), reason_code, role (who is asked), transfer_line_id Int64 (the other place
    of goods in the wrong bin), state and reason. Ties go to the later row of the later round. Value is judged over all
    places of the SKU in the document, and never as less than that of the place itself.
    """
    lines = lines.sort_values(["case", "round", "counted_at", "line_id"], ignore_index=True)
    is_stale = (lines["counted_at"] < lines["closed_at"]).to_numpy(dtype=bool)
    if not is_stale.any():
        return _live(lines, rules).sort_values("line_id", ignore_index=True)
    parts = [_stale(compare(lines[is_stale], rules)), _live(lines[~is_stale].reset_index(drop=True), rules)]
    return pd.concat(parts, ignore_index=True).sort_values("line_id", ignore_index=True)


def _stale(lines: pd.DataFrame) -> pd.DataFrame:
    reason = "the place was counted again at a later moment, and that count is closed"
    nobody = pd.Series(None, index=lines.index, dtype="str")
    return lines.assign(
        is_finding=True, finding=_findings(lines), decision=CountDecision.SUPERSEDED.value, reason_code=nobody,
        role=nobody, transfer_line_id=pd.Series(pd.NA, lines.index, "Int64"), state=CountLineState.REJECTED.value,
        reason=reason,
    )  # fmt: skip


def _live(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Judge the row that stands for each place, and tell the other rows of the place what follows for them."""
    votes = _votes(lines)
    judged = _judge(lines.assign(**votes)[votes["is_finding"]], rules)
    if len(judged) == len(lines):
        return judged.drop(columns=["agreed", "torn"])
    others = compare(lines.assign(**votes)[~votes["is_finding"]], rules)
    chosen = judged.set_index("case")
    of_case, asked_again = others["case"].map(chosen["decision"]), others["case"].map(chosen["decision"]) == _RECOUNT
    is_same = others["difference"] == others["case"].map(chosen["difference"])
    done = np.where(is_same & of_case.isin([_MATCHED, _POSTED]), "approved", "rejected")
    others = others.assign(
        finding=_findings(others), decision=CountDecision.SUPERSEDED.value, state=np.where(asked_again, _RECOUNT, done),
        reason=others["case"].map(chosen["reason"]).where(asked_again, "another count of the place stands for it"),
    )  # fmt: skip
    return pd.concat([judged, others], ignore_index=True).drop(columns=["agreed", "torn"])


def _votes(lines: pd.DataFrame) -> dict[str, pd.Series]:
    """Which row stands for each place, and whether two people agree on it or the last round contradicts itself.

    Agreed: different counters found the same difference; their rows come before those of the last round. Most places
    are counted once: only the others are looked at.
    """
    alone = ~lines["case"].duplicated(keep=False)
    several = lines[~alone]
    case = several["case"]
    difference = several["quantity"] - several["expected"]
    people = several["counter"].str.strip().str.casefold()
    agreed = people.groupby([case, difference]).transform("nunique") >= 2
    last = several["round"] == several.groupby("case")["round"].transform("max")
    torn = difference.where(last).groupby(case).transform("nunique") > 1
    rank = several.assign(rank=agreed.astype("int64") * 2 + last).sort_values(["case", "rank"], kind="stable")
    stands = alone.copy()
    stands[rank.groupby("case").tail(1).index] = True
    no = pd.Series(data=False, index=lines.index)
    return {
        "is_finding": stands, "agreed": agreed.reindex(lines.index, fill_value=False) if len(several) else no,
        "torn": (torn & ~agreed).reindex(lines.index, fill_value=False) if len(several) else no,
    }  # fmt: skip


def _judge(lines: pd.DataFrame, rules: CountRules) -> pd.DataFrame:
    """Decision, reason, finding, reason code, role and state of the rows that stand for their places."""
    lines = compare(lines.assign(judged_minor=_judged_value(lines)), rules).reset_index(drop=True)
    other = pair_bins(lines[~lines["torn"]]).reindex(lines.index)
    finding = _findings(lines).mask(other.notna(), CountFinding.WRONG_BIN.value)
    lines = lines.assign(finding=finding, transfer_line_id=other)
    decision, reason = _outcome(lines, rules)
    is_posted, is_review = decision == _POSTED, (decision == _REVIEW).to_numpy()
    return lines.drop(columns="judged_minor").assign(
        decision=decision, reason=reason, state=decision, reason_code=_reason_code(lines).where(is_posted),
        role=_roles(lines, is_review, rules),
    )  # fmt: skip


def _judged_value(lines: pd.DataFrame) -> pd.Series:
    """What the SKU's places in the document are off in all, and never less than the place itself is (Int64)."""
    difference = (lines["quantity"] - lines["expected"]).astype("Int64")
    own = (difference * lines["unit_minor"].astype("Int64")).abs()
    off = lines[(difference != 0).to_numpy(dtype=bool)]
    shared = off[off["product_id"].notna() & (off.duplicated(SKU, keep=False) | (off["sku_minor"].fillna(0) != 0))]
    if shared.empty:
        return own
    value = (difference * lines["unit_minor"].astype("Int64"))[shared.index]
    net = value.groupby([shared[name] for name in SKU]).transform("sum") + shared["sku_minor"].fillna(0)
    wider = pd.concat([own[shared.index], net.abs()], axis="columns").max(axis="columns").astype("Int64")
    own[shared.index] = wider.where(own[shared.index].notna())
    return own


def _findings(lines: pd.DataFrame) -> pd.Series:
    """What each place turned out to be, the first that applies; pairs of wrong bins are found among them later."""
    cases = [
        (lines["location_id"].isna(), CountFinding.UNKNOWN_LOCATION),
        (lines["product_id"].isna(), CountFinding.UNKNOWN_SKU),
        (lines["difference"] == 0, CountFinding.MATCHED),
        ((lines["expected"] <= 0) & (lines["quantity"] > 0), CountFinding.FOUND_AT_ZERO),
    ]
    return first_reason(cases, lines.index, CountFinding.DIFFERENCE)


def _outcome(lines: pd.DataFrame, rules: CountRules) -> tuple[pd.Series, pd.Series]:
    """Decision and the words for it, the first that applies."""
    policy, judged = lines["policy"].to_numpy(), lines["judged_minor"].fillna(0).to_numpy(dtype="int64")
    dear = judged > np.array([one.approvals[0].above_minor for one in rules.versions])[policy]
    last = lines["round"].to_numpy() >= np.array([one.rounds_max for one in rules.versions])[policy]
    held_units = lines["held"]
    is_impossible = (held_units > 0) & (lines["on_hand"] + lines["difference"] < held_units)
    agreed, torn, near = lines["agreed"], lines["torn"], lines["within_tolerance"] & ~lines["torn"]
    sure = agreed | near
    elsewhere = lines["transfer_line_id"].notna()
    alone = ~(sure & lines["transfer_line_id"].isin(lines["line_id"][sure]))  # or the other place is not sure
    cases = [
        (lines["location_id"].isna(), _REVIEW, "the place is not one of the warehouse"),
        (lines["product_id"].isna(), _REVIEW, "the SKU is not a product of the merchant"),
        ((lines["difference"] == 0) & ~torn, _MATCHED, "counted as expected"),
        (dear, _REVIEW, "the SKU's difference is worth more than may be posted without a person"),
        (sure & is_impossible, _REVIEW, "fewer units than pickers hold for orders would be left in the book"),
        (elsewhere & alone, _REVIEW, "what is missing at one place was found at another: a transfer"),
        (agreed, _POSTED, "two people counted the same difference"),
        (near, _POSTED, "within tolerance"),
        (last, _REVIEW, "the last round settled nothing"),
        (torn, _RECOUNT, "two sheets of one round disagree"),
    ]
    decisions = first_reason([(when, decision) for when, decision, _ in cases], lines.index, _RECOUNT)
    reasons = [(when, reason) for when, _, reason in cases]
    return decisions, first_reason(reasons, lines.index, "outside tolerance: another person counts again")


def _reason_code(lines: pd.DataFrame) -> pd.Series:
    cases = [
        (lines["finding"] == CountFinding.WRONG_BIN, ReasonCode.BIN_CORRECTION),
        (lines["expected"] < 0, ReasonCode.FIX_NEGATIVE_INVENTORY),
        (lines["expected"] == 0, ReasonCode.FOUND),
        (lines["quantity"] == 0, ReasonCode.MISSING),
        (lines["agreed"], ReasonCode.RECOUNTED),
    ]
    return first_reason(cases, lines.index, ReasonCode.CORRECTION)


def _roles(lines: pd.DataFrame, is_review: np.ndarray, rules: CountRules) -> pd.Series:
    """Who is asked about the lines in review; missing for the others."""
    value = lines["judged_minor"].fillna(0)
    roles = pd.Series(None, index=lines.index, dtype="str")
    judged = zip(lines["policy"][is_review], value[is_review], strict=True)
    roles[is_review] = [rules.versions[number].role(int(off)) for number, off in judged]
    return roles


def with_expiry(decided: pd.DataFrame) -> pd.DataFrame:
    """Add expiry str to what was decided: what a count says of a lot that others said otherwise; also in its reason.

    `told`: lot, reason, expires_on (of the sheet) and lot_expires_on, texts that may be missing.
    """
    is_other = (
        (decided["expires_on"] != decided["lot_expires_on"])
        & decided["expires_on"].notna()
        & decided["lot_expires_on"].notna()
    )
    words = (
        "lot "
        + decided["lot"]
        + " expires on "
        + decided["expires_on"]
        + " by the sheet, on "
        + decided["lot_expires_on"]
    )
    expiry = (words + " by what is known of it").where(is_other, "").astype("str")
    return decided.assign(expiry=expiry, reason=decided["reason"].where(~is_other, decided["reason"] + "; " + expiry))
