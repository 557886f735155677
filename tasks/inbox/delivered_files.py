"""Opens an export as it was delivered: compressed or not, text or workbook, in any common encoding.

The result always has one form: a header and blocks of text cells, each row with its number in the file (the header is
row 1, as in a spreadsheet). Values are not interpreted here; a file that cannot be read to its end is refused with the
reason.

    ExportError
    └── UnreadableExportError   the file cannot be trusted as a whole
"""

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from tasks.inbox.workbooks import NO_ARCHIVE, is_workbook, workbook_rows

CHUNK_BYTES = 8 << 20
BLOCK_BYTES = 12 << 20
READ_BYTES = 4 << 20  # the reader keeps 32 of these in memory; a row must fit into one
HEADER_BYTES_MAX = 1 << 20
_END = "\x1eend of file\x1e"
COLUMNS_MAX = 1_000
DELIMITERS = ",;\t|"


class ExportError(ValueError):
    """A problem with a delivered file, in words for the person who delivered it."""


class UnreadableExportError(ExportError):
    """The file cannot be trusted as a whole."""


@dataclass(frozen=True)
class Block:
    """Some rows of an export.

    `cells`: one str column per header cell, missing where a cell is empty; index: row number in the file.
    `broken`: row_number int64, raw str, reason str: rows whose cells do not fit the header.
    `torn`: the first cells of the broken rows, in the form of `cells`; used only to find out what the rows are about.
    """

    cells: pd.DataFrame
    broken: pd.DataFrame
    torn: pd.DataFrame


@dataclass(frozen=True)
class Export:
    """An opened export."""

    name: str
    header: tuple[str, ...]
    read: Callable[[bool], Iterator[Block]]

    def blocks(self, *, whole: bool) -> Iterator[Block]:
        """The rows in bounded blocks, or in one block when `whole`; the next block is read while one is processed."""
        return _read_ahead(self.read(whole))


def _read_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(next, blocks, None)
        while (block := upcoming.result()) is not None:
            upcoming = reader.submit(next, blocks, None)
            yield block


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def open_export(path: Path, *, file_bytes_max: int, unpacked_bytes_max: int) -> Iterator[Export]:
    """Open the export `path`; unpacked or transcoded copies lie in a scratch folder until the block ends.

    Raises UnreadableExportError for a file that is empty, cut off, damaged, no table, or too large before or after
    unpacking.
    """
    if (size := path.stat().st_size) > file_bytes_max:
        raise UnreadableExportError(f"the file has {size:,} bytes, more than {file_bytes_max:,}: send it in parts")
    with TemporaryDirectory(prefix="export-") as scratch:
        plain = _unpacked(path, Path(scratch), unpacked_bytes_max)
        if is_workbook(plain):
            yield _open_workbook(path.name, plain, unpacked_bytes_max)
        else:
            yield _open_text(path.name, _as_utf8(plain, Path(scratch)))


