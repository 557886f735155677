"""One delivered file, from the inbox to the database: read, translated, judged, loaded or refused."""

from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.connectors.files import Export, ExportError, open_export
from tasks.connectors.layouts import Layout, UnknownLayout, recognise
from tasks.domain.deliveries import Verdict
from tasks.intaking import Intaking, Outcome, RefusedDeliveryError, Tally
from tasks.judge_blocks import judge_blocks, requote
from tasks.store import imports
from tasks.store.engine import engine, exclusive, reading
from tasks.store.imports import Delivery
from tasks.store.intake import Intake, Loaded
from tasks.store.sites import merchant_ids
from tasks.store.staging import staging


def take_in(job: Intaking) -> Outcome:
    """Take one file in, whole or not at all; the same file again changes nothing."""
    delivery = job.delivery()
    with reading().connect() as connection:
        known = imports.already_loaded(connection, delivery)
    if known is not None:
        return _seen(job, known, "taken in before: nothing changed")
    try:
        with open_export(job.path, unpacked_bytes_max=settings().unpacked_bytes_max) as export:
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
        ids = merchant_ids(connection)
    extra = ("merchant_id", *(("order_index", "is_first", "is_fulfilled") if job.kind.name == "orders" else ()))
    with staging(job.kind, settings().folder(".staging"), extra) as stage:
        tally = judge_blocks(job, export, layout, stage, ids)
        if not tally.rows + tally.ignored:
            raise RefusedDeliveryError("the file has a header and no rows: it is empty or was cut off")
        with stage.merge() as connection:
            exclusive(connection, "receive")
            if (known := imports.already_loaded(connection, delivery)) is not None:
                return _seen(job, known, "taken in by another run")
            import_id = imports.open_import(connection, delivery, layout.name, job.as_of)
            loaded = job.loader(connection, stage.rows, Intake(import_id, job.kind.name, job.name, job.as_of))
            tally.refused.append(requote(job, export, layout, loaded.refused))
            outcome = _counts(job, layout, tally, loaded, import_id)
            verdict = _judge_delivery(job, connection, tally, outcome)
            _close(connection, outcome, tally, ids)
    return replace(outcome, warnings=verdict.warnings)


def _counts(job: Intaking, layout: Layout, tally: Tally, loaded: Loaded, import_id: int) -> Outcome:
    """I1. A source row that holds several records counts once."""
    refused = [each["row_number"] for each in tally.refused if len(each)]
    quarantined = pd.concat(refused).nunique() if refused else 0
    good = tally.rows - quarantined
    new = min(loaded.loaded, good)
    return Outcome(
        job.kind.name, job.name, "loaded", layout.name, tally.rows, new, good - new, quarantined, tally.ignored,
        import_id=import_id,
    )  # fmt: skip


def _judge_delivery(job: Intaking, connection: Connection, tally: Tally, outcome: Outcome) -> Verdict:
    rules = pd.concat(tally.rules).groupby(["rule", "field", "check"], sort=False, as_index=False).sum()
    unattached = outcome.rows_quarantined - min(outcome.rows_quarantined, tally.rows - tally.staged)
    fit = [(f"{job.kind.name} rows fit what is known", "row", "reference", tally.staged, unattached)]
    rules = pd.concat([rules, pd.DataFrame(fit, columns=rules.columns)], ignore_index=True)
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


def _close(connection: Connection, outcome: Outcome, tally: Tally, ids: dict[str, int]) -> None:
    kept = [each for each in tally.refused if len(each)]
    if kept:
        rows = pd.concat(kept, ignore_index=True).groupby("row_number", as_index=False).agg(
            {"merchant": "first", "subject": "first", "raw": "first", "cells": "first", "reasons": "; ".join}
        )  # fmt: skip
        rows["merchant_id"] = rows.pop("merchant").map(ids).astype("Int64")
        imports.quarantine(connection, rows.assign(import_id=outcome.import_id))
    said = pd.concat(tally.corrections)
    imports.correct(connection, outcome.import_id, said[["sha256", "refused_row"]])
    counts = {name: getattr(outcome, name) for name in
              ("rows_in", "rows_loaded", "rows_unchanged", "rows_quarantined", "rows_ignored")}  # fmt: skip
    imports.close_import(connection, outcome.import_id, counts)
