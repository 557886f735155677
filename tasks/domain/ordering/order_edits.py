"""What the lines of an order give back that was changed after it had been promised stock."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain.sharing import share_out

LINE = ["order_id", "line_number"]
PART = [*LINE, "product_id"]


@dataclass(frozen=True)
class GivenBack:
    """`promises`: allocation_id, quantity to be released. `stuck`: units that must stay, by order_id, line_number."""

    promises: pd.DataFrame
    stuck: pd.Series


def given_back(lines: pd.DataFrame, promises: pd.DataFrame) -> GivenBack:
    """What each line gives back so that no more than `keep` of it stays promised, all of it or nothing.

    `lines`: order_id, line_number, keep (units of the line). `promises`: order_id, line_number, product_id, per (units
    of the product in one of the line), allocation_id, quantity, is_planned (on a pick list), is_loose (nobody has
    begun to pick it). What is on no list goes first, then what was promised last. A line whose promises are picked
    or gone beyond `keep` gives nothing back.
    """
    rows = promises.merge(lines, on=LINE).sort_values(["is_planned", "allocation_id"], ascending=[True, False])
    rows = rows.assign(loose=rows["quantity"].where(rows["is_loose"], 0))
    sums = rows.groupby(PART, as_index=False).agg(
        have=("quantity", "sum"), loose=("loose", "sum"), per=("per", "first"), keep=("keep", "first")
    )
    sums["quantity"] = (sums["have"] - sums["keep"] * sums["per"]).clip(lower=0)
    fixed = sums[sums["quantity"] > sums["loose"]]
    stuck = (-(-(fixed["have"] - fixed["loose"]) // fixed["per"])).groupby([fixed[name] for name in LINE]).max()
    free = ~pd.MultiIndex.from_frame(sums[LINE]).isin(stuck.index)
    offered = rows.loc[rows["is_loose"], [*PART, "allocation_id", "quantity"]]
    given = share_out(sums.loc[free, [*PART, "quantity"]], offered, PART)
    return GivenBack(given[["allocation_id", "quantity"]], stuck)
