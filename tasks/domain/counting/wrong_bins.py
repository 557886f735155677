"""Goods in the wrong bin: one place short, another over, of the same SKU, condition and lot."""

import pandas as pd

GOODS = ["warehouse", "product_id", "condition", "lot"]


def pair_bins(lines: pd.DataFrame) -> pd.Series:
    """The line_id (Int64) of the place where what is missing here was found, or where it is missing; else missing.

    `lines`: one row a place: line_id, difference int64, location_id Int64, location, and GOODS. A place is paired with
    one other at most: equal differences first, then the largest with the largest; ties go to the earlier location.
    """
    off = lines[(lines["difference"] != 0) & lines["product_id"].notna() & lines["location_id"].notna()]
    off = off[off.duplicated(GOODS, keep=False)]
    pairs: list[pd.DataFrame] = []
    for key in ([*GOODS, "units"], GOODS):
        if off.empty:
            break
        pairs.append(_matched(off.assign(units=off["difference"].abs()), key))
        off = off[~off["line_id"].isin(pairs[-1].to_numpy().ravel())]
    both = pd.concat(pairs) if pairs else pd.DataFrame({"short": [], "over": []}, dtype="int64")
    other = pd.concat([both.set_index("short")["over"], both.set_index("over")["short"]])
    return lines["line_id"].map(other).astype("Int64")


def _matched(off: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The first short place of each key with the first that is over, the second with the second …: short, over."""
    off = off.sort_values([*GOODS, "units", "location", "line_id"], ascending=[*(True,) * 4, False, True, True])
    short, over = off[off["difference"] < 0], off[off["difference"] > 0]
    sides = [side[[*key, "line_id"]].assign(rank=side.groupby(key).cumcount()) for side in (short, over)]
    both = sides[0].merge(sides[1], on=[*key, "rank"], suffixes=("_short", "_over"))
    return both[["line_id_short", "line_id_over"]].set_axis(["short", "over"], axis="columns")
