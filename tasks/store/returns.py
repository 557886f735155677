"""Returns for process-returns: open ones with their orders, and the decisions, states and refunds it writes."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, String, and_, case, cast, func, literal, or_, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.returns.return_matching import ORDER_NUMBER_SEPARATOR
from tasks.domain.returns.return_policy import OrderMatch
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

_IS_REQUESTED = returns.c.state == ReturnState.REQUESTED
_IS_RECEIVED = and_(return_lines.c.received_at.is_not(None), return_lines.c.disposition.is_(None))
_IS_OPEN = or_(_IS_REQUESTED, returns.c.id.in_(select(return_lines.c.return_id).where(_IS_RECEIVED)))
_ORDER_COLUMNS = (
    orders.c.channel, orders.c.country, orders.c.language, orders.c.customer_name,
    func.coalesce(orders.c.email, returns.c.email).label("email"),
)  # fmt: skip


def assign_orders(connection: Connection) -> None:
    """Assign each open return its order: by number, or by the customer's reference if exactly one order has it."""
    unassigned = (_IS_OPEN, returns.c.order_id.is_(None))
    by_number = update(returns).where(
        *unassigned, orders.c.merchant_id == returns.c.merchant_id, orders.c.order_number == returns.c.order_number
    )
    connection.execute(by_number.values(order_id=orders.c.id))
    referenced = _referenced_orders()
    by_reference = update(returns).where(
        *unassigned, returns.c.order_number.is_(None), referenced.c.merchant_id == returns.c.merchant_id,
        referenced.c.customer_reference == returns.c.customer_reference, referenced.c.many == 1,
    )  # fmt: skip
    connection.execute(by_reference.values(order_id=referenced.c.order_id, order_number=referenced.c.order_number))


def _referenced_orders() -> Subquery:
    """The number of orders per customer reference of open returns, and the first of them."""
    order = orders.c
    references = select(returns.c.customer_reference).where(_IS_OPEN, returns.c.customer_reference.is_not(None))
    return (
        select(order.merchant_id, order.customer_reference, func.min(order.id).label("order_id"),
               func.min(order.order_number).label("order_number"), func.count().label("many"))
        .where(order.customer_reference.in_(references))
        .group_by(order.merchant_id, order.customer_reference)
        .subquery("named")
    )  # fmt: skip


def _sold_products() -> Subquery:
    """Per product of the orders of open returns: left (shipped and not back), priced (0 or 1), name."""
    line = order_lines.c
    unpriced = func.max(case((line.unit_price_minor.is_(None), 1), else_=0))
    return (
        select(line.order_id, line.sku, func.sum(line.quantity_shipped - line.quantity_returned).label("left"),
               (1 - unpriced).label("priced"), func.max(line.name).label("name"))
        .where(line.order_id.in_(select(returns.c.order_id).where(_IS_OPEN)))
        .group_by(line.order_id, line.sku)
        .subquery("sold")
    )  # fmt: skip


def _announced_units() -> Subquery:
    """Units of approved returns that have not arrived, per order and product."""
    is_awaited = (returns.c.state == ReturnState.APPROVED, return_lines.c.received_at.is_(None))
    return (
        select(returns.c.order_id, return_lines.c.sku, func.sum(return_lines.c.quantity).label("units"))
        .join_from(returns, return_lines, return_lines.c.return_id == returns.c.id)
        .where(*is_awaited)
        .group_by(returns.c.order_id, return_lines.c.sku)
        .subquery("announced")
    )


