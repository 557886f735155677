"""A file all of whose rows are where they belong: accounted for, judged as a whole, written down or refused."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.receiving.delivery_limits import Verdict, columns_at_fault
from tasks.domain.receiving.quarantine import refused_once
from tasks.steps.receiving.file_job import Intaking, Opened, Outcome, RefusedDeliveryError, Tally
from tasks.steps.receiving.quote_refused import requote
from tasks.store.database.engine import gather_statistics
from tasks.store.receiving import imports
from tasks.store.receiving.loader import Loaded


def settle_import(
    job: Intaking, file: Opened, tally: Tally, connection: Connection, import_id: int, loaded: Loaded
) -> Outcome:
    """What became of the file; its refused rows wait in quarantine.

    Raises RefusedDeliveryError when the file as a whole is not to be believed: nothing of it may be committed.
    """
    tally.refused.append(requote(job, file, loaded.refused))
    outcome = _counts(job, file, tally, loaded, import_id)
    rules = _rules(job, tally, outcome)
    verdict = _judge_delivery(job, connection, rules, tally, outcome)
    _close(connection, outcome, tally, file.merchant_ids)
    gather_statistics(connection)
    return replace(outcome, warnings=verdict.warnings, columns=columns_at_fault(rules))


def _counts(job: Intaking, file: Opened, tally: Tally, loaded: Loaded, import_id: int) -> Outcome:
    """I1. A source row that holds several records counts once."""
    refused = [each["row_number"] for each in tally.refused if len(each)]
    quarantined = pd.concat(refused).nunique() if refused else 0
    good = tally.rows - quarantined
    new = min(loaded.loaded, good)
    return Outcome(
        job.kind.name, job.name, "loaded", file.layout.name, tally.rows, new, good - new, quarantined, tally.ignored,
        import_id=import_id,
    )  # fmt: skip


def _rules(job: Intaking, tally: Tally, outcome: Outcome) -> pd.DataFrame:
    """How often each rule was asked and broken, by the file's own rows and by what is known already."""
    rules = pd.concat(tally.rules).groupby(["rule", "field", "check"], sort=False, as_index=False).sum()
    unattached = outcome.rows_quarantined - min(outcome.rows_quarantined, tally.rows - tally.good)
    fit = [(f"{job.kind.name} rows fit what is known", "row", "reference", tally.good, unattached)]
    return pd.concat([rules, pd.DataFrame(fit, columns=rules.columns)], ignore_index=True)


def _judge_delivery(
    job: Intaking, connection: Connection, rules: pd.DataFrame, tally: Tally, outcome: Outcome
) -> Verdict:  # fmt: skip
    profile = {
        "rows": outcome.rows_in,
        "quarantined_share": outcome.rows_quarantined / max(1, outcome.rows_in),
        "last_at": tally.last_at.isoformat() if tally.last_at is not None else None,
        "recent_rows_median": imports.usual_rows(connection, outcome.import_id, job.gate.rules.volume_from_imports),
    }
    verdict = job.gate.judge(job.kind.name, rules, profile, name=job.name)
    if verdict.refused:
        raise RefusedDeliveryError("; ".join(verdict.reasons))
    return verdict


def _close(connection: Connection, outcome: Outcome, tally: Tally, ids: Mapping[str, int]) -> None:
    rows = refused_once(tally.refused)
    if len(rows):
        rows["merchant_id"] = rows.pop("merchant").map(ids).astype("Int64")
        imports.quarantine(connection, rows.assign(import_id=outcome.import_id))
    said = pd.concat(tally.corrections)
    imports.correct(connection, outcome.import_id, said[["sha256", "refused_row"]])
    counts = {name: getattr(outcome, name) for name in
              ("rows_in", "rows_loaded", "rows_unchanged", "rows_quarantined", "rows_ignored")}  # fmt: skip
    imports.close_import(connection, outcome.import_id, counts)
