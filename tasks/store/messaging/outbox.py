"""The outbox on its way out: claimed before the call, closed after it, by one sender at a time (I4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, case, func, literal, select, update

from config.settings import settings
from tasks.domain.notices import UNREACHABLE
from tasks.domain.states import MessageState
from tasks.store.database.engine import engine, engine_of, exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import merchants, message_events, messages, orders

TROUBLED = (MessageState.SUPPRESSED, MessageState.BOUNCED, MessageState.FAILED, MessageState.IN_DOUBT)


@contextmanager
def only_sender() -> Iterator[None]:
    """Wait until nobody else sends; the right to send ends with the block, or with the process.

    On SQLite it is held on a database of its own: the outbox's has to take writes meanwhile.
    """
    sqlite = engine().dialect.name == "sqlite"
    place = engine_of(f"{settings().database}.sending") if sqlite else engine()
    with place.begin() as connection:
        exclusive(connection, "sending")
        yield


def suppress_unreachable(connection: Connection) -> int:
    """Take queued messages out whose address the provider could not reach or was told not to write to."""
    address = func.lower(message_events.c.recipient)
    refused = (
        select(address.label("address"), func.min(message_events.c.event).label("event"))
        .where(message_events.c.event.in_(UNREACHABLE))
        .group_by(address)
        .subquery("refused")
    )
    reason = literal("the address is not written to: the provider reported '") + refused.c.event + literal("'")
    queued = messages.c.state == MessageState.QUEUED
    statement = update(messages).where(queued, func.lower(messages.c.recipient) == refused.c.address)
    return changed(connection, statement.values(state=MessageState.SUPPRESSED, reason=reason))


def queued(connection: Connection) -> pd.DataFrame:
    """Every queued message: id, kind, created_at."""
    chosen = select(messages.c.id, messages.c.kind, messages.c.created_at)
    return read(connection, chosen.where(messages.c.state == MessageState.QUEUED).order_by(messages.c.id))


def next_queued(connection: Connection, limit: int) -> pd.DataFrame:
    """Messages to send next, the least tried first: id, dedupe_key, kind, merchant, recipient, language, facts."""
    one = messages.c
    return read(
        connection,
        select(one.id, one.dedupe_key, one.kind, merchants.c.code.label("merchant"), one.recipient, one.language,
               one.facts, one.created_at)
        .join_from(messages, merchants, merchants.c.id == one.merchant_id)
        .where(one.state == MessageState.QUEUED)
        .order_by(one.attempts, one.id)
        .limit(limit),
    )  # fmt: skip


def claim(connection: Connection, references: pd.DataFrame) -> set[int]:
    """Make messages `sending`, each with the reference it can be found by later if that is known already.

    `references`: id int64, provider_id str. Returns the ids that were still queued: only those may be sent.
    """
    with staged(connection, references, like=messages) as new:
        mine = update(messages).where(messages.c.id == new.c.id, messages.c.state == MessageState.QUEUED)
        mine = mine.values(
            state=MessageState.SENDING, attempts=messages.c.attempts + 1, provider_id=new.c.provider_id, reason=None
        )
        return set(connection.scalars(mine.returning(messages.c.id)))


def close(connection: Connection, outcomes: pd.DataFrame, state_was: MessageState, as_of: datetime) -> int:
    """Write down what became of messages that are still in `state_was`; says how many there were.

    `outcomes`: id int64, state str, provider_id str, reason str.
    """
    if outcomes.empty:
        return 0
    with staged(connection, outcomes, like=messages) as new:
        sent_at = case((new.c.state == MessageState.SENT, literal(as_of, messages.c.sent_at.type)), else_=None)
        ours = update(messages).where(messages.c.id == new.c.id, messages.c.state == state_was)
        ours = ours.values(state=new.c.state, provider_id=new.c.provider_id, reason=new.c.reason, sent_at=sent_at)
        return changed(connection, ours)


def interrupted(connection: Connection) -> pd.DataFrame:
    """Messages a sender claimed and did not close: id, provider_id. Nobody else may be sending meanwhile."""
    chosen = select(messages.c.id, messages.c.provider_id).where(messages.c.state == MessageState.SENDING)
    return read(connection, chosen.order_by(messages.c.id))


def release(connection: Connection, keys: Sequence[str]) -> int:
    """Queue messages in doubt again, of which a person found out that they were not sent."""
    doubtful = update(messages).where(messages.c.state == MessageState.IN_DOUBT, messages.c.dedupe_key.in_(keys))
    return changed(connection, doubtful.values(state=MessageState.QUEUED, reason=None))


def troubled(connection: Connection, since: datetime) -> pd.DataFrame:
    """What did not arrive: merchant, message (its key), order_number, kind, state, reason; no recipient."""
    one = messages.c
    return read(
        connection,
        select(merchants.c.code.label("merchant"), one.dedupe_key.label("message"), orders.c.order_number, one.kind,
               one.state, one.reason)
        .join_from(messages, merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .where(one.state.in_(TROUBLED), one.created_at >= since)
        .order_by(merchants.c.code, one.dedupe_key),
    )  # fmt: skip
