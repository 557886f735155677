"""The contents of parcels: which order line a scanned unit belongs to, and how many whole units of a line are packed.

`parts` are the SKUs that order lines consist of: order_id, line_number, sku (str), per int64 (units of the SKU in one
unit of the line), own bool (the line's own SKU; otherwise a component of its kit), ordered int64 (less cancelled),
picked int64, is_kit bool. A kit is listed with its own SKU, in case it is packed ready-made, and with its components.

One rule for kits: a scanned component counts toward lines that order its SKU first, and then toward the kit's line. A
kit is packed, shipped or delivered when each of its components is there in full.
"""

from dataclasses import dataclass

import pandas as pd

from tasks.domain.sharing import UNLIMITED, share_out


@dataclass(frozen=True)
class ShipmentRules:
    """The schema of config/rules/shipments.yaml."""

    lost_after_days: int
    followed_days_max: int


ORDER_LINE_KEY = ["order_id", "line_number"]


def scanned_skus(scans: pd.DataFrame, products: pd.DataFrame, parts: pd.DataFrame) -> pd.Series:
    """The SKU of each scanned code (str, index of `scans`).

    `scans`: merchant_id, order_id, sku (the code). `products`: merchant_id, sku, barcode. A code that is a SKU of the
    order or of the merchant is that SKU. Otherwise it is read as a barcode without its leading zeros (GTIN); of several
    products with that barcode the one on the order wins, then the first by SKU. Any other code is returned as it is.
    """
    is_sku = _is_in(scans, products, ["merchant_id", "sku"]) | _is_in(scans, parts, ["order_id", "sku"])
    codes = scans.assign(at=scans.index, barcode=scans["sku"].str.lstrip("0"))[~is_sku]
    barcodes = products[products["barcode"].notna()]
    barcodes = barcodes.assign(barcode=barcodes["barcode"].str.lstrip("0")).rename(columns={"sku": "product"})
    pairs = codes.merge(barcodes, on=["merchant_id", "barcode"])
    pairs["on_order"] = _is_in(pairs.assign(sku=pairs["product"]), parts, ["order_id", "sku"])
    pairs = pairs.sort_values(["on_order", "product"], ascending=[False, True])
    best = pairs.drop_duplicates("at").set_index("at")["product"]
    return best.reindex(scans.index).fillna(scans["sku"]).astype("str")


def _is_in(rows: pd.DataFrame, other: pd.DataFrame, key: list[str]) -> pd.Series:
    match = rows[key].merge(other[key].drop_duplicates().assign(match=True), on=key, how="left")["match"]
    return pd.Series(match.notna().to_numpy(), index=rows.index)


def parcel_lines(scans: pd.DataFrame, parts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """One row per parcel, order line and SKU: shipment_id, order_id, line_number Int64, sku, quantity.

    `scans`: shipment_id, order_id, sku, quantity, in packing order. `before`: the contents of the orders' other
    parcels: order_id, line_number, sku, quantity. A scanned unit goes to a line that has it picked, then to one that
    still has it ordered. Surplus units go to the first line with the SKU; a SKU that is on no line has no line_number.
    """
    on_lines = share_out(scans, _capacity(parts, before), ["order_id", "sku"])
    on_no_line = scans[~_is_in(scans, parts, ["order_id", "sku"])]
    units = pd.concat([on_lines, on_no_line], ignore_index=True).astype({"line_number": "Int64", "quantity": "int64"})
    key = ["shipment_id", "order_id", "line_number", "sku"]
    return units.groupby(key, dropna=False, as_index=False)[["quantity"]].sum()


def _capacity(parts: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What each part may take, in three rows: the picked units, the rest of the order, and any surplus."""
    parts = parts.sort_values(["own", *ORDER_LINE_KEY], ascending=[False, True, True])
    taken = before.groupby([*ORDER_LINE_KEY, "sku"])["quantity"].sum().rename("taken")
    parts = parts.join(taken, on=[*ORDER_LINE_KEY, "sku"]).fillna({"taken": 0}).astype({"taken": "int64"})
    picked, ordered = parts["picked"] * parts["per"], parts["ordered"] * parts["per"]
    first = (picked - parts["taken"]).clip(lower=0)
    rest = (ordered - parts["taken"].clip(lower=picked)).clip(lower=0)
    stages = [parts.assign(quantity=first), parts.assign(quantity=rest)]
    stages.append(parts.drop_duplicates(["order_id", "sku"]).assign(quantity=UNLIMITED))
    return pd.concat(stages, ignore_index=True)[["order_id", "sku", "line_number", "quantity"]]


def explode_kits(content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Parcel contents in SKUs that are kept in stock: a kit scanned as such becomes its components.

    `content`: order_id, line_number, sku, quantity and more; rows without a line stay as they are.
    """
    kits = parts.loc[parts["own"] & parts["is_kit"], [*ORDER_LINE_KEY, "sku"]].drop_duplicates()
    components = parts.loc[~parts["own"], [*ORDER_LINE_KEY, "sku", "per"]].rename(columns={"sku": "part"})
    kits = kits.merge(components, on=ORDER_LINE_KEY)
    rows = content.merge(kits, on=[*ORDER_LINE_KEY, "sku"], how="left")
    rows["quantity"] *= rows.pop("per").fillna(1).astype("int64")
    rows["sku"] = rows.pop("part").fillna(rows["sku"])
    return rows


def line_units(content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The number of whole units of each order line in `content`: order_id, line_number, units int64."""
    key = [*ORDER_LINE_KEY, "sku"]
    packed = explode_kits(content[content["line_number"].notna()], parts).groupby(key)["quantity"].sum()
    lines = parts[~parts["own"] | ~parts["is_kit"]].join(packed.rename("packed"), on=key)
    lines["units"] = lines["packed"].fillna(0).astype("int64") // lines["per"]
    return lines.groupby(ORDER_LINE_KEY, as_index=False)[["units"]].min()
