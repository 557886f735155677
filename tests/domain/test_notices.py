"""One notice an event, none where it would be wrong to write, and what the provider's words make of it."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pandas as pd
import pytest

from tasks.domain.notices import (
    NoticeKind,
    NoticeRules,
    base_provider_id,
    for_support,
    notice_messages,
    settled_messages,
    stale_messages,
)

AS_OF = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
RULES = NoticeRules({NoticeKind.PARCEL_SHIPPED: 5})


def rows(**facts: object) -> pd.DataFrame:
    """One event."""
    event = {
        "merchant_id": 1, "merchant": "HEARTH", "order_id": 7, "order_number": "1001", "channel": "web",
        "email": "jane@mail.example", "language": "en", "happened_at": pd.Timestamp(AS_OF), "subject": "P-1",
    }  # fmt: skip
    return pd.DataFrame([event | facts]).astype({"order_id": "Int64"})


def test_two_parcels_are_two_notices_and_one_parcel_is_one() -> None:
    """The key says what it is about and nothing that changes."""
    two = pd.concat([rows(), rows(subject="P-2")])
    keys = notice_messages(NoticeKind.PARCEL_SHIPPED, two, RULES, (), AS_OF)["dedupe_key"]
    assert list(keys) == ["parcel_shipped:HEARTH:1001:P-1", "parcel_shipped:HEARTH:1001:P-2"]
    without = rows().drop(columns="subject")
    assert list(notice_messages(NoticeKind.ORDER_CONFIRMED, without, RULES, (), AS_OF)["dedupe_key"]) == [
        "order_confirmed:HEARTH:1001"
    ]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"happened_at": pd.Timestamp(AS_OF - timedelta(days=6))}, "old news: it happened more than 5 days ago"),
        ({"channel": "Amazon"}, "the channel forbids own mail to its buyers"),
        ({"email": None}, "the order has no e-mail address"),
    ],
)
def test_what_must_not_be_sent_is_kept_with_its_reason(facts: dict[str, object], reason: str | None) -> None:
    """Suppressed, so that a person can see it."""
    found = notice_messages(NoticeKind.PARCEL_SHIPPED, rows(**facts), RULES, {("HEARTH", "amazon")}, AS_OF).iloc[0]
    assert found["state"] == ("suppressed" if reason else "queued")
    assert pd.isna(found["reason"]) if reason is None else found["reason"] == reason


def test_an_order_without_a_language_is_written_to_in_the_merchant_s() -> None:
    """The notice leaves it open, and the wording falls back."""
    assert notice_messages(NoticeKind.PARCEL_SHIPPED, rows(language=None), RULES, (), AS_OF)["language"].tolist() == [
        ""
    ]


def test_facts_hold_what_is_there_in_plain_json() -> None:
    """Numbers of numpy, days and moments are written plainly; what is missing is left out; no address is a fact."""
    items = [{"sku": "A", "quantity": pd.Series([2]).iloc[0], "on": AS_OF.date()}]
    event = rows(total=pd.Series([5]).iloc[0], carrier=None).assign(items=pd.Series([items], dtype=object))
    facts = json.loads(notice_messages(NoticeKind.PARCEL_SHIPPED, event, RULES, (), AS_OF)["facts"].iloc[0])
    assert facts["items"] == [{"sku": "A", "quantity": 2, "on": "2026-09-07"}]
    assert facts["total"] == 5
    assert {"carrier", "email"} & set(facts) == set()


def test_the_most_final_word_counts_in_whatever_order_the_words_arrive() -> None:
    """A bounce after a delivery is a bounce, and a late 'processed' undoes nothing."""
    said = [("processed", 0), ("delivered", 1), ("bounce", 2)]
    for order in permutations(said):
        state = "in_doubt"
        for event, minutes in order:
            at = pd.Timestamp(AS_OF) + pd.Timedelta(minutes=minutes)
            one = pd.DataFrame([{"id": 1, "state": state, "event": event, "provider_id": "p", "occurred_at": at}])
            words = settled_messages(one)
            state = words["state"].iloc[0] if len(words) else state
        assert state == "bounced"


def test_the_provider_s_own_word_settles_a_doubt() -> None:
    """Processed means it was taken; the address it bounced at is not in the reason."""
    one = pd.DataFrame(
        [{"id": 1, "state": "in_doubt", "event": "processed", "provider_id": "p", "occurred_at": pd.Timestamp(AS_OF)}]
    )
    assert settled_messages(one)[["state", "provider_id"]].to_numpy().tolist() == [["sent", "p"]]
    bounce = settled_messages(one.assign(event="bounce"))
    assert bounce["reason"].tolist() == ["the provider reported 'bounce' on 2026-09-07"]


def test_an_event_s_id_begins_with_the_message_s() -> None:
    """SendGrid appends to it where the event came from."""
    ids = pd.Series(["14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "abc.recvd-canary-1", "abc", None])
    assert base_provider_id(ids).tolist()[:3] == ["14c5d75ce93.dfd.64b469", "abc", "abc"]


def test_what_waited_too_long_is_old_news_and_needs_nobody() -> None:
    """After an outage of a week nobody is told that a parcel leaves today."""
    waiting = pd.DataFrame(
        {
            "id": [1, 2],
            "kind": "parcel_shipped",
            "created_at": pd.to_datetime([AS_OF, AS_OF - timedelta(days=6)], utc=True),
        }
    )
    old = stale_messages(waiting, RULES, AS_OF)
    assert old["id"].tolist() == [2]
    assert for_support(old).empty
