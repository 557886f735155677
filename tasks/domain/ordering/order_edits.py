"""Which promises an order releases that the shop changed after it had been promised stock."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain.sharing import share_out

LINE_KEY = ["order_id", "line_number"]
PART_KEY = [*LINE_KEY, "product_id"]


@dataclass(frozen=True)
class OrderEdit:
    """`promises`: allocation_id, quantity to be released. `stuck`: units that must stay, by order_id, line_number."""

    promises: pd.DataFrame
    stuck: pd.Series


def releasable_promises(lines: pd.DataFrame, promises: pd.DataFrame) -> OrderEdit:
    """The promises each line releases so that no more than `keep` of it stays promised: enough of them, or none.

    `lines`: order_id, line_number, keep (units of the line). `promises`: order_id, line_number, product_id, per (units
    of the product in one of the line), allocation_id, quantity, is_planned (on a pick list), is_loose (nobody has
    begun to pick it). What is on no list is released first, then what was promised last. A line of which more than
    `keep` is picked or shipped releases nothing.
    """
    rows = promises.merge(lines, on=LINE_KEY).sort_values(["is_planned", "allocation_id"], ascending=[True, False])
    rows = rows.assign(loose=rows["quantity"].where(rows["is_loose"], 0))
    sums = rows.groupby(PART_KEY, as_index=False).agg(
        have=("quantity", "sum"), loose=("loose", "sum"), per=("per", "first"), keep=("keep", "first")
    )
    sums["quantity"] = (sums["have"] - sums["keep"] * sums["per"]).clip(lower=0)
    too_many = sums[sums["quantity"] > sums["loose"]]
    stuck = (
        (-(-(too_many["have"] - too_many["loose"]) // too_many["per"]))
        .groupby([too_many[name] for name in LINE_KEY])
        .max()
    )
    is_releasable = ~pd.MultiIndex.from_frame(sums[LINE_KEY]).isin(stuck.index)
    offered = rows.loc[rows["is_loose"], [*PART_KEY, "allocation_id", "quantity"]]
    released = share_out(sums.loc[is_releasable, [*PART_KEY, "quantity"]], offered, PART_KEY)
    return OrderEdit(released[["allocation_id", "quantity"]], stuck)
