"""One delivered file, from the inbox to the database: read, translated, judged, loaded or refused."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.domain.receiving.delivery_limits import Verdict, columns_at_fault
from tasks.domain.receiving.quarantine import refused_once
from tasks.inbox.delivered_files import Export, ExportError, open_export
from tasks.inbox.layouts import UnknownLayout, recognise
from tasks.steps.receiving.file_job import Intaking, Opened, Outcome, RefusedDeliveryError, Tally
from tasks.steps.receiving.judge_rows import judge_blocks, requote
from tasks.steps.receiving.quarantine_sheet import Draft
from tasks.store.database.engine import engine, exclusive, gather_statistics, reading
from tasks.store.receiving import imports
from tasks.store.receiving.append_blocks import KnownRowsError
from tasks.store.receiving.imports import Delivery
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.orders import STAGED_WITH, straight_orders
from tasks.store.receiving.staging import staging
from tasks.store.sites import merchant_ids


def take_in(job: Intaking) -> Outcome:
    """Take one file in, whole or not at all; the same file again changes nothing."""
    delivery = job.delivery()
    with reading().connect() as connection:
        known = imports.already_loaded(connection, delivery)
    if known is not None:
        return _seen(job, known, "taken in before: nothing changed")
    try:
        limits = settings()
        with open_export(
            job.path, file_bytes_max=limits.file_bytes_max, unpacked_bytes_max=limits.unpacked_bytes_max
        ) as export:
            return _load(job, delivery, export)
    except (ExportError, UnknownLayout) as refusal:
        return _refuse(job, delivery, str(refusal))


def _refuse(job: Intaking, delivery: Delivery, reason: str) -> Outcome:
    with engine().begin() as connection:
        exclusive(connection, "receive")
        if (known := imports.already_loaded(connection, delivery)) is not None:
            return _seen(job, known, "taken in by another run")
        if imports.refusal(connection, delivery) != reason:
            import_id = imports.open_import(connection, delivery, None, job.as_of)
            imports.close_import(connection, import_id, {}, reason)
    return Outcome(job.kind.name, job.name, "refused", reason=reason)


def _seen(job: Intaking, known: int, reason: str) -> Outcome:
    return Outcome(job.kind.name, job.name, "seen", reason=reason, import_id=known)


def _load(job: Intaking, delivery: Delivery, export: Export) -> Outcome:
    layout = recognise(job.kind.name, export.header, job.site.layouts)
    with reading().connect() as connection:
        file = Opened(delivery, export, layout, merchant_ids(connection))
    with suppress(KnownRowsError):
        if job.kind.name == "orders":
            return _write_new_orders(job, file)
    return _stage_and_merge(job, file)


def _write_new_orders(job: Intaking, file: Opened) -> Outcome:
    """Orders all of which are new: each block is written while the next one is judged, in one transaction."""
    with Draft(job.kind, file) as draft:
        with engine().begin() as connection:
            if (known := _locked(connection, file)) is not None:
                return _seen(job, known, "taken in by another run")
            import_id = imports.open_import(connection, file.delivery, file.layout.name, job.as_of)
            with straight_orders(connection, import_id, settings().folder(".staging")) as sink:
                tally = judge_blocks(job, file, sink, draft)
                draft.finish()
            outcome = settle_import(job, file, tally, connection, import_id, Loaded(tally.records, 0))
        return replace(outcome, sheet=draft.take())


def _stage_and_merge(job: Intaking, file: Opened) -> Outcome:
    extra = STAGED_WITH if job.kind.name == "orders" else ("merchant_id",)
    with Draft(job.kind, file) as draft:
        with staging(job.kind, settings().folder(".staging"), extra) as stage:
            tally = judge_blocks(job, file, stage, draft)
            draft.finish()
            with stage.merge() as connection:
                if (known := _locked(connection, file)) is not None:
                    return _seen(job, known, "taken in by another run")
                import_id = imports.open_import(connection, file.delivery, file.layout.name, job.as_of)
                loaded = job.loader(connection, stage.rows, Intake(import_id, job.kind.name, job.name, job.as_of))
                outcome = settle_import(job, file, tally, connection, import_id, loaded)
        return replace(outcome, sheet=draft.take()) if loaded.refused.empty else outcome


def _locked(connection: Connection, file: Opened) -> int | None:
    """Wait for other runs that write; the import that brought this very file meanwhile, if any."""
    exclusive(connection, "receive")
    return imports.already_loaded(connection, file.delivery)


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
