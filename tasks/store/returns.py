"""What process-returns reads of returns, orders and places, and what it writes back."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, String, and_, case, cast, func, literal, or_, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.returns.return_matching import SEVERAL
from tasks.domain.returns.return_policy import Found
from tasks.domain.states import Purpose, RefundState, ReturnState
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import insert_new
from tasks.store.schema import (
    locations,
    merchants,
    order_lines,
    orders,
    products,
    refunds,
    return_lines,
    returns,
    shipments,
    warehouses,
)

_ASKED = returns.c.state == ReturnState.REQUESTED
_CAME = and_(return_lines.c.received_at.is_not(None), return_lines.c.disposition.is_(None))
_OPEN = or_(_ASKED, returns.c.id.in_(select(return_lines.c.return_id).where(_CAME)))
_ORDER = (
    orders.c.channel, orders.c.country, orders.c.language, orders.c.customer_name,
    func.coalesce(orders.c.email, returns.c.email).label("email"),
)  # fmt: skip


def find_orders(connection: Connection) -> None:
    """Give each open return its order: by number, or by the customer's reference where that names exactly one."""
    lost = (_OPEN, returns.c.order_id.is_(None))
    by_number = update(returns).where(
        *lost, orders.c.merchant_id == returns.c.merchant_id, orders.c.order_number == returns.c.order_number
    )
    connection.execute(by_number.values(order_id=orders.c.id))
    named = _named()
    by_reference = update(returns).where(
        *lost, returns.c.order_number.is_(None), named.c.merchant_id == returns.c.merchant_id,
        named.c.customer_reference == returns.c.customer_reference, named.c.many == 1,
    )  # fmt: skip
    connection.execute(by_reference.values(order_id=named.c.order_id, order_number=named.c.order_number))


def _named() -> Subquery:
    """How many orders the customers' references of open returns name."""
    one = orders.c
    wanted = select(returns.c.customer_reference).where(_OPEN, returns.c.customer_reference.is_not(None))
    return (
        select(one.merchant_id, one.customer_reference, func.min(one.id).label("order_id"),
               func.min(one.order_number).label("order_number"), func.count().label("many"))
        .where(one.customer_reference.in_(wanted))
        .group_by(one.merchant_id, one.customer_reference)
        .subquery("named")
    )  # fmt: skip


def _sold() -> Subquery:
    """Per product of the orders of open returns: left (sent and not back), priced (0 or 1), name."""
    line = order_lines.c
    unpriced = func.max(case((line.unit_price_minor.is_(None), 1), else_=0))
    return (
        select(line.order_id, line.sku, func.sum(line.quantity_shipped - line.quantity_returned).label("left"),
               (1 - unpriced).label("priced"), func.max(line.name).label("name"))
        .where(line.order_id.in_(select(returns.c.order_id).where(_OPEN)))
        .group_by(line.order_id, line.sku)
        .subquery("sold")
    )  # fmt: skip


def _announced() -> Subquery:
    """Units of agreed returns that have not arrived, per order and product."""
    waits = (returns.c.state == ReturnState.APPROVED, return_lines.c.received_at.is_(None))
    return (
        select(returns.c.order_id, return_lines.c.sku, func.sum(return_lines.c.quantity).label("units"))
        .join_from(returns, return_lines, return_lines.c.return_id == returns.c.id)
        .where(*waits)
        .group_by(returns.c.order_id, return_lines.c.sku)
        .subquery("announced")
    )


