"""A file's blocks, one after the other: translated, judged, the good rows staged, the refused ones kept."""

from dataclasses import replace

import pandas as pd

from tasks.connectors.files import Block, Export
from tasks.connectors.layouts import Layout, Translated, translate
from tasks.domain import intake
from tasks.domain.cells import day_first
from tasks.domain.count_sheets import days_apart
from tasks.domain.exports import Kind, Type
from tasks.domain.rows import Context, judge
from tasks.intaking import Intaking, Tally
from tasks.store.staging import Staging

PLACED_KINDS = ("stock", "movements")  # what lies nowhere in particular lies in the warehouse's default location


def judge_blocks(job: Intaking, export: Export, layout: Layout, stage: Staging, ids: dict[str, int]) -> Tally:
    """Stage the good rows, keep the refused ones; every block is judged on the clock the first one shows."""
    tally, context = Tally(), None
    for block in export.blocks(whole=not layout.streams):
        translated = translate(layout, block.cells)
        if job.kind.name == "counts":
            translated = replace(translated, rows=days_apart(translated.rows))
        context = context or _with_date_order(_on_the_floor(job, translated.rows), job.kind, translated.rows)
        _judge_block(job, _about(layout, block), translated, context, stage, tally, ids)
    return tally


def _about(layout: Layout, block: Block) -> Block:
    """The block with the subject each broken row seems to have, so that an order waits for it."""
    if block.torn.empty or layout.shape is not None:
        return block
    subjects = intake.subjects(translate(layout, block.torn).rows)
    return replace(block, broken=block.broken.assign(subject=block.broken["row_number"].map(subjects)))


def _on_the_floor(job: Intaking, rows: pd.DataFrame) -> Context:
    """What the file does not say itself; count sheets are read on the clock of their warehouse."""
    context = job.context()
    if job.kind.name != "counts":
        return context
    named = rows if "warehouse" in rows or not job.warehouse else rows.assign(warehouse=job.warehouse)
    zone = intake.floor_zone(named, job.site.warehouses, context.clock.zone)
    return replace(context, clock=replace(context.clock, zone=zone))


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
    if any(one.name == "merchant" for one in job.kind.fields):
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
    tally.staged += typed["row_number"].nunique()
    tally.corrections.append(intake.corrections(block.cells))
    moments = [one.column for one in job.kind.fields if one.type is Type.INSTANT and one.column in typed]
    latest = typed[moments[0]].max() if moments else None
    if pd.notna(latest):  # the good rows may leave the moment out
        tally.last_at = latest if tally.last_at is None else max(tally.last_at, latest)
    if len(reasons):
        tally.refused.append(_quarantined(job, block, translated, reasons))


def _quarantined(job: Intaking, block: Block, translated: Translated, reasons: pd.DataFrame) -> pd.DataFrame:
    broken = block.broken.set_index("row_number")
    rows = intake.quarantine_rows(job.kind, translated.rows, block.cells, reasons)
    for name in broken.columns.intersection(["raw", "subject"]):
        rows[name] = rows["row_number"].map(broken[name]).astype("str").fillna(rows[name])
    rows["merchant"] = rows["merchant"].fillna(job.merchant)
    return rows


def requote(job: Intaking, export: Export, layout: Layout, reasons: pd.DataFrame) -> pd.DataFrame:
    """What rows said that only the database could refuse: the file is read once more for them."""
    found = []
    for block in export.blocks(whole=not layout.streams) if len(reasons) else ():
        mine = reasons[reasons["row_number"].isin(block.cells.index)]
        if len(mine):
            cells = block.cells if not layout.streams else block.cells.loc[block.cells.index.isin(mine["row_number"])]
            found.append(_quarantined(job, replace(block, cells=cells), translate(layout, cells), mine))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
