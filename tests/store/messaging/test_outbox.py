"""The outbox as a table: queued once, claimed once, closed once, and moved on by the provider's events."""

import json
from datetime import timedelta

import pandas as pd
import pytest
from returns_shop import AS_OF, load
from sqlalchemy import Engine, insert, select, update

from tasks.domain.states import MessageState
from tasks.store import schema
from tasks.store.messaging import outbox
from tasks.store.messaging.enqueue import enqueue


@pytest.fixture
def queue(store: Engine) -> Engine:
    """Three queued messages, 1 to 3."""
    with store.begin() as connection:
        connection.execute(insert(schema.merchants).values(id=1, code="HEARTH", name="Hearth & Hook"))
        assert enqueue(connection, _notices("a", "b", "c")) == 3
    return store


def _notices(*keys: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dedupe_key": list(keys), "kind": "parcel_shipped", "merchant_id": 1,
            "order_id": pd.Series([None] * len(keys), dtype="Int64"), "recipient": "jane@mail.example",
            "language": "en", "facts": json.dumps({}), "state": "queued",
            "reason": pd.Series([None] * len(keys), dtype="str"), "created_at": pd.Timestamp(AS_OF),
        }
    )  # fmt: skip


def _states(store: Engine) -> dict[str, str]:
    with store.connect() as connection:
        rows = connection.execute(select(schema.messages.c.dedupe_key, schema.messages.c.state))
        return {row.dedupe_key: row.state for row in rows}


def _set(store: Engine, **values: object) -> None:
    with store.begin() as connection:
        connection.execute(update(schema.messages).values(**values))


def _event(number: int, event: str, **facts: object) -> dict[str, object]:
    row: dict[str, object] = {"event_id": f"e{number}", "event": event, "recipient": "jane@mail.example",
                              "occurred_at": AS_OF + timedelta(minutes=number)}  # fmt: skip
    return row | facts


def test_a_message_is_queued_once(queue: Engine) -> None:
    """The same key again is passed over, whatever became of the first."""
    _set(queue, state="sent")
    with queue.begin() as connection:
        assert enqueue(connection, _notices("a", "d", "d")) == 1
    assert _states(queue) == {"a": "sent", "b": "sent", "c": "sent", "d": "queued"}


def test_only_a_queued_message_is_claimed_and_only_a_claimed_one_closed(queue: Engine) -> None:
    """The second claim gets nothing, and an event that came first is not overwritten."""
    wanted = pd.DataFrame({"id": [1, 2], "provider_id": pd.Series([None, "paper:b"], dtype="str")})
    with queue.begin() as connection:
        assert outbox.claim_messages(connection, wanted) == {1, 2}
        assert outbox.claim_messages(connection, wanted) == set()
    load("message_events", [_event(1, "delivered", dedupe_key="a")])
    ended = wanted.assign(state="sent", reason=pd.Series([None, None], dtype="str"))
    with queue.begin() as connection:
        assert outbox.close_messages(connection, ended, MessageState.SENDING, AS_OF) == 1
    assert _states(queue) == {"a": "delivered", "b": "sent", "c": "queued"}


def test_the_least_tried_are_next(queue: Engine) -> None:
    """A message the provider will not take does not keep the others waiting."""
    with queue.begin() as connection:
        connection.execute(update(schema.messages).where(schema.messages.c.dedupe_key == "a").values(attempts=3))
        assert list(outbox.next_queued(connection, 2)["dedupe_key"]) == ["b", "c"]


def test_events_move_their_message_on_by_key_or_by_the_provider_s_id(queue: Engine) -> None:
    """A doubt is settled, a bounce is a bounce, and SendGrid's longer id finds its message."""
    _set(queue, state="in_doubt", provider_id=None)
    with queue.begin() as connection:
        connection.execute(update(schema.messages).where(schema.messages.c.id == 3).values(provider_id="m3"))
    loaded = load("message_events", [
        _event(1, "processed", dedupe_key="a", provider_id="m1.filter0001.1"),
        _event(2, "bounce", dedupe_key="b", reason="550 <jane@mail.example> unknown"),
        _event(3, "delivered", provider_id="m3.recvd-1"),
        _event(4, "delivered", dedupe_key="of somebody else"),
    ])  # fmt: skip
    assert (loaded.loaded, loaded.unchanged) == (4, 0)
    assert _states(queue) == {"a": "sent", "b": "bounced", "c": "delivered"}
    with queue.connect() as connection:
        row = connection.execute(select(schema.messages).where(schema.messages.c.id == 1)).one()
        reason = connection.scalar(select(schema.messages.c.reason).where(schema.messages.c.id == 2))
    assert (row.provider_id, row.sent_at) == ("m1", AS_OF + timedelta(minutes=1))
    assert "jane" not in str(reason)


def test_an_event_is_kept_once_and_its_id_tells_one_story(queue: Engine) -> None:
    """The same file again changes nothing; the same id with another story is refused."""
    rows = [_event(1, "delivered", dedupe_key="a"), _event(2, "bounce", dedupe_key="b")]
    load("message_events", rows)
    again = load("message_events", [*rows, _event(2, "delivered", dedupe_key="b")])
    assert (again.loaded, again.unchanged, len(again.refused)) == (0, 2, 1)
    other = load("message_events", [_event(1, "bounce", dedupe_key="a")])
    assert other.refused["reason"].iloc[0].startswith("event_id: found 'e1'")
    assert _states(queue) == {"a": "delivered", "b": "bounced", "c": "queued"}


def test_an_address_of_which_trouble_was_told_is_not_written_to(queue: Engine) -> None:
    """In any spelling; a delivery to it is no trouble."""
    load("message_events", [_event(1, "delivered")])
    with queue.begin() as connection:
        assert outbox.suppress_unreachable(connection) == 0
    load("message_events", [_event(2, "spamreport", recipient="JANE@mail.example")])
    with queue.begin() as connection:
        assert outbox.suppress_unreachable(connection) == 3
        assert outbox.suppress_unreachable(connection) == 0
        assert set(outbox.undelivered_messages(connection, AS_OF)["reason"]) == {
            "no mail is sent to this address: the provider reported 'spamreport'"
        }
