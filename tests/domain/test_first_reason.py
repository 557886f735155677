"""The first case that applies to a row decides."""

import numpy as np
import pandas as pd

from tasks.domain.first_reason import first_reason


def test_the_first_case_that_applies_gives_its_text() -> None:
    """The order of the cases decides, a text may be one per row, and the rows keep their index."""
    rows = pd.DataFrame({"sku": ["A", "B", "C", "D"]}, index=[7, 3, 9, 1])
    cases = [
        (rows["sku"] == "A", "is A"),
        (np.array([True, True, False, False]), "not this one: " + rows["sku"]),
        (pd.Series([True, True, None, False], index=rows.index, dtype="boolean"), "too late"),
    ]
    expected = pd.Series(["is A", "not this one: B", None, None], index=rows.index, dtype="str")
    pd.testing.assert_series_equal(first_reason(cases, rows.index), expected)
    pd.testing.assert_series_equal(first_reason(cases, rows.index, "fine"), expected.fillna("fine"))


def test_no_rows_have_no_reason() -> None:
    """An empty frame gives an empty text column."""
    none = pd.Series([], dtype=bool)
    assert first_reason([(none, "never")], none.index).dtype == "str"
