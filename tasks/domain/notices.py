"""Notices: one message per event to the customer concerned, suppressed where it must not be sent."""

import json
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import pandas as pd

from tasks.domain.states import MessageState


class NoticeKind(StrEnum):
    """The events that people are notified of."""

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
    STOCK_DIGEST = "stock_digest"  # to the merchant's staff


TO_STAFF = (NoticeKind.STOCK_DIGEST,)  # all others go to customers


@dataclass(frozen=True)
class NoticeRules:
    """The schema of config/rules/notices.yaml: after how many days an event is old news, by kind."""

    stale_days_max: dict[NoticeKind, int] = field(default_factory=dict)
    stale_days_max_otherwise: int = 7
    support_days: int = 14  # for how long a message that did not arrive is listed for customer support

    def stale_days(self, kind: str) -> int:
        """The days after which an event of `kind` is old news."""
        return {str(name): days for name, days in self.stale_days_max.items()}.get(kind, self.stale_days_max_otherwise)


OLD_NEWS = "old news"
SILENT_CHANNEL = "the channel forbids own mail to its buyers"
NO_ADDRESS = "the order has no e-mail address"

_NOT_FACTS = ("merchant_id", "merchant", "order_id", "channel", "email", "language", "happened_at", "subject")


def notice_messages(
    kind: NoticeKind, rows: pd.DataFrame, rules: NoticeRules, silent: Collection[tuple[str, str]], as_of: datetime
) -> pd.DataFrame:
    """One message per row, ready for the outbox.

    `rows`: merchant_id, merchant (code), order_id (Int64), order_number, channel, email, language, happened_at,
    subject (parcel or RMA; missing for events of the order itself), and further columns, which become the facts of
    the wording. `silent`: (merchant, channel) pairs whose buyers must not be written to.

    Returns dedupe_key, kind, merchant_id, order_id, recipient, language, facts (JSON), state, reason, created_at.
    A message that must not be sent is suppressed with its reason, so that a person can see it.
    """
    if rows.empty:
        return pd.DataFrame(columns=["dedupe_key", "kind", "merchant_id", "order_id", "recipient", "language", "facts",
                                     "state", "reason", "created_at"])  # fmt: skip
    subject = rows["subject"] if "subject" in rows else pd.Series(pd.NA, index=rows.index)
    key = f"{kind}:" + rows["merchant"] + ":" + rows["order_number"].fillna("")
    key += (":" + subject.astype("str")).where(subject.notna(), "")
    reason = _reason_to_suppress(kind, rows, rules, silent, as_of)
    facts = rows.drop(columns=[name for name in _NOT_FACTS if name in rows]).assign(subject=subject)
    return pd.DataFrame(
        {
            "dedupe_key": key,
            "kind": str(kind),
            "merchant_id": rows["merchant_id"],
            "order_id": rows["order_id"],
            "recipient": rows["email"].fillna(""),
            "language": rows["language"].fillna(""),  # empty: the merchant's language
            "facts": [_json(fact) for fact in facts.to_dict("records")],
            "state": reason.isna().map({True: str(MessageState.QUEUED), False: str(MessageState.SUPPRESSED)}),
            "reason": reason,
            "created_at": pd.Timestamp(as_of),
        }
    )


def _reason_to_suppress(
    kind: NoticeKind, rows: pd.DataFrame, rules: NoticeRules, silent: Collection[tuple[str, str]], as_of: datetime
) -> pd.Series:
    """Why the message of a row must not be sent (str); missing where it may be. A later reason here overrides."""
    days = rules.stale_days(kind)
    reason = pd.Series(pd.NA, index=rows.index, dtype="str")
    is_old = pd.Timestamp(as_of) - rows["happened_at"] > pd.Timedelta(days=days)
    reason[is_old.to_numpy(dtype=bool)] = f"{OLD_NEWS}: it happened more than {days} days ago"
    is_silent = [
        pair in silent for pair in zip(rows["merchant"], rows["channel"].fillna("").str.casefold(), strict=True)
    ]
    reason[is_silent] = SILENT_CHANNEL
    reason[rows["email"].isna().to_numpy()] = NO_ADDRESS
    return reason


