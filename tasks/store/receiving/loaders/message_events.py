"""Loads the mail provider's events about messages."""

import pandas as pd
from sqlalchemy import Connection, Table, func, literal, select, update

from tasks.domain.notices import base_provider_id, settled_messages
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import differs, drop_repeats, drop_rows, insert_new, keys_match, row_count
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import message_events, messages

_EVENT_FACTS = ("event", "recipient", "dedupe_key", "provider_id", "reason", "occurred_at")


def load_message_events(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Store each provider event once, and update the state of its message."""
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, ("event_id",), _EVENT_FACTS), _refuse_conflicts(connection, rows)]
    events = _events_of_messages(connection, rows)
    source = select(rows.c.event_id, *(rows.c[name] for name in _EVENT_FACTS)).order_by(rows.c.row_number)
    new = insert_new(connection, message_events, source)
    _settle(connection, settled_messages(events))
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new, total - new - len(refused_rows), refused_rows)


def _refuse_conflicts(connection: Connection, rows: Table) -> pd.DataFrame:
    reason = (
        literal("event_id: found '")
        + rows.c.event_id
        + literal("', received before with other values, expected a new id")
    )
    conflicts = select(rows.c.row_number, reason.label("reason")).join(
        message_events, keys_match(message_events, rows, ("event_id",))
    )
    refused = read(connection, conflicts.where(differs(message_events, rows, _EVENT_FACTS)))
    drop_rows(connection, rows, refused)
    return refused


def _events_of_messages(connection: Connection, rows: Table) -> pd.DataFrame:
    """Staged events with the message they are about, matched by its key, otherwise by the provider's id."""
    row = rows.c
    events = read(connection, select(row.row_number, row.event, row.dedupe_key, row.provider_id, row.occurred_at))
    events["provider_id"] = base_provider_id(events["provider_id"])
    with staged(connection, events, like=message_events) as reported:
        statement = select(
            messages.c.id, messages.c.state, reported.c.event, reported.c.provider_id, reported.c.occurred_at
        ).select_from(reported)
        by_id = statement.join(messages, messages.c.provider_id == reported.c.provider_id)
        matches = [
            read(connection, statement.join(messages, messages.c.dedupe_key == reported.c.dedupe_key)),
            read(connection, by_id.where(func.coalesce(reported.c.dedupe_key, "") == "")),
        ]
    return pd.concat(matches, ignore_index=True)


def _settle(connection: Connection, outcomes: pd.DataFrame) -> None:
    if outcomes.empty:
        return
    with staged(connection, outcomes, like=messages) as new:
        statement = update(messages).where(messages.c.id == new.c.id)
        statement = statement.values(
            state=new.c.state,
            reason=new.c.reason,
            provider_id=func.coalesce(messages.c.provider_id, new.c.provider_id),
            sent_at=func.coalesce(messages.c.sent_at, new.c.sent_at),
        )
        connection.execute(statement)
