"""Parcels and what is in them: which order line a scan serves, how far a line has come, and where a parcel is.

Everywhere `parts` is what order lines are made of: order_id, line_number, sku (str), per int64 (units of the SKU in one
unit of the line), own bool (the line's own SKU; otherwise a component of its kit), ordered int64 (less cancelled),
picked int64, is_kit bool. A kit has its own SKU, for one that is packed ready-made, and its components.

One rule for kits: what is scanned as a component counts toward the kit's line, after lines that ask for that SKU
themselves; a kit is packed, shipped or delivered when each of its components is there in full.
"""

from dataclasses import dataclass

import pandas as pd

from tasks.domain.sharing import PLENTY, share_out


@dataclass(frozen=True)
class ShipmentRules:
    """The schema of config/rules/shipments.yaml."""

    lost_after_days: int
    followed_days_max: int


LINE = ["order_id", "line_number"]


def read_codes(scans: pd.DataFrame, products: pd.DataFrame, parts: pd.DataFrame) -> pd.Series:
    """The SKU of each scanned code (str), by the index of `scans`.

    `scans`: merchant_id, order_id, sku (the code). `products`: merchant_id, sku, barcode. A code that is a SKU of the
    order or the merchant is that SKU; otherwise a barcode, whose leading zeros do not count, and of several products
    with it the one on the order, then the first by SKU; otherwise it stays what it is, on no line of the order.
    """
    known = _has(scans, products, ["merchant_id", "sku"]) | _has(scans, parts, ["order_id", "sku"])
    codes = scans.assign(at=scans.index, barcode=scans["sku"].str.lstrip("0"))[~known]
    coded = products[products["barcode"].notna()]
    coded = coded.assign(barcode=coded["barcode"].str.lstrip("0")).rename(columns={"sku": "named"})
    pairs = codes.merge(coded, on=["merchant_id", "barcode"])
    pairs["asked"] = _has(pairs.assign(sku=pairs["named"]), parts, ["order_id", "sku"])
    best = pairs.sort_values(["asked", "named"], ascending=[False, True]).drop_duplicates("at").set_index("at")["named"]
    return best.reindex(scans.index).fillna(scans["sku"]).astype("str")


def _has(rows: pd.DataFrame, other: pd.DataFrame, key: list[str]) -> pd.Series:
    found = rows[key].merge(other[key].drop_duplicates().assign(has=True), on=key, how="left")["has"]
    return pd.Series(found.notna().to_numpy(), index=rows.index)


def attach(scans: pd.DataFrame, parts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Which order line each scanned unit serves.

    `scans`: shipment_id, order_id, sku, quantity, in packing order. `before`: order_id, line_number, sku, quantity:
    what other parcels hold. A SKU serves what was picked of its lines first, then what else they ask for; what is left
    over is listed on the first of its lines, or, when the order has none, without one.
    Gives shipment_id, order_id, line_number Int64, sku, quantity, one row each.
    """
    given = share_out(scans, _capacity(parts, before), ["order_id", "sku"])
    none = scans.merge(parts[["order_id", "sku"]].drop_duplicates(), how="left", indicator="known")
    strangers = none[none["known"] == "left_only"].drop(columns="known")
    every = pd.concat([given, strangers], ignore_index=True).astype({"line_number": "Int64", "quantity": "int64"})
    key = ["shipment_id", "order_id", "line_number", "sku"]
    return every.groupby(key, dropna=False, as_index=False)[["quantity"]].sum()


def _capacity(parts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What each part may take: picked, then the rest of the order, then whatever is left over."""
    parts = parts.sort_values(["own", *LINE], ascending=[False, True, True])
    taken = before.groupby([*LINE, "sku"])["quantity"].sum().rename("taken")
    parts = parts.join(taken, on=[*LINE, "sku"]).fillna({"taken": 0}).astype({"taken": "int64"})
    picked, ordered = parts["picked"] * parts["per"], parts["ordered"] * parts["per"]
    first = (picked - parts["taken"]).clip(lower=0)
    rest = (ordered - parts["taken"].clip(lower=picked)).clip(lower=0)
    stages = [parts.assign(quantity=first), parts.assign(quantity=rest)]
    stages.append(parts.drop_duplicates(["order_id", "sku"]).assign(quantity=PLENTY))
    return pd.concat(stages, ignore_index=True)[["order_id", "sku", "line_number", "quantity"]]


def explode(content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Parcel content in the SKUs that lie in stock: a kit scanned as such becomes its components.

    `content`: order_id, line_number, sku, quantity and more; rows without a line stay as they are.
    """
    kits = parts.loc[parts["own"] & parts["is_kit"], [*LINE, "sku"]].drop_duplicates()
    inside = parts.loc[~parts["own"], [*LINE, "sku", "per"]].rename(columns={"sku": "part"})
    kits = kits.merge(inside, on=LINE)
    rows = content.merge(kits, on=[*LINE, "sku"], how="left")
    rows["quantity"] *= rows.pop("per").fillna(1).astype("int64")
    rows["sku"] = rows.pop("part").fillna(rows["sku"])
    return rows


def line_units(content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """How many whole units of each order line the content makes: order_id, line_number, units int64."""
    held = explode(content[content["line_number"].notna()], parts).groupby([*LINE, "sku"])["quantity"].sum()
    leaves = parts[~parts["own"] | ~parts["is_kit"]]
    whole = leaves.join(held.rename("held"), on=[*LINE, "sku"])
    whole["units"] = whole["held"].fillna(0).astype("int64") // whole["per"]
    return whole.groupby(LINE, as_index=False)[["units"]].min()
