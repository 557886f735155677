"""The outbox: what customers are to be told, written in the transaction that decided it, sent at most once (I4)."""

import pandas as pd
from sqlalchemy import Connection, insert, select

from tasks.store.frames import changed, staged
from tasks.store.schema import messages


def enqueue(connection: Connection, notices: pd.DataFrame) -> int:
    """Put notices (`tasks.domain.notices.notices`) in the outbox; a key that is there already is passed over.

    Returns how many were new.
    """
    if notices.empty:
        return 0
    with staged(connection, notices.drop_duplicates("dedupe_key"), like=messages) as new:
        names = [str(column.key) for column in new.columns]
        unknown = select(new).where(new.c.dedupe_key.not_in(select(messages.c.dedupe_key))).order_by(new.c.dedupe_key)
        return changed(connection, insert(messages).from_select(names, unknown))
