"""First step of process-returns: answer requests by the policy, and tell the customers."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import names, read
from config.settings import settings
from tasks.connectors.tables import write_csv
from tasks.domain import policy, return_notices, returns
from tasks.domain.notices import NoticeKind, NoticeRules, notices
from tasks.domain.policy import ReturnPolicy
from tasks.domain.sites import Merchant
from tasks.store import return_rows
from tasks.store.engine import engine, exclusive
from tasks.store.messages import enqueue

FOLDER = "process-returns"
DECISIONS = ["merchant", "order_number", "rma", "state", "rule", "why"]


@task(task_run_name="decide return requests")
def decide_requests(as_of: datetime) -> pd.DataFrame:
    """Approve, reject or hand to a person every undecided request, in one transaction with its notice.

    The decisions are also a CSV. Returns merchant, order_number, rma, state, rule, why; a decided request stays so.
    """
    rules = read("rules/returns.yaml", ReturnPolicy)
    with engine().begin() as connection:
        exclusive(connection, "returns")
        return_rows.find_orders(connection)
        asked = _anchored(connection, return_rows.requested(connection), rules)
        answers = policy.by_return(policy.decide(asked, rules), rules)
        return_rows.answer(connection, answers, as_of)
        tell(connection, NoticeKind.RETURN_APPROVED, return_notices.approved(asked, answers, rules), as_of)
        tell(connection, NoticeKind.RETURN_REJECTED, return_notices.rejected(asked, answers, rules), as_of)
        known = asked.drop_duplicates("return_id")[["return_id", "merchant", "order_number", "rma"]]
        decisions = known.merge(answers, on="return_id")[DECISIONS]
        document(
            "decisions.csv", decisions, ["rma"], as_of
        )  # before the commit: a crash leaves no decision without its list
    return decisions


def tell(connection: Connection, kind: NoticeKind, rows: pd.DataFrame, as_of: datetime) -> int:
    """Put the notices of `kind` in the outbox, in this transaction."""
    rules = read("rules/notices.yaml", NoticeRules)
    silent = {(one.code, channel.casefold()) for one in merchants() for channel in one.channels_without_mail}
    return enqueue(connection, notices(kind, rows, rules, silent, as_of))


def merchants() -> list[Merchant]:
    """Every configured merchant."""
    return [read(f"merchants/{name}.yaml", Merchant) for name in names("merchants")]


def document(name: str, rows: pd.DataFrame, key: Sequence[str], as_of: datetime) -> None:
    """Write rows, if any, as a document of this moment, beside those an earlier run as of it wrote."""
    if rows.empty:
        return
    path = settings().folder("outgoing") / FOLDER / f"{as_of:%Y%m%dT%H%M%SZ}" / name
    if path.exists():
        before = pd.read_csv(path, dtype="str")
        rows = pd.concat([before, rows.astype("str")]).drop_duplicates(list(key), keep="last")
    write_csv(path, rows)


def _anchored(connection: Connection, asked: pd.DataFrame, rules: ReturnPolicy) -> pd.DataFrame:
    """The requested products, each with the moment its days count from, less what earlier requests of the run take."""
    one = asked.dropna(subset="order_id").drop_duplicates("order_id")[["order_id", "fulfilled_at", "paid_at"]]
    anchors = returns.anchors(return_rows.parcels(connection), one, rules)
    taken = asked.groupby(["order_id", "sku"])["quantity"].cumsum() - asked["quantity"]
    left = (asked["left"] - taken.fillna(0)).clip(lower=0).astype("int64")
    zones = {one.code: one.time_zone for one in merchants()}
    languages = {one.code: one.language for one in merchants()}
    known = asked.assign(
        left=left, zone=asked["merchant"].map(zones).fillna("UTC"),
        language=asked["language"].fillna(asked["merchant"].map(languages)),
    )  # fmt: skip
    return known.merge(anchors, on="order_id", how="left").astype({"anchor": "str"})
