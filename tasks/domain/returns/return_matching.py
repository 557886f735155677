"""Which return a request or a received box belongs to.

A return lists each product once, and its units get their disposition once. When goods arrive for a return that is
already booked, or a product that has already arrived, they become a further parcel of the return: RMA-…~2, RMA-…~3.
"""

import numpy as np
import pandas as pd

from tasks.domain.states import ReturnState

ORDER_NUMBER_SEPARATOR = " + "
WITHOUT_RMA = "receipt_without_rma"
_AGREED = [str(state) for state in (ReturnState.APPROVED, ReturnState.RECEIVED, ReturnState.CLOSED)]


def requested_returns(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per request: the facts of its first row, and every order number its rows name.

    `rows`: row_number, merchant_id, merchant, request_id, order_number, customer_reference, email, resolution,
    requested_at. Returns merchant_id, request_id, rma, order_number, customer_reference, email, resolution,
    requested_at.
    """
    key = ["merchant_id", "request_id"]
    with_order = rows.dropna(subset="order_number").drop_duplicates([*key, "order_number"])
    numbers = with_order.groupby(key)["order_number"].agg(lambda names: ORDER_NUMBER_SEPARATOR.join(sorted(names)))
    first = rows.sort_values("row_number").drop_duplicates(key).drop(columns=["order_number", "row_number"])
    requests = first.merge(numbers.reset_index(), on=key, how="left")
    requests["rma"] = "RMA-" + requests["merchant"] + "-" + requests["request_id"]
    return requests.drop(columns="merchant").astype({"order_number": "str"})


def base_rma(rmas: pd.Series) -> pd.Series:
    """The RMA of the return itself, without the number of a further parcel."""
    return rmas.astype("str").str.replace(r"~\d+$", "", regex=True)


def new_receipts(rows: pd.DataFrame, return_lines: pd.DataFrame) -> pd.DataFrame:
    """The receipts that are not booked on a return of their RMA or order yet.

    `rows`: merchant_id, rma, order_number, sku, quantity, grade, received_at, made (the RMA of a return opened for the
    receipt). `return_lines`, of the returns in question: return_id, merchant_id, rma, order_number, state, sku,
    quantity (agreed), quantity_received, grade, received_at, booked bool (of the return).
    """
    key = ["merchant_id", "sku", "grade", "received_at"]
    booked = return_lines.assign(family=base_rma(return_lines["rma"]), quantity=return_lines["quantity_received"])
    pairs = rows.reset_index(names="row").merge(booked, on=[*key, "quantity"], suffixes=("", "_known"))
    same_return = (base_rma(pairs["rma"]) == pairs["family"]) | (pairs["made"] == pairs["family"])
    same_return |= pairs["rma"].isna() & (pairs["order_number"] == pairs["order_number_known"])
    return rows[~rows.index.isin(pairs.loc[same_return.fillna(value=False).astype(bool), "row"])]


def with_return(rows: pd.DataFrame, return_lines: pd.DataFrame) -> pd.DataFrame:
    """`rows` with family (the RMA of the return) and target (the RMA, perhaps of a further parcel).

    Columns as in `new_receipts`. A receipt goes to the return of its RMA. Without one, it goes to the only agreed
    return of its order that still expects the product; otherwise a return is opened for it.
    """
    lines = return_lines.assign(family=base_rma(return_lines["rma"]))
    key = ["merchant_id", "order_number", "sku"]
    expected = lines[(lines["state"] == str(ReturnState.APPROVED)) & lines["received_at"].isna()]
    expected = expected.drop_duplicates(key, keep=False)[[*key, "family"]]
    by_order = rows[key].merge(expected, on=key, how="left")["family"].set_axis(rows.index)
    by_rma = base_rma(rows["rma"])
    family = by_rma.where(by_rma.isin(lines["family"]), by_order.where(rows["rma"].isna())).fillna(rows["made"])
    number = _booked_before(family, lines) + _arrived_before(family, rows["sku"], lines)
    number += rows.groupby([family, "sku"]).cumcount()
    return rows.assign(family=family, target=family + np.where(number > 0, "~" + (number + 1).astype("str"), ""))


def _booked_before(family: pd.Series, lines: pd.DataFrame) -> pd.Series:
    """The number of booked parcels of each return."""
    booked = lines[lines["booked"]].groupby("family")["rma"].nunique()
    return family.map(booked).fillna(0).astype("int64")


def _arrived_before(family: pd.Series, sku: pd.Series, lines: pd.DataFrame) -> pd.Series:
    """The number of parcels of each return that hold the product and are not booked yet."""
    arrived = lines[~lines["booked"] & lines["received_at"].notna()].groupby(["family", "sku"]).size()
    keys = pd.MultiIndex.from_arrays([family, sku])
    return pd.Series(arrived.reindex(keys).fillna(0).to_numpy(dtype="int64"), index=family.index)


def returns_to_open(receipts: pd.DataFrame, return_lines: pd.DataFrame) -> pd.DataFrame:
    """The returns that receipts need and that do not exist: merchant_id, rma, family, order_number, received_at, state.

    `receipts`: columns as in `with_return`. A further parcel of an agreed return is agreed too; a person decides about
    every other.
    """
    new = receipts[~receipts["target"].isin(return_lines["rma"])].sort_values("row_number").drop_duplicates("target")
    states = return_lines.drop_duplicates("rma").set_index("rma")["state"]
    is_agreed = new["family"].map(states).isin(_AGREED)
    state = np.where(is_agreed, str(ReturnState.APPROVED), str(ReturnState.MANUAL))
    columns = ["merchant_id", "target", "family", "order_number", "received_at"]
    return new[columns].rename(columns={"target": "rma"}).assign(state=state)


def outstanding_units(receipts: pd.DataFrame, return_lines: pd.DataFrame) -> pd.Series:
    """The units of the product that were agreed for the return of each receipt and have not arrived (int64)."""
    lines = return_lines.assign(family=base_rma(return_lines["rma"]))
    sums = lines.groupby(["family", "sku"]).agg(agreed=("quantity", "max"), arrived=("quantity_received", "sum"))
    outstanding = (sums["agreed"] - sums["arrived"]).clip(lower=0)
    keys = pd.MultiIndex.from_arrays([receipts["family"], receipts["sku"]])
    return pd.Series(outstanding.reindex(keys).fillna(0).to_numpy(dtype="int64"), index=receipts.index)