def requested(connection: Connection) -> pd.DataFrame:
    """Products of undecided requests, the earliest request first; see `returns.return_policy.decide` for the columns.

    Beside them return_id, merchant_id, rma, request_id, order_id, order_number, sku, name, email, language,
    customer_name, paid_at, fulfilled_at.
    """
    one, line, sold, announced, named = returns.c, return_lines.c, _sold(), _announced(), _named()
    several = or_(one.order_number.contains(SEVERAL), and_(one.order_number.is_(None), named.c.many > 1))
    found = case((one.order_id.is_not(None), str(Found.ONE)), (several, str(Found.SEVERAL)), else_=str(Found.UNKNOWN))
    left = func.coalesce(sold.c.left, 0) - func.coalesce(announced.c.units, 0)
    return read(
        connection,
        select(
            one.id.label("return_id"), one.merchant_id, merchants.c.code.label("merchant"), one.rma, one.request_id,
            one.order_id, one.order_number, one.requested_at, *_ORDER, orders.c.paid_at, orders.c.fulfilled_at,
            line.sku, line.reason, line.quantity, cast(found, String).label("found"), sold.c.name,
            sold.c.sku.is_not(None).label("on_order"), cast(left, line.quantity.type).label("left"),
            func.coalesce(products.c.is_final_sale, False).label("final_sale"),
        )
        .join_from(returns, return_lines, line.return_id == one.id)
        .join(merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .outerjoin(sold, and_(sold.c.order_id == one.order_id, sold.c.sku == line.sku))
        .outerjoin(announced, and_(announced.c.order_id == one.order_id, announced.c.sku == line.sku))
        .outerjoin(named, and_(named.c.merchant_id == one.merchant_id,
                               named.c.customer_reference == one.customer_reference))
        .outerjoin(products, and_(products.c.merchant_id == one.merchant_id, products.c.sku == line.sku))
        .where(_ASKED)
        .order_by(one.requested_at, one.rma, line.sku),
    )  # fmt: skip


def parcels(connection: Connection) -> pd.DataFrame:
    """Parcels of the orders of undecided requests that left: order_id, shipped_at, delivered_at."""
    one = shipments.c
    chosen = select(one.order_id, one.shipped_at, one.delivered_at).where(
        one.order_id.in_(select(returns.c.order_id).where(_ASKED)),
        or_(one.shipped_at.is_not(None), one.delivered_at.is_not(None)),
    )
    return read(connection, chosen.order_by(one.id))


def answer(connection: Connection, answers: pd.DataFrame, as_of: datetime) -> int:
    """Write decisions to returns that are still undecided. `answers`: return_id, state, rule, why."""
    with staged(connection, answers, like=returns) as new:
        mine = update(returns).where(returns.c.id == new.c.return_id, _ASKED)
        return changed(
            connection, mine.values(state=new.c.state, rule=new.c.rule, decision=new.c.why, decided_at=as_of)
        )


def received(connection: Connection) -> pd.DataFrame:
    """Received products that are not booked; see `tasks.domain.returns.returned_goods.dispose` for the columns.

    Beside them line_id, merchant_id, merchant, rma, order_number, rule, currency, name, received_at, channel, email,
    language, customer_name.
    """
    one, line, sold = returns.c, return_lines.c, _sold()
    return read(
        connection,
        select(
            line.id.label("line_id"), one.id.label("return_id"), one.merchant_id, merchants.c.code.label("merchant"),
            one.rma, one.state, one.rule, one.resolution, one.order_id, one.order_number, orders.c.currency, *_ORDER,
            line.sku, sold.c.name, line.quantity, line.quantity_received, line.grade, line.received_at,
            sold.c.sku.is_not(None).label("on_order"),
            cast(func.coalesce(sold.c.left, 0), line.quantity.type).label("left"),
            (func.coalesce(sold.c.priced, 0) == 1).label("priced"), products.c.id.label("product_id"),
            func.coalesce(products.c.is_kit, False).label("is_kit"),
        )
        .join_from(returns, return_lines, line.return_id == one.id)
        .join(merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .outerjoin(sold, and_(sold.c.order_id == one.order_id, sold.c.sku == line.sku))
        .outerjoin(products, and_(products.c.merchant_id == one.merchant_id, products.c.sku == line.sku))
        .where(_CAME, ~_ASKED)
        .order_by(line.received_at, one.rma, line.sku),
    )  # fmt: skip


def lines_of_orders(connection: Connection) -> pd.DataFrame:
    """Lines of the orders of open returns: order_id, line_number, sku, ordered, shipped, came_back and their price."""
    line = order_lines.c
    return read(
        connection,
        select(line.order_id, line.line_number, line.sku, line.quantity_ordered.label("ordered"),
               line.quantity_shipped.label("shipped"), line.quantity_returned.label("came_back"),
               line.unit_price_minor, line.discount_minor)
        .where(line.order_id.in_(select(returns.c.order_id).where(_OPEN)))
        .order_by(line.order_id, line.line_number),
    )  # fmt: skip


def payments(connection: Connection) -> pd.DataFrame:
    """What was paid and given back for the orders of open returns: order_id, total_minor, refunded_minor, is_paid."""
    one = orders.c
    ours = select(func.sum(refunds.c.amount_minor)).where(refunds.c.order_id == one.id).scalar_subquery()
    given_back = one.refunded_minor + func.coalesce(ours, 0)
    return read(
        connection,
        select(one.id.label("order_id"), one.total_minor,
               cast(given_back, one.refunded_minor.type).label("refunded_minor"),
               one.paid_at.is_not(None).label("is_paid"))
        .where(one.id.in_(select(returns.c.order_id).where(_OPEN)))
        .order_by(one.id),
    )  # fmt: skip


def returns_place(connection: Connection, warehouse: str, otherwise: str) -> int:
    """Where returned goods are put: the warehouse's place for returns, or the place of that code."""
    found = connection.scalar(
        select(locations.c.id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .where(
            warehouses.c.code == warehouse, or_(locations.c.purpose == Purpose.RETURNS, locations.c.code == otherwise)
        )
        .order_by(case((locations.c.purpose == Purpose.RETURNS, 0), else_=1), locations.c.code)
        .limit(1)
    )
    if found is None:
        raise LookupError(
            f"warehouse {warehouse} has neither a place for returns nor {otherwise}; receive its locations"
        )
    return int(found)


def book(connection: Connection, disposed: pd.DataFrame, units: pd.DataFrame) -> None:
    """Write where returned products went, and the units that came back to their order lines.

    `disposed`: line_id, disposition; `units`: see `tasks.domain.returns.returned_goods.spread`.
    """
    first = units.drop_duplicates(["return_id", "sku"])[["return_id", "sku", "order_id", "line_number"]]
    with staged(connection, disposed[["line_id", "disposition"]], like=return_lines) as new:
        mine = update(return_lines).where(return_lines.c.id == new.c.line_id)
        connection.execute(mine.values(disposition=new.c.disposition))
    with staged(connection, first, like=return_lines) as new:
        same = and_(return_lines.c.return_id == new.c.return_id, return_lines.c.sku == new.c.sku)
        connection.execute(
            update(return_lines).where(same).values(order_id=new.c.order_id, line_number=new.c.line_number)
        )
    back = units.groupby(["order_id", "line_number"])["returned"].sum().reset_index()
    with staged(connection, back, like=order_lines) as new:
        same = and_(order_lines.c.order_id == new.c.order_id, order_lines.c.line_number == new.c.line_number)
        more = order_lines.c.quantity_returned + new.c.returned
        connection.execute(update(order_lines).where(same).values(quantity_returned=more))


def close(connection: Connection, ended: pd.DataFrame, as_of: datetime) -> None:
    """Write the states of booked returns. `ended`: return_id, state, flags (what a person should know)."""
    with staged(connection, ended, like=returns) as new:
        told = func.coalesce(returns.c.decision, "") + case((new.c.flags == "", ""), else_=literal("; ") + new.c.flags)
        closed = case((new.c.state == ReturnState.CLOSED, literal(as_of, returns.c.closed_at.type)), else_=None)
        mine = update(returns).where(returns.c.id == new.c.return_id)
        connection.execute(mine.values(state=new.c.state, decision=told, closed_at=closed))


def waiting(connection: Connection) -> pd.DataFrame:
    """The returns of which units were agreed that have not arrived: return_id."""
    line = return_lines.c
    chosen = select(line.return_id).where(line.quantity_received < line.quantity).distinct()
    return read(connection, chosen)


def propose_refunds(connection: Connection, proposed: pd.DataFrame) -> int:
    """Write refunds once. `proposed`: refund_key, return_id, order_id, amount_minor, currency, rule, created_at."""
    if proposed.empty:
        return 0
    with staged(connection, proposed.assign(state=str(RefundState.PROPOSED)), like=refunds) as new:
        return insert_new(connection, refunds, select(new).order_by(new.c.refund_key))
