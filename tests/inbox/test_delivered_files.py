"""Exports as they are delivered: packed, encoded and delimited in every way, damaged in every way."""

import codecs
import gzip
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.inbox import delivered_files
from tasks.inbox.delivered_files import COLUMNS_MAX, UnreadableExportError, open_export

LIMIT = 50_000_000
TEXT = "sku,name,on_hand\nMUG-1,Café crème €,3\nVASE-2,,0\n"
HEADER = ("sku", "name", "on_hand")
ROWS = {2: ("MUG-1", "Café crème €", "3"), 3: ("VASE-2", None, "0")}

Rows = dict[int, tuple[str | None, ...]]


class Read:
    """Everything a file gives: its header, its rows by row number, and the rows that do not fit."""

    def __init__(self, path: Path, *, limit: int = LIMIT, whole: bool = False) -> None:
        self.rows: Rows = {}
        self.broken: dict[int, str] = {}
        self.blocks = 0
        with open_export(path, file_bytes_max=LIMIT, unpacked_bytes_max=limit) as export:
            self.header = export.header
            for block in export.blocks(whole=whole):
                self.blocks += 1
                assert not set(self.rows) & set(block.cells.index)
                plain = block.cells.astype(object).where(block.cells.notna(), None)
                self.rows |= {
                    int(number): tuple(row) for number, row in zip(plain.index, plain.to_numpy(), strict=True)
                }
                self.broken |= dict(zip(block.broken["row_number"], block.broken["raw"], strict=True))


def wrote(folder: Path, content: str | bytes, name: str = "export.csv") -> Path:
    """A delivered file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, limit: int = LIMIT) -> str:
    """Why the file is refused as a whole."""
    with pytest.raises(UnreadableExportError) as caught:
        Read(path, limit=limit)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        gzip.compress(TEXT.encode("cp1252"), mtime=0),
        gzip.compress(TEXT.encode("utf-8")[:20], mtime=0) + gzip.compress(TEXT.encode("utf-8")[20:], mtime=0),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16 big", "le, no mark", "be, no mark", "cp1252", "gzip", "gzip in two members"],
)
def test_the_encoding_is_seen_from_the_bytes(tmp_path: Path, content: bytes) -> None:
    """The same words come back whatever the shop's system wrote them in."""
    read = Read(wrote(tmp_path, content))
    assert (read.header, read.rows, read.broken) == (HEADER, ROWS, {})


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_seen_from_the_header(tmp_path: Path, delimiter: str, ending: str) -> None:
    """Comma, semicolon, tab and bar; every line ending; with or without one at the end."""
    text = TEXT.replace(",", delimiter).replace("\n", ending)
    assert Read(wrote(tmp_path, text)).rows == ROWS
    assert Read(wrote(tmp_path, text.rstrip(ending))).rows == ROWS


def test_a_spreadsheets_sep_line_is_no_row(tmp_path: Path) -> None:
    """A spreadsheet takes its delimiter from it and does not show it: the header stays row 1."""
    assert Read(wrote(tmp_path, "sep=;\r\n" + TEXT.replace(",", ";"))).rows == ROWS
    assert Read(wrote(tmp_path, "SEP=;\r" + TEXT.replace(",", ";").replace("\n", "\r"))).rows == ROWS
    assert Read(wrote(tmp_path, "sep=,\na;b;c;d,e\n1;2;3;4,5\n")).header == ("a;b;c;d", "e")


def test_a_row_is_numbered_as_a_spreadsheet_numbers_it(tmp_path: Path) -> None:
    """A cell of several lines is one row, a blank line is one, the header may have several lines or come late."""
    text = '\n\n"s\nku",on_hand\n"MUG\n\n1",3\n\nVASE,4\n\n'
    read = Read(wrote(tmp_path, text))
    assert read.header == ("s ku", "on_hand")
    assert read.rows == {4: ("MUG\n\n1", "3"), 6: ("VASE", "4")}


