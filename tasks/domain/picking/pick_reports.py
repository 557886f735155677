"""Pick reports compared with the planned picks."""

import numpy as np
import pandas as pd

from tasks.domain.states import PickState

NOT_SAID = "not said"
CANCELLED = "order_number: found a pick that was cancelled, expected one of an open wave: put the goods back"


def settle(claims: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which planned picks each report settles, and which reports are refused.

    `claims`: one row for each report and planned pick it may mean, in walking order: row_number, quantity,
    short_reason, picker, picked_at of the report; pick_id, planned, state, quantity_picked, told_at of the plan.

    A report fills the open picks it may mean one after the other. One about picks that were all settled before is
    ignored when it reports the same again. Returns picks (pick_id, row_number, taken, state, short_reason, picker,
    picked_at) and refused (row_number, reason).
    """
    rows = claims.assign(open=claims["state"] == PickState.OPEN, told=claims["quantity_picked"].fillna(0))
    is_repeat = (~rows["open"] & (rows["told_at"] == rows["picked_at"])).groupby(rows["row_number"]).transform("any")
    open_claims = rows[rows["open"] & ~is_repeat]
    open_claims = open_claims[~open_claims["pick_id"].duplicated()]
    other_claims = rows[~rows["row_number"].isin(open_claims["row_number"])]
    is_overstated = open_claims["quantity"] > open_claims.groupby("row_number")["planned"].transform("sum")
    refused = pd.concat([_overstated(open_claims[is_overstated]), _contradictions(other_claims)], ignore_index=True)
    return _fill(open_claims[~is_overstated]), refused


def _fill(rows: pd.DataFrame) -> pd.DataFrame:
    planned_before = rows.groupby("row_number")["planned"].cumsum() - rows["planned"]
    taken = (rows["quantity"] - planned_before).clip(lower=0, upper=rows["planned"]).astype("int64")
    is_short = taken < rows["planned"]
    settled = rows[["pick_id", "row_number", "picker", "picked_at"]].assign(
        taken=taken,
        state=np.where(is_short, str(PickState.SHORT), str(PickState.PICKED)),
        short_reason=rows["short_reason"].fillna(NOT_SAID).where(is_short),
    )
    return settled.reset_index(drop=True)


def _overstated(rows: pd.DataFrame) -> pd.DataFrame:
    planned = rows.groupby("row_number").agg(quantity=("quantity", "first"), planned=("planned", "sum")).reset_index()
    reason = "quantity: found '" + planned["quantity"].astype("str") + "', expected at most the "
    return _refused(planned["row_number"], reason + planned["planned"].astype("str") + " planned")


def _contradictions(rows: pd.DataFrame) -> pd.DataFrame:
    """Reports that contradict settled picks, concern cancelled picks, or repeat another row of the file."""
    reported = rows[rows["state"].isin([PickState.PICKED, PickState.SHORT])]
    repeated = reported[reported["told_at"] == reported["picked_at"]]
    relevant = pd.concat([repeated, reported[~reported["row_number"].isin(repeated["row_number"])]])
    sums = relevant.groupby("row_number").agg(quantity=("quantity", "first"), told=("told", "sum")).reset_index()
    contradicting = sums[sums["quantity"] != sums["told"]]
    reason = "quantity: found '" + contradicting["quantity"].astype("str") + "', expected the "
    contradicts = _refused(
        contradicting["row_number"], reason + contradicting["told"].astype("str") + " reported before"
    )
    unmatched = rows[~rows["row_number"].isin(reported["row_number"])].drop_duplicates("row_number")
    duplicate_reason = "sku: found what another row of the file reports, expected each pick once"
    reasons = unmatched["state"].map({str(PickState.CANCELLED): CANCELLED}).fillna(duplicate_reason)
    return pd.concat([contradicts, _refused(unmatched["row_number"], reasons)], ignore_index=True)


def _refused(row_number: pd.Series, reason: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"row_number": row_number.astype("int64"), "reason": reason.astype("str")})
