"""Loads the reports of pickers."""

from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from tasks.domain.picking.pick_reports import settle
from tasks.domain.states import Condition, PickState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, drop_rows, row_count
from tasks.store.ordering.allocations import release, settle_lines
from tasks.store.picking.waves import close_finished
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import (
    allocations,
    locations,
    orders,
    picks,
    products,
)
from tasks.store.stock.post_moves import correct_counts

REPORT_FACTS = ("quantity", "short_reason", "picker", "picked_at")


def load_picks(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Settle planned picks by the reports of pickers; units that were not taken are released at once.

    A report is about the planned picks of its order and SKU (a kit's component under its own SKU), at its location if
    it names one. For units that were not found, allocate-orders promises others and puts the place in doubt.
    """
    total = row_count(connection, rows)
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    refused = [drop_repeats(connection, rows, ("merchant_id", "order_number", "location", "sku"), REPORT_FACTS)]
    refused.append(_refuse_unplanned(connection, rows))
    claims = read(connection, _claims(rows))
    settled, contradictions = settle(claims)
    _write_picks(connection, settled)
    settled_claims = claims.merge(settled[["pick_id", "row_number", "taken"]], on=["pick_id", "row_number"])
    release(
        connection,
        settled_claims.assign(quantity=settled_claims["planned"] - settled_claims["taken"]),
        "short_pick",
        intake.as_of,
    )
    settle_lines(connection, settled_claims)
    correct_counts(connection, _emptied_places(connection, settled), pd.Timestamp(intake.as_of))
    close_finished(connection)
    refused_rows = pd.concat([*refused, contradictions], ignore_index=True)
    loaded = settled["row_number"].nunique()
    return Loaded(loaded, total - loaded - len(refused_rows), refused_rows)


def _emptied_places(connection: Connection, settled: pd.DataFrame) -> pd.DataFrame:
    """The places that units were picked from, and since when: location_id, product_id, condition, lot, since."""
    condition = literal(Condition.AVAILABLE.value).label("condition")
    place = [allocations.c.location_id, allocations.c.product_id, condition, allocations.c.lot]
    with staged(connection, settled[["pick_id"]]) as picked:
        places = select(*place, func.min(picks.c.picked_at).label("since")).join_from(
            picked, picks, picks.c.id == picked.c.pick_id
        )
        places = places.join(allocations, allocations.c.id == picks.c.allocation_id).where(picks.c.quantity_picked > 0)
        return read(connection, places.group_by(allocations.c.location_id, allocations.c.product_id, allocations.c.lot))


def _refuse_unplanned(connection: Connection, rows: Table) -> pd.DataFrame:
    """Reports about orders, SKUs or locations without a planned pick: row_number and reason."""
    planned, report = _planned_picks().subquery("planned"), rows.c
    of_order = and_(planned.c.merchant_id == report.merchant_id, planned.c.order_number == report.order_number)
    of_sku = and_(of_order, planned.c.sku == report.sku)
    is_match = and_(of_sku, or_(report.location.is_(None), planned.c.location == report.location))
    is_order = exists().where(orders.c.merchant_id == report.merchant_id, orders.c.order_number == report.order_number)
    reason = case(
        (~is_order, literal("order_number: found '") + report.order_number + "', expected an order of the merchant"),
        (
            ~exists().where(of_order),
            literal("order_number: found '") + report.order_number + "', expected an order a wave was planned for",
        ),
        (~exists().where(of_sku), literal("sku: found '") + report.sku + "', expected a SKU planned for the order"),
        else_=literal("location: found '")
        + func.coalesce(report.location, "")
        + "', expected the place planned for the SKU",
    )
    unplanned = read(connection, select(report.row_number, reason.label("reason")).where(~exists().where(is_match)))
    drop_rows(connection, rows, unplanned)
    return unplanned.astype({"row_number": "int64", "reason": "str"})


def _planned_picks() -> Select[Any]:
    """Every planned pick with the names that reports use."""
    return (
        select(
            picks.c.id.label("pick_id"),
            orders.c.merchant_id,
            orders.c.order_number,
            products.c.sku,
            locations.c.code.label("location"),
            picks.c.quantity.label("planned"),
            picks.c.state,
            picks.c.quantity_picked,
            picks.c.picked_at.label("told_at"),
            picks.c.allocation_id,
            picks.c.cart_id,
            picks.c.stop_number,
            allocations.c.order_id,
            allocations.c.line_number,
        )
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(orders, orders.c.id == allocations.c.order_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
    )


def _claims(rows: Table) -> Select[Any]:
    planned, report = _planned_picks().subquery("planned"), rows.c
    is_match = and_(
        planned.c.merchant_id == report.merchant_id,
        planned.c.order_number == report.order_number,
        planned.c.sku == report.sku,
        or_(report.location.is_(None), report.location == planned.c.location),
    )
    names = ("pick_id", "planned", "state", "quantity_picked", "told_at", "allocation_id", "order_id", "line_number")
    claims = select(report.row_number, *(report[name] for name in REPORT_FACTS), *(planned.c[name] for name in names))
    order = (report.row_number, planned.c.cart_id, planned.c.stop_number, planned.c.pick_id)
    return claims.join_from(rows, planned, is_match).order_by(*order)


def _write_picks(connection: Connection, settled: pd.DataFrame) -> None:
    if settled.empty:
        return
    with staged(connection, settled, like=picks) as new:
        facts = {name: new.c[name] for name in ("state", "short_reason", "picker", "picked_at")}
        is_open = and_(picks.c.id == new.c.pick_id, picks.c.state == PickState.OPEN)
        connection.execute(update(picks).where(is_open).values(quantity_picked=new.c.taken, **facts))
