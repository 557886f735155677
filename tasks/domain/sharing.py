"""Units handed out in turn: who asks gets what is offered until it is gone."""

import pandas as pd

PLENTY = 10**12


def share_out(asked: pd.DataFrame, offered: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Give what is offered to those who ask, first come first served within each group `by`.

    Both frames: the columns `by`, quantity int64 (not negative), and what the caller wants back; rows in the order in
    which they are served. Gives their other columns side by side and `quantity`, only where something was given.
    """
    pairs = _until(asked, by).merge(_until(offered, by), on=by, suffixes=("", "_offered"))
    first = pairs[["from", "from_offered"]].max(axis=1)
    given = pairs[["until", "until_offered"]].min(axis=1) - first
    gone = ["from", "until", "from_offered", "until_offered", "quantity_offered"]
    return pairs.assign(quantity=given.astype("int64")).drop(columns=gone)[given > 0].reset_index(drop=True)


def _until(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    until = rows.groupby(by, sort=False)["quantity"].cumsum()
    return rows.assign(**{"from": until - rows["quantity"], "until": until})
