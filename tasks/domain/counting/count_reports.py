"""What counts found, as an analyst reads it: what to act on, by SKU, record accuracy, shrinkage, transfers, a trend."""

from zoneinfo import ZoneInfo

import pandas as pd

from tasks.domain.counting.count_states import NO_EVIDENCE
from tasks.domain.counting.record_accuracy import record_accuracy

ACT = ("review", "recount")
WHAT = ("finding", "decision", "role", "warehouse", "location", "merchant", "sku", "name", "condition", "lot",
        "expected", "counted", "difference", "value_minor", "currency", "why", "other_place", "counter",
        "counted_at", "count", "round")  # fmt: skip
JUDGED = ("abc_class", "kind", "within_tolerance", "rule", "reason_code", "decided_by", "asked_at", "answer",
          "answered_by", "answered_at", "comment", "export")  # fmt: skip
_GOODS = ["warehouse", "merchant", "sku"]


def open_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """What waits for a person or another count, the dearest first; columns WHAT."""
    waiting = findings[findings["decision"].isin(ACT)]
    order = waiting["value_minor"].abs().fillna(0).sort_values(ascending=False, kind="stable").index
    first = waiting.loc[order].sort_values("decision", ascending=False, kind="stable")
    return first[list(WHAT)].reset_index(drop=True)


def counted_places(findings: pd.DataFrame) -> pd.DataFrame:
    """Every counted place, matched ones as evidence; columns WHAT and JUDGED."""
    return findings[[*WHAT, *JUDGED]].reset_index(drop=True)


def sku_totals(findings: pd.DataFrame) -> pd.DataFrame:
    """One row a SKU over its bins: what is over in one and short in another is seen beside what is really gone.

    warehouse, merchant, sku, name, places, places_off, expected, counted, net and absolute difference in units and
    value; the largest absolute value first, then the SKU.
    """
    live = findings[findings["decision"] != "superseded"]
    rows = live.assign(
        places=1, places_off=(live["difference"] != 0).astype("int64"), net=live["difference"],
        absolute=live["difference"].abs(), value_net_minor=live["value_minor"].astype("Int64"),
        value_absolute_minor=live["value_minor"].astype("Int64").abs(),
    )  # fmt: skip
    sums = ["places", "places_off", "expected", "counted", "net", "absolute", "value_net_minor", "value_absolute_minor"]
    facts = {name: (name, "sum") for name in sums}
    totals = rows.groupby(_GOODS, dropna=False, sort=True).agg(
        name=("name", "first"), **facts, currency=("currency", "first")
    )
    totals = totals.reset_index().sort_values("value_absolute_minor", ascending=False, kind="stable", ignore_index=True)
    return totals[[*_GOODS, "name", *sums, "currency"]]


def accuracy_by_warehouse(findings: pd.DataFrame) -> pd.DataFrame:
    """Record accuracy of each warehouse, in all and by ABC class: the columns of `record_accuracy`, and warehouse.

    accuracy is by line (hit or miss, never netted), accuracy_value by the absolute value of the differences.
    """
    live = findings[~findings["decision"].isin(NO_EVIDENCE)]
    each = [record_accuracy(rows).assign(warehouse=code) for code, rows in live.groupby("warehouse", sort=True)]
    rows_of_all = pd.concat(each, ignore_index=True) if each else record_accuracy(live).assign(warehouse="")
    currencies = live.groupby("warehouse")["currency"].first()
    rows_of_all = rows_of_all.assign(currency=rows_of_all["warehouse"].map(currencies))
    names = ["warehouse", "abc_class", "places", "right", "accuracy", "value_minor", "off_minor", "accuracy_value"]
    return rows_of_all[[*names, "currency"]]


