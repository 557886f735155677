"""Orders as shops export them: new ones in, changed ones up to date, the same export again changes nothing."""

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

from tasks.domain.receiving.row_names import NUMBERED
from tasks.domain.states import HoldReason, QuarantineState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed
from tasks.store.database.merging import count, differs, drop, drop_repeats, insert_new, same_key, update_changed
from tasks.store.ordering.allocation_notes import ORDER, note
from tasks.store.receiving.append_blocks import straight
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.order_edits import shrink
from tasks.store.receiving.staging import Sink
from tasks.store.schema import imports, order_lines, orders, quarantined_rows

STAGED_WITH = ("merchant_id", *NUMBERED)  # beside the columns of the kind
KEY = ("merchant_id", "order_number")
HEADER = (
    "channel", "currency", "created_at", "paid_at", "cancelled_at", "fulfilled_at", "service_level", "ship_by",
    "total_minor", "refunded_minor", "customer_reference", "email", "customer_name", "address1", "address2", "city",
    "postal_code", "province", "country", "phone", "language",
)  # fmt: skip
LINE_KEY = ("order_id", "line_number")
LINE = ("sku", "name", "unit_price_minor", "discount_minor", "requires_shipping", "quantity_ordered")
REPEAT_KEY = (*KEY, "line_number")
REPEAT_FACTS = (*LINE[:-1], "quantity")
FULFILLED = ("quantity_allocated", "quantity_picked", "quantity_packed", "quantity_shipped")


