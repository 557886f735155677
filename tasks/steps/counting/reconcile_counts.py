"""Steps of reconcile-counts: compare counts with the book at their moment, and carry out the decisions."""

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.counting.answered_findings import decide_answers
from tasks.domain.counting.count_decisions import decide, with_expiry
from tasks.domain.counting.count_plans import abc_classes
from tasks.domain.counting.count_postings import first_at_each_place
from tasks.domain.counting.count_results import DECIDED_COLUMNS, Decided
from tasks.domain.counting.count_rules import CountRules, versions_in_force
from tasks.domain.counting.count_states import CountDecision
from tasks.runs.step import step
from tasks.steps.counting.approve_counts import ask_again_what_changed
from tasks.steps.counting.settle_counts import carry_out, lock, with_book
from tasks.store.counting import count_cases, count_findings, count_gaps, count_plans
from tasks.store.database.engine import engine


@step(task_run_name="compare counts with the book")
def reconcile(warehouse: str | None, as_of: datetime) -> Decided:
    """Decide every count that waits for a decision, and carry it out, in one transaction.

    Of several counts of one place the earliest is decided first: the next one is compared with the book after it.
    """
    rules, passes, released = read("rules/counts.yaml", CountRules), [], 0
    with engine().begin() as connection:
        lock(connection)
        count_gaps.resolve_unknown(connection)
        count_gaps.date_lines(connection, as_of)
        while len(lines := count_cases.open_lines(connection, warehouse, as_of)):
            lines = _with_classes(connection, first_at_each_place(lines), rules, as_of)
            decided = with_expiry(decide(with_book(connection, lines), rules))
            decided = decided.assign(decided_by="rule", assigned_to=_next_counters(decided, rules))
            released += carry_out(connection, decided, as_of)
            passes.append(decided[decided["is_finding"]])
        findings = pd.concat(passes, ignore_index=True) if passes else pd.DataFrame(columns=list(DECIDED_COLUMNS))
        return Decided(findings, released, count_findings.refused_lines(connection))


@step(task_run_name="carry out what was answered")
def carry_out_answers(as_of: datetime) -> Decided:
    """Carry out every answer to a finding in review, in one transaction; earlier ones are not touched.

    An approved difference is posted, dated at the count. If the book has changed since, so that the difference is not
    the one that was approved, the person is asked again. The two places of a transfer are settled together. What cannot
    be posted yet stays in review, and the next run tries again.
    """
    rules = read("rules/counts.yaml", CountRules)
    with engine().begin() as connection:
        lock(connection)
        ask_again_what_changed(connection, as_of)
        answers = count_findings.answered_findings(connection)
        if answers.empty:
            no_findings = pd.DataFrame(columns=list(DECIDED_COLUMNS))
            return Decided(no_findings, 0, count_findings.refused_lines(connection))
        lines = with_book(connection, count_cases.lines_of(connection, answers["line_id"]))
        decided = with_expiry(decide_answers(lines.merge(answers, on="line_id")))
        decided = decided.assign(assigned_to=_next_counters(decided, rules))
        released = carry_out(connection, decided, as_of)
        return Decided(decided, released, count_findings.refused_lines(connection))


def _next_counters(decided: pd.DataFrame, rules: CountRules) -> pd.Series:
    """Who counts each recount (str): the supervisor in the last round; missing: anybody who has not counted yet."""
    recounts = decided[decided["is_finding"] & (decided["decision"] == CountDecision.RECOUNT)]
    versions = [rules.versions[number] for number in versions_in_force(recounts, rules)]
    rounds = zip(versions, recounts["round"], strict=True)
    counters = [version.supervisor if number + 1 >= version.rounds_max else None for version, number in rounds]
    return pd.Series(counters, index=recounts.index, dtype="str").reindex(decided.index)


def _with_classes(connection: Connection, lines: pd.DataFrame, rules: CountRules, as_of: datetime) -> pd.DataFrame:
    """Add abc_class where it is missing: the class that the product's demand gives it."""
    if not lines["abc_class"].isna().any():
        return lines
    demand = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
    classes = abc_classes(count_plans.goods(connection), demand, rules.abc)
    return lines.assign(abc_class=lines["product_id"].map(classes).astype("str"))