def requested_products(connection: Connection) -> pd.DataFrame:
    """Products of undecided requests, the earliest request first: columns as in `return_policy.decided_products`.

    Also return_id, merchant_id, rma, request_id, order_id, order_number, sku, name, email, language,
    customer_name, paid_at, fulfilled_at.
    """
    one, line, sold = returns.c, return_lines.c, _sold_products()
    announced, referenced = _announced_units(), _referenced_orders()
    several = or_(
        one.order_number.contains(ORDER_NUMBER_SEPARATOR), and_(one.order_number.is_(None), referenced.c.many > 1)
    )
    match = case(
        (one.order_id.is_not(None), str(OrderMatch.ONE)),
        (several, str(OrderMatch.SEVERAL)),
        else_=str(OrderMatch.UNKNOWN),
    )
    left = func.coalesce(sold.c.left, 0) - func.coalesce(announced.c.units, 0)
    return read(
        connection,
        select(
            one.id.label("return_id"), one.merchant_id, merchants.c.code.label("merchant"), one.rma, one.request_id,
            one.order_id, one.order_number, one.requested_at, *_ORDER_COLUMNS, orders.c.paid_at, orders.c.fulfilled_at,
            line.sku, line.reason, line.quantity, cast(match, String).label("found"), sold.c.name,
            sold.c.sku.is_not(None).label("on_order"), cast(left, line.quantity.type).label("left"),
            func.coalesce(products.c.is_final_sale, False).label("final_sale"),
        )
        .join_from(returns, return_lines, line.return_id == one.id)
        .join(merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .outerjoin(sold, and_(sold.c.order_id == one.order_id, sold.c.sku == line.sku))
        .outerjoin(announced, and_(announced.c.order_id == one.order_id, announced.c.sku == line.sku))
        .outerjoin(referenced, and_(referenced.c.merchant_id == one.merchant_id,
                                    referenced.c.customer_reference == one.customer_reference))
        .outerjoin(products, and_(products.c.merchant_id == one.merchant_id, products.c.sku == line.sku))
        .where(_IS_REQUESTED)
        .order_by(one.requested_at, one.rma, line.sku),
    )  # fmt: skip


def shipped_parcels(connection: Connection) -> pd.DataFrame:
    """Departed parcels of the orders of undecided requests: order_id, shipped_at, delivered_at."""
    parcel = shipments.c
    query = select(parcel.order_id, parcel.shipped_at, parcel.delivered_at).where(
        parcel.order_id.in_(select(returns.c.order_id).where(_IS_REQUESTED)),
        or_(parcel.shipped_at.is_not(None), parcel.delivered_at.is_not(None)),
    )
    return read(connection, query.order_by(parcel.id))


def write_decisions(connection: Connection, answers: pd.DataFrame, as_of: datetime) -> int:
    """Write decisions to returns that are still undecided. Returns the number written.

    `answers`: return_id, state, rule, why.
    """
    with staged(connection, answers, like=returns) as new:
        statement = update(returns).where(returns.c.id == new.c.return_id, _IS_REQUESTED)
        decision = {"state": new.c.state, "rule": new.c.rule, "decision": new.c.why, "decided_at": as_of}
        return changed(connection, statement.values(decision))


def received_products(connection: Connection) -> pd.DataFrame:
    """Received products that are not booked: columns as in `returned_goods.disposed_products`.

    Also line_id, merchant_id, merchant, rma, order_number, rule, currency, name, received_at, channel, email,
    language, customer_name.
    """
    one, line, sold = returns.c, return_lines.c, _sold_products()
    return read(
        connection,
        select(
            line.id.label("line_id"), one.id.label("return_id"), one.merchant_id, merchants.c.code.label("merchant"),
            one.rma, one.state, one.rule, one.resolution, one.order_id, one.order_number, orders.c.currency,
            *_ORDER_COLUMNS, line.sku, sold.c.name, line.quantity, line.quantity_received, line.grade, line.received_at,
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
        .where(_IS_RECEIVED, ~_IS_REQUESTED)
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
        .where(line.order_id.in_(select(returns.c.order_id).where(_IS_OPEN)))
        .order_by(line.order_id, line.line_number),
    )  # fmt: skip


def payments(connection: Connection) -> pd.DataFrame:
    """Payments and refunds of the orders of open returns: order_id, total_minor, refunded_minor, is_paid."""
    one = orders.c
    ours = select(func.sum(refunds.c.amount_minor)).where(refunds.c.order_id == one.id).scalar_subquery()
    refunded = one.refunded_minor + func.coalesce(ours, 0)
    return read(
        connection,
        select(one.id.label("order_id"), one.total_minor,
               cast(refunded, one.refunded_minor.type).label("refunded_minor"),
               one.paid_at.is_not(None).label("is_paid"))
        .where(one.id.in_(select(returns.c.order_id).where(_IS_OPEN)))
        .order_by(one.id),
    )  # fmt: skip


def returns_location(connection: Connection, warehouse: str, otherwise: str) -> int:
    """The id of the location for returned goods: the warehouse's location for returns, or the one with that code.

    Raises LookupError where the warehouse has neither.
    """
    location_id = connection.scalar(
        select(locations.c.id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .where(
            warehouses.c.code == warehouse, or_(locations.c.purpose == Purpose.RETURNS, locations.c.code == otherwise)
        )
        .order_by(case((locations.c.purpose == Purpose.RETURNS, 0), else_=1), locations.c.code)
        .limit(1)
    )
    if location_id is None:
        raise LookupError(
            f"warehouse {warehouse} has neither a location for returns nor {otherwise}: receive its locations first"
        )
    return int(location_id)


def book_products(connection: Connection, disposed: pd.DataFrame, units: pd.DataFrame) -> None:
    """Write the disposition of returned products, and the units that came back to their order lines.

    `disposed`: line_id, disposition; `units`: columns as in `returned_goods.returned_units`.
    """
    first = units.drop_duplicates(["return_id", "sku"])[["return_id", "sku", "order_id", "line_number"]]
    with staged(connection, disposed[["line_id", "disposition"]], like=return_lines) as new:
        statement = update(return_lines).where(return_lines.c.id == new.c.line_id)
        connection.execute(statement.values(disposition=new.c.disposition))
    with staged(connection, first, like=return_lines) as new:
        is_line = and_(return_lines.c.return_id == new.c.return_id, return_lines.c.sku == new.c.sku)
        statement = update(return_lines).where(is_line)
        connection.execute(statement.values(order_id=new.c.order_id, line_number=new.c.line_number))
    returned = units.groupby(["order_id", "line_number"])["returned"].sum().reset_index()
    with staged(connection, returned, like=order_lines) as new:
        is_line = and_(order_lines.c.order_id == new.c.order_id, order_lines.c.line_number == new.c.line_number)
        total = order_lines.c.quantity_returned + new.c.returned
        connection.execute(update(order_lines).where(is_line).values(quantity_returned=total))


def write_states(connection: Connection, states: pd.DataFrame, as_of: datetime) -> None:
    """Write the states of booked returns. `states`: return_id, state, flags (what a person should know)."""
    with staged(connection, states, like=returns) as new:
        flags = case((new.c.flags == "", ""), else_=literal("; ") + new.c.flags)
        decision = func.coalesce(returns.c.decision, "") + flags
        closed_at = case((new.c.state == ReturnState.CLOSED, literal(as_of, returns.c.closed_at.type)), else_=None)
        statement = update(returns).where(returns.c.id == new.c.return_id)
        connection.execute(statement.values(state=new.c.state, decision=decision, closed_at=closed_at))


def incomplete_returns(connection: Connection) -> pd.DataFrame:
    """Returns of which agreed units have not arrived: return_id."""
    line = return_lines.c
    query = select(line.return_id).where(line.quantity_received < line.quantity).distinct()
    return read(connection, query)


def propose_refunds(connection: Connection, proposed: pd.DataFrame) -> int:
    """Write each proposed refund once. Returns the number written.

    `proposed`: refund_key, return_id, order_id, amount_minor, currency, rule, created_at.
    """
    if proposed.empty:
        return 0
    with staged(connection, proposed.assign(state=str(RefundState.PROPOSED)), like=refunds) as new:
        return insert_new(connection, refunds, select(new).order_by(new.c.refund_key))
