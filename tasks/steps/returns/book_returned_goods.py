"""Second step of process-returns: book returned goods to stock and to their order lines, and propose refunds."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.configured import merchants
from tasks.documents.run_folder import add_rows
from tasks.domain.notices import NoticeKind
from tasks.domain.returns import return_notices, returned_goods
from tasks.domain.returns.refunds import proposed_refunds
from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.domain.sites.sites import Warehouse
from tasks.domain.states import MoveKind
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.steps.returns.answer_requests import RETURNS_FLOW
from tasks.store import returns
from tasks.store.database.engine import engine, exclusive
from tasks.store.stock.post_moves import post_moves

RECEIPT_COLUMNS = [
    "merchant", "order_number", "rma", "sku", "quantity", "quantity_received", "grade", "disposition", "flags",
    "received_at",
]  # fmt: skip
REFUND_COLUMNS = ["merchant", "order_number", "rma", "amount_minor", "currency", "rule", "refund_key"]


@dataclass(frozen=True)
class BookedReturns:
    """Received products and proposed refunds of one run, as in its documents."""

    receipts: pd.DataFrame
    refunds: pd.DataFrame


@step(task_run_name="book returned goods")
def book_receipts(as_of: datetime) -> BookedReturns:
    """Give every received product its disposition, stock move, order line and refund, in one transaction.

    Products that are booked are not considered again, so a second run books nothing.
    """
    policy = read("rules/returns.yaml", ReturnPolicy)
    with engine().begin() as connection:
        exclusive(connection, "returns")
        returns.assign_orders(connection)
        disposed = returned_goods.disposed_products(_received_products(connection), policy)
        lines, payments = returns.lines_of_orders(connection), returns.payments(connection)
        units = returned_goods.returned_units(disposed, lines)
        refunds = proposed_refunds(disposed, units, lines, payments, policy)
        if len(disposed):
            returns.book_products(connection, disposed, units)
            post_moves(connection, _stock_moves(connection, disposed, policy, as_of))
            incomplete = returns.incomplete_returns(connection)
            returns.write_states(connection, returned_goods.settled_returns(disposed, refunds, incomplete), as_of)
        new_refunds = refunds.assign(created_at=pd.Timestamp(as_of))
        returns.propose_refunds(connection, new_refunds.drop(columns=["merchant", "order_number", "rma"]))
        received_at = disposed["received_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        receipts = disposed[RECEIPT_COLUMNS].assign(received_at=received_at)
        _notify_customers(connection, disposed, refunds, as_of)
        folder = settings().documents(RETURNS_FLOW, as_of)  # before the commit: a crash leaves none without its list
        add_rows(folder / "receipts.csv", receipts, ["rma", "sku"])
        add_rows(folder / "refunds.csv", refunds[REFUND_COLUMNS], ["refund_key"])
    return BookedReturns(receipts, refunds[REFUND_COLUMNS])


def _received_products(connection: Connection) -> pd.DataFrame:
    products = returns.received_products(connection)
    languages = {merchant.code: merchant.language for merchant in merchants()}
    return products.assign(language=products["language"].fillna(products["merchant"].map(languages)))


def _stock_moves(connection: Connection, disposed: pd.DataFrame, policy: ReturnPolicy, as_of: datetime) -> pd.DataFrame:
    """The stock moves of returned goods: every unit received, except of unknown products and kits."""
    warehouse = read(f"warehouses/{policy.warehouse}.yaml", Warehouse)
    is_moved = (disposed["quantity_received"] > 0) & disposed["product_id"].notna() & ~disposed["is_kit"]
    goods = disposed[is_moved]
    if goods.empty:
        return goods
    return pd.DataFrame(
        {
            "product_id": goods["product_id"].astype("int64"),
            "location_id": returns.returns_location(connection, warehouse.code, warehouse.default_location),
            "condition": goods["condition"],
            "lot": "",
            "quantity": goods["quantity_received"],
            "kind": str(MoveKind.RETURN),
            "reason": goods["grade"],
            "document": goods["rma"],
            "effective_at": goods["received_at"],
            "recorded_at": pd.Timestamp(as_of),
            "cause": "return:" + goods["rma"] + ":" + goods["sku"],
        }
    )


def _notify_customers(connection: Connection, disposed: pd.DataFrame, refunds: pd.DataFrame, as_of: datetime) -> None:
    """Notify of each proposed refund; of other returns, that they have arrived."""
    others = disposed.loc[~disposed["return_id"].isin(refunds["return_id"]), ["return_id"]].drop_duplicates()
    notify_customers(connection, NoticeKind.REFUND_PROPOSED, return_notices.refund_notices(disposed, refunds), as_of)
    notify_customers(connection, NoticeKind.RETURN_RECEIVED, return_notices.receipt_notices(disposed, others), as_of)