def load_orders(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Merge staged order lines.

    An order the shop had fulfilled when it was first seen comes in as shipped elsewhere. What is said of the order
    is taken from its first row (`is_first`). A line twice in a file with other values is refused; the first stands.
    """
    total = count(connection, rows)
    _keep_first(connection, rows)
    exclusive(connection, "allocations")  # what left meanwhile must not be promised at the same moment
    insert_new(connection, orders, _new_orders(rows, intake.import_id))
    refused = [
        drop_repeats(connection, rows, REPEAT_KEY, REPEAT_FACTS),
        _refuse_below_picked(connection, rows, intake.as_of),
    ]
    lines, headers = _lines(rows), _headers(rows)
    unchanged = total - sum(map(len, refused)) - _count_changed(connection, lines, headers)
    update_changed(connection, orders, headers, KEY, HEADER)
    update_changed(connection, order_lines, lines, LINE_KEY, LINE)
    _ship_elsewhere(connection, rows)
    _note_added_lines(connection, lines, intake)
    insert_new(connection, order_lines, _new_lines(rows))
    return Loaded(total - sum(map(len, refused)) - unchanged, unchanged, pd.concat(refused, ignore_index=True))


class _NewOrders:
    """Order lines none of which is known: orders are numbered on from the highest id, no row is compared.

    The caller holds `receive`: nobody else makes orders.
    """

    def __init__(self, connection: Connection, import_id: int) -> None:
        self._highest = int(connection.scalar(select(func.max(orders.c.id))) or 0)
        self._import_id = import_id

    def __call__(self, typed: pd.DataFrame) -> Iterator[tuple[Table, pd.DataFrame]]:
        """An order by its first line, and every line."""
        order_id = self._highest + typed["order_index"]
        heads = typed.assign(id=order_id, import_id=self._import_id)
        heads = heads[[name for name in ("id", "import_id", "hold_reason", *KEY, *HEADER) if name in heads]]
        first = heads[typed["is_first"] == 1]
        if "refunded_minor" in first:
            first = first.assign(refunded_minor=first["refunded_minor"].fillna(0))
        yield orders, first
        lines = typed.assign(order_id=order_id).rename(columns={"quantity": "quantity_ordered"})
        if lines["is_fulfilled"].any():
            lines = lines.assign(**dict.fromkeys(FULFILLED, lines["quantity_ordered"] * lines["is_fulfilled"]))
        yield order_lines, lines[[name for name in (*LINE_KEY, *LINE, *FULFILLED) if name in lines]]


@contextmanager
def straight_orders(connection: Connection, import_id: int, scratch: Path) -> Iterator[Sink]:
    """Order lines all of which are new go into their tables block by block; the caller holds `receive`.

    Raises KnownRowsError when they are not: the transaction is lost, the file must be staged and merged.
    """
    with straight(connection, _NewOrders(connection, import_id), scratch) as sink:
        yield sink
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(orders.name, "id")
        connection.execute(select(func.setval(sequence, func.max(orders.c.id) + 1, False)))


def _note_added_lines(connection: Connection, lines: Subquery, intake: Intake) -> None:
    """Orders that were there before and get a further line: an allocation must look at them again."""
    known = exists(select(1).where(same_key(order_lines, lines, LINE_KEY)))
    older = (orders.c.id == lines.c.order_id) & orders.c.import_id.is_distinct_from(intake.import_id)
    note(connection, ORDER, select(lines.c.order_id).join(orders, older).where(~known))


def _ship_elsewhere(connection: Connection, rows: Table) -> None:
    """Lines nothing was promised for, of an order the shop has fulfilled meanwhile, have left without us."""
    gone = select(orders.c.id).join(rows, same_key(orders, rows, KEY)).where(orders.c.fulfilled_at.is_not(None))
    left = order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled
    untouched = (order_lines.c.quantity_allocated == 0) & (left > 0) & order_lines.c.order_id.in_(gone)
    connection.execute(update(order_lines).where(untouched).values(dict.fromkeys(FULFILLED, left)))


def _keep_first(connection: Connection, rows: Table) -> None:
    """Of an order whose lines lie in several blocks of the file, only the first block's first row is its first."""
    number = func.min(rows.c.row_number).label("number")
    key = [rows.c[name] for name in KEY]
    several = select(*key, number).where(rows.c.is_first == 1).group_by(*key).having(func.count() > 1)
    first = several.subquery("first")
    later = update(rows).where(same_key(rows, first, KEY), rows.c.is_first == 1, rows.c.row_number > first.c.number)
    connection.execute(later.values(is_first=0))


def _count_changed(connection: Connection, lines: Subquery, headers: Subquery) -> int:
    """How many staged rows bring something: a new line, a changed line, or a changed order in their first row."""
    known = exists(select(1).where(same_key(order_lines, lines, LINE_KEY)))
    line = exists(select(1).where(same_key(order_lines, lines, LINE_KEY), differs(order_lines, lines, LINE)))
    header = select(headers.c.row_number).where(
        exists(select(1).where(same_key(orders, headers, KEY), differs(orders, headers, HEADER)))
    )
    changes = select(lines.c.row_number).where(or_(~known, line, lines.c.row_number.in_(header)))
    return count(connection, changes.subquery())


def _order_facts(rows: Table) -> list[ColumnElement[object]]:
    facts = {name: rows.c[f"{name}"] for name in HEADER} | {"refunded_minor": func.coalesce(rows.c.refunded_minor, 0)}
    return [fact.label(name) for name, fact in facts.items()]


def _headers(rows: Table) -> Subquery:
    return select(rows.c.row_number, *(rows.c[name] for name in KEY), *_order_facts(rows)).where(
        rows.c.is_first == 1
    ).subquery("headers")  # fmt: skip


def _new_orders(rows: Table, import_id: int) -> Select[tuple[object, ...]]:
    key = [rows.c[name] for name in KEY]
    made = select(*key, *_order_facts(rows), rows.c.hold_reason, literal(import_id).label("import_id"))
    return made.where(rows.c.is_first == 1)


def _line_facts(
    rows: Table, order_id: ColumnElement[int], is_fulfilled: ColumnElement[bool]
) -> Select[tuple[object, ...]]:
    elsewhere = case((is_fulfilled, rows.c.quantity), else_=0)
    return select(
        order_id,
        rows.c.line_number,
        *(rows.c[name] for name in LINE[:-1]),
        rows.c.quantity.label("quantity_ordered"),
        *(elsewhere.label(name) for name in FULFILLED),
    )


def _new_lines(rows: Table) -> Select[tuple[object, ...]]:
    facts = _line_facts(rows, orders.c.id.label("order_id"), orders.c.fulfilled_at.is_not(None))
    return facts.join_from(rows, orders, same_key(orders, rows, KEY))


def _lines(rows: Table) -> Subquery:
    return _new_lines(rows).add_columns(rows.c.row_number).subquery("lines")


def _refuse_below_picked(connection: Connection, rows: Table, as_of: datetime) -> pd.DataFrame:
    """A line may shrink and gives back what it was promised; not below what is picked or cancelled."""
    found = shrink(connection, _lines(rows), as_of)
    drop(connection, rows, found)
    return found


def hold_incomplete(connection: Connection) -> int:
    """Hold every order a row of which is in quarantine, and let go those whose rows were all corrected.

    Returns how many orders were held or let go.
    """
    waiting = (
        select(quarantined_rows.c.merchant_id, quarantined_rows.c.subject)
        .join(imports, (imports.c.id == quarantined_rows.c.import_id) & (imports.c.kind == "orders"))
        .where(quarantined_rows.c.state == QuarantineState.OPEN)
        .subquery("waiting")
    )
    waits = (waiting.c.merchant_id == orders.c.merchant_id) & (waiting.c.subject == orders.c.order_number)
    hold = update(orders).where(orders.c.hold_reason.is_(None), orders.c.fulfilled_at.is_(None), waits)
    incomplete = select(orders.c.id).join(waiting, waits)
    release = update(orders).where(orders.c.hold_reason == HoldReason.INCOMPLETE, orders.c.id.not_in(incomplete))
    return changed(connection, hold.values(hold_reason=HoldReason.INCOMPLETE)) + changed(
        connection, release.values(hold_reason=None)
    )
