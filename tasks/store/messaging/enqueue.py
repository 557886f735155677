"""The way into the outbox: notices are written in the transaction that decided them, and sent at most once (I4)."""

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, func, select

from tasks.domain.notices import OLD_NEWS, SILENT_CHANNEL
from tasks.store.database.frames import staged
from tasks.store.database.upserts import insert_new
from tasks.store.schema import messages


def enqueue(connection: Connection, notices: pd.DataFrame) -> int:
    """Put notices (columns as in `tasks.domain.notices.notice_messages`) in the outbox; a known key is skipped.

    Returns the number of new messages.
    """
    if notices.empty:
        return 0
    with staged(connection, notices.drop_duplicates("dedupe_key"), like=messages) as new:
        return insert_new(connection, messages, select(new).order_by(new.c.dedupe_key))


def was_due() -> ColumnElement[bool]:
    """Whether a message should have been sent: it is neither old news nor for a channel that forbids own mail."""
    reason = func.coalesce(messages.c.reason, "")
    return and_(reason.not_like(f"{OLD_NEWS}%"), reason != SILENT_CHANNEL)
