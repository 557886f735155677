"""What keeps an order from being served: a person's hold, an earlier order for the same goods, no payment."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.first_reason import first_reason
from tasks.domain.states import SETTABLE, HoldAction, HoldReason

ANSWER_COLUMNS = ("action", "set_by", "comment")
HOLD_SHEET = (
    "merchant", "order_number", "action", "hold_reason", "hold_until", "set_by", "comment", "detail", "held_since",
    "ship_by", "urgency",
)  # fmt: skip


@dataclass(frozen=True)
class DuplicateRules:
    """When two orders count as one that was placed twice."""

    window_h: float
    exempt_channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.window_h < 0:
            raise ValueError(f"duplicates: window_h must not be negative, found {self.window_h}")


@dataclass(frozen=True)
class UnpaidRules:
    """After how many days an unpaid order is given up; None means never."""

    expires_days: int | None
    by_channel: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(days is not None and days < 1 for days in (self.expires_days, *self.by_channel.values())):
            raise ValueError("unpaid: an order is given at least a day to be paid")


@dataclass(frozen=True)
class OrderRules:
    """The schema of config/rules/orders.yaml."""

    duplicates: DuplicateRules
    hold_days: dict[HoldReason, int]
    unpaid: UnpaidRules

    def __post_init__(self) -> None:
        if any(days < 1 for days in self.hold_days.values()):
            raise ValueError("hold_days: a hold lasts at least a day")


def duplicate_holds(orders: pd.DataFrame, lines: pd.DataFrame, rules: DuplicateRules) -> pd.DataFrame:
    """The orders to hold because their customer ordered the same goods shortly before.

    `orders`: order_id, merchant, order_number, customer (str), channel, created_at, begun (bool: picked or gone
    already), one row per paid order that is neither cancelled nor refunded. `lines`: order_id, sku, units (int64, > 0).

    Orders of one customer with the same basket, each at most `window_h` after the one before, are one group. It keeps
    one order: one that is begun, otherwise the first. The others that are not begun are returned: order_id, cause (str,
    unique to the order) and detail, which names the order that is kept.
    """
    exempt = {channel.casefold() for channel in rules.exempt_channels}
    rows = orders[~orders["channel"].fillna("").str.casefold().isin(exempt)]
    by = ["merchant", "customer", "basket"]
    rows = rows.assign(basket=rows["order_id"].map(_baskets(lines))).dropna(subset=["customer", "basket"])
    rows = rows.sort_values([*by, "created_at", "order_number"], ignore_index=True)
    is_new_group = rows.groupby(by)["created_at"].diff() > pd.Timedelta(hours=rules.window_h)
    rows["group"] = is_new_group.groupby([rows[name] for name in by]).cumsum()
    rows = rows.sort_values([*by, "group", "begun", "created_at", "order_number"],
                            ascending=[True, True, True, True, False, True, True])  # fmt: skip
    groups = rows.groupby([*by, "group"], sort=False)
    rows["kept"], rows["kept_at"] = groups["order_number"].transform("first"), groups["created_at"].transform("first")
    duplicates = rows[(groups.cumcount() > 0) & ~rows["begun"]] if rules.window_h else rows.iloc[:0]
    detail = "the same customer ordered the same goods as " + duplicates["kept"] + " of "
    detail += duplicates["kept_at"].dt.strftime("%Y-%m-%d %H:%M UTC")
    cause = "duplicate:" + duplicates["merchant"] + ":" + duplicates["order_number"]
    columns = {"order_id": duplicates["order_id"], "cause": cause.astype("str"), "detail": detail.astype("str")}
    return pd.DataFrame(columns).sort_values("cause", ignore_index=True)


def _baskets(lines: pd.DataFrame) -> pd.Series:
    """What each order asks for, as one text: equal for equal goods, however they are spread over its lines."""
    units = lines.groupby(["order_id", "sku"])["units"].sum().reset_index()
    words = units["sku"] + "\x1f" + units["units"].astype("str")
    return words.groupby(units["order_id"]).agg("\x1e".join).astype("str")


def expired_orders(orders: pd.DataFrame, rules: UnpaidRules, as_of: datetime) -> pd.DataFrame:
    """The unpaid orders whose time is up: `orders` (order_id, channel, created_at, …) with due_at, when it was."""
    own = {channel.casefold(): days for channel, days in rules.by_channel.items()}
    by_order = [own.get(channel, rules.expires_days) for channel in orders["channel"].fillna("").str.casefold()]
    days = pd.Series(by_order, index=orders.index, dtype="Float64").astype("float64")
    due_at = (orders["created_at"] + pd.to_timedelta(days, unit="D")).dt.as_unit("s")
    return pd.DataFrame(orders.assign(due_at=due_at)[due_at <= pd.Timestamp(as_of)])


def is_over(holds: pd.DataFrame, rules: OrderRules, as_of: datetime) -> pd.Series:
    """Whether each hold is over: its own date has come, or the one that the rules set for its reason.

    `holds`: reason, set_at, until.
    """
    days = pd.to_timedelta(holds["reason"].map({str(name): days for name, days in rules.hold_days.items()}), unit="D")
    until = holds["until"].fillna(holds["set_at"] + days)
    return (until <= pd.Timestamp(as_of)).astype(bool)


def judge_holds(rows: pd.DataFrame, orders: pd.DataFrame, as_of: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the rows of a hold sheet ask for, and which are refused; a row that changes nothing is in neither.

    `rows`: row_number, merchant_id, order_number, action, hold_reason, hold_until, set_by, comment. `orders`:
    merchant_id, order_number, order_id, hold_now, until_now, closed (bool). Gives the good rows with order_id, hold_now
    and hold_reason (manual where none is given), and the refused ones (row_number, reason).
    """
    both = rows[rows["action"].notna()].merge(orders, on=["merchant_id", "order_number"], how="left", indicator="known")
    reason = both["hold_reason"].fillna(both["hold_now"]).fillna(str(HoldReason.MANUAL))
    rows = both.assign(hold_reason=reason, closed=both["closed"].fillna(value=False).astype(bool))
    holds = rows["action"] == HoldAction.HOLD
    cases = [
        (rows["known"] != "both", "order_number: found '" + rows["order_number"] + "', expected one of the merchant"),
        (rows["set_by"].fillna("").str.strip() == "", "set_by: found '', expected the name of who decides"),
        (~holds & rows["hold_now"].isna(), ""),
        (holds & _is_unchanged(rows), ""),
        (~holds & (rows["hold_now"] == HoldReason.INCOMPLETE),
         "action: found 'release', expected the order's rows in quarantine to be corrected: it is incomplete"),
        (holds & rows["closed"], "order_number: found '" + rows["order_number"] + "', expected one still to be sent"),
        (holds & ~reason.isin(SETTABLE) & (reason != rows["hold_now"]),
         "hold_reason: found '" + reason + "', expected one of " + ", ".join(SETTABLE)),
        (holds & (rows["hold_until"] <= pd.Timestamp(as_of)),
         "hold_until: found '" + rows["hold_until"].dt.strftime("%Y-%m-%d %H:%M UTC") + "', expected a moment to come"),
    ]  # fmt: skip
    why = first_reason(cases, rows.index)
    refused = pd.DataFrame({"row_number": rows["row_number"], "reason": why})[why.notna() & (why != "")]
    good = rows[why.isna()].drop(columns="known").astype({"order_id": "int64"})
    return good.reset_index(drop=True), refused.reset_index(drop=True)


def _is_unchanged(rows: pd.DataFrame) -> pd.Series:
    until = (rows["hold_until"] == rows["until_now"]) | (rows["hold_until"].isna() & rows["until_now"].isna())
    return (rows["hold_reason"] == rows["hold_now"]) & until


def hold_sheet(orders: pd.DataFrame, urgencies: pd.Series) -> pd.DataFrame:
    """Orders on hold as a sheet to answer in, columns HOLD_SHEET; `urgencies`: LATE, DUE or an empty text of each."""
    empty = pd.Series("", index=orders.index, dtype="str")
    rows = orders.assign(**dict.fromkeys(ANSWER_COLUMNS, empty), urgency=np.asarray(urgencies, dtype=object))
    return rows[list(HOLD_SHEET)].sort_values(["merchant", "order_number"], ignore_index=True)
