"""Which event is told to which customer: one notice an event, none where it would be wrong to write."""

import json
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import pandas as pd

from tasks.domain.states import MessageState


class NoticeKind(StrEnum):
    """What a customer is told."""

    ORDER_CONFIRMED = "order_confirmed"
    ORDER_DELAYED = "order_delayed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_EXPIRED = "order_expired"
    PARCEL_SHIPPED = "parcel_shipped"
    PARCEL_DELIVERED = "parcel_delivered"
    PARCEL_EXCEPTION = "parcel_exception"
    RETURN_APPROVED = "return_approved"
    RETURN_REJECTED = "return_rejected"
    RETURN_RECEIVED = "return_received"
    REFUND_PROPOSED = "refund_proposed"
    STOCK_DIGEST = "stock_digest"  # to the merchant's own people


TO_STAFF = (NoticeKind.STOCK_DIGEST,)  # all others are told to customers


@dataclass(frozen=True)
class NoticeRules:
    """The schema of config/rules/notices.yaml: after how many days an event is old news, per kind."""

    stale_days_max: dict[NoticeKind, int] = field(default_factory=dict)
    stale_days_max_otherwise: int = 7
    support_days: int = 14  # for how long customer support is shown a message that did not arrive

    def stale_days(self, kind: str) -> int:
        """After how many days an event of `kind` is old news."""
        return {str(one): days for one, days in self.stale_days_max.items()}.get(kind, self.stale_days_max_otherwise)


OLD_NEWS = "old news"
SILENT_CHANNEL = "the channel forbids own mail to its buyers"
NO_ADDRESS = "the order has no e-mail address"

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
            "language": rows["language"].fillna(""),  # the merchant's own, where the order does not say
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
    days = rules.stale_days(kind)
    why = pd.Series(pd.NA, index=rows.index, dtype="str")
    old = pd.Timestamp(as_of) - rows["happened_at"] > pd.Timedelta(days=days)
    why[old.to_numpy(dtype=bool)] = f"{OLD_NEWS}: it happened more than {days} days ago"
    quiet = [pair in silent for pair in zip(rows["merchant"], rows["channel"].fillna("").str.casefold(), strict=True)]
    why[quiet] = SILENT_CHANNEL
    why[rows["email"].isna().to_numpy()] = NO_ADDRESS
    return why


def _json(facts: Mapping[Hashable, Any]) -> str:
    told = {name: _value(value) for name, value in facts.items() if isinstance(value, list) or pd.notna(value)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, default=_value)


def _value(value: object) -> object:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


_MEANS = {  # what the provider says of a message -> (how final that is, what it makes of the message)
    "processed": (1, MessageState.SENT),
    "deferred": (1, MessageState.SENT),
    "delivered": (2, MessageState.DELIVERED),
    "spamreport": (2, MessageState.DELIVERED),  # it arrived, and was not welcome
    "dropped": (3, MessageState.SUPPRESSED),
    "blocked": (4, MessageState.BOUNCED),
    "bounce": (4, MessageState.BOUNCED),
}
_FINAL = {str(state): rank for rank, state in _MEANS.values()}
UNREACHABLE = (
    "blocked",
    "bounce",
    "dropped",
    "spamreport",
)  # an address of which this was said is not written to again


def message_part(provider_ids: pd.Series) -> pd.Series:
    """The id the provider gave a message when it took it, without what it appends for each event (str)."""
    return provider_ids.astype("str").str.replace(r"\.(?:recvd|filter).*$", "", regex=True)


def settled(events: pd.DataFrame) -> pd.DataFrame:
    """What provider events make of messages: the most final word counts, whatever the order they arrive in.

    `events`: id int64, state str (the message's), event str, provider_id str, occurred_at; a row an event.
    Gives a row for each message whose state changes: id, state, provider_id, reason, sent_at.
    """
    known = events.assign(
        rank=events["event"].map(lambda event: _MEANS[event][0]).astype("int64"),
        before=events["state"].map(lambda state: _FINAL.get(state, 0)).astype("int64"),
    )
    known["sent_at"] = known.groupby("id")["occurred_at"].transform("min")
    last = known.sort_values(["id", "rank", "occurred_at", "event"]).groupby("id", as_index=False).tail(1)
    last = last[last["rank"] > last["before"]]
    said = "the provider reported '" + last["event"] + "' on " + last["occurred_at"].dt.strftime("%Y-%m-%d")
    return pd.DataFrame(
        {
            "id": last["id"],
            "state": last["event"].map(lambda event: str(_MEANS[event][1])).astype("str"),
            "provider_id": last["provider_id"],
            "reason": said.where(last["rank"] > 2).astype("str"),
            "sent_at": last["sent_at"],
        }
    ).reset_index(drop=True)


def grown_old(queued: pd.DataFrame, rules: NoticeRules, as_of: datetime) -> pd.DataFrame:
    """The messages that waited until they were old news: id, reason. `queued`: id, kind, created_at."""
    days = queued["kind"].map(rules.stale_days).astype("int64")
    old = pd.Timestamp(as_of) - queued["created_at"] > pd.to_timedelta(days, unit="D")
    reason = f"{OLD_NEWS}: it waited more than " + days[old].astype("str") + " days"
    return pd.DataFrame({"id": queued["id"][old], "reason": reason.astype("str")}).reset_index(drop=True)


def for_support(troubled: pd.DataFrame) -> pd.DataFrame:
    """The rows of `troubled` (reason str) a person can do something about: not old news, not a silent channel."""
    reason = troubled["reason"].fillna("")
    return troubled[~(reason.str.startswith(OLD_NEWS) | (reason == SILENT_CHANNEL))].reset_index(drop=True)