def _json(facts: Mapping[Hashable, Any]) -> str:
    values = {name: _value(value) for name, value in facts.items() if isinstance(value, list) or pd.notna(value)}
    return json.dumps(values, ensure_ascii=False, sort_keys=True, default=_value)


def _value(value: object) -> object:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


_STATE_AFTER_EVENT = {  # event the provider reports -> (how final it is, the state of the message)
    "processed": (1, MessageState.SENT),
    "deferred": (1, MessageState.SENT),
    "delivered": (2, MessageState.DELIVERED),
    "spamreport": (2, MessageState.DELIVERED),  # it arrived, but was reported as spam
    "dropped": (3, MessageState.SUPPRESSED),
    "blocked": (4, MessageState.BOUNCED),
    "bounce": (4, MessageState.BOUNCED),
}
_FINALITY = {str(state): rank for rank, state in _STATE_AFTER_EVENT.values()}
UNREACHABLE_EVENTS = ("blocked", "bounce", "dropped", "spamreport")  # an address with one of these gets no more mail


def base_provider_id(provider_ids: pd.Series) -> pd.Series:
    """The id the provider gave a message when it accepted it, without the suffix of a single event (str)."""
    return provider_ids.astype("str").str.replace(r"\.(?:recvd|filter).*$", "", regex=True)


def settled_messages(events: pd.DataFrame) -> pd.DataFrame:
    """One row per message whose state changes: id, state, provider_id, reason, sent_at.

    `events`: id int64, state str (of the message), event str, provider_id str, occurred_at; one row per event. The most
    final event decides, in whatever order they arrive.
    """
    ranked = events.assign(
        rank=events["event"].map(lambda event: _STATE_AFTER_EVENT[event][0]).astype("int64"),
        before=events["state"].map(lambda state: _FINALITY.get(state, 0)).astype("int64"),
    )
    ranked["sent_at"] = ranked.groupby("id")["occurred_at"].transform("min")
    last = ranked.sort_values(["id", "rank", "occurred_at", "event"]).groupby("id", as_index=False).tail(1)
    last = last[last["rank"] > last["before"]]
    reason = "the provider reported '" + last["event"] + "' on " + last["occurred_at"].dt.strftime("%Y-%m-%d")
    return pd.DataFrame(
        {
            "id": last["id"],
            "state": last["event"].map(lambda event: str(_STATE_AFTER_EVENT[event][1])).astype("str"),
            "provider_id": last["provider_id"],
            "reason": reason.where(last["rank"] > 2).astype("str"),
            "sent_at": last["sent_at"],
        }
    ).reset_index(drop=True)


def stale_messages(queued: pd.DataFrame, rules: NoticeRules, as_of: datetime) -> pd.DataFrame:
    """Queued messages that have become old news: id, reason. `queued`: id, kind, created_at."""
    days = queued["kind"].map(rules.stale_days).astype("int64")
    is_old = pd.Timestamp(as_of) - queued["created_at"] > pd.to_timedelta(days, unit="D")
    reason = f"{OLD_NEWS}: it waited more than " + days[is_old].astype("str") + " days"
    return pd.DataFrame({"id": queued["id"][is_old], "reason": reason.astype("str")}).reset_index(drop=True)


def for_support(undelivered: pd.DataFrame) -> pd.DataFrame:
    """The rows of `undelivered` (reason str) a person can act on: neither old news nor for a silent channel."""
    reason = undelivered["reason"].fillna("")
    return undelivered[~(reason.str.startswith(OLD_NEWS) | (reason == SILENT_CHANNEL))].reset_index(drop=True)
