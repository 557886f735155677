"""What orders that still need stock were promised already, and which of these promises cannot grow."""

import pandas as pd
from sqlalchemy import Connection, Table, and_, func, select

from tasks.domain.states import AllocationState, PickState
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import read
from tasks.store.ordering.open_lines import NEED
from tasks.store.schema import allocations, locations, order_lines, picks

_LINE_OF_PROMISE = and_(
    allocations.c.order_id == order_lines.c.order_id, allocations.c.line_number == order_lines.c.line_number
)


def promised_parts(connection: Connection, chosen_orders: Table | None = None) -> pd.DataFrame:
    """What orders that still need stock have: order_id, line_number, product_id, warehouse_id, units (int64).

    `chosen_orders`: a table of order_id, where only those are read.
    """
    names = ["order_id", "line_number", "product_id", "warehouse_id"]
    key = [allocations.c[name] for name in names[:3]] + [locations.c.warehouse_id]
    needing = select(order_lines.c.order_id).where(NEED > 0)
    query = (
        select(*key, func.sum(allocations.c.quantity).label("units"))
        .join_from(allocations, locations, locations.c.id == allocations.c.location_id)
        .where(allocations.c.state != AllocationState.RELEASED)
        .where(allocations.c.order_id.in_(needing if chosen_orders is None else select(chosen_orders.c.order_id)))
        .group_by(*key)
    )
    return read_bulk(connection, query).astype("int64").sort_values(names, ignore_index=True)


def places_in_waves(connection: Connection, chosen_orders: Table | None = None) -> pd.DataFrame:
    """Open promises of lines that still need stock and that are on a pick list already: they cannot grow.

    `chosen_orders`: a table of order_id, where only those are read.

    Columns: order_id, line_number, location_id, product_id, lot.
    """
    key = [allocations.c[name] for name in ("order_id", "line_number", "location_id", "product_id", "lot")]
    query = (
        select(*key)
        .join_from(allocations, order_lines, _LINE_OF_PROMISE)
        .join(picks, and_(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED))
        .where(allocations.c.state == AllocationState.OPEN, NEED > 0)
        .order_by(*key)
    )
    if chosen_orders is not None:
        query = query.where(allocations.c.order_id.in_(select(chosen_orders.c.order_id)))
    return read(connection, query)
