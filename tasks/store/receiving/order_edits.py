"""Order lines that a later export reduces, or changes to another product, below what was promised to them."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Boolean, Connection, Select, and_, case, cast, exists, func, or_, select
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.ordering.order_edits import LINE_KEY, releasable_promises
from tasks.domain.states import AllocationState, PickState
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import keys_match
from tasks.store.ordering.allocations import release
from tasks.store.receiving.loader import no_refusals
from tasks.store.schema import allocations, order_lines, orders, picks, products
from tasks.store.stock.places import product_parts

_SAME_LINE = and_(*(allocations.c[name] == order_lines.c[name] for name in LINE_KEY))


def release_excess(connection: Connection, lines: Subquery, as_of: datetime) -> pd.DataFrame:
    """Release what is promised to changed lines beyond what they order now.

    `lines`: staged order lines with row_number, order_id, line_number and the facts of `order_lines`. The caller
    holds the lock `allocations`. Returns the refused rows, row_number and reason: those that would take units away that
    are picked or cancelled already.
    """
    excess = read(connection, _promised_beyond(lines))
    if excess.empty:
        return no_refusals()
    returned = releasable_promises(excess[[*LINE_KEY, "keep"]], _promises(connection, excess[LINE_KEY]))
    release(connection, returned.promises, "edited", as_of)
    least = excess.join(returned.stuck.rename("least"), on=LINE_KEY)["least"].fillna(0).astype("int64")
    is_refused = (least > 0) | (excess["ordered"] < excess["cancelled"])
    refused = excess.assign(least=least + excess["cancelled"])[is_refused]
    fault = "quantity: found " + refused["ordered"].astype("str")
    fault += ", expected at least " + refused["least"].astype("str")
    fault = fault.mask(~refused["ships"], "requires_shipping: found no, expected yes")
    fault = fault.mask(refused["is_other"], "sku: found '" + refused["sku"] + "', expected '" + refused["was"] + "'")
    reason = fault + ", as units are picked or cancelled already"
    return pd.DataFrame({"row_number": refused["row_number"].astype("int64"), "reason": reason.astype("str")})


def _promised_beyond(lines: Subquery) -> Select[Any]:
    """Changed lines with more units promised than they order now, and how many of them they keep."""
    line, other = order_lines.c, lines.c.sku != order_lines.c.sku
    ships = func.coalesce(lines.c.requires_shipping, line.requires_shipping)
    needs_none = or_(func.coalesce(other, False), ships.is_(False))
    open_units = lines.c.quantity_ordered - line.quantity_cancelled
    keep = case((or_(needs_none, open_units < 0), 0), else_=open_units)
    return (
        select(
            lines.c.row_number,
            line.order_id,
            line.line_number,
            lines.c.quantity_ordered.label("ordered"),
            line.quantity_cancelled.label("cancelled"),
            cast(keep, BigInteger).label("keep"),
            lines.c.sku,
            line.sku.label("was"),
            cast(func.coalesce(other, False), Boolean).label("is_other"),
            cast(ships, Boolean).label("ships"),
        )
        .join_from(lines, order_lines, and_(*(lines.c[name] == line[name] for name in LINE_KEY)))
        .where(or_(line.quantity_allocated > keep, open_units < 0))
        .order_by(lines.c.row_number)
    )


def _promises(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """The promises to the lines, one row per allocation, with the columns that `given_back` takes."""
    part, planned = product_parts(), picks.c.allocation_id == allocations.c.id
    begun = exists().where(planned, picks.c.state.in_((PickState.PICKED, PickState.SHORT)))
    is_product = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)
    with staged(connection, lines, like=order_lines) as changed_lines:
        statement = (
            select(
                *(allocations.c[name] for name in LINE_KEY),
                allocations.c.product_id,
                part.c.quantity.label("per"),
                allocations.c.id.label("allocation_id"),
                allocations.c.quantity,
                exists().where(planned, picks.c.state == PickState.OPEN).label("is_planned"),
                and_(allocations.c.state == AllocationState.OPEN, ~begun).label("is_loose"),
            )
            .join_from(changed_lines, allocations, keys_match(allocations, changed_lines, LINE_KEY))
            .join(order_lines, _SAME_LINE)
            .join(orders, orders.c.id == order_lines.c.order_id)
            .join(products, is_product)
            .join(part, and_(part.c.product_id == products.c.id, part.c.part_id == allocations.c.product_id))
            .where(allocations.c.state != AllocationState.RELEASED)
        )
        return read(connection, statement.order_by(allocations.c.id))
