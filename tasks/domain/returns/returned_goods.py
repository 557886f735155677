"""Returned goods: their disposition, the order lines they belong to, and the units a refund is due for."""

import numpy as np
import pandas as pd

from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.domain.states import Condition, Disposition, ReturnState

CONDITION_OF_DISPOSITION = {
    Disposition.RESTOCK: Condition.AVAILABLE,
    Disposition.QUARANTINE: Condition.QUARANTINE,
    Disposition.SCRAP: Condition.DAMAGED,
}
WRONG_ITEM_GRADE = "wrong_item"  # the grade of goods that are not what was ordered


def anchors(parcels: pd.DataFrame, orders: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """The moment the days of a return count from, and the event it is: order_id, anchored_at, anchor (str).

    `parcels`: order_id, shipped_at, delivered_at, one row per parcel that left; `orders`: order_id, fulfilled_at,
    paid_at. The last parcel counts. Without a delivery it is taken as delivered some days after it left; an order
    without parcels, some days after it was fulfilled or, failing that, paid.
    """
    shipped, paid = (pd.Timedelta(days=days) for days in (policy.shipped_plus_days, policy.paid_plus_days))
    sent = f"{policy.shipped_plus_days} days after it left (no delivery is known)"
    by_parcel = pd.DataFrame(
        {
            "order_id": parcels["order_id"],
            "anchored_at": parcels["delivered_at"].fillna(parcels["shipped_at"] + shipped),
            "anchor": np.where(parcels["delivered_at"].notna(), "delivery", sent),
        }
    )
    last = by_parcel.sort_values(["order_id", "anchored_at", "anchor"]).drop_duplicates("order_id", keep="last")
    rest = orders[~orders["order_id"].isin(last["order_id"])]
    paying = f"{policy.paid_plus_days} days after it was paid (neither delivery nor dispatch is known)"
    assumed = pd.DataFrame(
        {
            "order_id": rest["order_id"],
            "anchored_at": (rest["fulfilled_at"] + shipped).fillna(rest["paid_at"] + paid),
            "anchor": np.where(rest["fulfilled_at"].notna(), sent, paying),
        }
    )
    return pd.concat([last, assumed], ignore_index=True).astype({"anchor": "str"})


def disposed_products(lines: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """`lines` with the disposition of each received product and the number of units that count.

    `lines`: return_id, state (of the return), order_id Int64, sku, quantity (agreed), quantity_received, grade,
    resolution, on_order bool, left int64 (units shipped and not yet back), product_id Int64, is_kit, priced bool.
    Adds disposition, condition (str), returned (units of the order that came back), refundable, deduct_percent int64
    and flags (str, empty where nothing is odd; a flag calls for a person).
    """
    grade = lines["grade"].map(policy.grades)
    is_agreed = lines["state"].isin([ReturnState.APPROVED, ReturnState.RECEIVED, ReturnState.CLOSED])
    disposition = grade.map(lambda one: str(one.disposition))
    disposition = disposition.where(is_agreed & lines["on_order"], str(Disposition.QUARANTINE))
    disposition = disposition.mask(lines["quantity_received"] == 0, str(Disposition.NOT_RECEIVED))
    is_ordered = lines["on_order"] & (lines["grade"] != WRONG_ITEM_GRADE)
    before = lines.groupby(["order_id", "sku"], dropna=False)["quantity_received"].cumsum() - lines["quantity_received"]
    left = (lines["left"] - before).clip(lower=0)
    returned = lines["quantity_received"].clip(upper=left).where(is_ordered, 0)
    pays = is_agreed & (lines["resolution"] == "refund") & lines["priced"]
    pays &= ~grade.map(lambda one: one.by_hand).astype(bool)
    odd = {
        "not agreed before": ~is_agreed,
        "not on the order": ~lines["on_order"],
        "not what was ordered": lines["grade"] == WRONG_ITEM_GRADE,
        "empty box": lines["quantity_received"] == 0,
        "more than agreed": is_agreed & (lines["quantity_received"] > lines["quantity"]),
        "more than was sent": is_ordered & (lines["quantity_received"] > left),
        "price unknown": lines["on_order"] & ~lines["priced"],
        "unknown product": lines["product_id"].isna(),
        "a kit: book its parts by hand": lines["is_kit"],
    }
    conditions = {str(key): str(value) for key, value in CONDITION_OF_DISPOSITION.items()}
    flags = pd.Series("", index=lines.index, dtype="str")
    for flag, is_odd in odd.items():
        flags = flags.mask(is_odd, flags + np.where(flags == "", "", "; ") + flag)
    resolution = lines["resolution"].fillna("")
    flags = flags.mask((flags == "") & (resolution != "refund"), resolution.str.replace("_", " ") + " wanted")
    return lines.assign(
        disposition=disposition.astype("str"),
        condition=disposition.map(conditions).astype("str"),
        returned=returned.astype("int64"),
        refundable=returned.clip(upper=lines["quantity"]).where(pays, 0).astype("int64"),
        deduct_percent=grade.map(lambda one: one.deduct_percent).astype("int64"),
        flags=flags,
    )


def returned_units(disposed: pd.DataFrame, order_lines: pd.DataFrame) -> pd.DataFrame:
    """One row per returned product and order line its units belong to, the lower line number first.

    `disposed`: columns as in `disposed_products`; `order_lines`: order_id, line_number, sku, shipped, came_back.
    Returns return_id, sku, deduct_percent, order_id, line_number, first (units back before), returned, refundable.
    """
    pairs = disposed[["return_id", "order_id", "sku", "returned", "refundable", "deduct_percent"]].merge(
        order_lines, on=["order_id", "sku"]
    )
    pairs = pairs.sort_values(["return_id", "sku", "line_number"], kind="stable", ignore_index=True)
    earlier = disposed.groupby(["order_id", "sku"], dropna=False)["returned"].cumsum() - disposed["returned"]
    skip = disposed.assign(skip=earlier)[["return_id", "sku", "skip"]]
    pairs = pairs.merge(skip, on=["return_id", "sku"])
    room = pairs["shipped"] - pairs["came_back"]
    ahead = room.groupby([pairs["return_id"], pairs["sku"]]).cumsum() - room
    start = (pairs["skip"] - ahead).clip(lower=0, upper=room)  # units of the line taken by earlier returns of this run
    for name in ("returned", "refundable"):
        end = (pairs["skip"] + pairs[name] - ahead).clip(lower=0, upper=room)
        pairs[name] = end - start
    pairs["first"] = pairs["came_back"] + start
    kept = ["return_id", "sku", "deduct_percent", "order_id", "line_number", "first", "returned", "refundable"]
    return pairs.loc[pairs["returned"] > 0, kept].reset_index(drop=True)


def settled_returns(disposed: pd.DataFrame, refunds: pd.DataFrame, incomplete: pd.DataFrame) -> pd.DataFrame:
    """The state of each booked return: return_id, state, flags.

    A person looks at a return with a flag, or with refundable units but nothing left to refund. A return of which a
    product is still to come (`incomplete`: return_id) is received; every other is closed.
    """
    one = disposed.groupby("return_id").agg(
        flags=("flags", lambda flags: "; ".join(sorted({flag for flag in flags if flag}))),
        refundable=("refundable", "sum"),
    ).reset_index()  # fmt: skip
    unpaid = (one["refundable"] > 0) & ~one["return_id"].isin(refunds["return_id"])
    flags = one["flags"].mask(unpaid & (one["flags"] == ""), "nothing left to pay back")
    state = pd.Series(str(ReturnState.CLOSED), index=one.index, dtype="str")
    state = state.mask(one["return_id"].isin(incomplete["return_id"]), str(ReturnState.RECEIVED))
    return pd.DataFrame(
        {"return_id": one["return_id"], "state": state.mask(flags != "", str(ReturnState.MANUAL)), "flags": flags}
    )
