"""Which return a request or a received box belongs to.

One return lists a product once and its units are dispositioned once. What arrives for a return that was booked
already, or for a product of it that has arrived already, becomes a further parcel of it: RMA-…~2, RMA-…~3.
"""

import numpy as np
import pandas as pd

from tasks.domain.states import ReturnState

SEVERAL = " + "
WITHOUT_RMA = "receipt_without_rma"
_AGREED = [str(one) for one in (ReturnState.APPROVED, ReturnState.RECEIVED, ReturnState.CLOSED)]


def requests(rows: pd.DataFrame) -> pd.DataFrame:
    """One return a request: its first row's facts, and every order its rows name.

    `rows`: row_number, merchant_id, merchant, request_id, order_number, customer_reference, email, resolution,
    requested_at. Gives merchant_id, request_id, rma, order_number, customer_reference, email, resolution, requested_at.
    """
    key = ["merchant_id", "request_id"]
    named = rows.dropna(subset="order_number").drop_duplicates([*key, "order_number"])
    orders = named.groupby(key)["order_number"].agg(lambda numbers: SEVERAL.join(sorted(numbers)))
    first = rows.sort_values("row_number").drop_duplicates(key).drop(columns=["order_number", "row_number"])
    made = first.merge(orders.reset_index(), on=key, how="left")
    made["rma"] = "RMA-" + made["merchant"] + "-" + made["request_id"]
    return made.drop(columns="merchant").astype({"order_number": "str"})


def base(rmas: pd.Series) -> pd.Series:
    """The return itself, without the number of a further parcel."""
    return rmas.astype("str").str.replace(r"~\d+$", "", regex=True)


def unseen(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The receipts that are not booked on a return of their RMA or order yet.

    `rows`: merchant_id, rma, order_number, sku, quantity, grade, received_at, made (the RMA a return made for the
    receipt would have); `known`: a row a line of the returns in question: return_id, merchant_id, rma, order_number,
    state, sku, quantity (agreed), quantity_received, grade, received_at, booked bool (of the return).
    """
    key = ["merchant_id", "sku", "grade", "received_at"]
    seen = known.assign(family=base(known["rma"]), quantity=known["quantity_received"])
    pairs = rows.reset_index(names="row").merge(seen, on=[*key, "quantity"], suffixes=("", "_known"))
    same = (base(pairs["rma"]) == pairs["family"]) | (pairs["made"] == pairs["family"])
    same |= pairs["rma"].isna() & (pairs["order_number"] == pairs["order_number_known"])
    return rows[~rows.index.isin(pairs.loc[same.fillna(value=False).astype(bool), "row"])]


def placed(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The return each receipt goes to; columns as in `unseen`.

    By its RMA; without one, the only agreed return of its order that still waits for the product; otherwise one is
    made. Gives `rows` with family (RMA) and target (RMA, perhaps of a further parcel).
    """
    lines = known.assign(family=base(known["rma"]))
    waiting = lines[(lines["state"] == str(ReturnState.APPROVED)) & lines["received_at"].isna()]
    waiting = waiting.drop_duplicates(["merchant_id", "order_number", "sku"], keep=False)
    by_order = rows[["merchant_id", "order_number", "sku"]].merge(
        waiting[["merchant_id", "order_number", "sku", "family"]], on=["merchant_id", "order_number", "sku"], how="left"
    )["family"].set_axis(rows.index)  # fmt: skip
    given = base(rows["rma"])
    family = given.where(given.isin(lines["family"]), by_order.where(rows["rma"].isna())).fillna(rows["made"])
    number = _booked_before(family, lines) + _arrived_before(family, rows["sku"], lines)
    number += rows.groupby([family, "sku"]).cumcount()
    return rows.assign(family=family, target=family + np.where(number > 0, "~" + (number + 1).astype("str"), ""))


def _booked_before(family: pd.Series, lines: pd.DataFrame) -> pd.Series:
    booked = lines[lines["booked"]].groupby("family")["rma"].nunique()
    return family.map(booked).fillna(0).astype("int64")


def _arrived_before(family: pd.Series, sku: pd.Series, lines: pd.DataFrame) -> pd.Series:
    """How many parcels of the return hold the product and wait to be booked."""
    arrived = lines[~lines["booked"] & lines["received_at"].notna()].groupby(["family", "sku"]).size()
    keys = pd.MultiIndex.from_arrays([family, sku])
    return pd.Series(arrived.reindex(keys).fillna(0).to_numpy(dtype="int64"), index=family.index)


def made(receipts: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The returns that `placed` receipts need and that are not there: merchant_id, rma, family, order_number, state.

    A further parcel of an agreed return is agreed as well; everything else waits for a person.
    """
    new = receipts[~receipts["target"].isin(known["rma"])].sort_values("row_number").drop_duplicates("target")
    states = known.drop_duplicates("rma").set_index("rma")["state"]
    agreed = new["family"].map(states).isin(_AGREED)
    state = np.where(agreed, str(ReturnState.APPROVED), str(ReturnState.MANUAL))
    columns = ["merchant_id", "target", "family", "order_number", "received_at"]
    return new[columns].rename(columns={"target": "rma"}).assign(state=state)


def outstanding(receipts: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """How many units of the product were agreed for the return of each receipt and have not arrived (int64)."""
    lines = known.assign(family=base(known["rma"]))
    sums = lines.groupby(["family", "sku"]).agg(agreed=("quantity", "max"), arrived=("quantity_received", "sum"))
    left = (sums["agreed"] - sums["arrived"]).clip(lower=0)
    keys = pd.MultiIndex.from_arrays([receipts["family"], receipts["sku"]])
    return pd.Series(left.reindex(keys).fillna(0).to_numpy(dtype="int64"), index=receipts.index)
