"""What a feed said last of each product in each warehouse, and whether its file is known to lie there."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, and_, select, update

from tasks.domain.states import FeedState
from tasks.domain.stock.feeds import KEY, NUMBERS
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import insert_new
from tasks.store.schema import feed_lines


def published_lines(connection: Connection, feed: str) -> pd.DataFrame:
    """What a feed said last: product_id, warehouse_id, NUMBERS (int64), state."""
    one = feed_lines.c
    names = (*KEY, *NUMBERS, "state")
    told = read(
        connection,
        select(*(one[name] for name in names)).where(one.feed == feed).order_by(*(one[name] for name in KEY)),
    )
    return told.astype(dict.fromkeys([*KEY, *NUMBERS], "int64"))


def record_due_lines(connection: Connection, feed: str, lines: pd.DataFrame) -> None:
    """Write down what a feed is about to say (KEY, NUMBERS), before its file is written."""
    with staged(
        connection, lines[[*KEY, *NUMBERS]].assign(feed=feed, state=str(FeedState.DUE)), like=feed_lines
    ) as new:
        mine = and_(feed_lines.c.feed == new.c.feed, *(feed_lines.c[name] == new.c[name] for name in KEY))
        names = (*NUMBERS, "state")
        connection.execute(update(feed_lines).where(mine).values({name: new.c[name] for name in names}))
        insert_new(connection, feed_lines, select(new).order_by(*(new.c[name] for name in KEY)))


def record_published_lines(connection: Connection, feed: str, lines: pd.DataFrame, as_of: datetime) -> int:
    """The file of these lines lies there; a line that says something else by now stays due. Says how many."""
    with staged(connection, lines[[*KEY, *NUMBERS]].assign(feed=feed), like=feed_lines) as new:
        same = and_(*(feed_lines.c[name] == new.c[name] for name in ("feed", *KEY, *NUMBERS)))
        waits = update(feed_lines).where(same, feed_lines.c.state == FeedState.DUE)
        return changed(connection, waits.values(state=FeedState.PUBLISHED, published_at=as_of))
