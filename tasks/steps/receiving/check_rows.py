"""Check the rows of a file block by block: translate them, stage the good ones, keep the refused ones."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from tasks.domain.receiving import name_resolution, quarantine
from tasks.domain.receiving.cells import DateOrder, date_order
from tasks.domain.receiving.export_kinds import FileClock, Kind, Type
from tasks.domain.receiving.row_checks import Context, check_rows, with_day_fields
from tasks.inbox.delivered_files import Block
from tasks.inbox.layouts import Layout, Translated, translate
from tasks.steps.receiving.file_job import FileJob, OpenedFile, RefusedDeliveryError, Tally
from tasks.steps.receiving.quarantine_sheet import DraftSheet
from tasks.store.receiving.staging import Sink


def check_blocks(job: FileJob, file: OpenedFile, sink: Sink, sheet: DraftSheet) -> Tally:
    """Send the good rows to `sink` and the refused ones to `sheet`; every block is read on the same clock.

    While the database is still busy with the block before, refused rows are written to their sheet.
    """
    tally, context = Tally(), None
    for block in file.blocks():
        translated = translate(file.layout, block.cells)
        translated = replace(translated, rows=with_day_fields(job.kind, translated.rows))
        context = context or _with_date_order(_with_clock(job, translated.rows), job.kind, file, translated.rows)
        _check_block(
            job, _with_subjects(file.layout, block), translated, context, sink, sheet, tally, file.merchant_ids
        )
    if not tally.rows + tally.ignored:
        raise RefusedDeliveryError("the file has a header and no rows: it is empty or was cut off")
    return tally


def _with_subjects(layout: Layout, block: Block) -> Block:
    """The block with the subject that each broken row seems to have, so that its order can be held."""
    if block.torn.empty or layout.shape is not None:
        return block
    subjects = quarantine.subjects(translate(layout, block.torn).rows)
    return replace(block, broken=block.broken.assign(subject=block.broken["row_number"].map(subjects)))


def _with_clock(job: FileJob, rows: pd.DataFrame) -> Context:
    """The context of the file; its clock is the one that its kind is read on."""
    context = job.context()
    if job.kind.clock is FileClock.MERCHANT:
        return context
    rows = rows if "warehouse" in rows or not job.warehouse else rows.assign(warehouse=job.warehouse)
    zone = name_resolution.warehouse_zone(rows, job.site.warehouses, context.clock.zone)
    return replace(context, clock=replace(context.clock, zone=zone))


def _with_date_order(context: Context, kind: Kind, file: OpenedFile, rows: pd.DataFrame) -> Context:
    """The context with the order of day and month, read from the whole file if `rows` have dates like 03/04/2026."""
    order = _date_order(kind, rows)
    if order.any:
        for block in file.blocks():
            order += _date_order(kind, translate(file.layout, block.cells).rows)
    return replace(context, clock=replace(context.clock, day_first=order.day_first))


def _date_order(kind: Kind, rows: pd.DataFrame) -> DateOrder:
    names = [field.name for field in kind.fields if field.type in {Type.INSTANT, Type.DATE} and field.name in rows]
    return sum((date_order(rows[name]) for name in names), DateOrder())


def _check_block(
    job: FileJob,
    block: Block,
    translated: Translated,
    context: Context,
    sink: Sink,
    sheet: DraftSheet,
    tally: Tally,
    merchant_ids: Mapping[str, int],
) -> None:
    checked = check_rows(job.kind, translated.rows, context)
    typed, unknown = _resolved(job, checked.typed, tally, merchant_ids)
    while not sink.is_free() and sheet.write_some():
        pass
    sink.add(typed)
    reasons = [frame[["row_number", "reason"]] for frame in (checked.faults, block.broken, unknown)]
    _count(job.kind, block, translated, typed, tally)
    _keep_refused(job, block, translated, pd.concat(reasons, ignore_index=True), tally, sheet)
    tally.rules.append(checked.tally)


def _resolved(
    job: FileJob, typed: pd.DataFrame, tally: Tally, merchant_ids: Mapping[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Typed rows by our own names and numbers, and the rows (row_number, reason) of unknown merchants."""
    unknown = pd.DataFrame({"row_number": pd.Series(dtype="int64"), "reason": pd.Series(dtype="str")})
    if job.kind.has_field("merchant"):
        typed, unknown = name_resolution.name_merchants(typed, merchant_ids)
    if job.kind.has_field("warehouse"):
        fill_location = job.kind.default_location
        typed = name_resolution.name_sites(typed, job.site.warehouses, fill_location=fill_location)
    if job.kind.numbers_orders:
        typed, tally.last_order = name_resolution.number_orders(typed, tally.last_order)
    return typed, unknown


def _count(kind: Kind, block: Block, translated: Translated, typed: pd.DataFrame, tally: Tally) -> None:
    """Add the rows of a block to the tally of its file."""
    rows = translated.rows["row_number"].nunique()
    tally.rows += rows + len(block.broken)
    tally.ignored += len(block.cells) - rows
    tally.good += typed["row_number"].nunique()
    tally.records += len(typed)
    tally.corrections.append(quarantine.corrections(block.cells))
    moments = [field.column for field in kind.fields if field.type is Type.INSTANT and field.column in typed]
    latest = typed[moments[0]].max() if moments else None
    if pd.notna(latest):  # the good rows may leave the moment out
        tally.last_at = latest if tally.last_at is None else max(tally.last_at, latest)


def _keep_refused(
    job: FileJob, block: Block, translated: Translated, reasons: pd.DataFrame, tally: Tally, sheet: DraftSheet
) -> None:
    if len(reasons):
        refused = _quarantine_rows(job, block, translated, reasons)
        tally.refused.append(refused)
        sheet.add(refused)


def _quarantine_rows(job: FileJob, block: Block, translated: Translated, reasons: pd.DataFrame) -> pd.DataFrame:
    """The rows of a block that have `reasons` (row_number, reason), as quarantine keeps them."""
    broken = block.broken.set_index("row_number")
    rows = quarantine.quarantine_rows(job.kind, translated.rows, block.cells, reasons)
    for name in broken.columns.intersection(["raw", "subject"]):
        rows[name] = rows["row_number"].map(broken[name]).astype("str").fillna(rows[name])
    rows["merchant"] = rows["merchant"].fillna(job.merchant)
    return rows


def database_refusals(job: FileJob, file: OpenedFile, reasons: pd.DataFrame) -> pd.DataFrame:
    """The rows that only the database could refuse, as quarantine keeps them: the file is read again for their text.

    `reasons`: row_number, reason.
    """
    refused = []
    for block in file.blocks() if len(reasons) else ():
        block_reasons = reasons[reasons["row_number"].isin(block.cells.index)]
        if len(block_reasons):
            is_refused = block.cells.index.isin(block_reasons["row_number"])
            cells = block.cells.loc[is_refused] if file.layout.streams else block.cells
            translated = translate(file.layout, cells)
            refused.append(_quarantine_rows(job, replace(block, cells=cells), translated, block_reasons))
    return pd.concat(refused, ignore_index=True) if refused else pd.DataFrame()
