"""One delivered file, from the inbox to the archive: read, translated, judged, loaded or refused, and put away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table

from config.settings import settings
from tasks.connectors.files import Block, Export, ExportError, fingerprint, open_export
from tasks.connectors.layouts import Layout, Translated, UnknownLayout, recognise, translate
from tasks.domain import intake
from tasks.domain.cells import Clock, day_first
from tasks.domain.deliveries import Verdict
from tasks.domain.exports import Kind, Type
from tasks.domain.rows import Context, judge
from tasks.domain.sites import Merchant, Warehouse
from tasks.gates.delivery import Gate
from tasks.store import imports
from tasks.store.engine import engine, exclusive, reading
from tasks.store.imports import Delivery
from tasks.store.intake import Intake, Loaded
from tasks.store.sites import merchant_ids
from tasks.store.staging import Staging, staging

Loader = Callable[[Connection, Table, Intake], Loaded]
PLACED_KINDS = ("stock", "movements")  # what lies nowhere in particular lies in the warehouse's default location


class RefusedDeliveryError(ExportError):
    """The file was read, but is not to be believed."""


@dataclass(frozen=True)
class Site:
    """What the installation knows and no file says."""

    merchants: Sequence[Merchant]
    warehouses: Sequence[Warehouse]
    layouts: Sequence[Layout]
    merchant: str  # whose a file is that does not say


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `state` is loaded, refused or seen (taken in before)."""

    kind: str
    file_name: str
    state: str
    layout: str = ""
    rows_in: int = 0
    rows_loaded: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    rows_ignored: int = 0
    reason: str = ""
    warnings: tuple[str, ...] = ()
    import_id: int = 0


@dataclass
class Tally:
    """What is gathered while a file's blocks go by; `refused` holds rows ready for quarantine."""

    rows: int = 0
    ignored: int = 0
    staged: int = 0
    last_order: tuple[object, ...] | None = None
    last_at: pd.Timestamp | None = None
    rules: list[pd.DataFrame] = field(default_factory=list)
    refused: list[pd.DataFrame] = field(default_factory=list)
    corrections: list[pd.DataFrame] = field(default_factory=list)


@dataclass(frozen=True)
class Intaking:
    """Everything one file is taken in with."""

    path: Path
    kind: Kind
    merchant: str
    site: Site
    gate: Gate
    loader: Loader
    as_of: datetime

    def delivery(self) -> Delivery:
        """What makes the file the file it is."""
        return Delivery(self.kind.name, self.merchant, fingerprint(self.path), self.path.name)

    def context(self) -> Context:
        """What the file's rows do not say themselves."""
        owner = next((one for one in self.site.merchants if one.code == self.merchant), None)
        defaults = (("merchant", self.merchant), ("count_id", self.path.name.partition(".")[0]))
        return Context(Clock(owner.time_zone if owner else "UTC"), owner.currency if owner else None, defaults)


def take_in(job: Intaking) -> Outcome:
    """Take one file in, whole or not at all; the same file again changes nothing."""
    delivery = job.delivery()
    with reading().connect() as connection:
        known = imports.already_loaded(connection, delivery)
    if known is not None:
        return Outcome(job.kind.name, job.path.name, "seen", reason="taken in before: nothing changed", import_id=known)
    try:
        with open_export(job.path, unpacked_bytes_max=settings().unpacked_bytes_max) as export:
            return _load(job, delivery, export)
    except (ExportError, UnknownLayout) as refusal:
        return _refuse(job, delivery, str(refusal))


def _refuse(job: Intaking, delivery: Delivery, reason: str) -> Outcome:
    with engine().begin() as connection:
        exclusive(connection, "receive")
        if imports.refusal(connection, delivery) != reason:
            import_id = imports.open_import(connection, delivery, None, job.as_of)
            imports.close_import(connection, import_id, {}, reason)
    return Outcome(job.kind.name, job.path.name, "refused", reason=reason)


def _load(job: Intaking, delivery: Delivery, export: Export) -> Outcome:
    layout = recognise(job.kind.name, export.header, job.site.layouts)
    with reading().connect() as connection:
        ids = merchant_ids(connection)
    extra = ("merchant_id", "is_first") if job.kind.name == "orders" else ("merchant_id",)
    with staging(job.kind, settings().folder(".staging"), extra) as stage:
        tally = _judge_blocks(job, export, layout, stage, ids)
        if not tally.rows:
            raise RefusedDeliveryError("the file has a header and no rows: it is empty or was cut off")
        with stage.merge() as connection:
            exclusive(connection, "receive")
            if (known := imports.already_loaded(connection, delivery)) is not None:
                return Outcome(job.kind.name, job.path.name, "seen", reason="taken in by another run", import_id=known)
            import_id = imports.open_import(connection, delivery, layout.name, job.as_of)
            loaded = job.loader(connection, stage.rows, Intake(import_id, job.kind.name, job.path.name, job.as_of))
            tally.refused.append(_requote(job, export, layout, loaded.refused))
            outcome = _counts(job, layout, tally, loaded, import_id)
            verdict = _judge_delivery(job, connection, tally, outcome)
            _close(connection, outcome, tally, ids)
    return replace(outcome, warnings=verdict.warnings)


