"""What a carrier's manifest says of which parcel."""

import pandas as pd

FACTS = ("carrier", "tracking_number", "shipped_at")


def addressed(rows: pd.DataFrame, parcels: pd.DataFrame) -> pd.DataFrame:
    """Which parcels each row speaks of: row_number, parcel, and what is known of it (known, known_<fact>).

    `rows`: row_number, merchant_id, parcel (may be missing), order_number, order_id, shipped_at. `parcels`:
    merchant_id, parcel, order_id, carrier, tracking_number, shipped_at. A row that names no parcel speaks of the parcel
    called like its order, if there is one; otherwise of the order's parcels that have not left, or left at that moment;
    otherwise of all of them; and of a new parcel called like its order when there are none.
    """
    known = parcels.assign(known=True).rename(columns={name: f"known_{name}" for name in FACTS})
    named = rows[rows["parcel"].notna()].merge(
        known.rename(columns={"order_id": "known_order_id"}), on=["merchant_id", "parcel"], how="left"
    )
    bare = rows[rows["parcel"].isna()].drop(columns="parcel").merge(known, on=["merchant_id", "order_id"], how="left")
    bare["closeness"] = 2
    same = bare["known_shipped_at"].isna() | (bare["known_shipped_at"] == bare["shipped_at"])
    bare.loc[same, "closeness"] = 1
    bare.loc[bare["parcel"] == bare["order_number"], "closeness"] = 0
    bare = bare[bare["closeness"] == bare.groupby("row_number")["closeness"].transform("min")]
    bare["parcel"] = bare["parcel"].fillna(bare["order_number"])
    every = pd.concat(
        [named, bare.drop(columns="closeness").assign(known_order_id=bare["order_id"])], ignore_index=True
    )
    every["known_order_id"] = every["known_order_id"].fillna(every["order_id"]).astype("int64")
    return every.assign(known=every["known"].notna()).sort_values(["row_number", "parcel"]).reset_index(drop=True)


def contradictions(told: pd.DataFrame) -> pd.DataFrame:
    """Rows that say otherwise than what was told of their parcel first: row_number, reason (str), one row a reason."""
    moved = told[told["order_id"] != told["known_order_id"]]
    found = [_reason(moved, "order_number", moved["order_number"], "the order the parcel was packed for")]
    parcel = told.groupby(["merchant_id", "parcel"])
    for name in FACTS:
        first = told[f"known_{name}"].fillna(parcel[name].transform("first"))
        differ = told[name].notna() & (_folded(told[name]) != _folded(first))
        other = told[differ.to_numpy(dtype=bool)]
        found.append(_reason(other, name, _words(other[name]), "'" + _words(first[differ]) + "' as told before"))
    return pd.concat(found, ignore_index=True).drop_duplicates("row_number")


def _reason(rows: pd.DataFrame, field: str, found: pd.Series, expected: pd.Series | str) -> pd.DataFrame:
    reason = f"{field}: found '" + found + "' for parcel '" + rows["parcel"] + "', expected " + expected
    return pd.DataFrame({"row_number": rows["row_number"].astype("int64"), "reason": reason.astype("str")})


def _folded(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    folded: pd.Series = values.astype("str").str.casefold()
    return folded


def _words(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values.astype("str")


def news(told: pd.DataFrame) -> pd.Series:
    """Whether each row tells something of its parcel that is not known yet (bool)."""
    new: pd.Series = ~told["known"].astype(bool)
    for name in FACTS:
        new |= (told[name].notna() & told[f"known_{name}"].isna()).astype(bool)
    return new
