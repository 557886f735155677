"""Which event is told to which customer: one notice an event, none where it would be wrong to write."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pandas as pd

from tasks.domain.states import MessageState


class NoticeKind(StrEnum):
    """What a customer is told."""

    ORDER_CONFIRMED = "order_confirmed"
    ORDER_DELAYED = "order_delayed"
    ORDER_CANCELLED = "order_cancelled"
    PARCEL_SHIPPED = "parcel_shipped"
    PARCEL_DELIVERED = "parcel_delivered"
    PARCEL_EXCEPTION = "parcel_exception"
    RETURN_APPROVED = "return_approved"
    RETURN_REJECTED = "return_rejected"
    RETURN_RECEIVED = "return_received"
    REFUND_PROPOSED = "refund_proposed"


@dataclass(frozen=True)
class NoticeRules:
    """The schema of config/rules/notices.yaml: after how many days an event is old news, per kind."""

    stale_days_max: dict[NoticeKind, int] = field(default_factory=dict)
    stale_days_max_otherwise: int = 7


_KNOWN = ("merchant_id", "merchant", "order_id", "channel", "email", "language", "happened_at", "subject")


def notices(
    kind: NoticeKind, rows: pd.DataFrame, rules: NoticeRules, silent: Collection[tuple[str, str]], as_of: datetime
) -> pd.DataFrame:
    """One message a row, ready for the outbox.

    `rows`: merchant_id, merchant (code), order_id (Int64), order_number, channel, email, language, happened_at,
    subject (parcel or RMA; missing for an order's own events), and whatever else the wording needs, which becomes
    its facts. `silent`: (merchant, channel) pairs whose buyers may not be written to.

    Gives dedupe_key, kind, merchant_id, order_id, recipient, language, facts (JSON), state, reason, created_at.
    What may not be sent is kept as suppressed with its reason, so that a person can see it.
    """
    if rows.empty:
        return pd.DataFrame(columns=["dedupe_key", "kind", "merchant_id", "order_id", "recipient", "language", "facts",
                                     "state", "reason", "created_at"])  # fmt: skip
    subject = rows["subject"] if "subject" in rows else pd.Series(pd.NA, index=rows.index)
    key = f"{kind}:" + rows["merchant"] + ":" + rows["order_number"].fillna("")
    key += (":" + subject.astype("str")).where(subject.notna(), "")
    reason = _why_not(kind, rows, rules, silent, as_of)
    facts = rows.drop(columns=[name for name in _KNOWN if name in rows]).assign(subject=subject)
    return pd.DataFrame(
        {
            "dedupe_key": key,
            "kind": str(kind),
            "merchant_id": rows["merchant_id"],
            "order_id": rows["order_id"],
            "recipient": rows["email"].fillna(""),
            "language": rows["language"].fillna("en"),
            "facts": [_json(one) for one in facts.to_dict("records")],
            "state": reason.isna().map({True: str(MessageState.QUEUED), False: str(MessageState.SUPPRESSED)}),
            "reason": reason,
            "created_at": pd.Timestamp(as_of),
        }
    )


def _why_not(
    kind: NoticeKind, rows: pd.DataFrame, rules: NoticeRules, silent: Collection[tuple[str, str]], as_of: datetime
) -> pd.Series:
    """Why a row's customer is not written to; missing where nothing speaks against it. The first reason counts."""
    days = rules.stale_days_max.get(kind, rules.stale_days_max_otherwise)
    why = pd.Series(pd.NA, index=rows.index, dtype="str")
    old = pd.Timestamp(as_of) - rows["happened_at"] > pd.Timedelta(days=days)
    why[old.to_numpy(dtype=bool)] = f"old news: it happened more than {days} days ago"
    quiet = [pair in silent for pair in zip(rows["merchant"], rows["channel"].fillna("").str.casefold(), strict=True)]
    why[quiet] = "the channel forbids own mail to its buyers"
    why[rows["email"].isna().to_numpy()] = "the order has no e-mail address"
    return why


def _json(facts: dict[str, object]) -> str:
    told = {name: _value(value) for name, value in facts.items() if isinstance(value, list) or pd.notna(value)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
