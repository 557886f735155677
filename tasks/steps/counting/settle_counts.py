"""Shared by reconciling and approving: the book that counts are compared with, and carrying out the decisions."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.counting.count_postings import adjustments, broken_promises, give_back, impossible_promises
from tasks.domain.counting.count_states import CountDecision
from tasks.store import ledger
from tasks.store.counting import count_cases, count_findings
from tasks.store.database.engine import exclusive
from tasks.store.ordering.allocations import release
from tasks.store.stock.alerts import raise_alerts


class CountError(RuntimeError):
    """The ledger already has a move that an open count is about to post."""


def lock(connection: Connection) -> None:
    """Wait until nobody else promises, picks or moves stock."""
    for name in ("allocations", "waves", "stock"):
        exclusive(connection, name)


def with_book(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """Add to each count what it is compared with: the ledger at its moment, less picked units still in the building."""
    lines = count_cases.book(connection, count_cases.expected(connection, lines))
    return lines.assign(book=lines["export"].fillna(lines["ledger"]).astype("int64"))


def carry_out(connection: Connection, decided: pd.DataFrame, as_of: datetime) -> int:
    """Write findings, open recounts, release promises, post differences. Returns the number of units released.

    `decided` as `count_decisions.with_expiry` gives it, with decided_by, assigned_to and, where a person was asked
    before, asked_at.
    """
    is_review = decided["decision"] == CountDecision.REVIEW
    asked_at = pd.Series(pd.Timestamp(as_of), index=decided.index).where(is_review).dt.as_unit("s")
    if "asked_at" in decided:
        asked_at = decided["asked_at"].fillna(asked_at)
    ids = {"line_id": "count_line_id", "quantity": "counted"}
    count_findings.write_findings(connection, decided.rename(columns=ids).assign(asked_at=asked_at, decided_at=as_of))
    recounts = decided[decided["is_finding"] & (decided["decision"] == CountDecision.RECOUNT)]
    if len(recounts):
        count_findings.open_recounts(connection, recounts.assign(round=recounts["round"] + 1), as_of)
    released = _release_promises(connection, decided, as_of)
    moves = adjustments(decided, as_of)
    if ledger.append(connection, moves) != len(moves):
        raise CountError("a count that was open is in the ledger already: nothing was posted")
    count_findings.settle_documents(connection, decided["count_id"])
    return released


def _release_promises(connection: Connection, decided: pd.DataFrame, as_of: datetime) -> int:
    """Release promises of units that the counts did not find, and raise an alert. Returns the number of units."""
    needs = impossible_promises(decided)
    if needs.empty:
        return 0
    raise_alerts(connection, broken_promises(needs, as_of))
    shrunk = give_back(count_cases.open_allocations(connection, needs), needs)
    release(connection, shrunk, "count", as_of)
    return int(shrunk["quantity"].sum())
