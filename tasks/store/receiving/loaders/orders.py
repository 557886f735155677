"""Loads orders of shops: new ones are inserted, changed ones updated; the same export again changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import HoldReason, QuarantineState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed
from tasks.store.database.upserts import (
    differs,
    drop_repeats,
    drop_rows,
    insert_new,
    keys_match,
    row_count,
    update_changed,
)
from tasks.store.ordering.allocation_notes import ORDER, note
from tasks.store.receiving.bulk_append import bulk_append
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.order_edits import release_excess
from tasks.store.receiving.staging import Sink
from tasks.store.schema import imports, order_lines, orders, quarantined_rows

ORDER_KEY = ("merchant_id", "order_number")
ORDER_FACTS = (
    "channel", "currency", "created_at", "paid_at", "cancelled_at", "fulfilled_at", "service_level", "ship_by",
    "total_minor", "refunded_minor", "customer_reference", "email", "customer_name", "address1", "address2", "city",
    "postal_code", "province", "country", "phone", "language",
)  # fmt: skip
LINE_KEY = ("order_id", "line_number")
LINE_FACTS = ("sku", "name", "unit_price_minor", "discount_minor", "requires_shipping", "quantity_ordered")
REPEAT_KEY = (*ORDER_KEY, "line_number")
REPEAT_FACTS = (*LINE_FACTS[:-1], "quantity")
FULFILLED = ("quantity_allocated", "quantity_picked", "quantity_packed", "quantity_shipped")


def load_orders(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Merge staged order lines.

    An order that the shop had fulfilled when it was first received counts as shipped elsewhere. The facts of the order
    are taken from its first row (`is_first`). A line that is repeated with other values is refused; the first one
    stands.
    """
    total = row_count(connection, rows)
    _keep_first(connection, rows)
    exclusive(connection, "allocations")  # units shipped elsewhere must not be promised at the same time
    insert_new(connection, orders, _new_orders(rows, intake.import_id))
    refused = [
        drop_repeats(connection, rows, REPEAT_KEY, REPEAT_FACTS),
        _refuse_below_picked(connection, rows, intake.as_of),
    ]
    lines, headers = _lines(rows), _headers(rows)
    unchanged = total - sum(map(len, refused)) - _count_changed(connection, lines, headers)
    update_changed(connection, orders, headers, ORDER_KEY, ORDER_FACTS)
    update_changed(connection, order_lines, lines, LINE_KEY, LINE_FACTS)
    _ship_elsewhere(connection, rows)
    _note_added_lines(connection, lines, intake)
    insert_new(connection, order_lines, _new_lines(rows))
    return Loaded(total - sum(map(len, refused)) - unchanged, unchanged, pd.concat(refused, ignore_index=True))


class _NewOrderRows:
    """Splits typed order lines that are all new into rows of orders and order_lines, without comparing any.

    Ids of orders continue from the highest one. The caller holds the lock `receive`, so nobody else inserts orders.
    """

    def __init__(self, connection: Connection, import_id: int) -> None:
        self._highest = int(connection.scalar(select(func.max(orders.c.id))) or 0)
        self._import_id = import_id

    def __call__(self, typed: pd.DataFrame) -> Iterator[tuple[Table, pd.DataFrame]]:
        """The rows of orders, from their first lines, and the rows of order_lines."""
        order_id = self._highest + typed["order_index"]
        heads = typed.assign(id=order_id, import_id=self._import_id)
        heads = heads[[name for name in ("id", "import_id", "hold_reason", *ORDER_KEY, *ORDER_FACTS) if name in heads]]
        first = heads[typed["is_first"] == 1]
        if "refunded_minor" in first:
            first = first.assign(refunded_minor=first["refunded_minor"].fillna(0))
        yield orders, first
        lines = typed.assign(order_id=order_id).rename(columns={"quantity": "quantity_ordered"})
        if lines["is_fulfilled"].any():
            lines = lines.assign(**dict.fromkeys(FULFILLED, lines["quantity_ordered"] * lines["is_fulfilled"]))
        yield order_lines, lines[[name for name in (*LINE_KEY, *LINE_FACTS, *FULFILLED) if name in lines]]


@contextmanager
def append_new_orders(connection: Connection, import_id: int, scratch: Path) -> Iterator[Sink]:
    """A sink for order lines that are all new; the caller holds the lock `receive`.

    Raises KnownRowsError when one is not: the transaction is lost, and the file must be staged and merged.
    """
    with bulk_append(connection, _NewOrderRows(connection, import_id), scratch) as sink:
        yield sink
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(orders.name, "id")
        connection.execute(select(func.setval(sequence, func.max(orders.c.id) + 1, False)))


def _note_added_lines(connection: Connection, lines: Subquery, intake: Intake) -> None:
    """Note existing orders that get another line, so that the next allocation looks at them again."""
    is_known = exists(select(1).where(keys_match(order_lines, lines, LINE_KEY)))
    is_older = (orders.c.id == lines.c.order_id) & orders.c.import_id.is_distinct_from(intake.import_id)
    note(connection, ORDER, select(lines.c.order_id).join(orders, is_older).where(~is_known))