def shrinkage(adjusted: pd.DataFrame) -> pd.DataFrame:
    """What counts took off the book and put on it, by reason code, and of each warehouse in all.

    `adjusted`: warehouse, reason, quantity_delta int64, unit_minor Int64, currency, a row a move. Gives warehouse,
    reason, moves, units_lost, units_found, units_net (negative: lost), units_absolute, the value net and absolute.
    """
    value = adjusted["quantity_delta"].astype("Int64") * adjusted["unit_minor"].astype("Int64")
    rows = adjusted.assign(
        moves=1, units_lost=-adjusted["quantity_delta"].clip(upper=0),
        units_found=adjusted["quantity_delta"].clip(lower=0), units_net=adjusted["quantity_delta"],
        units_absolute=adjusted["quantity_delta"].abs(), value_net_minor=value, value_absolute_minor=value.abs(),
    )  # fmt: skip
    sums = ["moves", "units_lost", "units_found", "units_net", "units_absolute", "value_net_minor",
            "value_absolute_minor"]  # fmt: skip
    every = pd.concat([rows.assign(reason="all reasons"), rows])
    key = ["warehouse", "currency", "reason"]
    totals = every.groupby(key, dropna=False, sort=False)[sums].sum().reset_index()
    return totals.sort_values("warehouse", kind="stable", ignore_index=True)[["warehouse", "reason", *sums, "currency"]]


def transfers(findings: pd.DataFrame) -> pd.DataFrame:
    """Goods in the wrong bin, a row a pair: move them back, or approve both findings and the book follows them.

    warehouse, merchant, sku, name, condition, lot, from_location (where the book has them), to_location (where they
    were found), quantity, decision, finding_from, finding_to, count.
    """
    pair = findings[findings["transfer_line_id"].notna()]
    short = pair[pair["difference"] < 0]
    over = pair[pair["difference"] > 0][["line_id", "location", "difference", "finding"]]
    both = short.merge(over, left_on="transfer_line_id", right_on="line_id", suffixes=("", "_to"))
    units = pd.concat([both["difference"].abs(), both["difference_to"]], axis="columns").min(axis="columns")
    pairs = both.rename(columns={"location": "from_location", "location_to": "to_location", "finding": "finding_from"})
    names = ["warehouse", "merchant", "sku", "name", "condition", "lot", "from_location", "to_location", "quantity",
             "decision", "finding_from", "finding_to", "count"]  # fmt: skip
    return pairs.assign(quantity=units.astype("int64"))[names].reset_index(drop=True)


def trend(counted: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """Accuracy and shrinkage of each day, on its own clock, on which a warehouse counted.

    `counted`: warehouse, time_zone, moment, currency, places, hits, value_minor, off_minor int64; `adjusted`: the same
    key, net_minor, absolute_minor int64. Gives warehouse, day (text), accuracy and accuracy_value (parts of one;
    missing where nothing was counted or nothing has a value), net_minor, absolute_minor, currency; in that order.
    """
    key = ["warehouse", "day", "currency"]
    sides = [rows.assign(day=_days(rows)).groupby(key).sum(numeric_only=True).reset_index()
            for rows in (counted, adjusted)]  # fmt: skip
    both = sides[0].merge(sides[1], on=key, how="outer").sort_values(key, ignore_index=True)
    numbers = ["places", "hits", "value_minor", "off_minor", "net_minor", "absolute_minor"]
    both[numbers] = both[numbers].fillna(0).astype("int64")
    lines = both.groupby(["warehouse", "day"])[["places", "hits"]].transform("sum")
    kept = (both["value_minor"] - both["off_minor"]).clip(lower=0)
    days = both.assign(
        accuracy=(lines["hits"] / lines["places"].where(lines["places"] > 0)).round(4),
        accuracy_value=(kept / both["value_minor"].where(both["value_minor"] > 0)).round(4),
    )
    valued = (days["currency"] != "").groupby([days["warehouse"], days["day"]]).transform("any")
    days = days[(days["currency"] != "") | ~valued]  # what has no currency is counted by line with the others
    return days[["warehouse", "day", "accuracy", "accuracy_value", "net_minor", "absolute_minor", "currency"]]


def _days(rows: pd.DataFrame) -> pd.Series:
    days = [f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}" for moment, zone in zip(rows["moment"], rows["time_zone"],
                                                                                     strict=True)]  # fmt: skip
    return pd.Series(days, index=rows.index, dtype="str")
