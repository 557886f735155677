"""First step of process-returns: decide requests by the policy, and notify the customers."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.configured import merchants
from tasks.documents.run_folder import add_rows
from tasks.domain.notices import NoticeKind
from tasks.domain.returns import return_notices, return_policy, returned_goods
from tasks.domain.returns.return_policy import ReturnPolicy
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store import returns
from tasks.store.database.engine import engine, exclusive

RETURNS_FLOW = "process-returns"
DECISION_COLUMNS = ["merchant", "order_number", "rma", "state", "rule", "why"]


@step(task_run_name="decide return requests")
def decide_requests(as_of: datetime) -> pd.DataFrame:
    """Approve, reject or hand to a person every undecided request, in one transaction with its notice.

    Returns merchant, order_number, rma, state, rule, why, which are also written as a CSV. A decided request is not
    decided again.
    """
    policy = read("rules/returns.yaml", ReturnPolicy)
    with engine().begin() as connection:
        exclusive(connection, "returns")
        returns.assign_orders(connection)
        products = _with_anchor(connection, returns.requested_products(connection), policy)
        answers = return_policy.decided_returns(return_policy.decided_products(products, policy), policy)
        returns.write_decisions(connection, answers, as_of)
        approvals = return_notices.approval_notices(products, answers, policy)
        rejections = return_notices.rejection_notices(products, answers, policy)
        notify_customers(connection, NoticeKind.RETURN_APPROVED, approvals, as_of)
        notify_customers(connection, NoticeKind.RETURN_REJECTED, rejections, as_of)
        heads = products.drop_duplicates("return_id")[["return_id", "merchant", "order_number", "rma"]]
        decisions = heads.merge(answers, on="return_id")[DECISION_COLUMNS]
        # Before the commit: a crash leaves no decision without its list.
        add_rows(settings().documents(RETURNS_FLOW, as_of) / "decisions.csv", decisions, ["rma"])
    return decisions


def _with_anchor(connection: Connection, products: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """The requested products with the moment their days count from, and less the units earlier requests take."""
    orders = products.dropna(subset="order_id").drop_duplicates("order_id")[["order_id", "fulfilled_at", "paid_at"]]
    anchors = returned_goods.anchors(returns.shipped_parcels(connection), orders, policy)
    taken = products.groupby(["order_id", "sku"])["quantity"].cumsum() - products["quantity"]
    left = (products["left"] - taken.fillna(0)).clip(lower=0).astype("int64")
    zones = {merchant.code: merchant.time_zone for merchant in merchants()}
    languages = {merchant.code: merchant.language for merchant in merchants()}
    products = products.assign(
        left=left,
        zone=products["merchant"].map(zones).fillna("UTC"),
        language=products["language"].fillna(products["merchant"].map(languages)),
    )
    return products.merge(anchors, on="order_id", how="left").astype({"anchor": "str"})