def test_a_row_that_does_not_fit_is_kept_under_its_number(tmp_path: Path) -> None:
    """Too few cells or too many: the row's own text is quoted, the others are read."""
    read = Read(wrote(tmp_path, "sku,on_hand\nMUG,1\nVASE\n\nCUP,1,2\nTRAY,4\n"))
    assert read.rows == {2: ("MUG", "1"), 6: ("TRAY", "4")}
    assert read.broken == {3: "VASE", 5: "CUP,1,2"}


def test_a_long_file_comes_in_blocks_and_keeps_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that do not fit, in any block and on its borders, count as rows; nothing comes twice or not at all."""
    monkeypatch.setattr(delivered_files, "READ_BYTES", 512)
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 4_096)
    bad = {number for number in range(2, 3_002) if number % 7 == 3 or 900 < number < 1_200 or number > 2_990}
    lines = [f"broken {number}" if number in bad else f'SKU-{number},"{number}\nunits"' for number in range(2, 3_002)]
    path = wrote(tmp_path, "\n".join(["sku,on_hand", *lines]))
    read = Read(path)
    assert read.blocks > 5
    assert read.rows == {n: (f"SKU-{n}", f"{n}\nunits") for n in range(2, 3_002) if n not in bad}
    assert read.broken == {n: f"broken {n}" for n in bad}
    assert (Read(path, whole=True).rows, Read(path, whole=True).blocks) == (read.rows, 1)


@pytest.mark.parametrize(
    "text",
    [
        'sku,name\nMUG,"cut off',
        'sku,name\nMUG,"cut off ""',
        'sku,name\nMUG,12" plate\nVASE,"cut off\nTRAY,1\n',
        'sku;name\nMUG;"two\nlines"\nVASE;"cut off\n',
        'sku,name\nMUG,"',
        'sku,"name\nMUG,1\nVASE,2\n',
        'sku,"name\nMUG,"x"\nVASE,2\n',
    ],
)
def test_a_quote_that_is_never_closed_refuses_the_file(tmp_path: Path, text: str) -> None:
    """It would swallow the rows after it; where the header has it, the first rows."""
    assert "quote" in refusal(wrote(tmp_path, text))


def test_a_quote_inside_a_word_is_a_character(tmp_path: Path) -> None:
    """Inches are no quotes."""
    assert Read(wrote(tmp_path, 'sku,name\nMUG,12" plate\nVASE,"6"" tall"\n')).rows == {
        2: ("MUG", '12" plate'), 3: ("VASE", '6" tall'),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (gzip.compress(TEXT.encode() * 50, mtime=0)[:-9], "gzip file is cut off"),
        (gzip.compress(TEXT.encode(), mtime=0)[:20] + b"\x00\x00\x00\x00\x00", "gzip file is cut off"),
        (b"PK\x03\x04 and then nothing", "workbook cannot be opened"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and then nothing", "workbook cannot be opened"),
        (b"sku,name\nMUG,\x81\n", "neither UTF-8, UTF-16 nor Windows-1252"),
        (("," * COLUMNS_MAX).encode() + b"x\n", "1,001 columns"),
    ],
)
def test_a_file_that_is_no_table_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    """In words for the person who sent it."""
    assert reason in refusal(wrote(tmp_path, content))


@pytest.mark.parametrize("text", ["sku,name", "sku,name\n", "\ufeffsku,name\r\n\r\n"])
def test_a_header_alone_has_no_rows(tmp_path: Path, text: str) -> None:
    """Which is not an error here: whoever takes the file in decides."""
    read = Read(wrote(tmp_path, text))
    assert (read.header, read.rows, read.broken) == (("sku", "name"), {}, {})


def test_what_unpacks_to_too_much_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    """A small file must not fill the disk or the memory."""
    assert "more than 1,000,000 bytes" in refusal(wrote(tmp_path, gzip.compress(b"a,b\n" * 1_000_000)), 1_000_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 2_000_000)
    assert "more than 1,000,000 bytes" in refusal(wrote(tmp_path, packed.getvalue()), 1_000_000)


def test_header_cells_are_told_apart(tmp_path: Path) -> None:
    """Empty and repeated ones get names of their own, whatever the case and whatever is there already."""
    read = Read(wrote(tmp_path, "\ufeffsku, SKU ,,Qty  on\thand,sku (2),\n1,2,3,4,5,6\n"))
    assert read.header == ("sku", "SKU (2)", "column 3", "Qty on hand", "sku (2) (2)", "column 6")
    assert read.rows == {2: ("1", "2", "3", "4", "5", "6")}


# ── workbooks ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_xlsx_gives_the_text_a_person_sees(tmp_path: Path) -> None:
    """Whole numbers without decimals, times as ISO, formulas as their last value, empty rows counted but not given."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    when = datetime(2026, 3, 6, 17, 5, 30, tzinfo=UTC).replace(tzinfo=None)
    for row in (["sku", "on_hand", "at", "is_hazmat"], ["00123", 3.0, when, True], [], ["=1+1", 2.5, None, False]):
        sheet.append(row)
    path = tmp_path / "stock.xlsx"
    book.save(path)
    read = Read(path)
    assert read.header == ("sku", "on_hand", "at", "is_hazmat")
    assert read.rows[2] == ("00123", "3", "2026-03-06 17:05:30", "yes")
    assert read.rows[4][1:] == ("2.5", None, "no")
    assert set(read.rows) == {2, 4}


