"""What follows from a person's answer to a finding in review."""

from typing import Any

import numpy as np
import pandas as pd

from tasks.domain.counting.count_states import CountAnswer, CountDecision, ReasonCode

_POSTED = CountDecision.POSTED.value
_UNKNOWN = "approved, and posted once the place and the SKU are known"
_HELD = "approved, and posted once pickers hold fewer units of the place"


def carried_out(lines: pd.DataFrame) -> pd.DataFrame:
    """Say what becomes of answered lines, by the book as it is known now.

    `lines`: line_id, answer, answered_by, reason_code (that the person chose; may be missing), finding, quantity,
    expected, on_hand and held int64, unit_minor Int64, location_id and product_id Int64, counted_at, closed_at.
    Gives them with difference int64, value_minor Int64, decision (matched, posted, rejected, recount, superseded; or
    review: approved, but not to be posted yet), state, reason, reason_code, decided_by and is_finding.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    known = lines["location_id"].notna() & lines["product_id"].notna()
    held = (lines["held"] > 0) & (lines["on_hand"] + difference < lines["held"])
    again = lines["answer"] == CountAnswer.RECOUNT.value
    stale = (lines["counted_at"] < lines["closed_at"]).to_numpy(dtype=bool)
    cases = [
        (lines["answer"] == CountAnswer.REJECTED.value, "rejected", "rejected", "rejected by "),
        (stale, "superseded", "rejected", "the place was counted again at a later moment, and that count is closed"),
        (again & known, "recount", "recount", "to be counted again: "),
        (~known, "review", "review", _UNKNOWN),
        (difference == 0, "matched", "matched", "counted as expected"),
        (held, "review", "review", _HELD),
        (pd.Series(data=True, index=lines.index), _POSTED, _POSTED, "approved by "),
    ]
    which = np.select([np.asarray(case[0], dtype=bool) for case in cases], range(len(cases)))
    decision, state, reason = (_words(cases, column, which, lines.index) for column in (1, 2, 3))
    by = lines["answered_by"].where(reason.str.endswith(" "), "")
    code = lines["reason_code"].fillna(_usual(lines, difference))
    return lines.assign(
        difference=difference, value_minor=difference.astype("Int64") * lines["unit_minor"].astype("Int64"),
        decision=decision, state=state, reason=reason + by, decided_by=lines["answered_by"], is_finding=True,
        reason_code=code.where(decision == _POSTED),
    )  # fmt: skip


def _words(cases: list[Any], column: int, which: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series([case[column] for case in cases], dtype="str").take(which.tolist()).set_axis(index)


def _usual(lines: pd.DataFrame, difference: pd.Series) -> pd.Series:
    """The reason of an adjustment whose person named none."""
    cases = [lines["finding"] == "wrong_bin", lines["expected"] < 0, (lines["expected"] == 0) & (difference > 0),
             lines["quantity"] == 0]  # fmt: skip
    words = [ReasonCode.BIN_CORRECTION, ReasonCode.FIX_NEGATIVE_INVENTORY, ReasonCode.FOUND, ReasonCode.MISSING]
    chosen = np.select([case.to_numpy(dtype=bool) for case in cases], [one.value for one in words], "CORRECTION")
    return pd.Series(chosen, index=lines.index, dtype="str")
