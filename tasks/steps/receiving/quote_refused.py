"""What the refused rows of a file said, kept for quarantine."""

from dataclasses import replace

import pandas as pd

from tasks.domain.receiving import quarantine
from tasks.inbox.delivered_files import Block
from tasks.inbox.layouts import Translated, translate
from tasks.steps.receiving.file_job import Intaking, Opened


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
