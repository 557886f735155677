"""Loads what the mail provider reports of messages."""

import pandas as pd
from sqlalchemy import Connection, Table, func, literal, select, update

from tasks.domain.notices import message_part, settled
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, differs, drop, drop_repeats, insert_new, same_key
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import message_events, messages

_FACTS = ("event", "recipient", "dedupe_key", "provider_id", "reason", "occurred_at")


def load_message_events(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Keep staged provider events once, and let each say what became of its message."""
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, ("event_id",), _FACTS), _refuse_otherwise(connection, rows)]
    events = _events_of_messages(connection, rows)
    source = select(rows.c.event_id, *(rows.c[name] for name in _FACTS)).order_by(rows.c.row_number)
    new = insert_new(connection, message_events, source)
    _settle(connection, settled(events))
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new, total - new - len(bad), bad)


def _refuse_otherwise(connection: Connection, rows: Table) -> pd.DataFrame:
    reason = (
        literal("event_id: found '") + rows.c.event_id
        + literal("', which was received before with another story, expected an id of its own")
    )  # fmt: skip
    told = select(rows.c.row_number, reason.label("reason")).join(
        message_events, same_key(message_events, rows, ("event_id",))
    )
    found = read(connection, told.where(differs(message_events, rows, _FACTS)))
    drop(connection, rows, found)
    return found


def _events_of_messages(connection: Connection, rows: Table) -> pd.DataFrame:
    """Staged events beside the message they are about, found by its key, otherwise by the provider's id."""
    c = rows.c
    events = read(connection, select(c.row_number, c.event, c.dedupe_key, c.provider_id, c.occurred_at))
    events["provider_id"] = message_part(events["provider_id"])
    with staged(connection, events, like=message_events) as said:
        about = select(
            messages.c.id, messages.c.state, said.c.event, said.c.provider_id, said.c.occurred_at
        ).select_from(said)
        by_id = about.join(messages, messages.c.provider_id == said.c.provider_id)
        found = [
            read(connection, about.join(messages, messages.c.dedupe_key == said.c.dedupe_key)),
            read(connection, by_id.where(func.coalesce(said.c.dedupe_key, "") == "")),
        ]
    return pd.concat(found, ignore_index=True)


def _settle(connection: Connection, words: pd.DataFrame) -> None:
    if words.empty:
        return
    with staged(connection, words, like=messages) as new:
        said = update(messages).where(messages.c.id == new.c.id)
        said = said.values(
            state=new.c.state, reason=new.c.reason,
            provider_id=func.coalesce(messages.c.provider_id, new.c.provider_id),
            sent_at=func.coalesce(messages.c.sent_at, new.c.sent_at),
        )  # fmt: skip
        connection.execute(said)
