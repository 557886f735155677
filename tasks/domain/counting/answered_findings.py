"""What follows from a person's answer to a finding in review."""

import numpy as np
import pandas as pd

from tasks.domain.counting.count_states import CountAnswer, CountDecision, CountFinding, ReasonCode
from tasks.domain.first_reason import first_reason

_POSTED = CountDecision.POSTED.value
_UNKNOWN = "approved, and posted once the place and the SKU are known"
_HELD = "approved, and posted once pickers hold fewer units of the place"


def decide_answers(lines: pd.DataFrame) -> pd.DataFrame:
    """Say what becomes of answered lines, by the book as it is known now.

    `lines`: line_id, answer, answered_by, reason_code (that the person chose; may be missing), finding, quantity,
    expected, on_hand and held int64, unit_minor Int64, location_id and product_id Int64, counted_at, closed_at.
    Gives them with difference int64, value_minor Int64, decision (matched, posted, rejected, recount, superseded; or
    review: approved, but not to be posted yet), state, reason, reason_code, decided_by and is_finding.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    is_known = lines["location_id"].notna() & lines["product_id"].notna()
    is_held = (lines["held"] > 0) & (lines["on_hand"] + difference < lines["held"])
    again = lines["answer"] == CountAnswer.RECOUNT
    stale = (lines["counted_at"] < lines["closed_at"]).to_numpy(dtype=bool)
    cases = [
        (lines["answer"] == CountAnswer.REJECTED, "rejected", "rejected", "rejected by " + lines["answered_by"]),
        (stale, "superseded", "rejected", "the place was counted again at a later moment, and that count is closed"),
        (again & is_known, "recount", "recount", "to be counted again: " + lines["answered_by"]),
        (~is_known, "review", "review", _UNKNOWN),
        (difference == 0, "matched", "matched", "counted as expected"),
        (is_held, "review", "review", _HELD),
        (np.full(len(lines), fill_value=True), _POSTED, _POSTED, "approved by " + lines["answered_by"]),
    ]
    decision, state, reason = (first_reason([(case[0], case[n]) for case in cases], lines.index) for n in (1, 2, 3))
    code = lines["reason_code"].fillna(_usual_reason_code(lines, difference))
    return lines.assign(
        difference=difference, value_minor=difference.astype("Int64") * lines["unit_minor"].astype("Int64"),
        decision=decision, state=state, reason=reason, decided_by=lines["answered_by"], is_finding=True,
        reason_code=code.where(decision == _POSTED),
    )  # fmt: skip


def _usual_reason_code(lines: pd.DataFrame, difference: pd.Series) -> pd.Series:
    """The reason code of an adjustment for which the person chose none."""
    cases = [
        (lines["finding"] == CountFinding.WRONG_BIN, ReasonCode.BIN_CORRECTION),
        (lines["expected"] < 0, ReasonCode.FIX_NEGATIVE_INVENTORY),
        ((lines["expected"] == 0) & (difference > 0), ReasonCode.FOUND),
        (lines["quantity"] == 0, ReasonCode.MISSING),
    ]
    return first_reason(cases, lines.index, ReasonCode.CORRECTION)
