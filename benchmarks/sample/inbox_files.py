"""Files as real systems write them: with and without a byte-order mark, in four encodings, packed, as workbooks."""

import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.sample.order_exports import Row, table
from tasks.documents.tables import write_xlsx


@dataclass(frozen=True)
class Inbox:
    """The folder with a folder per kind."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where the file `kind/name` lies."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def text(
        self, name: str, header: Sequence[str], rows: Sequence[Row], *, encoding: str = "utf-8", delimiter: str = ",",
        end: str = "\n",
    ) -> None:  # fmt: skip
        """Write delimited text; packed when the name ends in .gz."""
        data = table(header, rows, delimiter=delimiter, end=end).encode(encoding)
        self.path(name).write_bytes(packed(data) if name.endswith(".gz") else data)

    def workbook(self, name: str, header: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
        """Write an XLSX; numbers are number cells."""
        cells = {label: pd.Series([row.get(label) or None for row in rows], dtype=object) for label in header}
        write_xlsx(self.path(name), {"Sheet1": pd.DataFrame(cells)})


def packed(data: bytes) -> bytes:
    """As gzip, which would otherwise say when it was packed, and under what name."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as stream:
        stream.write(data)
    return out.getvalue()


def row_of(rows: Sequence[Row], **cells: str) -> int:
    """The number in the file of the one row with these cells (spaces in names as underscores); the header is row 1."""
    wanted = {
        name.replace("_", " ") if name.replace("_", " ") in rows[0] else name: cell for name, cell in cells.items()
    }
    matching_rows = [number for number, row in enumerate(rows, start=2) if wanted.items() <= row.items()]
    if len(matching_rows) != 1:
        raise ValueError(f"{cells}: {len(matching_rows)} rows")
    return matching_rows[0]
