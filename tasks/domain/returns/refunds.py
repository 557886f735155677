"""Refunds: the amount paid back for a return, to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tasks.domain.money import divide
from tasks.domain.returns.return_policy import ReturnPolicy


@dataclass(frozen=True)
class OrderPayment:
    """What was paid for one order, in minor units.

    `goods` (paid) and `ordered` (units): int64, by line number.
    """

    total: int
    goods: pd.Series
    ordered: pd.Series

    @property
    def charges(self) -> int:
        """What was paid beyond the goods: mainly shipping."""
        return max(0, self.total - int(self.goods.sum()))


def order_payment(lines: pd.DataFrame, total_minor: int | None, *, is_paid: bool) -> OrderPayment:
    """What the customer paid for each line: price less discount, less its share of a discount on the whole order.

    `lines`: line_number, ordered, unit_price_minor, discount_minor (missing counts as 0). Amounts in minor units.
    """
    goods = lines["unit_price_minor"].fillna(0) * lines["ordered"] - lines["discount_minor"].fillna(0)
    goods = goods.clip(lower=0).astype("int64").set_axis(lines["line_number"])
    total = (int(goods.sum()) if total_minor is None else total_minor) if is_paid else 0
    if int(goods.sum()) > total:
        goods = divide(total, goods)
    return OrderPayment(total, goods, lines["ordered"].set_axis(lines["line_number"]))


def refund_minor(units: pd.DataFrame, order: OrderPayment, refunded_minor: int, *, with_charges: bool) -> int:
    """The refund of one return, in minor units: its units' shares less deductions, at most what is left of the payment.

    `units`: the return's rows, columns as in `returned_units`. A line's amount is divided among its units by largest
    remainder, so that together they add up to exactly what was paid.
    """
    amount = order.charges if with_charges else 0
    rows: Iterable[Any] = units.itertuples()
    for line in rows:
        ordered = int(order.ordered[line.line_number])
        shares = divide(int(order.goods[line.line_number]), pd.Series(1, index=range(ordered)))
        goods = int(shares.iloc[line.first : line.first + line.refundable].sum())
        amount += goods - (goods * line.deduct_percent + 50) // 100
    return max(0, min(amount, order.total - refunded_minor))


def proposed_refunds(
    disposed: pd.DataFrame, units: pd.DataFrame, lines: pd.DataFrame, payments: pd.DataFrame, policy: ReturnPolicy
) -> pd.DataFrame:
    """One row per return with a refund.

    `disposed`, `units`: columns as in `disposed_products`, `returned_units`. `lines`: every line of the orders.
    `payments`: order_id, total_minor Int64, refunded_minor (including proposed refunds), is_paid.
    Returns refund_key, return_id, merchant, order_id, order_number, rma, amount_minor, currency, rule. Several returns
    of an order share what is left of its payment, the lower id first.
    """
    heads = disposed.drop_duplicates("return_id")
    rules = dict(zip(heads["return_id"], heads["rule"], strict=True))
    orders = {row["order_id"]: row for row in payments.to_dict("records")}
    refunded = {key: int(row["refunded_minor"]) for key, row in orders.items()}
    amounts: dict[Any, int] = {}
    for number, part in units[units["refundable"] > 0].groupby("return_id"):
        order = int(part["order_id"].iloc[0])
        total = orders[order]["total_minor"]
        payment = order_payment(lines[lines["order_id"] == order], None if pd.isna(total) else int(total),
                     is_paid=bool(orders[order]["is_paid"]))  # fmt: skip
        charges = _pays_charges(str(rules[number]), policy) and _is_last(number, order, units, lines)
        amounts[number] = refund_minor(part, payment, refunded[order], with_charges=charges)
        refunded[order] += amounts[number]
    paying = heads[heads["return_id"].map(amounts).fillna(0) > 0]
    rows = paying[["return_id", "merchant", "order_id", "order_number", "rma", "currency", "rule"]]
    rows = rows.reset_index(drop=True).astype({"order_id": "int64"})
    amount = rows["return_id"].map(amounts).astype("int64")
    return rows.assign(refund_key="refund:" + rows["rma"], amount_minor=amount)


def _pays_charges(rules: str, policy: ReturnPolicy) -> bool:
    """Whether every rule that approved the return refunds shipping; a rule that no longer exists does not."""
    refunds_shipping = {rule.id: rule.refund_shipping for rule in policy.rules}
    return all(refunds_shipping.get(rule_id, False) for rule_id in rules.split(", "))


def _is_last(number: object, order: int, units: pd.DataFrame, lines: pd.DataFrame) -> bool:
    """Whether this return completes the order: it shipped in full, and every unit has now come back."""
    order_lines = lines[lines["order_id"] == order]
    until_this = units[(units["order_id"] == order) & (units["return_id"] <= number)]
    returned = int(order_lines["came_back"].sum()) + int(until_this["returned"].sum())
    shipped = int(order_lines["shipped"].sum())
    return returned == shipped == int(order_lines["ordered"].sum())
