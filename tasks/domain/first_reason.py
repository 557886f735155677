"""The first of several cases that applies to a row decides, and its text says why."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

Case = tuple[Any, Any]  # a condition per row (bool; missing: no), its text (str, or a Series with one per row)


def first_reason(cases: Sequence[Case], index: pd.Index, otherwise: str | None = None) -> pd.Series:
    """The text of the first case that applies to each row (str); `otherwise` where none does (None: missing).

    `cases`: conditions, each with its text. A text missing in its row is missing there: no later case is looked at.
    """
    conditions = [pd.Series(condition, index=index).fillna(value=False).to_numpy(dtype=bool) for condition, _ in cases]
    position = np.select(conditions, range(len(cases)), len(cases))
    texts = [str(text) if isinstance(text, str) else None for _, text in cases]
    reasons = pd.Series([*texts, otherwise], dtype="str").take(position).set_axis(index)
    for number, (_, text) in enumerate(cases):
        if isinstance(text, pd.Series):
            reasons = reasons.mask(position == number, text)
    return reasons
