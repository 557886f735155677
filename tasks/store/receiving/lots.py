"""Lots of products and their expiry dates."""

from sqlalchemy import Connection, func, select
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.upserts import insert_new, merge
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.schema import lots


def record_expiry(connection: Connection, rows: Subquery, *, by_count: bool = False) -> None:
    """Store when lots expire. `rows`: product_id, lot, expires_on; rows that lack one of them are skipped.

    The date in the newest file of the warehouse replaces an earlier one. A count only adds dates that were missing;
    where it contradicts one, its finding says so. A lot with two dates in a file expires on the earlier one.
    """
    key = rows.c.product_id, rows.c.lot
    dates = select(*key, func.min(rows.c.expires_on).label("expires_on")).group_by(*key)
    dates = dates.where(key[0].is_not(None), key[1] != "", rows.c.expires_on.is_not(None))
    if by_count:
        insert_new(connection, lots, dates)
        return
    _, changed = merge(connection, lots, dates, ("product_id", "lot"), ("expires_on",))
    if changed:
        note_everything(connection)
