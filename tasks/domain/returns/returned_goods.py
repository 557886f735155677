"""What came back: where it goes, which units of which order lines it is, and what is paid back for it."""

import numpy as np
import pandas as pd

from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.domain.states import Condition, Disposition, ReturnState

CONDITIONS = {
    Disposition.RESTOCK: Condition.AVAILABLE,
    Disposition.QUARANTINE: Condition.QUARANTINE,
    Disposition.SCRAP: Condition.DAMAGED,
}
NOT_THE_ORDERED = "wrong_item"  # a grade that says: this is not what was ordered


def anchors(parcels: pd.DataFrame, orders: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """The moment a return's days count from, and what it is.

    `parcels`: order_id, shipped_at, delivered_at, a row a parcel that left; `orders`: order_id, fulfilled_at, paid_at.
    Gives order_id, anchored_at, anchor. The last parcel counts; one without delivery counts as delivered some days
    after it left; an order without parcels some days after it was fulfilled or else paid.
    """
    shipped, paid = (pd.Timedelta(days=days) for days in (policy.shipped_plus_days, policy.paid_plus_days))
    sent = f"{policy.shipped_plus_days} days after it left (no delivery is known)"
    told = pd.DataFrame(
        {
            "order_id": parcels["order_id"],
            "anchored_at": parcels["delivered_at"].fillna(parcels["shipped_at"] + shipped),
            "anchor": np.where(parcels["delivered_at"].notna(), "delivery", sent),
        }
    )
    last = told.sort_values(["order_id", "anchored_at", "anchor"]).drop_duplicates("order_id", keep="last")
    rest = orders[~orders["order_id"].isin(last["order_id"])]
    paying = f"{policy.paid_plus_days} days after it was paid (neither delivery nor dispatch is known)"
    guess = pd.DataFrame(
        {
            "order_id": rest["order_id"],
            "anchored_at": (rest["fulfilled_at"] + shipped).fillna(rest["paid_at"] + paid),
            "anchor": np.where(rest["fulfilled_at"].notna(), sent, paying),
        }
    )
    return pd.concat([last, guess], ignore_index=True).astype({"anchor": "str"})


def dispose(lines: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """Where each received product goes and how many of its units count.

    `lines`: return_id, state (of the return), order_id Int64, sku, quantity (agreed), quantity_received, grade,
    resolution, on_order bool, left int64 (units sent and not yet back), product_id Int64, is_kit, priced bool.
    Gives `lines` with disposition, condition, returned (units that came back of the order), refundable int64,
    deduct_percent int64 and flags (str, empty where nothing is odd; a flag calls for a person).
    """
    grade = lines["grade"].map(policy.grades)
    decided = lines["state"].isin([ReturnState.APPROVED, ReturnState.RECEIVED, ReturnState.CLOSED])
    home = grade.map(lambda one: str(one.disposition)).where(decided & lines["on_order"], str(Disposition.QUARANTINE))
    home = home.mask(lines["quantity_received"] == 0, str(Disposition.NOT_RECEIVED))
    ordered = lines["on_order"] & (lines["grade"] != NOT_THE_ORDERED)
    before = lines.groupby(["order_id", "sku"], dropna=False)["quantity_received"].cumsum() - lines["quantity_received"]
    left = (lines["left"] - before).clip(lower=0)
    returned = lines["quantity_received"].clip(upper=left).where(ordered, 0)
    pays = decided & (lines["resolution"] == "refund") & lines["priced"]
    pays &= ~grade.map(lambda one: one.by_hand).astype(bool)
    odd = {
        "not agreed before": ~decided,
        "not on the order": ~lines["on_order"],
        "not what was ordered": lines["grade"] == NOT_THE_ORDERED,
        "empty box": lines["quantity_received"] == 0,
        "more than agreed": decided & (lines["quantity_received"] > lines["quantity"]),
        "more than was sent": ordered & (lines["quantity_received"] > left),
        "price unknown": lines["on_order"] & ~lines["priced"],
        "unknown product": lines["product_id"].isna(),
        "a kit: book its parts by hand": lines["is_kit"],
    }
    flags = pd.Series("", index=lines.index, dtype="str")
    for word, is_odd in odd.items():
        flags = flags.mask(is_odd, flags + np.where(flags == "", "", "; ") + word)
    resolution = lines["resolution"].fillna("")
    flags = flags.mask((flags == "") & (resolution != "refund"), resolution.str.replace("_", " ") + " wanted")
    return lines.assign(
        disposition=home.astype("str"),
        condition=home.map({str(key): str(value) for key, value in CONDITIONS.items()}).astype("str"),
        returned=returned.astype("int64"),
        refundable=returned.clip(upper=lines["quantity"]).where(pays, 0).astype("int64"),
        deduct_percent=grade.map(lambda one: one.deduct_percent).astype("int64"),
        flags=flags,
    )


def spread(disposed: pd.DataFrame, order_lines: pd.DataFrame) -> pd.DataFrame:
    """Which units of which order lines came back, the lower line number first.

    `disposed`: what `dispose` gives; `order_lines`: order_id, line_number, sku, shipped, came_back.
    Gives return_id, sku, deduct_percent, order_id, line_number, first (units back before), returned, refundable.
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
    start = (pairs["skip"] - ahead).clip(
        lower=0, upper=room
    )  # units of this line that earlier returns of this run took
    for name in ("returned", "refundable"):
        end = (pairs["skip"] + pairs[name] - ahead).clip(lower=0, upper=room)
        pairs[name] = end - start
    pairs["first"] = pairs["came_back"] + start
    kept = ["return_id", "sku", "deduct_percent", "order_id", "line_number", "first", "returned", "refundable"]
    return pairs.loc[pairs["returned"] > 0, kept].reset_index(drop=True)


def ended(disposed: pd.DataFrame, refunds: pd.DataFrame, waiting: pd.DataFrame) -> pd.DataFrame:
    """The state in which each booked return ends: return_id, state, flags.

    A person looks at one with a flag, or with units to pay for which nothing is left to pay; one of which a product
    is still to come (`waiting`: return_id) is received, every other closed.
    """
    one = disposed.groupby("return_id").agg(
        flags=("flags", lambda flags: "; ".join(sorted({flag for flag in flags if flag}))),
        refundable=("refundable", "sum"),
    ).reset_index()  # fmt: skip
    unpaid = (one["refundable"] > 0) & ~one["return_id"].isin(refunds["return_id"])
    flags = one["flags"].mask(unpaid & (one["flags"] == ""), "nothing left to pay back")
    state = pd.Series(str(ReturnState.CLOSED), index=one.index, dtype="str")
    state = state.mask(one["return_id"].isin(waiting["return_id"]), str(ReturnState.RECEIVED))
    return pd.DataFrame(
        {"return_id": one["return_id"], "state": state.mask(flags != "", str(ReturnState.MANUAL)), "flags": flags}
    )
