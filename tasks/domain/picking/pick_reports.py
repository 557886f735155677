"""What a picker reports, laid beside what was planned."""

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
    passed over when it says the same. Gives picks (pick_id, row_number, taken, state, short_reason, picker, picked_at)
    and refused (row_number, reason).
    """
    rows = claims.assign(open=claims["state"] == PickState.OPEN, told=claims["quantity_picked"].fillna(0))
    again = (~rows["open"] & (rows["told_at"] == rows["picked_at"])).groupby(rows["row_number"]).transform("any")
    fresh = rows[rows["open"] & ~again]
    fresh = fresh[~fresh["pick_id"].duplicated()]
    told = rows[~rows["row_number"].isin(fresh["row_number"])]
    too_many = fresh["quantity"] > fresh.groupby("row_number")["planned"].transform("sum")
    refused = pd.concat([_over(fresh[too_many]), _otherwise(told)], ignore_index=True)
    return _fill(fresh[~too_many]), refused


def _fill(rows: pd.DataFrame) -> pd.DataFrame:
    before = rows.groupby("row_number")["planned"].cumsum() - rows["planned"]
    taken = (rows["quantity"] - before).clip(lower=0, upper=rows["planned"]).astype("int64")
    short = taken < rows["planned"]
    told = rows[["pick_id", "row_number", "picker", "picked_at"]].assign(
        taken=taken,
        state=np.where(short, str(PickState.SHORT), str(PickState.PICKED)),
        short_reason=rows["short_reason"].fillna(NOT_SAID).where(short),
    )
    return told.reset_index(drop=True)


def _over(rows: pd.DataFrame) -> pd.DataFrame:
    planned = rows.groupby("row_number").agg(quantity=("quantity", "first"), planned=("planned", "sum")).reset_index()
    reason = "quantity: found '" + planned["quantity"].astype("str") + "', expected at most the "
    return _refused(planned["row_number"], reason + planned["planned"].astype("str") + " planned")


def _otherwise(rows: pd.DataFrame) -> pd.DataFrame:
    """Reports about settled picks that say something else than before, about cancelled picks, or told twice."""
    live = rows[rows["state"].isin([PickState.PICKED, PickState.SHORT])]
    same = live[live["told_at"] == live["picked_at"]]
    about = pd.concat([same, live[~live["row_number"].isin(same["row_number"])]])
    sums = about.groupby("row_number").agg(quantity=("quantity", "first"), told=("told", "sum")).reset_index()
    other = sums[sums["quantity"] != sums["told"]]
    reason = "quantity: found '" + other["quantity"].astype("str") + "', expected the "
    contradicts = _refused(other["row_number"], reason + other["told"].astype("str") + " reported before")
    left = rows[~rows["row_number"].isin(live["row_number"])].drop_duplicates("row_number")
    twice = "sku: found what another row of the file reports, expected each pick once"
    words = left["state"].map({str(PickState.CANCELLED): CANCELLED}).fillna(twice)
    return pd.concat([contradicts, _refused(left["row_number"], words)], ignore_index=True)


def _refused(row_number: pd.Series, reason: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"row_number": row_number.astype("int64"), "reason": reason.astype("str")})
