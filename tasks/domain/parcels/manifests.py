"""Which parcels the rows of a carrier's manifest name, and where they contradict what is known."""

import pandas as pd

SHIPMENT_FACTS = ("carrier", "tracking_number", "shipped_at")


def named_parcels(rows: pd.DataFrame, parcels: pd.DataFrame) -> pd.DataFrame:
    """One row per manifest row and parcel it names, with what is known of the parcel (known, known_<fact>).

    `rows`: row_number, merchant_id, parcel (may be missing), order_number, order_id, shipped_at. `parcels`:
    merchant_id, parcel, order_id, carrier, tracking_number, shipped_at.
    A row without a parcel names the parcel that has its order's number. Where there is none, it names the parcels of
    the order that have not left or that left at that moment; failing that, all parcels of the order; failing that, a
    new parcel with the order's number.
    """
    known_parcels = parcels.assign(known=True).rename(columns={name: f"known_{name}" for name in SHIPMENT_FACTS})
    with_parcel = rows[rows["parcel"].notna()].merge(
        known_parcels.rename(columns={"order_id": "known_order_id"}), on=["merchant_id", "parcel"], how="left"
    )
    by_order = rows[rows["parcel"].isna()].drop(columns="parcel")
    by_order = by_order.merge(known_parcels, on=["merchant_id", "order_id"], how="left")
    by_order["closeness"] = 2
    is_candidate = by_order["known_shipped_at"].isna() | (by_order["known_shipped_at"] == by_order["shipped_at"])
    by_order.loc[is_candidate, "closeness"] = 1
    by_order.loc[by_order["parcel"] == by_order["order_number"], "closeness"] = 0
    by_order = by_order[by_order["closeness"] == by_order.groupby("row_number")["closeness"].transform("min")]
    by_order["parcel"] = by_order["parcel"].fillna(by_order["order_number"])
    by_order = by_order.drop(columns="closeness").assign(known_order_id=by_order["order_id"])
    pairs = pd.concat([with_parcel, by_order], ignore_index=True)
    pairs["known_order_id"] = pairs["known_order_id"].fillna(pairs["order_id"]).astype("int64")
    return pairs.assign(known=pairs["known"].notna()).sort_values(["row_number", "parcel"]).reset_index(drop=True)


def contradictions(pairs: pd.DataFrame) -> pd.DataFrame:
    """Rows that contradict what was reported of their parcel before: row_number, reason (str), one row per row_number.

    `pairs`: columns as in `named_parcels`.
    """
    moved = pairs[pairs["order_id"] != pairs["known_order_id"]]
    reasons = [_reasons(moved, "order_number", moved["order_number"], "the order the parcel was packed for")]
    by_parcel = pairs.groupby(["merchant_id", "parcel"])
    for name in SHIPMENT_FACTS:
        first = pairs[f"known_{name}"].fillna(by_parcel[name].transform("first"))
        differs = (pairs[name].notna() & (_folded(pairs[name]) != _folded(first))).to_numpy(dtype=bool)
        other = pairs[differs]
        expected = "'" + _as_text(first[differs]) + "' as reported before"
        reasons.append(_reasons(other, name, _as_text(other[name]), expected))
    return pd.concat(reasons, ignore_index=True).drop_duplicates("row_number")


def _reasons(rows: pd.DataFrame, field: str, value: pd.Series, expected: pd.Series | str) -> pd.DataFrame:
    reason = f"{field}: found '" + value + "' for parcel '" + rows["parcel"] + "', expected " + expected
    return pd.DataFrame({"row_number": rows["row_number"].astype("int64"), "reason": reason.astype("str")})


def _folded(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    folded: pd.Series = values.astype("str").str.casefold()
    return folded


def _as_text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values.astype("str")


def is_news(pairs: pd.DataFrame) -> pd.Series:
    """Whether a row states something of its parcel that is not known yet (bool)."""
    new: pd.Series = ~pairs["known"].astype(bool)
    for name in SHIPMENT_FACTS:
        new |= (pairs[name].notna() & pairs[f"known_{name}"].isna()).astype(bool)
    return new
