"""Order lines that a later export makes smaller, or into something else, than what they were promised."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Boolean, Connection, Select, and_, case, cast, exists, func, or_, select
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.ordering.order_edits import LINE, given_back
from tasks.domain.states import AllocationState, PickState
from tasks.store.database.frames import read, staged
from tasks.store.ordering.allocations import release
from tasks.store.schema import allocations, order_lines, orders, picks, products
from tasks.store.stock.places import parts

_SAME_LINE = and_(*(allocations.c[name] == order_lines.c[name] for name in LINE))


def shrink(connection: Connection, lines: Subquery, as_of: datetime) -> pd.DataFrame:
    """Give up what changed lines no longer ask for, once; gives the rows that ask back what is picked already.

    `lines`: staged order lines with row_number, order_id, line_number and the facts of `order_lines`. The caller
    holds `allocations`. Gives row_number, reason.
    """
    found = read(connection, _promised_beyond(lines))
    if found.empty:
        return pd.DataFrame({"row_number": pd.Series(dtype="int64"), "reason": pd.Series(dtype="str")})
    back = given_back(found[[*LINE, "keep"]], _promises(connection, found[LINE]))
    release(connection, back.promises, "edited", as_of)
    least = found.join(back.stuck.rename("least"), on=LINE)["least"].fillna(0).astype("int64")
    refused = found.assign(least=least + found["cancelled"])[(least > 0) | (found["asked"] < found["cancelled"])]
    said = "quantity: found " + refused["asked"].astype("str") + ", expected at least " + refused["least"].astype("str")
    said = said.mask(~refused["ships"], "requires_shipping: found no, expected yes")
    said = said.mask(refused["is_other"], "sku: found '" + refused["sku"] + "', expected '" + refused["was"] + "'")
    reason = said + ", as units are picked or cancelled already"
    return pd.DataFrame({"row_number": refused["row_number"].astype("int64"), "reason": reason.astype("str")})


def _promised_beyond(lines: Subquery) -> Select[Any]:
    """Changed lines that have more than they ask for now, and what of it may stay."""
    line, other = order_lines.c, lines.c.sku != order_lines.c.sku
    ships = func.coalesce(lines.c.requires_shipping, line.requires_shipping)
    gone = or_(func.coalesce(other, False), ships.is_(False))
    left = lines.c.quantity_ordered - line.quantity_cancelled
    keep = case((or_(gone, left < 0), 0), else_=left)
    return (
        select(lines.c.row_number, line.order_id, line.line_number, lines.c.quantity_ordered.label("asked"),
               line.quantity_cancelled.label("cancelled"), cast(keep, BigInteger).label("keep"), lines.c.sku,
               line.sku.label("was"), cast(func.coalesce(other, False), Boolean).label("is_other"),
               cast(ships, Boolean).label("ships"))
        .join_from(lines, order_lines, and_(*(lines.c[name] == line[name] for name in LINE)))
        .where(or_(line.quantity_allocated > keep, left < 0))
        .order_by(lines.c.row_number)
    )  # fmt: skip


def _promises(connection: Connection, of: pd.DataFrame) -> pd.DataFrame:
    """What the lines have, as `given_back` takes it."""
    part, planned = parts(), picks.c.allocation_id == allocations.c.id
    begun = exists().where(planned, picks.c.state.in_((PickState.PICKED, PickState.SHORT)))
    goods = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)
    with staged(connection, of, like=order_lines) as those:
        statement = (
            select(*(allocations.c[name] for name in LINE), allocations.c.product_id, part.c.quantity.label("per"),
                   allocations.c.id.label("allocation_id"), allocations.c.quantity,
                   exists().where(planned, picks.c.state == PickState.OPEN).label("is_planned"),
                   and_(allocations.c.state == AllocationState.OPEN, ~begun).label("is_loose"))
            .join_from(those, allocations, and_(*(those.c[name] == allocations.c[name] for name in LINE)))
            .join(order_lines, _SAME_LINE)
            .join(orders, orders.c.id == order_lines.c.order_id)
            .join(products, goods)
            .join(part, and_(part.c.product_id == products.c.id, part.c.part_id == allocations.c.product_id))
            .where(allocations.c.state != AllocationState.RELEASED)
        )  # fmt: skip
        return read(connection, statement.order_by(allocations.c.id))