def test_a_real_xls_is_read(tmp_path: Path) -> None:
    """The format of spreadsheets before 2007."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("stock")
    for number, row in enumerate((HEADER, *ROWS.values())):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    sheet.write(4, 2, 7)
    path = tmp_path / "stock.xls"
    book.save(str(path))
    assert Read(path).rows == {**ROWS, 5: (None, None, "7")}


def test_the_first_sheet_a_person_sees_is_read(tmp_path: Path) -> None:
    """A hidden sheet before it is somebody's scratch paper."""
    book = openpyxl.Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["scratch"])
    hidden.sheet_state = "hidden"
    shown = book.create_sheet("stock")
    shown.append(["sku", "on_hand"])
    shown.append(["MUG", 3])
    path = tmp_path / "stock.xlsx"
    book.save(path)
    assert Read(path).rows == {2: ("MUG", "3")}


def test_a_stray_cell_far_out_refuses_the_workbook(tmp_path: Path) -> None:
    """The reader makes room for every cell before it: sixteen thousand million of them."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["XFD1048576"] = "sku", "x"
    path = tmp_path / "stock.xlsx"
    book.save(path)
    assert "reaches to row 1,048,576 and column 16,384" in refusal(path)


def test_a_workbook_has_no_more_columns_than_a_text(tmp_path: Path) -> None:
    """One column too many is refused, in either."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([f"c{number}" for number in range(COLUMNS_MAX + 1)])
    path = tmp_path / "wide.xlsx"
    book.save(path)
    assert "1,001 columns" in refusal(path)


def test_a_password_refuses_the_workbook(tmp_path: Path) -> None:
    """What cannot be opened is sent again without one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    content = bytearray(packed.getvalue())
    content[6] |= 1  # the flag of an encrypted entry, in its own header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "workbook cannot be opened" in refusal(wrote(tmp_path, bytes(content)))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    packed=st.booleans(),
)
def test_what_was_written_is_read(
    tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str, encoding: str, packed: bool
) -> None:
    """Any cells, quoted as CSV quotes them, in any delimiter and encoding, packed or not."""
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [HEADER, *rows]]
    content = ("\n".join(lines) + "\n").encode(encoding)
    read = Read(wrote(tmp_path, gzip.compress(content) if packed else content))
    expected = {number: tuple(cell or None for cell in row) for number, row in enumerate(rows, start=2) if any(row)}
    assert read.header == HEADER
    assert read.rows == expected
    assert not read.broken