def _judge_blocks(job: Intaking, export: Export, layout: Layout, stage: Staging, ids: dict[str, int]) -> Tally:
    """Stage the good rows, keep the refused ones; every block is judged on the clock the first one shows."""
    tally, context = Tally(), None
    for block in export.blocks(whole=not layout.streams):
        translated = translate(layout, block.cells)
        context = context or _with_date_order(job.context(), job.kind, translated.rows)
        _judge_block(job, block, translated, context, stage, tally, ids)
    return tally


def _with_date_order(context: Context, kind: Kind, rows: pd.DataFrame) -> Context:
    names = [one.name for one in kind.fields if one.type in {Type.INSTANT, Type.DATE} and one.name in rows]
    texts = pd.concat([rows[name] for name in names]) if names else pd.Series(dtype="str")
    return replace(context, clock=replace(context.clock, day_first=day_first(texts)))


def _judge_block(
    job: Intaking, block: Block, translated: Translated, context: Context, stage: Staging, tally: Tally,
    ids: dict[str, int],
) -> None:  # fmt: skip
    judged = judge(job.kind, translated.rows, context)
    typed, strangers = judged.typed, block.broken[["row_number", "reason"]]
    if "merchant" in typed:
        typed, unknown = intake.name_merchants(typed, ids)
        strangers = pd.concat([strangers, unknown])
    if any(one.name == "warehouse" for one in job.kind.fields):
        typed = intake.name_sites(typed, job.site.warehouses, fill_location=job.kind.name in PLACED_KINDS)
    if job.kind.name == "orders":
        typed, tally.last_order = intake.mark_first(typed, tally.last_order)
    stage.add(typed)
    reasons = pd.concat([judged.faults[["row_number", "reason"]], strangers], ignore_index=True)
    _note(job, block, translated, typed, reasons, tally)
    tally.rules.append(judged.tally)


def _note(
    job: Intaking, block: Block, translated: Translated, typed: pd.DataFrame, reasons: pd.DataFrame, tally: Tally
) -> None:
    rows = translated.rows["row_number"].nunique()
    tally.rows += rows + len(block.broken)
    tally.ignored += len(block.cells) - rows
    tally.staged += len(typed)
    tally.corrections.append(intake.corrections(block.cells))
    moments = [one.column for one in job.kind.fields if one.type is Type.INSTANT and one.column in typed]
    if moments and len(typed):
        latest = typed[moments[0]].max()
        tally.last_at = latest if tally.last_at is None else max(tally.last_at, latest)
    if len(reasons):
        tally.refused.append(_quarantined(job, block, translated, reasons))


def _quarantined(job: Intaking, block: Block, translated: Translated, reasons: pd.DataFrame) -> pd.DataFrame:
    broken = block.broken.set_index("row_number")["raw"]
    rows = intake.quarantine_rows(job.kind, translated.rows, block.cells, reasons)
    rows["raw"] = rows["row_number"].map(broken).astype("str").fillna(rows["raw"])
    rows["merchant"] = rows["merchant"].fillna(job.merchant)
    return rows


def _requote(job: Intaking, export: Export, layout: Layout, reasons: pd.DataFrame) -> pd.DataFrame:
    """What rows said that only the database could refuse: the file is read once more for them."""
    found = []
    for block in export.blocks(whole=not layout.streams) if len(reasons) else ():
        mine = reasons[reasons["row_number"].isin(block.cells.index)]
        if len(mine):
            cells = block.cells if not layout.streams else block.cells.loc[block.cells.index.isin(mine["row_number"])]
            found.append(_quarantined(job, replace(block, cells=cells), translate(layout, cells), mine))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _counts(job: Intaking, layout: Layout, tally: Tally, loaded: Loaded, import_id: int) -> Outcome:
    """I1. A source row that holds several records counts once."""
    refused = [each["row_number"] for each in tally.refused if len(each)]
    quarantined = pd.concat(refused).nunique() if refused else 0
    good = tally.rows - quarantined
    new = min(loaded.loaded, good)
    return Outcome(
        job.kind.name, job.path.name, "loaded", layout.name, tally.rows, new, good - new, quarantined, tally.ignored,
        import_id=import_id,
    )  # fmt: skip


def _judge_delivery(job: Intaking, connection: Connection, tally: Tally, outcome: Outcome) -> Verdict:
    rules = pd.concat(tally.rules).groupby(["rule", "field", "check"], sort=False, as_index=False).sum()
    unattached = outcome.rows_quarantined - min(outcome.rows_quarantined, tally.rows - tally.staged)
    fit = [(f"{job.kind.name} rows fit what is known", "row", "reference", tally.staged, unattached)]
    rules = pd.concat([rules, pd.DataFrame(fit, columns=rules.columns)], ignore_index=True)
    profile = {
        "rows": outcome.rows_in,
        "quarantined_share": outcome.rows_quarantined / outcome.rows_in,
        "last_at": tally.last_at.isoformat() if tally.last_at is not None else None,
        "recent_rows_median": imports.usual_rows(
            connection, job.kind.name, job.merchant, job.gate.rules.volume_from_imports, outcome.import_id
        ),
    }
    verdict = job.gate.judge(job.kind.name, rules, profile, name=job.path.name)
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
    good = said[~said["row_number"].isin(pd.concat(kept)["row_number"])] if kept else said
    imports.correct(connection, outcome.import_id, good[["sha256", "refused_row"]])
    counts = {name: getattr(outcome, name) for name in
              ("rows_in", "rows_loaded", "rows_unchanged", "rows_quarantined", "rows_ignored")}  # fmt: skip
    imports.close_import(connection, outcome.import_id, counts)
