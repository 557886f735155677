"""A file's blocks, one after the other: translated, judged, the good rows staged, the refused ones kept."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from tasks.domain.counting.count_sheets import days_apart
from tasks.domain.receiving import quarantine, row_names
from tasks.domain.receiving.cells import DateOrder, date_order
from tasks.domain.receiving.export_kinds import Kind, Type
from tasks.domain.receiving.row_judging import Context, judge
from tasks.inbox.delivered_files import Block
from tasks.inbox.layouts import Layout, Translated, translate
from tasks.steps.receiving.file_job import Intaking, Opened, RefusedDeliveryError, Tally
from tasks.steps.receiving.quarantine_sheet import Draft
from tasks.store.receiving.staging import Sink

PLACED_KINDS = ("stock", "movements")  # what lies nowhere in particular lies in the warehouse's default location


def judge_blocks(job: Intaking, file: Opened, sink: Sink, draft: Draft) -> Tally:
    """Hand on the good rows, keep the refused ones; every block is judged on the same clock.

    While the database is still busy with the block before, refused rows are written to their sheet.
    """
    tally, context = Tally(), None
    for block in file.blocks():
        translated = translate(file.layout, block.cells)
        if job.kind.name == "counts":
            translated = replace(translated, rows=days_apart(translated.rows))
        context = context or _with_date_order(_on_the_floor(job, translated.rows), job.kind, file, translated.rows)
        _judge_block(job, _about(file.layout, block), translated, context, sink, draft, tally, file.merchant_ids)
    if not tally.rows + tally.ignored:
        raise RefusedDeliveryError("the file has a header and no rows: it is empty or was cut off")
    return tally


def _about(layout: Layout, block: Block) -> Block:
    """The block with the subject each broken row seems to have, so that an order waits for it."""
    if block.torn.empty or layout.shape is not None:
        return block
    subjects = quarantine.subjects(translate(layout, block.torn).rows)
    return replace(block, broken=block.broken.assign(subject=block.broken["row_number"].map(subjects)))


def _on_the_floor(job: Intaking, rows: pd.DataFrame) -> Context:
    """What the file does not say itself; count sheets are read on the clock of their warehouse."""
    context = job.context()
    if job.kind.name != "counts":
        return context
    named = rows if "warehouse" in rows or not job.warehouse else rows.assign(warehouse=job.warehouse)
    zone = row_names.floor_zone(named, job.site.warehouses, context.clock.zone)
    return replace(context, clock=replace(context.clock, zone=zone))


def _with_date_order(context: Context, kind: Kind, file: Opened, rows: pd.DataFrame) -> Context:
    """Where the first `rows` have dates such as 03/04/2026, all of the file says whether they put the day first."""
    shown = _date_order(kind, rows)
    if shown.any:
        for block in file.blocks():
            shown += _date_order(kind, translate(file.layout, block.cells).rows)
    return replace(context, clock=replace(context.clock, day_first=shown.day_first))


def _date_order(kind: Kind, rows: pd.DataFrame) -> DateOrder:
    names = [one.name for one in kind.fields if one.type in {Type.INSTANT, Type.DATE} and one.name in rows]
    return sum((date_order(rows[name]) for name in names), DateOrder())


def _judge_block(
    job: Intaking, block: Block, translated: Translated, context: Context, sink: Sink, draft: Draft,
    tally: Tally, ids: Mapping[str, int],
) -> None:  # fmt: skip
    judged = judge(job.kind, translated.rows, context)
    typed, strangers = judged.typed, block.broken[["row_number", "reason"]]
    if any(one.name == "merchant" for one in job.kind.fields):
        typed, unknown = row_names.name_merchants(typed, ids)
        strangers = pd.concat([strangers, unknown])
    if any(one.name == "warehouse" for one in job.kind.fields):
        typed = row_names.name_sites(typed, job.site.warehouses, fill_location=job.kind.name in PLACED_KINDS)
    if job.kind.name == "orders":
        typed, tally.last_order = row_names.number_orders(typed, tally.last_order)
    while not sink.is_free() and draft.write_some():
        pass
    sink.add(typed)
    reasons = pd.concat([judged.faults[["row_number", "reason"]], strangers], ignore_index=True)
    _note(job, block, translated, typed, tally)
    if len(reasons):
        refused = quarantined(job, block, translated, reasons)
        tally.refused.append(refused)
        draft.add(refused)
    tally.rules.append(judged.tally)


def _note(job: Intaking, block: Block, translated: Translated, typed: pd.DataFrame, tally: Tally) -> None:
    rows = translated.rows["row_number"].nunique()
    tally.rows += rows + len(block.broken)
    tally.ignored += len(block.cells) - rows
    tally.good += typed["row_number"].nunique()
    tally.records += len(typed)
    tally.corrections.append(quarantine.corrections(block.cells))
    moments = [one.column for one in job.kind.fields if one.type is Type.INSTANT and one.column in typed]
    latest = typed[moments[0]].max() if moments else None
    if pd.notna(latest):  # the good rows may leave the moment out
        tally.last_at = latest if tally.last_at is None else max(tally.last_at, latest)


def quarantined(job: Intaking, block: Block, translated: Translated, reasons: pd.DataFrame) -> pd.DataFrame:
    """The rows of a block that have `reasons` (row_number, reason), as quarantine keeps them."""
    broken = block.broken.set_index("row_number")
    rows = quarantine.quarantine_rows(job.kind, translated.rows, block.cells, reasons)
    for name in broken.columns.intersection(["raw", "subject"]):
        rows[name] = rows["row_number"].map(broken[name]).astype("str").fillna(rows[name])
    rows["merchant"] = rows["merchant"].fillna(job.merchant)
    return rows


def requote(job: Intaking, file: Opened, reasons: pd.DataFrame) -> pd.DataFrame:
    """What rows said that only the database could refuse: the file is read once more for them."""
    found = []
    for block in file.blocks() if len(reasons) else ():
        mine = reasons[reasons["row_number"].isin(block.cells.index)]
        if len(mine):
            cells = block.cells.loc[block.cells.index.isin(mine["row_number"])] if file.layout.streams else block.cells
            found.append(quarantined(job, replace(block, cells=cells), translate(file.layout, cells), mine))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
