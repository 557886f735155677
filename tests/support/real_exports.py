"""Small files in the headers real exports have, and how receive-exports reads them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from tasks.domain.receiving.cells import Clock
from tasks.domain.receiving.export_kinds import KINDS
from tasks.domain.receiving.row_checks import CheckedRows, Context, check_rows
from tasks.inbox.delivered_files import open_export
from tasks.inbox.layouts import Layout, Translated, recognise, translate

Row = dict[str, str]


class Real(NamedTuple):
    """One known export: its kind, its layout's name, the cells of its header and what stands between them."""

    kind: str
    name: str
    header: tuple[str, ...]
    delimiter: str


def _read() -> dict[str, Real]:
    found = yaml.safe_load((Path(__file__).parent / "real_headers.yaml").read_text(encoding="utf-8"))
    return {
        name: Real(one["kind"], name, tuple(cell.strip() for cell in one["header"].split("|")), one["delimiter"])
        for name, one in found.items()
    }


REAL = _read()


def write(path: Path, real: Real, rows: Sequence[Row]) -> Path:
    """Write an export; cells that are not named are blank, cells the header does not have are left out."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, real.header, restval="", extrasaction="ignore", delimiter=real.delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Reader:
    """Reads a small file as receive-exports does, up to the judged rows."""

    folder: Path
    layouts: Sequence[Layout]
    day_first: bool | None = None

    def translated(self, kind: str, path: Path) -> Translated:
        """What the file says."""
        with open_export(path, file_bytes_max=1 << 26, unpacked_bytes_max=1 << 26) as export:
            layout = recognise(kind, export.header, self.layouts)
            (block,) = export.blocks(whole=True)
            return translate(layout, block.cells)

    def judged(self, real: Real, *rows: Row) -> CheckedRows:
        """The judged rows of a small export."""
        translated = self.translated(real.kind, write(self.folder / "export.csv", real, rows))
        context = Context(
            Clock("Europe/London", self.day_first), "GBP", (("merchant", "HEARTH"), ("count_id", "export"))
        )
        return check_rows(KINDS[real.kind], translated.rows, context)

    def good(self, real: Real, *rows: Row) -> pd.DataFrame:
        """The typed rows of a small export without faults."""
        judged = self.judged(real, *rows)
        assert list(judged.faults["reason"]) == []
        return judged.typed


def said(rows: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    """The rows as tuples; None where nothing is said, or there is no such column."""
    plain = rows.reindex(columns=list(columns)).astype(object)
    return [tuple(row) for row in plain.where(plain.notna(), None).to_numpy()]
