"""What a decided count posts, and which promises of stock that turned out not to be there it gives back."""

from datetime import datetime

import pandas as pd

from tasks.domain.states import AlertKind, MoveKind

_PLACE = ["location_id", "product_id", "lot"]


def give_back(promises: pd.DataFrame, needs: pd.DataFrame) -> pd.DataFrame:
    """Choose which promises shrink, and by how much.

    `promises`: open allocations, newest first: allocation_id, location_id, product_id, lot, quantity, picked (cannot
    be given back); `needs`: location_id, product_id, lot and need int64, the units to be given back there. Gives
    allocation_id and quantity int64 (> 0), what is given back of it.
    """
    rows = promises.merge(needs[[*_PLACE, "need"]], on=_PLACE, how="left")
    free = (rows["quantity"] - rows["picked"]).clip(lower=0)
    before = free.groupby([rows[name] for name in _PLACE]).cumsum() - free
    given = (rows["need"].fillna(0) - before).clip(lower=0)
    given = given.where(given < free, free).astype("int64")
    return rows.assign(quantity=given)[["allocation_id", "quantity"]][given > 0].reset_index(drop=True)


def first_at_each_place(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the earliest undecided count of each place, with case int64: one document and place.

    `lines`: warehouse_id, code, location_id, product_id, sku, condition, lot, counted_at, state. A later count of the
    same place is compared with the book only once the earlier one is posted. Ties go to the earlier code.
    """
    place = ["location_id", "product_id", "sku", "condition", "lot"]
    case = lines.groupby(["warehouse_id", "code", *place], dropna=False, sort=True).ngroup().astype("int64")
    waiting = lines["counted_at"].where(lines["state"] == "counted")
    lines = lines.assign(case=case, since=waiting.groupby(case).transform("min"))
    order = lines.sort_values(["since", "code", "case"], kind="stable")
    first = order.groupby(place, dropna=False, sort=False)["case"].transform("first")
    return order[order["case"] == first].drop(columns="since").sort_values("line_id", ignore_index=True)


def adjustments(told: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The stock moves of what was decided (`tasks.domain.counts.decide`), dated at the count.

    A difference of 0 moves nothing. As `tasks.store.stock.post_moves` takes them.
    """
    posted = told[told["is_finding"] & (told["decision"] == "posted")]
    number = posted["round"].astype("str")
    cause = "count:" + posted["warehouse"] + ":" + posted["code"] + ":" + number + ":" + posted["location"] + ":"
    cause += posted["merchant"] + ":" + posted["sku"] + ":" + posted["condition"] + ":" + posted["lot"] + ":"
    cause += posted["counted_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pd.DataFrame(
        {
            "product_id": posted["product_id"].astype("int64"),
            "location_id": posted["location_id"],
            "condition": posted["condition"],
            "lot": posted["lot"],
            "quantity": posted["difference"],
            "kind": MoveKind.COUNT.value,
            "reason": posted["reason_code"],
            "document": posted["code"],
            "effective_at": posted["counted_at"],
            "recorded_at": pd.Timestamp(as_of),
            "cause": cause.astype("str"),
        }
    )


def impossible_promises(told: pd.DataFrame) -> pd.DataFrame:
    """Places where less will be on hand than is promised: the rows of `told` with need int64, the units too many."""
    need = told["allocated"] - (told["on_hand"] + told["difference"])
    posted = told["is_finding"] & (told["decision"] == "posted") & (told["condition"] == "available")
    return told.assign(need=need.astype("int64"))[posted & (need > 0) & (told["allocated"] > 0)]


def broken_promises(places: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert a SKU whose promises were given back, as `tasks.store.alerts.raise_alerts` takes them.

    `places` as `impossible_promises` gives them. The cause is that of an oversold SKU: allocate-orders closes it when
    the orders are served from elsewhere.
    """
    value = (places["need"] * places["unit_minor"].astype("Int64")).astype("Int64")
    key = ["merchant", "sku", "merchant_id", "currency"]
    sums = places.assign(value_minor=value).groupby(key, dropna=False)[["need", "value_minor"]].sum().reset_index()
    return pd.DataFrame(
        {
            "cause": "oversell:" + sums["merchant"] + ":" + sums["sku"],
            "kind": AlertKind.OVERSELL.value,
            "subject": sums["sku"],
            "detail": "a count left less than was promised: " + sums["need"].astype("str") + " units given back",
            "merchant_id": sums["merchant_id"].astype("Int64"),
            "opened_at": pd.Timestamp(as_of),
            "value_minor": sums["value_minor"],
            "currency": sums["currency"],
        }
    )
