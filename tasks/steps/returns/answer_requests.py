"""First step of process-returns: answer requests by the policy, and tell the customers."""

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
from tasks.steps.messaging.notify_customers import tell
from tasks.store import returns
from tasks.store.database.engine import engine, exclusive

FLOW = "process-returns"
DECISIONS = ["merchant", "order_number", "rma", "state", "rule", "why"]


@step(task_run_name="decide return requests")
def decide_requests(as_of: datetime) -> pd.DataFrame:
    """Approve, reject or hand to a person every undecided request, in one transaction with its notice.

    The decisions are also a CSV. Returns merchant, order_number, rma, state, rule, why; a decided request stays so.
    """
    rules = read("rules/returns.yaml", ReturnPolicy)
    with engine().begin() as connection:
        exclusive(connection, "returns")
        returns.find_orders(connection)
        asked = _anchored(connection, returns.requested(connection), rules)
        answers = return_policy.by_return(return_policy.decide(asked, rules), rules)
        returns.answer(connection, answers, as_of)
        tell(connection, NoticeKind.RETURN_APPROVED, return_notices.approved(asked, answers, rules), as_of)
        tell(connection, NoticeKind.RETURN_REJECTED, return_notices.rejected(asked, answers, rules), as_of)
        known = asked.drop_duplicates("return_id")[["return_id", "merchant", "order_number", "rma"]]
        decisions = known.merge(answers, on="return_id")[DECISIONS]
        # Before the commit: a crash leaves no decision without its list.
        add_rows(settings().documents(FLOW, as_of) / "decisions.csv", decisions, ["rma"])
    return decisions


def _anchored(connection: Connection, asked: pd.DataFrame, rules: ReturnPolicy) -> pd.DataFrame:
    """The requested products, each with the moment its days count from, less what earlier requests of the run take."""
    one = asked.dropna(subset="order_id").drop_duplicates("order_id")[["order_id", "fulfilled_at", "paid_at"]]
    anchors = returned_goods.anchors(returns.parcels(connection), one, rules)
    taken = asked.groupby(["order_id", "sku"])["quantity"].cumsum() - asked["quantity"]
    left = (asked["left"] - taken.fillna(0)).clip(lower=0).astype("int64")
    zones = {one.code: one.time_zone for one in merchants()}
    languages = {one.code: one.language for one in merchants()}
    known = asked.assign(
        left=left, zone=asked["merchant"].map(zones).fillna("UTC"),
        language=asked["language"].fillna(asked["merchant"].map(languages)),
    )  # fmt: skip
    return known.merge(anchors, on="order_id", how="left").astype({"anchor": "str"})
