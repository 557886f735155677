"""How much money goes back, to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tasks.domain.money import divide
from tasks.domain.returns.return_policy import ReturnPolicy


@dataclass(frozen=True)
class Paid:
    """What was paid for one order, in minor units; `by_line` is indexed by line number."""

    total: int
    goods: pd.Series
    ordered: pd.Series

    @property
    def charges(self) -> int:
        """What was paid beside the goods: shipping above all."""
        return max(0, self.total - int(self.goods.sum()))


def paid(lines: pd.DataFrame, total_minor: int | None, *, is_paid: bool) -> Paid:
    """What the customer paid for each line: price less discount, and less its part of a discount on the whole order.

    `lines`: line_number, ordered, unit_price_minor, discount_minor (missing counts as 0).
    """
    goods = lines["unit_price_minor"].fillna(0) * lines["ordered"] - lines["discount_minor"].fillna(0)
    goods = goods.clip(lower=0).astype("int64").set_axis(lines["line_number"])
    total = (int(goods.sum()) if total_minor is None else total_minor) if is_paid else 0
    if int(goods.sum()) > total:
        goods = divide(total, goods)
    return Paid(total, goods, lines["ordered"].set_axis(lines["line_number"]))


def refund(units: pd.DataFrame, order: Paid, refunded_minor: int, *, with_charges: bool) -> int:
    """What one return pays back, in minor units: its units' shares less deductions, never above what is left.

    `units`: the return's rows of `spread`. A line's cents fall to its units by largest remainder, so that all its
    units together give back exactly what was paid.
    """
    amount = order.charges if with_charges else 0
    rows: Iterable[Any] = units.itertuples()
    for line in rows:
        number = int(order.ordered[line.line_number])
        shares = divide(int(order.goods[line.line_number]), pd.Series(1, index=range(number)))
        goods = int(shares.iloc[line.first : line.first + line.refundable].sum())
        amount += goods - (goods * line.deduct_percent + 50) // 100
    return max(0, min(amount, order.total - refunded_minor))


def proposed_refunds(
    disposed: pd.DataFrame, units: pd.DataFrame, lines: pd.DataFrame, payments: pd.DataFrame, policy: ReturnPolicy
) -> pd.DataFrame:
    """What each return pays back: one row a return that pays something.

    `disposed` and `units`: see `dispose` and `spread`; `lines`: every line of the orders; `payments`: order_id,
    total_minor Int64, refunded_minor (proposed ones included), is_paid.
    Gives refund_key, return_id, merchant, order_id, order_number, rma, amount_minor, currency, rule. Several returns
    of an order share what is left of its payment, the lower id first.
    """
    heads = disposed.drop_duplicates("return_id")
    rules = dict(zip(heads["return_id"], heads["rule"], strict=True))
    orders = {row["order_id"]: row for row in payments.to_dict("records")}
    given = {key: int(row["refunded_minor"]) for key, row in orders.items()}
    amounts: dict[Any, int] = {}
    for number, part in units[units["refundable"] > 0].groupby("return_id"):
        order = int(part["order_id"].iloc[0])
        total = orders[order]["total_minor"]
        price = paid(lines[lines["order_id"] == order], None if pd.isna(total) else int(total),
                     is_paid=bool(orders[order]["is_paid"]))  # fmt: skip
        charges = _pays_charges(str(rules[number]), policy) and _is_last(number, order, units, lines)
        amounts[number] = refund(part, price, given[order], with_charges=charges)
        given[order] += amounts[number]
    paying = heads[heads["return_id"].map(amounts).fillna(0) > 0]
    kept = paying[["return_id", "merchant", "order_id", "order_number", "rma", "currency", "rule"]].reset_index(
        drop=True
    )
    amount = kept["return_id"].map(amounts).astype("int64")
    return kept.assign(
        refund_key="refund:" + kept["rma"], amount_minor=amount, order_id=kept["order_id"].astype("int64")
    )


def _pays_charges(rules: str, policy: ReturnPolicy) -> bool:
    """Whether every rule that agreed to the return pays shipping back; a rule that is no more does not."""
    known = {one.id: one.refund_shipping for one in policy.rules}
    return all(known.get(one, False) for one in rules.split(", "))


def _is_last(number: object, order: int, units: pd.DataFrame, lines: pd.DataFrame) -> bool:
    """Whether with this return every unit of the order that was sent has come back."""
    mine = lines[lines["order_id"] == order]
    until = units[(units["order_id"] == order) & (units["return_id"] <= number)]
    back = int(mine["came_back"].sum()) + int(until["returned"].sum())
    return back == int(mine["shipped"].sum()) and int(mine["shipped"].sum()) == int(mine["ordered"].sum())
