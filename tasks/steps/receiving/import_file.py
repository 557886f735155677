"""Import one delivered file: read, translate and check it, then load it or refuse it as a whole."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.domain.receiving.delivery_limits import Verdict, columns_at_fault
from tasks.domain.receiving.name_resolution import added_columns
from tasks.domain.receiving.quarantine import merge_refused_rows
from tasks.inbox.delivered_files import Export, ExportError, open_export
from tasks.inbox.layouts import UnknownLayout, recognise
from tasks.steps.receiving.check_rows import check_blocks, database_refusals
from tasks.steps.receiving.file_job import (
    Appender,
    FileJob,
    FileState,
    OpenedFile,
    Outcome,
    RefusedDeliveryError,
    Tally,
)
from tasks.steps.receiving.quarantine_sheet import DraftSheet
from tasks.store.database.engine import engine, exclusive, gather_statistics, reading
from tasks.store.receiving import imports
from tasks.store.receiving.bulk_append import KnownRowsError
from tasks.store.receiving.imports import Delivery
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.staging import staging
from tasks.store.sites import merchant_ids

COUNTS = ("rows_in", "rows_loaded", "rows_unchanged", "rows_quarantined", "rows_ignored")


def import_file(job: FileJob) -> Outcome:
    """Import one file as a whole or not at all; the same file again changes nothing."""
    delivery = job.delivery()
    with reading().connect() as connection:
        earlier_id = imports.loaded_import(connection, delivery)
    if earlier_id is not None:
        return _seen(job, earlier_id, "imported before: nothing changed")
    try:
        limits = settings()
        with open_export(
            job.path, file_bytes_max=limits.file_bytes_max, unpacked_bytes_max=limits.unpacked_bytes_max
        ) as export:
            return _load(job, delivery, export)
    except (ExportError, UnknownLayout) as refusal:
        return _refuse(job, delivery, str(refusal))


def _refuse(job: FileJob, delivery: Delivery, reason: str) -> Outcome:
    with engine().begin() as connection:
        exclusive(connection, "receive")
        if (other_id := imports.loaded_import(connection, delivery)) is not None:
            return _imported_by_another_run(job, other_id)
        if imports.refusal_reason(connection, delivery) != reason:
            import_id = imports.open_import(connection, delivery, None, job.as_of)
            imports.close_import(connection, import_id, {}, reason)
    return Outcome(job.kind.name, job.name, FileState.REFUSED, reason=reason)


def _imported_by_another_run(job: FileJob, import_id: int) -> Outcome:
    return _seen(job, import_id, "imported by another run")


def _seen(job: FileJob, import_id: int, reason: str) -> Outcome:
    return Outcome(job.kind.name, job.name, FileState.SEEN, reason=reason, import_id=import_id)


def _load(job: FileJob, delivery: Delivery, export: Export) -> Outcome:
    layout = recognise(job.kind.name, export.header, job.site.layouts)
    with reading().connect() as connection:
        file = OpenedFile(delivery, export, layout, merchant_ids(connection))
    with suppress(KnownRowsError):
        if job.appender is not None:
            return _append(job, file, job.appender)
    return _stage_and_merge(job, file)


def _append(job: FileJob, file: OpenedFile, appender: Appender) -> Outcome:
    """Load a file whose rows are all new: each block is written while the next is checked, in one transaction.

    Raises KnownRowsError when a row is not new; nothing is written then.
    """
    with DraftSheet(job.kind, file) as sheet:
        with engine().begin() as connection:
            if (other_id := _lock(connection, file)) is not None:
                return _imported_by_another_run(job, other_id)
            import_id = imports.open_import(connection, file.delivery, file.layout.name, job.as_of)
            with appender(connection, import_id, settings().folder(".staging")) as sink:
                tally = check_blocks(job, file, sink, sheet)
                sheet.finish()
            outcome = _settle(job, file, tally, connection, import_id, Loaded(tally.records, 0))
        return replace(outcome, sheet=sheet.take())


def _stage_and_merge(job: FileJob, file: OpenedFile) -> Outcome:
    with DraftSheet(job.kind, file) as sheet:
        with staging(job.kind, settings().folder(".staging"), added_columns(job.kind)) as stage:
            tally = check_blocks(job, file, stage, sheet)
            sheet.finish()
            with stage.merge() as connection:
                if (other_id := _lock(connection, file)) is not None:
                    return _imported_by_another_run(job, other_id)
                import_id = imports.open_import(connection, file.delivery, file.layout.name, job.as_of)
                loaded = job.loader(connection, stage.rows, Intake(import_id, job.kind.name, job.name, job.as_of))
                outcome = _settle(job, file, tally, connection, import_id, loaded)
        return replace(outcome, sheet=sheet.take()) if loaded.refused.empty else outcome


def _lock(connection: Connection, file: OpenedFile) -> int | None:
    """Wait for other runs that write. Returns the import of this very file by one of them, if there is one."""
    exclusive(connection, "receive")
    return imports.loaded_import(connection, file.delivery)


def _settle(
    job: FileJob, file: OpenedFile, tally: Tally, connection: Connection, import_id: int, loaded: Loaded
) -> Outcome:
    """Judge the delivery as a whole, quarantine its refused rows and close its import.

    Raises RefusedDeliveryError when the file as a whole is not plausible: nothing of it may be committed.
    """
    tally.refused.append(database_refusals(job, file, loaded.refused))
    outcome = _counts(job, file, tally, loaded, import_id)
    rules = _rules(job, tally, outcome)
    verdict = _judge_delivery(job, connection, rules, tally, outcome)
    _close(connection, outcome, tally, file.merchant_ids)
    gather_statistics(connection)
    return replace(outcome, warnings=verdict.warnings, columns=columns_at_fault(rules))


def _counts(job: FileJob, file: OpenedFile, tally: Tally, loaded: Loaded, import_id: int) -> Outcome:
    """I1: every source row is loaded, unchanged or quarantined. A source row of several records counts once."""
    refused = [rows["row_number"] for rows in tally.refused if len(rows)]
    quarantined = pd.concat(refused).nunique() if refused else 0
    good = tally.rows - quarantined
    new = min(loaded.loaded, good)
    return Outcome(
        kind=job.kind.name,
        file_name=job.name,
        state=FileState.LOADED,
        layout=file.layout.name,
        rows_in=tally.rows,
        rows_loaded=new,
        rows_unchanged=good - new,
        rows_quarantined=quarantined,
        rows_ignored=tally.ignored,
        import_id=import_id,
    )


def _rules(job: FileJob, tally: Tally, outcome: Outcome) -> pd.DataFrame:
    """The tally of each rule over all blocks, and how many good rows did not fit the data received before."""
    rules = pd.concat(tally.rules).groupby(["rule", "field", "check"], sort=False, as_index=False).sum()
    unattached = outcome.rows_quarantined - min(outcome.rows_quarantined, tally.rows - tally.good)
    fit = [(f"{job.kind.name} rows match the data received before", "row", "reference", tally.good, unattached)]
    return pd.concat([rules, pd.DataFrame(fit, columns=rules.columns)], ignore_index=True)


def _judge_delivery(
    job: FileJob, connection: Connection, rules: pd.DataFrame, tally: Tally, outcome: Outcome
) -> Verdict:
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


def _close(connection: Connection, outcome: Outcome, tally: Tally, merchant_ids: Mapping[str, int]) -> None:
    rows = merge_refused_rows(tally.refused)
    if len(rows):
        rows["merchant_id"] = rows.pop("merchant").map(merchant_ids).astype("Int64")
        imports.quarantine_rows(connection, rows.assign(import_id=outcome.import_id))
    corrections = pd.concat(tally.corrections)
    imports.close_corrected_rows(connection, outcome.import_id, corrections[["sha256", "refused_row"]])
    imports.close_import(connection, outcome.import_id, {name: getattr(outcome, name) for name in COUNTS})
