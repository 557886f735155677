"""Steps of reconcile-counts: compare counts with the dated book, and carry out what follows."""

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.counting.answered_findings import carried_out
from tasks.domain.counting.count_decisions import decide, with_expiry
from tasks.domain.counting.count_plans import abc_classes
from tasks.domain.counting.count_postings import first_at_each_place
from tasks.domain.counting.count_results import SHOWN, Decided
from tasks.domain.counting.count_rules import CountRules, in_force
from tasks.runs.step import step
from tasks.steps.counting.approve_counts import ask_again_what_changed
from tasks.steps.counting.settle_counts import carry_out, lock, with_book
from tasks.store.counting import count_cases, count_findings, count_gaps, count_plans
from tasks.store.database.engine import engine


@step(task_run_name="compare counts with the book")
def reconcile(warehouse: str | None, as_of: datetime) -> Decided:
    """Decide every count that waits, and carry it out, in one transaction.

    Of several counts of one place the earliest is decided first: the next one is compared with the book after it.
    """
    rules, passes, released = read("rules/counts.yaml", CountRules), [], 0
    with engine().begin() as connection:
        lock(connection)
        count_gaps.find_known(connection)
        count_gaps.date_lines(connection, as_of)
        while len(lines := count_cases.open_lines(connection, warehouse, as_of)):
            lines = _with_classes(connection, first_at_each_place(lines), rules, as_of)
            told = with_expiry(decide(with_book(connection, lines), rules))
            told = told.assign(decided_by="rule", assigned_to=_next_counter(told, rules))
            released += carry_out(connection, told, as_of)
            passes.append(told[told["is_finding"]])
        findings = pd.concat(passes, ignore_index=True) if passes else pd.DataFrame(columns=list(SHOWN))
        return Decided(findings, released, count_findings.refused_lines(connection))


@step(task_run_name="carry out what was answered")
def carry_out_answers(as_of: datetime) -> Decided:
    """Carry out every answer to a finding in review, in one transaction; what was carried out before is not touched.

    What is approved is posted dated at the count, unless the book as it is known now makes it another difference than
    the one that was approved: then it is asked again. The two places of a transfer go together. What cannot be posted
    yet stays in review, and is tried again by the next run.
    """
    rules = read("rules/counts.yaml", CountRules)
    with engine().begin() as connection:
        lock(connection)
        ask_again_what_changed(connection, as_of)
        asked = count_findings.answered(connection)
        if asked.empty:
            return Decided(pd.DataFrame(columns=list(SHOWN)), 0, count_findings.refused_lines(connection))
        lines = with_book(connection, count_cases.lines_of(connection, asked["line_id"]))
        told = with_expiry(carried_out(lines.merge(asked, on="line_id")))
        told = told.assign(assigned_to=_next_counter(told, rules))
        released = carry_out(connection, told, as_of)
        return Decided(told, released, count_findings.refused_lines(connection))


def _next_counter(told: pd.DataFrame, rules: CountRules) -> pd.Series:
    """Who counts the next round: the supervisor the last one, otherwise anybody who has not counted yet."""
    again = told[told["is_finding"] & (told["decision"] == "recount")]
    versions = [rules.versions[number] for number in in_force(again, rules)]
    of = zip(versions, again["round"], strict=True)
    names = [one.supervisor if number + 1 >= one.rounds_max else None for one, number in of]
    return pd.Series(names, index=again.index, dtype="str").reindex(told.index)


def _with_classes(connection: Connection, lines: pd.DataFrame, rules: CountRules, as_of: datetime) -> pd.DataFrame:
    """The ABC class each product's export names, otherwise the one its demand makes it."""
    if not lines["abc_class"].isna().any():
        return lines
    sold = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
    letter = abc_classes(count_plans.goods(connection), sold, rules.abc)
    return lines.assign(abc_class=lines["product_id"].map(letter).astype("str"))
