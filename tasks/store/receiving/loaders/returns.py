"""Return requests, and what came back, as exports tell of them; process-returns decides what is made of it."""

import pandas as pd
from sqlalchemy import Connection, Table, exists, func, literal, select, union, update

from tasks.domain.returns import return_matching
from tasks.domain.states import ReturnState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.merging import count, drop, drop_repeats, insert_new, same_key
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import merchants, return_lines, returns

_REQUEST = ("merchant_id", "request_id")
_REQUEST_FACTS = ("order_number", "customer_reference", "email", "resolution", "requested_at")
_RECEIPT = ("merchant_id", "rma", "order_number", "sku", "received_at", "grade")


def load_return_requests(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Keep staged requests, a return each, undecided; what a known request says otherwise is refused."""
    exclusive(connection, "returns")
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, (*_REQUEST, "sku"), (*_REQUEST_FACTS, "quantity", "reason"))]
    refused.append(_refuse_otherwise(connection, rows))
    c = rows.c
    columns = [c[name] for name in ("row_number", *_REQUEST, *_REQUEST_FACTS)]
    asked = read(
        connection,
        select(*columns, merchants.c.code.label("merchant")).join_from(
            rows, merchants, merchants.c.id == c.merchant_id
        ),
    )
    _insert_returns(connection, return_matching.requests(asked), intake)
    lines = select(returns.c.id.label("return_id"), c.sku, c.reason, c.quantity).join_from(
        rows, returns, same_key(returns, rows, _REQUEST)
    )
    new = insert_new(connection, return_lines, lines.order_by(c.row_number))
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new, total - new - len(bad), bad)


def _insert_returns(connection: Connection, made: pd.DataFrame, intake: Intake) -> None:
    with staged(connection, made.assign(import_id=intake.import_id), like=returns) as new:
        insert_new(connection, returns, select(new).order_by(new.c.rma))


def _refuse_otherwise(connection: Connection, rows: Table) -> pd.DataFrame:
    """A known line with another quantity or reason, or a product added to a request that was answered."""
    line, c = return_lines.c, rows.c
    differs = line.quantity.is_distinct_from(c.quantity) | line.reason.is_distinct_from(c.reason)
    late = line.sku.is_(None) & (returns.c.state != ReturnState.REQUESTED)
    reason = (
        literal("request_id: found '") + c.request_id + literal("' again with another story, expected a new request")
    )
    found = read(
        connection,
        select(c.row_number, reason.label("reason"))
        .join_from(rows, returns, same_key(returns, rows, _REQUEST))
        .outerjoin(return_lines, (line.return_id == returns.c.id) & (line.sku == c.sku))
        .where(differs & line.sku.is_not(None) | late),
    )
    drop(connection, rows, found)
    return found


def load_return_receipts(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Write down what came back, on the return of its RMA or order, or on one made for it; each receipt once."""
    exclusive(connection, "returns")
    total = count(connection, rows)
    refused = drop_repeats(connection, rows, _RECEIPT, ("quantity",))
    came = _receipts(connection, rows)
    known = _known(connection, came)
    new = return_matching.unseen(came, known)
    if len(new):
        new = return_matching.placed(new, known)
        _make_returns(connection, return_matching.made(new, known), intake)
        _write_receipts(connection, new.assign(quantity_agreed=return_matching.outstanding(new, known)))
    return Loaded(len(new), total - len(new) - len(refused), refused)


def _receipts(connection: Connection, rows: Table) -> pd.DataFrame:
    """The staged receipts, each with the RMA of the return that would be made for it."""
    names = ("row_number", "merchant_id", "rma", "order_number", "sku", "quantity", "grade", "received_at", "comment")
    chosen = select(*(rows.c[name] for name in names), merchants.c.code.label("merchant"))
    came = read(connection, chosen.join_from(rows, merchants, merchants.c.id == rows.c.merchant_id))
    named = came["rma"].fillna(came["order_number"]).fillna("NONE")
    return came.assign(
        made="RMA-" + came["merchant"] + "-RECEIPT-" + named + "-" + came["received_at"].dt.strftime("%Y%m%dT%H%M%SZ")
    )


def _known(connection: Connection, came: pd.DataFrame) -> pd.DataFrame:
    """Every line of the returns that receipts may belong to, further parcels included; see `return_matching.unseen`."""
    line, one = return_lines.c, returns.c
    keys = came.assign(family=return_matching.base(came["rma"]))[["merchant_id", "family", "made", "order_number"]]
    with staged(connection, keys.drop_duplicates(), like=returns) as named:
        ids = union(
            select(one.id).join(named, one.rma == named.c.family),
            select(one.id).join(named, one.rma == named.c.made),
            select(one.id).join(named, (one.merchant_id == named.c.merchant_id)
                                & (one.order_number == named.c.order_number)),
            select(one.id).where(one.rma.like("%~%")),
        ).subquery()  # fmt: skip
        booked = exists(select(1).where(line.return_id == one.id, line.disposition.is_not(None)).correlate(returns))
        return read(
            connection,
            select(one.id.label("return_id"), one.merchant_id, one.rma, one.order_number, one.state, line.sku,
                   func.coalesce(line.quantity, 0).label("quantity"),
                   func.coalesce(line.quantity_received, 0).label("quantity_received"), line.grade, line.received_at,
                   booked.label("booked"))
            .outerjoin_from(returns, return_lines, line.return_id == one.id)
            .where(one.id.in_(select(ids.c.id)))
            .order_by(one.rma, line.sku),
        )  # fmt: skip


def _make_returns(connection: Connection, made: pd.DataFrame, intake: Intake) -> None:
    first = returns.alias("first")
    with staged(connection, made, like=returns) as new:
        c = new.c
        insert_new(
            connection,
            returns,
            select(
                c.merchant_id, c.rma, c.rma.label("request_id"), c.state,
                func.coalesce(first.c.order_number, c.order_number).label("order_number"), first.c.order_id,
                func.coalesce(first.c.rule, return_matching.WITHOUT_RMA).label("rule"),
                func.coalesce(first.c.resolution, "refund").label("resolution"),
                func.coalesce(literal("a further parcel of ") + first.c.rma,
                              "it came without a return that was agreed").label("decision"),
                first.c.email, first.c.customer_reference,
                func.coalesce(first.c.requested_at, c.received_at, type_=c.received_at.type).label("requested_at"),
                literal(intake.as_of, returns.c.decided_at.type).label("decided_at"),
                literal(intake.import_id).label("import_id"),
            )
            .outerjoin_from(new, first, first.c.rma == c.family)
            .order_by(c.rma),
        )  # fmt: skip


def _write_receipts(connection: Connection, came: pd.DataFrame) -> None:
    columns = ["target", "sku", "quantity", "quantity_agreed", "grade", "received_at", "comment"]
    with staged(connection, came[columns], like=return_lines) as new:
        c = new.c
        lines = select(returns.c.id.label("return_id"), c.sku, c.quantity_agreed.label("quantity"))
        insert_new(
            connection,
            return_lines,
            lines.join_from(new, returns, returns.c.rma == c.target).order_by(returns.c.rma, c.sku),
        )
        facts = {"quantity_received": c.quantity, "grade": c.grade, "received_at": c.received_at, "comment": c.comment}
        mine = update(return_lines).where(
            return_lines.c.return_id == returns.c.id, returns.c.rma == c.target, return_lines.c.sku == c.sku,
            return_lines.c.received_at.is_(None),
        )  # fmt: skip
        changed(connection, mine.values(facts))
