"""What reconciling and approving share: the book a count is compared with, and carrying out what was decided."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.counting.count_postings import adjustments, broken_promises, give_back, impossible_promises
from tasks.store import ledger
from tasks.store.counting import count_cases, count_findings
from tasks.store.database.engine import exclusive
from tasks.store.ordering.allocations import release
from tasks.store.stock.alerts import raise_alerts


class CountError(RuntimeError):
    """What the ledger holds already contradicts what a count is about to post."""


def lock(connection: Connection) -> None:
    """Wait until nobody else promises, picks or moves stock."""
    for name in ("allocations", "waves", "stock"):
        exclusive(connection, name)


def with_book(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """What each count is to be compared with: the ledger when it was made, less picked units still in the building."""
    lines = count_cases.book(connection, count_cases.expected(connection, lines))
    return lines.assign(book=lines["export"].fillna(lines["ledger"]).astype("int64"))


def carry_out(connection: Connection, told: pd.DataFrame, as_of: datetime) -> int:
    """Write findings, ask for recounts, give promises back, post differences. Returns the units given back."""
    ids = {"line_id": "count_line_id", "quantity": "counted"}
    asked = pd.Series(pd.Timestamp(as_of), index=told.index).where(told["decision"] == "review").dt.as_unit("s")
    if "asked_at" in told:  # it was asked before
        asked = told["asked_at"].fillna(asked)
    count_findings.write_findings(connection, told.rename(columns=ids).assign(asked_at=asked, decided_at=as_of))
    again = told[told["is_finding"] & (told["decision"] == "recount")]
    if len(again):
        count_findings.ask_again(connection, again.assign(round=again["round"] + 1), as_of)
    released = _give_back(connection, told, as_of)
    moves = adjustments(told, as_of)
    if ledger.append(connection, moves) != len(moves):
        raise CountError("a count that was open is in the ledger already: nothing was posted")
    count_findings.settle_documents(connection, told["count_id"])
    return released


def _give_back(connection: Connection, told: pd.DataFrame, as_of: datetime) -> int:
    needs = impossible_promises(told)
    if needs.empty:
        return 0
    raise_alerts(connection, broken_promises(needs, as_of))
    shrunk = give_back(count_cases.open_allocations(connection, needs), needs)
    release(connection, shrunk, "count", as_of)
    return int(shrunk["quantity"].sum())
