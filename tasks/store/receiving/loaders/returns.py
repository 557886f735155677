"""Loads return requests and return receipts; process-returns decides on them."""

import pandas as pd
from sqlalchemy import Connection, Table, exists, func, literal, select, union, update

from tasks.domain.returns import return_matching
from tasks.domain.states import ReturnState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import drop_repeats, drop_rows, insert_new, keys_match, row_count
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import merchants, return_lines, returns

_REQUEST_KEY = ("merchant_id", "request_id")
_REQUEST_FACTS = ("order_number", "customer_reference", "email", "resolution", "requested_at")
_RECEIPT_KEY = ("merchant_id", "rma", "order_number", "sku", "received_at", "grade")


def load_return_requests(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store each staged request as an undecided return; a row that contradicts a stored request is refused."""
    exclusive(connection, "returns")
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, (*_REQUEST_KEY, "sku"), (*_REQUEST_FACTS, "quantity", "reason"))]
    refused.append(_refuse_changed_requests(connection, rows))
    row = rows.c
    columns = [row[name] for name in ("row_number", *_REQUEST_KEY, *_REQUEST_FACTS)]
    requests = read(
        connection,
        select(*columns, merchants.c.code.label("merchant")).join_from(
            rows, merchants, merchants.c.id == row.merchant_id
        ),
    )
    _insert_requested_returns(connection, return_matching.requested_returns(requests), intake)
    lines = select(returns.c.id.label("return_id"), row.sku, row.reason, row.quantity).join_from(
        rows, returns, keys_match(returns, rows, _REQUEST_KEY)
    )
    new = insert_new(connection, return_lines, lines.order_by(row.row_number))
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new, total - new - len(refused_rows), refused_rows)


def _insert_requested_returns(connection: Connection, requests: pd.DataFrame, intake: Intake) -> None:
    with staged(connection, requests.assign(import_id=intake.import_id), like=returns) as new:
        insert_new(connection, returns, select(new).order_by(new.c.rma))


def _refuse_changed_requests(connection: Connection, rows: Table) -> pd.DataFrame:
    """Rows that change the quantity or reason of a line, or add a product to a request that was answered."""
    line, row = return_lines.c, rows.c
    is_changed = line.quantity.is_distinct_from(row.quantity) | line.reason.is_distinct_from(row.reason)
    is_late = line.sku.is_(None) & (returns.c.state != ReturnState.REQUESTED)
    reason = (
        literal("request_id: found '") + row.request_id + literal("' again with other values, expected a new request")
    )
    refused = read(
        connection,
        select(row.row_number, reason.label("reason"))
        .join_from(rows, returns, keys_match(returns, rows, _REQUEST_KEY))
        .outerjoin(return_lines, (line.return_id == returns.c.id) & (line.sku == row.sku))
        .where(is_changed & line.sku.is_not(None) | is_late),
    )
    drop_rows(connection, rows, refused)
    return refused


def load_return_receipts(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store each receipt once: on the return of its RMA or order, otherwise on a new one."""
    exclusive(connection, "returns")
    total = row_count(connection, rows)
    refused = drop_repeats(connection, rows, _RECEIPT_KEY, ("quantity",))
    receipts = _receipts(connection, rows)
    return_rows = _return_rows(connection, receipts)
    new = return_matching.new_receipts(receipts, return_rows)
    if len(new):
        new = return_matching.with_return(new, return_rows)
        _insert_receipt_returns(connection, return_matching.returns_to_open(new, return_rows), intake)
        _write_receipts(connection, new.assign(quantity_agreed=return_matching.outstanding_units(new, return_rows)))
    return Loaded(len(new), total - len(new) - len(refused), refused)


def _receipts(connection: Connection, rows: Table) -> pd.DataFrame:
    """The staged receipts; `made` is the RMA of the return that is made for a receipt without one."""
    names = ("row_number", "merchant_id", "rma", "order_number", "sku", "quantity", "grade", "received_at", "comment")
    chosen = select(*(rows.c[name] for name in names), merchants.c.code.label("merchant"))
    receipts = read(connection, chosen.join_from(rows, merchants, merchants.c.id == rows.c.merchant_id))
    named = receipts["rma"].fillna(receipts["order_number"]).fillna("NONE")
    return receipts.assign(
        made="RMA-"
        + receipts["merchant"]
        + "-RECEIPT-"
        + named
        + "-"
        + receipts["received_at"].dt.strftime("%Y%m%dT%H%M%SZ")
    )


def _return_rows(connection: Connection, receipts: pd.DataFrame) -> pd.DataFrame:
    """The lines of all returns that receipts may belong to, further parcels included (see `return_matching`)."""
    line, header = return_lines.c, returns.c
    keys = receipts.assign(family=return_matching.base_rma(receipts["rma"]))[
        ["merchant_id", "family", "made", "order_number"]
    ]
    with staged(connection, keys.drop_duplicates(), like=returns) as keys_table:
        ids = union(
            select(header.id).join(keys_table, header.rma == keys_table.c.family),
            select(header.id).join(keys_table, header.rma == keys_table.c.made),
            select(header.id).join(
                keys_table,
                (header.merchant_id == keys_table.c.merchant_id) & (header.order_number == keys_table.c.order_number),
            ),
            select(header.id).where(header.rma.like("%~%")),
        ).subquery()
        is_booked = exists(
            select(1).where(line.return_id == header.id, line.disposition.is_not(None)).correlate(returns)
        )
        return read(
            connection,
            select(
                header.id.label("return_id"),
                header.merchant_id,
                header.rma,
                header.order_number,
                header.state,
                line.sku,
                func.coalesce(line.quantity, 0).label("quantity"),
                func.coalesce(line.quantity_received, 0).label("quantity_received"),
                line.grade,
                line.received_at,
                is_booked.label("booked"),
            )
            .outerjoin_from(returns, return_lines, line.return_id == header.id)
            .where(header.id.in_(select(ids.c.id)))
            .order_by(header.rma, line.sku),
        )


def _insert_receipt_returns(connection: Connection, new_returns: pd.DataFrame, intake: Intake) -> None:
    first = returns.alias("first")
    with staged(connection, new_returns, like=returns) as new:
        c = new.c
        insert_new(
            connection,
            returns,
            select(
                c.merchant_id,
                c.rma,
                c.rma.label("request_id"),
                c.state,
                func.coalesce(first.c.order_number, c.order_number).label("order_number"),
                first.c.order_id,
                func.coalesce(first.c.rule, return_matching.WITHOUT_RMA).label("rule"),
                func.coalesce(first.c.resolution, "refund").label("resolution"),
                func.coalesce(literal("a further parcel of ") + first.c.rma, "it came without an agreed return").label(
                    "decision"
                ),
                first.c.email,
                first.c.customer_reference,
                func.coalesce(first.c.requested_at, c.received_at, type_=c.received_at.type).label("requested_at"),
                literal(intake.as_of, returns.c.decided_at.type).label("decided_at"),
                literal(intake.import_id).label("import_id"),
            )
            .outerjoin_from(new, first, first.c.rma == c.family)
            .order_by(c.rma),
        )


def _write_receipts(connection: Connection, receipts: pd.DataFrame) -> None:
    columns = ["target", "sku", "quantity", "quantity_agreed", "grade", "received_at", "comment"]
    with staged(connection, receipts[columns], like=return_lines) as new:
        c = new.c
        lines = select(returns.c.id.label("return_id"), c.sku, c.quantity_agreed.label("quantity"))
        insert_new(
            connection,
            return_lines,
            lines.join_from(new, returns, returns.c.rma == c.target).order_by(returns.c.rma, c.sku),
        )
        facts = {"quantity_received": c.quantity, "grade": c.grade, "received_at": c.received_at, "comment": c.comment}
        statement = update(return_lines).where(
            return_lines.c.return_id == returns.c.id,
            returns.c.rma == c.target,
            return_lines.c.sku == c.sku,
            return_lines.c.received_at.is_(None),
        )
        changed(connection, statement.values(facts))
