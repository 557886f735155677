"""What a decided count posts, and which promises of stock that turned out not to be there it gives back."""

from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.counting.count_states import ReasonCode
from tasks.domain.states import AlertKind, MoveKind

_PLACE = ["location_id", "product_id", "lot"]
_NAMES = ("location", "merchant", "sku", "condition", "lot")


def give_back(promises: pd.DataFrame, needs: pd.DataFrame) -> pd.DataFrame:
    """Choose which promises shrink, and by how much.

    `promises`: open allocations, newest first: allocation_id, location_id, product_id, lot, quantity, picked (cannot
    be given back); `needs`: location_id, product_id, lot and need int64, the units to be given back there. Gives
    allocation_id and quantity int64 (> 0), what is given back of it.
    """
    rows = promises.merge(needs[[*_PLACE, "need"]], on=_PLACE, how="left")
    free = (rows["quantity"] - rows["picked"]).clip(lower=0)
    before = free.groupby([rows[name] for name in _PLACE]).cumsum() - free
    units = (rows["need"].fillna(0) - before).clip(lower=0)
    units = units.where(units < free, free).astype("int64")
    return rows.assign(quantity=units)[["allocation_id", "quantity"]][units > 0].reset_index(drop=True)


def first_at_each_place(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the earliest undecided count of each place, with case int64: one document and place.

    `lines`: warehouse_id, code, location (code), product_id, sku, condition, lot, counted_at, state. A later count of
    the same place is compared with the book only once the earlier one is posted. Ties go to the earlier code.
    """
    place = _numbered(lines, ["warehouse_id", "location", "product_id", "sku", "condition", "lot"])
    lines = lines.assign(place=place, case=_numbered(lines.assign(place=place), ["place", "code"]))
    if lines["place"].is_unique:
        return lines.drop(columns="place")
    waiting = lines["counted_at"].where(lines["state"] == "counted")
    lines = lines.assign(since=waiting.groupby(lines["case"]).transform("min"))
    order = lines.sort_values(["since", "code", "case"], kind="stable")
    first = order.groupby("place", sort=False)["case"].transform("first")
    return order[order["case"] == first].drop(columns=["since", "place"]).sort_values("line_id", ignore_index=True)


def _numbered(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """The same number for rows that say the same under `names`, whether or not they say anything."""
    number = np.zeros(len(rows), dtype="int64")
    for name in names:
        codes, distinct = pd.factorize(rows[name], use_na_sentinel=False)
        number = pd.factorize(number * max(1, len(distinct)) + codes)[0]
    return number


def adjustments(decided: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The stock moves of what was decided (`tasks.domain.counting.count_decisions.decide`), dated at the count.

    A difference of 0 moves nothing. As `tasks.store.ledger.append` takes them.
    """
    posted = decided[decided["is_finding"] & (decided["decision"] == "posted") & (decided["difference"] != 0)]
    return _moves(posted, posted["difference"], as_of, "count:" + _cause(posted))


def corrections(settled: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """What facts that came late change of adjustments posted before, so that every count stays true.

    `settled`: one row a place and moment at which a count was settled, as far as facts changed what was expected then:
    the columns of `adjustments` without difference, quantity (counted) and expected (as it is known now, earlier
    adjustments included) int64, and posted int64, how many moves the count has made. Right after each count the book
    must be what was counted: what a fact moved before it is moved back at the first count after it, no later count
    notices. Dated at the count.
    """
    place = ["location_id", "product_id", "condition", "lot"]
    settled = settled.sort_values([*place, "counted_at"], ignore_index=True)
    off = settled["quantity"] - settled["expected"]
    units = off - off.groupby([settled[name] for name in place]).shift(fill_value=0)
    late = settled.assign(
        reason_code=np.where(units > 0, ReasonCode.OUTBOUND_NOT_RECORDED, ReasonCode.INBOUND_NOT_RECORDED)
    )[units != 0]
    cause = "late:" + _cause(late) + ":" + late["posted"].astype("str")
    return _moves(late, units[units != 0], as_of, cause)


def _cause(rows: pd.DataFrame) -> pd.Series:
    moment = rows["counted_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = [rows["code"], rows["round"].astype("str"), *(rows[name] for name in _NAMES), moment]
    return rows["warehouse"].str.cat(parts, sep=":")


def _moves(rows: pd.DataFrame, units: pd.Series, as_of: datetime, cause: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product_id": rows["product_id"].astype("int64"),
            "location_id": rows["location_id"].astype("int64"),
            "condition": rows["condition"],
            "lot": rows["lot"],
            "quantity": units.astype("int64"),
            "kind": MoveKind.COUNT.value,
            "reason": rows["reason_code"].astype("str"),
            "document": rows["code"],
            "effective_at": rows["counted_at"],
            "recorded_at": pd.Timestamp(as_of),
            "cause": cause.astype("str"),
        }
    )


def impossible_promises(decided: pd.DataFrame) -> pd.DataFrame:
    """Places where less will be on hand than is promised: the rows of `told` with need int64, the units too many."""
    need = decided["allocated"] - (decided["on_hand"] + decided["difference"])
    posted = decided["is_finding"] & (decided["decision"] == "posted") & (decided["condition"] == "available")
    return decided.assign(need=need.astype("int64"))[posted & (need > 0) & (decided["allocated"] > 0)]


def broken_promises(places: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert a SKU whose promises were given back, as `tasks.store.stock.alerts.raise_alerts` takes them.

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
