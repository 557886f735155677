"""The way out of the outbox: messages are claimed before they are sent and closed after it, by one sender (I4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, case, func, literal, select, update

from config.settings import settings
from tasks.domain.notices import UNREACHABLE_EVENTS
from tasks.domain.states import MessageState
from tasks.store.database.engine import engine, engine_of, exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import merchants, message_events, messages, orders

UNDELIVERED = (MessageState.SUPPRESSED, MessageState.BOUNCED, MessageState.FAILED, MessageState.IN_DOUBT)


@contextmanager
def only_sender() -> Iterator[None]:
    """Wait until no other process sends; the lock ends with the block, or with the process.

    On SQLite the lock is on a database of its own, because the outbox must accept writes meanwhile.
    """
    sqlite = engine().dialect.name == "sqlite"
    lock_engine = engine_of(f"{settings().database}.sending") if sqlite else engine()
    with lock_engine.begin() as connection:
        exclusive(connection, "sending")
        yield


def suppress_unreachable(connection: Connection) -> int:
    """Suppress queued messages to addresses the provider reported as unreachable or unwilling.

    Returns the number of messages suppressed.
    """
    address = func.lower(message_events.c.recipient)
    refused = (
        select(address.label("address"), func.min(message_events.c.event).label("event"))
        .where(message_events.c.event.in_(UNREACHABLE_EVENTS))
        .group_by(address)
        .subquery("refused")
    )
    reason = literal("no mail is sent to this address: the provider reported '") + refused.c.event + literal("'")
    queued = messages.c.state == MessageState.QUEUED
    statement = update(messages).where(queued, func.lower(messages.c.recipient) == refused.c.address)
    return changed(connection, statement.values(state=MessageState.SUPPRESSED, reason=reason))


def queued_messages(connection: Connection) -> pd.DataFrame:
    """Every queued message: id, kind, created_at."""
    query = select(messages.c.id, messages.c.kind, messages.c.created_at)
    return read(connection, query.where(messages.c.state == MessageState.QUEUED).order_by(messages.c.id))


def next_queued(connection: Connection, limit: int) -> pd.DataFrame:
    """The next messages to send, the least attempted first: id, dedupe_key, kind, merchant, recipient, language, facts.

    Also created_at.
    """
    message = messages.c
    return read(
        connection,
        select(message.id, message.dedupe_key, message.kind, merchants.c.code.label("merchant"),
               message.recipient, message.language, message.facts, message.created_at)
        .join_from(messages, merchants, merchants.c.id == message.merchant_id)
        .where(message.state == MessageState.QUEUED)
        .order_by(message.attempts, message.id)
        .limit(limit),
    )  # fmt: skip


def claim_messages(connection: Connection, references: pd.DataFrame) -> set[int]:
    """Mark messages as `sending`, with the reference they will be found by where it is known already.

    `references`: id int64, provider_id str. Returns the ids that were still queued; only those may be sent.
    """
    with staged(connection, references, like=messages) as new:
        statement = update(messages).where(messages.c.id == new.c.id, messages.c.state == MessageState.QUEUED)
        statement = statement.values(
            state=MessageState.SENDING, attempts=messages.c.attempts + 1, provider_id=new.c.provider_id, reason=None
        )
        return set(connection.scalars(statement.returning(messages.c.id)))


def close_messages(connection: Connection, outcomes: pd.DataFrame, state_was: MessageState, as_of: datetime) -> int:
    """Write the outcomes of messages that are still in `state_was`. Returns the number written.

    `outcomes`: id int64, state str, provider_id str, reason str.
    """
    if outcomes.empty:
        return 0
    with staged(connection, outcomes, like=messages) as new:
        sent_at = case((new.c.state == MessageState.SENT, literal(as_of, messages.c.sent_at.type)), else_=None)
        outcome = {"state": new.c.state, "provider_id": new.c.provider_id, "reason": new.c.reason, "sent_at": sent_at}
        statement = update(messages).where(messages.c.id == new.c.id, messages.c.state == state_was)
        return changed(connection, statement.values(outcome))


def interrupted_messages(connection: Connection) -> pd.DataFrame:
    """Messages a sender claimed but did not close: id, provider_id. The caller must hold `only_sender`."""
    query = select(messages.c.id, messages.c.provider_id).where(messages.c.state == MessageState.SENDING)
    return read(connection, query.order_by(messages.c.id))


def requeue_messages(connection: Connection, keys: Sequence[str]) -> int:
    """Queue messages in doubt again after a person found that they were not sent. Returns their number."""
    statement = update(messages).where(messages.c.state == MessageState.IN_DOUBT, messages.c.dedupe_key.in_(keys))
    return changed(connection, statement.values(state=MessageState.QUEUED, reason=None))


def undelivered_messages(connection: Connection, since: datetime) -> pd.DataFrame:
    """Messages that did not arrive: merchant, message (its key), order_number, kind, state, reason; no recipient."""
    message = messages.c
    return read(
        connection,
        select(merchants.c.code.label("merchant"), message.dedupe_key.label("message"), orders.c.order_number,
               message.kind, message.state, message.reason)
        .join_from(messages, merchants, merchants.c.id == message.merchant_id)
        .outerjoin(orders, orders.c.id == message.order_id)
        .where(message.state.in_(UNDELIVERED), message.created_at >= since)
        .order_by(merchants.c.code, message.dedupe_key),
    )  # fmt: skip
