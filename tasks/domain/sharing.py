"""Units shared out first come, first served."""

import pandas as pd

UNLIMITED = 10**12


def share_out(requests: pd.DataFrame, offers: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Share the offered units out to the requests, first come, first served, within each group `by`.

    Both frames: the columns `by`, quantity int64 (not negative) and any others; rows in the order in which they are
    served. Returns one row per request and offer that share units: the other columns of both, and `quantity`.
    """
    pairs = _with_span(requests, by).merge(_with_span(offers, by), on=by, suffixes=("", "_offered"))
    start = pairs[["from", "from_offered"]].max(axis=1)
    units = pairs[["until", "until_offered"]].min(axis=1) - start
    pairs = pairs.drop(columns=["from", "until", "from_offered", "until_offered", "quantity_offered"])
    return pairs.assign(quantity=units.astype("int64"))[units > 0].reset_index(drop=True)


def _with_span(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """`rows` with `from` and `until`: the units of their group that they cover, counted in order."""
    until = rows.groupby(by, sort=False)["quantity"].cumsum()
    return rows.assign(**{"from": until - rows["quantity"], "until": until})
