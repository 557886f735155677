"""Notices about returns: the rows `tasks.domain.notices.notice_messages` makes messages of."""

from collections.abc import Mapping

import pandas as pd

from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.domain.states import ReturnState

_CUSTOMER = ["merchant_id", "merchant", "order_id", "order_number", "channel", "email", "language", "customer_name"]


def approval_notices(products: pd.DataFrame, answers: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """One row per approved return: how to send it back. `products`: the requested ones; `answers`: one per return."""
    rows = _one_per_return(products, answers[answers["state"] == str(ReturnState.APPROVED)], "quantity")
    instructions = rows["merchant"].map(policy.instructions).astype("str")
    rows = rows.assign(subject=rows["rma"], happened_at=rows["requested_at"], instructions=instructions)
    return rows.drop(columns=["rma", "requested_at", "request_id"])


def rejection_notices(products: pd.DataFrame, answers: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """One row per rejected return: why, in the customer's language."""
    rows = _one_per_return(products, answers[answers["state"] == str(ReturnState.REJECTED)], "quantity")
    reasons = [
        " ".join(_in_language(policy.rule(rule_id).tell, language) for rule_id in rules.split(", "))
        for rules, language in zip(rows["rule"], rows["language"], strict=True)
    ]
    reason = pd.Series(reasons, dtype="str")
    rows = rows.assign(subject=rows["request_id"], happened_at=rows["requested_at"], reason=reason)
    return rows.drop(columns=["rma", "requested_at", "request_id"])


def receipt_notices(disposed: pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    """One row per return of `returns` (return_id) that has arrived, with the products that did."""
    arrived = disposed[disposed["quantity_received"] > 0]
    rows = _one_per_return(arrived, returns, "quantity_received")
    return rows.assign(subject=rows["rma"], happened_at=rows["received_at"]).drop(columns=["rma", "received_at"])


def refund_notices(disposed: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """One row per proposed refund: the amount. `refunds`: return_id, amount_minor, currency."""
    rows = _one_per_return(disposed, refunds[["return_id", "amount_minor", "currency"]], "quantity_received")
    rows = rows.assign(subject=rows["rma"], happened_at=rows["received_at"])
    return rows.drop(columns=["rma", "received_at", "items"])


def _one_per_return(lines: pd.DataFrame, returns: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Each of `returns` that has lines, with its customer and its products as a list."""
    moments = [name for name in ("requested_at", "received_at", "request_id") if name in lines]
    customers = lines.drop_duplicates("return_id")[["return_id", "rma", *_CUSTOMER, *moments]]
    goods = lines.assign(quantity=lines[quantity])[["return_id", "sku", "name", "quantity"]]
    items = {
        number: [{key: value for key, value in item.items() if pd.notna(value)} for item in part.to_dict("records")]
        for number, part in goods.set_index("return_id").groupby(level=0)
    }
    facts = returns.drop(columns=[name for name in ("state", "why") if name in returns])
    rows = customers.merge(facts, on="return_id").reset_index(drop=True)
    by_row = pd.Series([items[number] for number in rows["return_id"]], index=rows.index, dtype=object)
    return rows.assign(items=by_row).drop(columns="return_id")


def _in_language(texts: Mapping[str, str], language: str | None) -> str:
    short = str(language or "").casefold().replace("_", "-").partition("-")[0]
    return texts.get(short, texts.get("en", ""))
