"""What customers are told of their returns: the rows `tasks.domain.notices.notices` makes messages of."""

from collections.abc import Mapping

import pandas as pd

from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.domain.states import ReturnState

_WHO = ["merchant_id", "merchant", "order_id", "order_number", "channel", "email", "language", "customer_name"]


def approved(asked: pd.DataFrame, answers: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """A row an agreed return: how to send it back. `asked` are its products, `answers` a row a return."""
    told = _one_a_return(asked, answers[answers["state"] == str(ReturnState.APPROVED)], "quantity")
    instructions = told["merchant"].map(policy.instructions).astype("str")
    return told.assign(subject=told["rma"], happened_at=told["requested_at"], instructions=instructions).drop(
        columns=["rma", "requested_at", "request_id"]
    )


def rejected(asked: pd.DataFrame, answers: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """A row a rejected return: why, in the customer's language."""
    told = _one_a_return(asked, answers[answers["state"] == str(ReturnState.REJECTED)], "quantity")
    said = [
        " ".join(_told(policy.rule(one).tell, language) for one in rules.split(", "))
        for rules, language in zip(told["rule"], told["language"], strict=True)
    ]
    return told.assign(
        subject=told["request_id"], happened_at=told["requested_at"], reason=pd.Series(said, dtype="str")
    ).drop(columns=["rma", "requested_at", "request_id"])


def received(disposed: pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    """A row a return (of `returns`, return_id) that has arrived; the products that did not are left out."""
    came = disposed[disposed["quantity_received"] > 0]
    told = _one_a_return(came, returns, "quantity_received")
    return told.assign(subject=told["rma"], happened_at=told["received_at"]).drop(columns=["rma", "received_at"])


def refunded(disposed: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """A row a proposed refund: how much. `refunds`: return_id, amount_minor, currency."""
    told = _one_a_return(disposed, refunds[["return_id", "amount_minor", "currency"]], "quantity_received")
    return told.assign(subject=told["rma"], happened_at=told["received_at"]).drop(
        columns=["rma", "received_at", "items"]
    )


def _one_a_return(lines: pd.DataFrame, returns: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Each of `returns` that has lines: whom to tell, and the products as a list."""
    moments = [name for name in ("requested_at", "received_at", "request_id") if name in lines]
    who = lines.drop_duplicates("return_id")[["return_id", "rma", *_WHO, *moments]]
    goods = lines.assign(quantity=lines[quantity])[["return_id", "sku", "name", "quantity"]]
    items = {
        number: [{key: value for key, value in one.items() if pd.notna(value)} for one in part.to_dict("records")]
        for number, part in goods.set_index("return_id").groupby(level=0)
    }
    facts = returns.drop(columns=[name for name in ("state", "why") if name in returns])
    told = who.merge(facts, on="return_id").reset_index(drop=True)
    listed = pd.Series([items[number] for number in told["return_id"]], index=told.index, dtype=object)
    return told.assign(items=listed).drop(columns="return_id")


def _told(tell: Mapping[str, str], language: str | None) -> str:
    short = str(language or "").casefold().replace("_", "-").partition("-")[0]
    return tell.get(short, tell.get("en", ""))
