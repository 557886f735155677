"""Lots of products and when they expire."""

from sqlalchemy import Connection, func, select
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.merging import insert_new, merge
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.schema import lots


def tell(connection: Connection, rows: Subquery, *, by_count: bool = False) -> None:
    """Keep when lots expire. `rows`: product_id, lot, expires_on; what says nothing of one of them is passed over.

    The newest file of the warehouse stands. A count only tells what nobody had said: where it contradicts, its
    finding says so. A lot named twice in a file expires on the earlier day.
    """
    key = rows.c.product_id, rows.c.lot
    said = select(*key, func.min(rows.c.expires_on).label("expires_on")).group_by(*key)
    said = said.where(key[0].is_not(None), key[1] != "", rows.c.expires_on.is_not(None))
    if by_count:
        insert_new(connection, lots, said)
        return
    _, changed = merge(connection, lots, said, ("product_id", "lot"), ("expires_on",))
    if changed:
        note_everything(connection)
