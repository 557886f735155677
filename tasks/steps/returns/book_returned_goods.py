"""Second step of process-returns: what came back goes to stock, to its order lines and into a proposed refund."""

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
from tasks.steps.messaging.notify_customers import tell
from tasks.steps.returns.answer_requests import FLOW
from tasks.store import returns
from tasks.store.database.engine import engine, exclusive
from tasks.store.stock.post_moves import post_moves

RECEIPTS = [
    "merchant", "order_number", "rma", "sku", "quantity", "quantity_received", "grade", "disposition", "flags",
    "received_at",
]  # fmt: skip
REFUNDS = ["merchant", "order_number", "rma", "amount_minor", "currency", "rule", "refund_key"]


@dataclass(frozen=True)
class Booked:
    """Received products and proposed refunds of one run, as they stand in its documents."""

    receipts: pd.DataFrame
    refunds: pd.DataFrame


@step(task_run_name="book returned goods")
def book_receipts(as_of: datetime) -> Booked:
    """Give every received product its disposition, its stock move, its order line and its refund, all at once.

    What was booked is not looked at again, so a second run books nothing.
    """
    rules = read("rules/returns.yaml", ReturnPolicy)
    with engine().begin() as connection:
        exclusive(connection, "returns")
        returns.find_orders(connection)
        disposed = returned_goods.dispose(_received(connection), rules)
        lines, payments = returns.lines_of_orders(connection), returns.payments(connection)
        units = returned_goods.spread(disposed, lines)
        refunds = proposed_refunds(disposed, units, lines, payments, rules)
        if len(disposed):
            returns.book(connection, disposed, units)
            post_moves(connection, _moves(connection, disposed, rules, as_of))
            returns.close(connection, returned_goods.ended(disposed, refunds, returns.waiting(connection)), as_of)
        keyed = refunds.assign(created_at=pd.Timestamp(as_of))
        returns.propose_refunds(connection, keyed.drop(columns=["merchant", "order_number", "rma"]))
        receipts = disposed[RECEIPTS].assign(received_at=disposed["received_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        _tell(connection, disposed, refunds, as_of)
        folder = settings().documents(FLOW, as_of)  # before the commit: a crash leaves none without its list
        add_rows(folder / "receipts.csv", receipts, ["rma", "sku"])
        add_rows(folder / "refunds.csv", refunds[REFUNDS], ["refund_key"])
    return Booked(receipts, refunds[REFUNDS])


def _received(connection: Connection) -> pd.DataFrame:
    came = returns.received(connection)
    languages = {one.code: one.language for one in merchants()}
    return came.assign(language=came["language"].fillna(came["merchant"].map(languages)))


def _moves(connection: Connection, disposed: pd.DataFrame, rules: ReturnPolicy, as_of: datetime) -> pd.DataFrame:
    """The stock moves of what came back: every unit in the box, of products that are known and no kits."""
    warehouse = read(f"warehouses/{rules.warehouse}.yaml", Warehouse)
    here = disposed[(disposed["quantity_received"] > 0) & disposed["product_id"].notna() & ~disposed["is_kit"]]
    if here.empty:
        return here
    return pd.DataFrame(
        {
            "product_id": here["product_id"].astype("int64"),
            "location_id": returns.returns_place(connection, warehouse.code, warehouse.default_location),
            "condition": here["condition"], "lot": "", "quantity": here["quantity_received"],
            "kind": str(MoveKind.RETURN), "reason": here["grade"], "document": here["rma"],
            "effective_at": here["received_at"], "recorded_at": pd.Timestamp(as_of),
            "cause": "return:" + here["rma"] + ":" + here["sku"],
        }
    )  # fmt: skip


def _tell(connection: Connection, disposed: pd.DataFrame, refunds: pd.DataFrame, as_of: datetime) -> None:
    """Who gets money back is told so; of other returns, that they have arrived."""
    others = disposed.loc[~disposed["return_id"].isin(refunds["return_id"]), ["return_id"]].drop_duplicates()
    tell(connection, NoticeKind.REFUND_PROPOSED, return_notices.refunded(disposed, refunds), as_of)
    tell(connection, NoticeKind.RETURN_RECEIVED, return_notices.received(disposed, others), as_of)