def _ship_elsewhere(connection: Connection, rows: Table) -> None:
    """Count lines without promises as shipped elsewhere when the shop has fulfilled their order meanwhile."""
    fulfilled_orders = (
        select(orders.c.id).join(rows, keys_match(orders, rows, ORDER_KEY)).where(orders.c.fulfilled_at.is_not(None))
    )
    open_units = order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled
    is_open = (order_lines.c.quantity_allocated == 0) & (open_units > 0) & order_lines.c.order_id.in_(fulfilled_orders)
    connection.execute(update(order_lines).where(is_open).values(dict.fromkeys(FULFILLED, open_units)))


def _keep_first(connection: Connection, rows: Table) -> None:
    """Clear `is_first` on all but the first row of an order whose lines lie apart in the file."""
    first_row = func.min(rows.c.row_number).label("number")
    key = [rows.c[name] for name in ORDER_KEY]
    repeated_orders = select(*key, first_row).where(rows.c.is_first == 1).group_by(*key).having(func.count() > 1)
    first_rows = repeated_orders.subquery("first")
    statement = update(rows).where(
        keys_match(rows, first_rows, ORDER_KEY), rows.c.is_first == 1, rows.c.row_number > first_rows.c.number
    )
    connection.execute(statement.values(is_first=0))


def _count_changed(connection: Connection, lines: Subquery, headers: Subquery) -> int:
    """The number of staged rows with a new line, a changed line, or a changed order in its first row."""
    is_known = exists(select(1).where(keys_match(order_lines, lines, LINE_KEY)))
    line_differs = exists(
        select(1).where(keys_match(order_lines, lines, LINE_KEY), differs(order_lines, lines, LINE_FACTS))
    )
    changed_headers = select(headers.c.row_number).where(
        exists(select(1).where(keys_match(orders, headers, ORDER_KEY), differs(orders, headers, ORDER_FACTS)))
    )
    changes = select(lines.c.row_number).where(or_(~is_known, line_differs, lines.c.row_number.in_(changed_headers)))
    return row_count(connection, changes.subquery())


def _order_facts(rows: Table) -> list[ColumnElement[object]]:
    facts = {name: rows.c[f"{name}"] for name in ORDER_FACTS} | {
        "refunded_minor": func.coalesce(rows.c.refunded_minor, 0)
    }
    return [fact.label(name) for name, fact in facts.items()]


def _headers(rows: Table) -> Subquery:
    return (
        select(rows.c.row_number, *(rows.c[name] for name in ORDER_KEY), *_order_facts(rows))
        .where(rows.c.is_first == 1)
        .subquery("headers")
    )


def _new_orders(rows: Table, import_id: int) -> Select[tuple[object, ...]]:
    key = [rows.c[name] for name in ORDER_KEY]
    statement = select(*key, *_order_facts(rows), rows.c.hold_reason, literal(import_id).label("import_id"))
    return statement.where(rows.c.is_first == 1)


def _line_facts(
    rows: Table, order_id: ColumnElement[int], is_fulfilled: ColumnElement[bool]
) -> Select[tuple[object, ...]]:
    elsewhere = case((is_fulfilled, rows.c.quantity), else_=0)
    return select(
        order_id,
        rows.c.line_number,
        *(rows.c[name] for name in LINE_FACTS[:-1]),
        rows.c.quantity.label("quantity_ordered"),
        *(elsewhere.label(name) for name in FULFILLED),
    )


def _new_lines(rows: Table) -> Select[tuple[object, ...]]:
    facts = _line_facts(rows, orders.c.id.label("order_id"), orders.c.fulfilled_at.is_not(None))
    return facts.join_from(rows, orders, keys_match(orders, rows, ORDER_KEY))


def _lines(rows: Table) -> Subquery:
    return _new_lines(rows).add_columns(rows.c.row_number).subquery("lines")


def _refuse_below_picked(connection: Connection, rows: Table, as_of: datetime) -> pd.DataFrame:
    """Release what reduced lines no longer need. Returns the rows that ask for less than is picked or cancelled."""
    refused = release_excess(connection, _lines(rows), as_of)
    drop_rows(connection, rows, refused)
    return refused


def hold_incomplete(connection: Connection) -> int:
    """Hold every order with a row in quarantine, and release those whose rows were all corrected.

    Returns the number of orders held or released.
    """
    quarantined = (
        select(quarantined_rows.c.merchant_id, quarantined_rows.c.subject)
        .join(imports, (imports.c.id == quarantined_rows.c.import_id) & (imports.c.kind == "orders"))
        .where(quarantined_rows.c.state == QuarantineState.OPEN)
        .subquery("waiting")
    )
    is_quarantined = (quarantined.c.merchant_id == orders.c.merchant_id) & (
        quarantined.c.subject == orders.c.order_number
    )
    hold = update(orders).where(orders.c.hold_reason.is_(None), orders.c.fulfilled_at.is_(None), is_quarantined)
    is_incomplete = exists().where(is_quarantined)
    release = update(orders).where(orders.c.hold_reason == HoldReason.INCOMPLETE, ~is_incomplete)
    return changed(connection, hold.values(hold_reason=HoldReason.INCOMPLETE)) + changed(
        connection, release.values(hold_reason=None)
    )
