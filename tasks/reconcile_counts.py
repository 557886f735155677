"""Steps of reconcile-counts: compare counts with the dated book, and carry out what follows."""

from datetime import datetime, timedelta

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from tasks.domain.count_outcome import SHOWN, Decided
from tasks.domain.count_plans import abc_classes
from tasks.domain.count_postings import (
    adjustments,
    broken_promises,
    first_at_each_place,
    give_back,
    impossible_promises,
)
from tasks.domain.counts import CountRules, decide, out_of_bin, picked_units
from tasks.store import count_cases, count_findings, count_plans
from tasks.store.alerts import raise_alerts
from tasks.store.allocations import release
from tasks.store.engine import engine, exclusive
from tasks.store.stock import post_moves


class CountError(RuntimeError):
    """What the ledger holds already contradicts what a count is about to post."""


@task(task_run_name="compare counts with the book")
def reconcile(warehouse: str | None, as_of: datetime) -> Decided:
    """Decide every count that waits, and carry it out, in one transaction.

    Of several counts of one place the earliest is decided first: the next one is compared with the book after it.
    """
    rules, passes, released = read("rules/counts.yaml", CountRules), [], 0
    with engine().begin() as connection:
        for name in ("allocations", "waves", "stock"):
            exclusive(connection, name)
        while len(lines := count_cases.open_lines(connection, warehouse, as_of)):
            lines = _with_classes(connection, first_at_each_place(lines), rules, as_of)
            told = decide(_with_book(connection, lines), rules)
            released += _carry_out(connection, told, as_of)
            passes.append(told[told["is_finding"]])
        findings = pd.concat(passes, ignore_index=True) if passes else pd.DataFrame(columns=list(SHOWN))
        return Decided(findings, released, count_findings.refused_lines(connection))


def _with_classes(connection: Connection, lines: pd.DataFrame, rules: CountRules, as_of: datetime) -> pd.DataFrame:
    """The ABC class each product's export names, otherwise the one its demand makes it."""
    if not lines["abc_class"].isna().any():
        return lines
    sold = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
    letter = abc_classes(count_plans.goods(connection), sold, rules.abc)
    return lines.assign(abc_class=lines["product_id"].map(letter).astype("str"))


def _with_book(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """What each count is to be compared with: the ledger when it was made, less picked units still in the building."""
    lines = lines.merge(count_cases.book(connection, lines), on="line_id", validate="1:1")
    units = picked_units(*count_cases.picks_at(connection, lines))
    expected = lines["ledger"] - out_of_bin(lines, units)
    return lines.assign(expected=expected, book=lines["export"].fillna(lines["ledger"]).astype("int64"))


def _carry_out(connection: Connection, told: pd.DataFrame, as_of: datetime) -> int:
    """Write findings, ask for recounts, give promises back, post differences. Returns the units given back."""
    ids = {"line_id": "count_line_id", "quantity": "counted"}
    count_findings.write_findings(connection, told.rename(columns=ids).assign(decided_at=as_of, decided_by="rule"))
    again = told[told["is_finding"] & (told["decision"] == "recount")]
    count_findings.ask_again(connection, again.assign(round=again["round"] + 1), as_of)
    released = _give_back(connection, told, as_of)
    moves = adjustments(told, as_of)
    if post_moves(connection, moves) != len(moves):
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
