"""What a feed said last of each product in each warehouse, and whether its file is known to be written."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, and_, select, update

from tasks.domain.states import FeedState
from tasks.domain.stock.feeds import FEED_LINE_KEY, FEED_UNITS
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import insert_new
from tasks.store.schema import feed_lines


def published_lines(connection: Connection, feed: str) -> pd.DataFrame:
    """What a feed said last: product_id, warehouse_id, NUMBERS (int64), state."""
    line = feed_lines.c
    names = (*FEED_LINE_KEY, *FEED_UNITS, "state")
    query = select(*(line[name] for name in names)).where(line.feed == feed)
    rows = read(connection, query.order_by(*(line[name] for name in FEED_LINE_KEY)))
    return rows.astype(dict.fromkeys([*FEED_LINE_KEY, *FEED_UNITS], "int64"))


def record_due_lines(connection: Connection, feed: str, lines: pd.DataFrame) -> None:
    """Store what a feed is about to say (KEY, NUMBERS), before its file is written."""
    with staged(
        connection, lines[[*FEED_LINE_KEY, *FEED_UNITS]].assign(feed=feed, state=str(FeedState.DUE)), like=feed_lines
    ) as new:
        is_line = and_(feed_lines.c.feed == new.c.feed, *(feed_lines.c[name] == new.c[name] for name in FEED_LINE_KEY))
        names = (*FEED_UNITS, "state")
        connection.execute(update(feed_lines).where(is_line).values({name: new.c[name] for name in names}))
        insert_new(connection, feed_lines, select(new).order_by(*(new.c[name] for name in FEED_LINE_KEY)))


def record_published_lines(connection: Connection, feed: str, lines: pd.DataFrame, as_of: datetime) -> int:
    """Store that the file of these lines is written; a line that differs by now stays due. Returns their number."""
    with staged(connection, lines[[*FEED_LINE_KEY, *FEED_UNITS]].assign(feed=feed), like=feed_lines) as new:
        is_line = and_(*(feed_lines.c[name] == new.c[name] for name in ("feed", *FEED_LINE_KEY, *FEED_UNITS)))
        due = update(feed_lines).where(is_line, feed_lines.c.state == FeedState.DUE)
        return changed(connection, due.values(state=FeedState.PUBLISHED, published_at=as_of))