def _unpacked(path: Path, scratch: Path, bytes_max: int) -> Path:
    with path.open("rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            return path
    plain = scratch / "unpacked"
    try:
        with gzip.open(path) as packed, plain.open("wb") as out:
            _copy(packed, out, bytes_max)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableExportError(f"the gzip file is cut off or damaged ({error}): send it again") from None
    return plain


def _copy(source: BinaryIO | gzip.GzipFile, out: BinaryIO, bytes_max: int) -> None:
    written = 0
    while chunk := source.read(CHUNK_BYTES):
        written += len(chunk)
        if written > bytes_max:
            raise UnreadableExportError(f"the file unpacks to more than {bytes_max:,} bytes")
        out.write(chunk)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _as_utf8(path: Path, scratch: Path) -> Path:
    """The file itself when it is UTF-8, otherwise a UTF-8 copy of it."""
    encoding = _encoding(path)
    if encoding == "utf-8":
        return path
    copy = scratch / "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as source, copy.open("wb") as out:
            while chunk := source.read(CHUNK_BYTES):
                out.write(decoder.decode(chunk).encode("utf-8"))
            out.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeError as error:
        raise UnreadableExportError(f"the text is neither UTF-8, UTF-16 nor Windows-1252 ({error.reason})") from None  # type: ignore[attr-defined]
    return copy


def _encoding(path: Path) -> str:
    """`utf-8` when the whole file is valid UTF-8, UTF-16 by its mark or zero bytes, otherwise Windows-1252."""
    with path.open("rb") as stream:
        start = stream.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start[1::2].count(0) > len(start) // 4:
            return "utf-16-le"
        if start[::2].count(0) > len(start) // 4:
            return "utf-16-be"
        return "utf-8" if _is_utf8(itertools.chain([start], iter(lambda: stream.read(CHUNK_BYTES), b""))) else "cp1252"


def _is_utf8(chunks: Iterator[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            if not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class _Header:
    """`lines`: the number of lines of the file before the first row of data; `row`: the number of the header row."""

    names: tuple[str, ...]
    delimiter: str
    lines: int
    row: int


def _open_text(name: str, path: Path) -> Export:
    head = _header(path)

    def read(whole: bool) -> Iterator[Block]:  # noqa: FBT001
        yield from _text_blocks(path, head, sys.maxsize if whole else BLOCK_BYTES)

    return Export(name, head.names, read)


def _header(path: Path) -> _Header:
    """The first row that is not blank; blank rows before it are counted, the `sep=` line of a spreadsheet is not."""
    with path.open("rb") as stream:
        text = stream.read(HEADER_BYTES_MAX).decode("utf-8-sig", errors="ignore")
    if not text.strip():
        raise UnreadableExportError("the file is empty")
    separator = re.match(r"sep=([^\r\n]?)[^\r\n]*(?:\r\n|\r|\n)", text, re.IGNORECASE)
    text = text[separator.end() :] if separator else text
    delimiters = separator[1] if separator and separator[1] in DELIMITERS else DELIMITERS
    tried = [(_first_record(text, delimiter), delimiter) for delimiter in delimiters]
    (cells, lines, row), delimiter = max(tried, key=lambda candidate: len(candidate[0][0]))
    if not cells or (len(cells) == 1 and not all(record for (record, _, _), _ in tried)):
        raise UnreadableExportError("the first row is no header: it is empty, or a quote in it is never closed")
    return _Header(header_names(cells), delimiter, lines + bool(separator), row)


def _first_record(text: str, delimiter: str) -> tuple[list[str], int, int]:
    """The first record that is not blank, and the numbers of lines and records read; no cells if all are blank."""
    # Strict: otherwise a quote that is only closed in a row below would make that row part of the header.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                return cells, reader.line_num, row
    except csv.Error:
        pass
    return [], 0, 0


def header_names(cells: list[str]) -> tuple[str, ...]:
    """Header cells, trimmed; an empty one is named by its position, a repeated one by its occurrence."""
    if len(cells) > COLUMNS_MAX:
        raise UnreadableExportError(f"the header has {len(cells):,} columns; at most {COLUMNS_MAX:,} are read")
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        plain = " ".join(cell.replace("\ufeff", "").split()) or f"column {number}"
        tries = itertools.chain([plain], (f"{plain} ({again})" for again in itertools.count(2)))
        name = next(candidate for candidate in tries if candidate.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


class _EndMarked(io.RawIOBase):
    """A file with an end marker appended: a row that is only read as a row when no quote is open before it.

    `lines`: the number of lines read, each ended by CR, LF or both (one too many where a chunk ends between the two).
    """

    def __init__(self, stream: BinaryIO, end: bytes) -> None:
        self.lines = 0
        self._stream = stream
        self._end = end

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        if not chunk:
            chunk, self._end = self._end, b""
        self.lines += chunk.count(b"\n")
        if returns := chunk.count(b"\r"):
            self.lines += returns - chunk.count(b"\r\n")
        return chunk


def _text_blocks(path: Path, head: _Header, block_bytes: int) -> Iterator[Block]:
    broken: list[tuple[int, int, str]] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        broken.append((row.number - head.lines + head.row, row.actual_columns, row.text))
        return "skip"

    options = {
        "read_options": pyarrow.csv.ReadOptions(
            column_names=list(head.names), skip_rows=head.lines, block_size=READ_BYTES, use_threads=False
        ),
        "parse_options": pyarrow.csv.ParseOptions(
            delimiter=head.delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
        ),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(head.names, pa.large_string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        ),
    }
    end = f"\n{_END}{head.delimiter * (len(head.names) - 1)}\n".encode()
    row, ended = head.row + 1, False
    try:
        with path.open("rb") as stream, pyarrow.csv.open_csv(text := _EndMarked(stream, end), **options) as reader:
            for table in _tables(reader, block_bytes):
                ended = bool(table.num_rows) and table.column(0)[-1].as_py() == _END
                block, row = _block(table, broken, head, row)
                yield replace(block, cells=block.cells.iloc[:-1]) if ended else block
    except pa.ArrowInvalid as error:
        if "straddling" in str(error):
            raise UnreadableExportError(f"a row after row {row:,} is longer than {READ_BYTES:,} bytes") from None
        if "Could not skip" in str(error):  # the header is all there is, without a line end
            return
        raise UnreadableExportError(f"the table cannot be read to its end ({_first_line(error)})") from None
    if not ended:
        raise UnreadableExportError(
            f"a quote opened in row {row - 1} or before is never closed: the file is cut off or damaged"
        )
    if text.lines - head.lines > row - head.row - 1:  # some cell has several lines
        _refuse_rows_in_a_cell(path, head)


def _refuse_rows_in_a_cell(path: Path, head: _Header) -> None:
    """Refuse a file in which two unclosed quotes form a pair, so that several rows are read as one cell.

    The second quote then stands in front of a text, where the end of a quoted cell cannot be.
    """
    csv.field_size_limit(READ_BYTES)
    with path.open(encoding="utf-8", newline="") as stream:
        for _ in range(head.lines):
            stream.readline()
        reader = csv.reader(stream, delimiter=head.delimiter, strict=True)
        for row in itertools.count(head.row + 1):
            before = reader.line_num
            try:
                if next(reader, None) is None:
                    return
            except csv.Error as error:
                lines = reader.line_num - before
                if lines > 1 and "expected after" in str(error):
                    raise UnreadableExportError(
                        f"row {row:,}: found a quote that is opened and, {lines - 1} line(s) below, closed in front "
                        "of a text, expected the end of the cell there: rows have run together"
                    ) from None


def _tables(batches: Iterable[pa.RecordBatch], block_bytes: int) -> Iterator[pa.Table]:
    """Batches joined into tables of one block; the first table is smaller, so that the next stage can start early."""
    pending: list[pa.RecordBatch] = []
    size = block_bytes // 4
    for batch in batches:
        pending.append(batch)
        if sum(batch.nbytes for batch in pending) >= size:
            yield pa.Table.from_batches(pending).combine_chunks()
            pending, size = [], block_bytes
    if pending:
        yield pa.Table.from_batches(pending).combine_chunks()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _block(table: pa.Table, broken: list[tuple[int, int, str]], head: _Header, first: int) -> tuple[Block, int]:
    """The block of a table whose first row has the number `first`, and the number of the row after it.

    Rows that the reader skipped are taken out of `broken`. The reader is ahead: `broken` may already contain rows of
    later blocks, in order.
    """
    end = first + table.num_rows
    for number, _, _ in broken:
        end += number < end
    skipped = [row for row in broken if row[0] < end]
    kept = [row for row in skipped if row[2].strip()]
    del broken[: len(skipped)]
    numbers = pd.Index(pd.RangeIndex(first, end))
    if skipped:
        numbers = numbers.difference(pd.Index([number for number, _, _ in skipped]), sort=True)
    cells = table.to_pandas(types_mapper=_text_types.get)
    cells.index = numbers
    empty = cells.isna().all(axis=1)
    return Block(cells[~empty] if empty.any() else cells, _broken_rows(kept, len(head.names)), _torn(kept, head)), end


_text_types = {
    pa.large_string(): pd.StringDtype(na_value=float("nan")),
    pa.string(): pd.StringDtype(na_value=float("nan")),
}


def _broken_rows(broken: list[tuple[int, int, str]], columns: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_number": pd.Series([number for number, _, _ in broken], dtype="int64"),
            "raw": pd.Series([text for _, _, text in broken], dtype="str"),
            "reason": pd.Series(
                [f"row: found {count} cells, expected {columns}" for _, count, _ in broken], dtype="str"
            ),
        }
    )


def _torn(broken: list[tuple[int, int, str]], head: _Header) -> pd.DataFrame:
    rows = [_first_cells(text, head) for _, _, text in broken]
    columns = {name: pd.Series([row[place] for row in rows], dtype="str") for place, name in enumerate(head.names)}
    return pd.DataFrame(columns).set_axis([number for number, _, _ in broken], axis="index")


def _first_cells(text: str, head: _Header) -> list[str | None]:
    try:
        cells = next(csv.reader([text], delimiter=head.delimiter), [])
    except csv.Error:
        cells = []
    return [*cells, *[None] * len(head.names)][: len(head.names)]


# ── workbooks ────────────────────────────────────────────────────────────────────────────────────────────────────
def _open_workbook(name: str, path: Path, bytes_max: int) -> Export:
    try:
        rows = workbook_rows(path, unpacked_bytes_max=bytes_max)
    except FileNotFoundError:
        raise
    except (*NO_ARCHIVE, ValueError, OSError) as error:
        raise UnreadableExportError(f"the workbook cannot be opened ({_first_line(error)}): send it again") from None
    if not rows:
        raise UnreadableExportError("the workbook's first sheet is empty")
    header = header_names([cell or "" for cell in rows[0]])

    def read(_whole: bool) -> Iterator[Block]:  # noqa: FBT001
        columns = list(zip(*rows[1:], strict=True)) or [()] * len(header)
        cells = pd.DataFrame(
            {name: pd.Series(values, dtype="str") for name, values in zip(header, columns, strict=True)}
        )
        cells.index = pd.RangeIndex(2, 2 + len(cells))
        yield Block(cells[cells.notna().any(axis=1)], _broken_rows([], len(header)), cells.iloc[:0])

    return Export(name, header, read)
