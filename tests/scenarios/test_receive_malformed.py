"""Files no one would write on purpose: every one is taken in or refused, and put away; none breaks or hangs a run."""

import gzip
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inbox_run import AS_OF, ONE_LIMIT, account, as_csv, column, files_of, furnish, put, receive, receive_all, rows
from sqlalchemy import Engine, delete

from tasks.documents.tables import write_xlsx
from tasks.domain.receiving.export_kinds import KINDS, Field, Kind, Type
from tasks.gates.delivery import Gate
from tasks.store.receiving.loaders.all_kinds import LOADERS
from tasks.store.schema import imports, products, quarantined_rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own

PATIENCE_SECONDS = 300
ROWS = 6


@contextmanager
def patience() -> Iterator[None]:
    """A run that hangs is a failure."""

    def give_up(*_: object) -> None:
        raise TimeoutError("the run hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# ── awkward tables, written anew after the cases of public CSV collections ───────────────────────────────────────
AWKWARD: dict[str, tuple[str | bytes, dict[str, str | None] | None, set[int]]] = {
    # what it is: the file, the names by SKU that are loaded (None: the file is refused), the rows in quarantine
    "a comma in quotes": ('sku,name\nA,"Leeds, north"\n', {"A": "Leeds, north"}, set()),
    "a quote in quotes": ('sku,name\nA,"so ""called"" mug"\n', {"A": 'so "called" mug'}, set()),
    "a quote in a plain cell": ('sku,name\nA,so "called" mug\n', {"A": 'so "called" mug'}, set()),
    "a quote after a quoted cell": ('sku,name\nA,"mug" x\nB,b\n', {"A": "mug x", "B": "b"}, set()),
    "lines in a cell": ('sku,name\nA,"one\ntwo\r\nthree"\nB,b\n', {"A": "one\ntwo\nthree", "B": "b"}, set()),
    "only quotes": ('sku,name\n"A",""\n"",""\nB,""""\n', {"A": None, "B": '"'}, set()),
    "JSON in a cell": ('sku,name\nA,"{""size"": [1, 2.5]}"\n', {"A": '{"size": [1, 2.5]}'}, set()),
    "spaces around cells": ('sku,name\n A , mug \nB,"  vase "\n', {"A": "mug", "B": "vase"}, set()),
    "a space before a quote": ('sku,name\nA, "mug"\n', {"A": '"mug"'}, set()),
    "no line end at the end": ("sku,name\nA,mug", {"A": "mug"}, set()),
    "carriage returns only": ("sku,name\rA,mug\rB,vase\r", {"A": "mug", "B": "vase"}, set()),
    "every line ending": ("sku,name\nA,a\r\nB,b\rC,c\n", {"A": "a", "B": "b", "C": "c"}, set()),
    "blank lines": ("\n\nsku,name\n\nA,a\n\n\nB,b\n\n", {"A": "a", "B": "b"}, set()),
    "lines of delimiters": ("sku,name\n,\nA,a\n,\n", {"A": "a"}, set()),
    "a delimiter after every row": ("sku,name,\nA,a,\nB,b,\n", {"A": "a", "B": "b"}, set()),
    "a delimiter after the rows only": ("sku,name\nA,a,\nB,b\n", {"B": "b"}, {2}),
    "too few cells": ("sku,name,category\nA,a\nB,b,c\n", {"B": "b"}, {2}),
    "too many cells": ("sku,name\nA,a,a,a\nB,b\n", {"B": "b"}, {2}),
    "one column": ("sku\nA\n\nB\n", {"A": None, "B": None}, set()),
    "comment lines": ("sku,name\n# goods of March\nA,a\n", {"A": "a"}, {2}),
    "comments before the header": ("# goods of March\nsku,name\nA,a\n", None, set()),
    "no header": ("A,a\nB,b\n", None, set()),
    "a header without rows": ("sku,name\n", None, set()),
    "the header again": ("sku,name\nA,a\nsku,name\nB,b\n", {"A": "a", "sku": "name", "B": "b"}, set()),
    "columns of one name": ("sku,name,name,SKU\nA,a,b,C\n", {"A": "a"}, set()),
    "a header in capitals": ("SKU,Name\nA,a\n", {"A": "a"}, set()),
    "the header in quotes": ('"sku","name"\n"A","a"\n', {"A": "a"}, set()),
    "a mark of the encoding before a row": ("\ufeffsku,name\n\ufeffA,a\nB,b\n", {"B": "b"}, {2}),
    "separators of Unicode": ("sku,name\nA,a\u2028b\nB,c\u0085d\nC,c\n", {"C": "c"}, {2, 3}),
    "other scripts": ("sku,name\nA,白い花瓶\nB,مزهرية\nC,🏺\n", {"A": "白い花瓶", "B": "مزهرية", "C": "🏺"}, set()),
    "a zero byte": ("sku,name\nA,a\x00b\nB,b\n", {"B": "b"}, {2}),
    "a bell and an escape": ("sku,name\nA,\x07\nB,\x1b[31m\nC,c\n", {"C": "c"}, {2, 3}),
    "bytes of no encoding": (b"sku,name\nA,\x81\x8d\nB,b\n", None, set()),
    "half a character": ("sku,name\nA,caf\u00e9".encode()[:-1], {"A": "cafÃ"}, set()),
    "two encodings": (b"sku,name\nA,caf\xe9\nB,caf\xc3\xa9\n", {"A": "café", "B": "cafÃ©"}, set()),
    "half a surrogate pair": (b"\xff\xfe" + "sku,name\nA,a".encode("utf-16-le") + b"\x3d\xd8", None, set()),
    "an odd byte of UTF-16": ("sku,name\nA,a\n".encode("utf-16") + b"\x00", None, set()),
    "a quote nobody closes": ('sku,name\nA,a\nB,"b\nC,c\n', None, set()),
    "two quotes nobody closes": ('sku,name\nA,"a\nB,"b\nC,c\n', None, set()),
    "two quotes nobody closes, rows apart": ('sku,name\nA,"a\nB,b\nC,"c\nD,d\n', None, set()),
    "two quotes nobody closes below a cell of lines": ('sku,name\nA,"a\n"\nB,"b\nC,"c\n', None, set()),
    "a quote after a quoted cell below a cell of lines": (
        'sku,name\nA,"a\nb"\nB,"mug" x\n', {"A": "a\nb", "B": "mug x"}, set()
    ),
    "semicolons": ('sku;name\nA;"a;b"\nB;c,d\n', {"A": "a;b", "B": "c,d"}, set()),
    "two delimiters": ("sku,name\nA;a\nB,b\n", {"B": "b"}, {2}),
    "a delimiter told": ("sep=;\nsku;name\nA;a\n", {"A": "a"}, set()),
    "a very long cell": ("sku,name\nA," + "x" * 300_000 + "\nB,b\n", {"B": "b"}, {2}),
    "a row longer than is read at once": ("sku,name\nA," + "x" * 5_000_000 + "\nB,b\n", {"B": "b"}, {2}),
    "formulas": ('sku,name\nA,"=1+1"\nB,\'=1+1\n', {"A": "=1+1", "B": "=1+1"}, set()),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, None, set()),
    "a page": ("<!doctype html><html><body>Log in, please</body></html>", None, set()),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", None, set()),
    "a kit of itself": ("sku,components\nA,A:1\nB,\n", {"B": None}, {2}),
}  # fmt: skip


def test_an_awkward_table_is_read_as_a_person_would(store: Engine, home: Path) -> None:
    """What is not certain waits, what is no table is refused, and nothing is lost."""
    found = {}
    for what, (content, _, _) in AWKWARD.items():
        put(home, "products", content, f"{what}.csv")
        with patience():
            [one] = receive()
        account(store)
        names = dict(zip(column(store, products, "sku"), column(store, products, "name"), strict=True))
        found[what] = (
            content,
            names if one.state == "loaded" else None,
            set(column(store, quarantined_rows, "row_number")),
        )
        with store.begin() as connection:
            for table in (quarantined_rows, imports, products):
                connection.execute(delete(table))
    assert found == AWKWARD
    assert files_of(home, "inbox") == {}


# ── damaged files of every kind ──────────────────────────────────────────────────────────────────────────────────
CODES = {"merchant": "HEARTH", "warehouse": "MAIN", "location": "A-01", "sku": "MUG", "order_number": "#100"}
WORDS = {
    Type.TEXT: "words", Type.INTEGER: "1", Type.MONEY: "12.50", Type.NUMBER: "1.5", Type.DATE: "2027-01-31",
    Type.INSTANT: "2026-03-06 09:00:00 +0000", Type.EMAIL: "jane@mail.example", Type.CURRENCY: "GBP",
    Type.COUNTRY: "GB", Type.GTIN: "4006381333931", Type.FLAG: "yes",
}  # fmt: skip


def word(field: Field, row: int) -> str:
    """A text that is right for a field."""
    if field.name in {"components", "checks"}:
        return ""
    if field.choices:
        return field.choices[0]
    if field.name == "line_number":
        return str(row + 1)
    return WORDS.get(field.type) or CODES.get(field.name, f"{field.name[:6]}-{row}")


def delivery(kind: Kind) -> str:
    """A faultless file of a kind."""
    return as_csv([{one.name: word(one, row) for one in kind.fields} for row in range(ROWS)])


Damage = Callable[[bytes], bytes]


def _flip(content: bytes, at: int, bits: int) -> bytes:
    return content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :] if at < len(content) else content


def _replace_cell(content: bytes, line: int, cell: int, new: bytes) -> bytes:
    lines = content.split(b"\n")
    cells = lines[line % len(lines)].split(b",")
    cells[cell % len(cells)] = new
    lines[line % len(lines)] = b",".join(cells)
    return b"\n".join(lines)


def _column(content: bytes, number: int, change: Callable[[bytes], list[bytes]]) -> bytes:
    """Every line with one of its cells changed into several, one or none."""
    made = []
    for line in content.split(b"\n"):
        cells = line.split(b",")
        at = number % len(cells)
        made.append(b",".join([*cells[:at], *change(cells[at]), *cells[at + 1 :]]))
    return b"\n".join(made)


AT = st.integers(0, 3_000)
NASTY = st.sampled_from([
    b'"', b'""', b'"a', b"\x00", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xff", b"x" * 100_000, b"=1+1",
    b"1e999", b"-1", b"9" * 30, b"NaN", b"nan", b"None", b"NULL", b"\\N", b"\\.", b"'", b"%s", b"\xe2\x80\xa8", b"0",
    b"1900-01-00", b"31/02/2026", b"99999", b"2026-03-29 01:30:00", b"\x1a", b"a" * 101, b"1,234", b"\xc2\xa0", b"true",
    b"2000-01-01 00:00:00", b"MAIN", b"HEARTH", b"-", b"\xf0\x9f\x8f\xba", b"1000000", b"A-01", b"12.505",
    b"\x1eend of file\x1e",
])  # fmt: skip
DAMAGE: st.SearchStrategy[Damage] = st.one_of(
    st.builds(lambda at, bits: lambda content: _flip(content, at, bits), AT, st.integers(1, 255)),
    st.builds(lambda at: lambda content: content[:at], AT),
    st.builds(lambda at: lambda content: content[at:], AT),
    st.builds(lambda at, new: lambda content: content[:at] + new + content[at:], AT, NASTY),
    st.builds(lambda at, new: lambda content: content[:at] + new + content[at:], AT, st.binary(max_size=40)),
    st.builds(lambda line, cell, new: lambda content: _replace_cell(content, line, cell, new), AT, AT, NASTY),
    st.builds(lambda line, cell, new: lambda content: _replace_cell(content, line % 9 + 1, cell, new), AT, AT, NASTY),
    st.builds(lambda number: lambda content: _column(content, number, lambda _: []), AT),
    st.builds(lambda number: lambda content: _column(content, number, lambda cell: [cell, cell]), AT),
    st.builds(lambda number, new: lambda content: _column(content, number, lambda _: [new]), AT, NASTY),
    st.builds(lambda old, new: lambda content: content.replace(old, new),
              st.sampled_from([b",", b"\n", b"-", b" ", b"0"]), st.sampled_from([b",", b";", b"\t", b"\r", b'"', b""])),
    st.builds(lambda old, new, times: lambda content: content.replace(old, new, times),
              st.sampled_from([b",", b"\n"]), st.sampled_from([b";", b"\t", b"\r", b'"', b"\n\n"]), st.integers(1, 30)),
    st.just(lambda content: content.decode("utf-8", "replace").encode("utf-16")),
    st.just(lambda content: content + content),
    st.just(gzip.compress),
)  # fmt: skip


class Bench:
    """A furnished shop in which one damaged file after another is taken in."""

    def __init__(self, store: Engine, home: Path) -> None:
        self.store = store
        self.home = home
        self.files = 0
        self.gate = Gate(home / "gate", ONE_LIMIT, AS_OF)
        furnish(home, [CODES["sku"]], [CODES["location"]])
        receive_all(self.gate, AS_OF)

    def take(self, kind: str, content: bytes, ending: str) -> None:
        """One file more: loaded, refused or seen, every row accounted for, and the file put away."""
        self.files += 1
        put(self.home, kind, content, f"{self.files}{ending}")
        with patience():
            [one] = receive_all(self.gate, AS_OF + timedelta(seconds=self.files), [kind])
        assert one.state in {"loaded", "refused", "seen"}
        assert one.rows_in == one.rows_loaded + one.rows_unchanged + one.rows_quarantined
        assert (one.state == "refused") == (one.rows_in == 0 and one.state != "seen")
        assert not [name for name in files_of(self.home, "inbox") if not name.endswith(".lock")]
        archive, refused = f"archive/{kind}/", f"quarantine/{kind}/refused/"
        kept = {name for name, said in files_of(self.home, archive, refused).items() if said == content}
        assert kept


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in LOADERS])
def test_a_faultless_file_of_every_kind_is_taken_in(store: Engine, home: Path, kind: str) -> None:
    """What the damage below is done to is whole."""
    bench = Bench(store, home)
    bench.take(kind, delivery(KINDS[kind]).encode(), ".csv")
    account(store)


KIND = st.sampled_from([kind for kind in KINDS if kind in LOADERS])


def fuzz(store: Engine, examples: int) -> settings:
    """So many cases, the same each time; a third of them on the slower database."""
    return settings(
        max_examples=examples if store.dialect.name == "sqlite" else examples // 3,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def test_damaged_text_never_breaks_a_run(store: Engine, home: Path) -> None:
    """Bytes flipped, lines cut, columns gone, doubled and renamed, quotes opened, delimiters mixed, cells swollen."""
    bench = Bench(store, home)

    @fuzz(store, 90)
    @given(kind=KIND, damage=st.lists(DAMAGE, max_size=4), ending=st.sampled_from([".csv", ".txt", ".xlsx", ""]))
    def take(kind: str, damage: list[Damage], ending: str) -> None:
        content = delivery(KINDS[kind]).encode()
        for one in damage:
            content = one(content)
        bench.take(kind, content, ending)

    take()
    account(store)


CELL = st.one_of(
    st.sampled_from([
        "", "1", "2", "0", "-3", "1000000", "MUG", "GHOST", "A-01", "MAIN", "Leeds", "HEARTH", "#100", "x:1", "0.5",
        "Ü", "MUG:2|GHOST:1", "#100:2", "a=yes|b=no", "yes", "GBP", "KWD", "12.50", "jane@mail.example", "available",
        "2026-03-06 09:00:00 +0000", "2026-03-05 09:00:00 +0000", "06/03/2026", "2026-12-24", "damaged", "receipt",
        "refund", "delivered", "parcel-0", "reques-0", "RMA-HEARTH-reques-0",
    ]),
    st.text(max_size=8),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """A file of a kind whose header is right and whose cells are right, nearly right, or anything."""
    kind = KINDS[draw(KIND)]
    loose = draw(st.lists(st.sampled_from(kind.fields), max_size=4, unique=True))
    table = [
        {one.name: word(one, draw(st.integers(0, 3))) for one in kind.fields} for _ in range(draw(st.integers(1, 5)))
    ]
    for row in table:
        row.update({one.name: draw(CELL) for one in loose})
    return kind.name, as_csv([dict(row) for row in table])


def test_any_cells_are_judged_and_stored_or_wait(store: Engine, home: Path) -> None:
    """Keys that repeat and contradict, goods and orders nobody knows, in whatever order they come."""
    bench = Bench(store, home)

    @fuzz(store, 75)
    @given(tables())
    def take(table: tuple[str, str]) -> None:
        bench.take(table[0], table[1].encode(), ".csv")

    take()
    account(store)


def test_a_damaged_workbook_never_breaks_a_run(store: Engine, home: Path, tmp_path: Path) -> None:
    """Bytes flipped or cut in what is a ZIP archive of XML."""
    bench = Bench(store, home)
    records = [{one.name: word(one, row) for one in KINDS["orders"].fields} for row in range(ROWS)]
    whole = write_xlsx(tmp_path / "orders.xlsx", {"orders": pd.DataFrame(records)}).read_bytes()

    @fuzz(store, 60)
    @given(st.lists(st.tuples(st.integers(0, len(whole)), st.integers(0, 255)), max_size=6), st.integers(0, 4_000))
    def take(flips: list[tuple[int, int]], cut: int) -> None:
        content = whole
        for at, bits in flips:
            content = _flip(content, at, bits)
        bench.take("orders", content[: len(content) - max(0, cut - 3_000)], ".xlsx")

    take()
    account(store)


def test_noise_is_refused(store: Engine, home: Path) -> None:
    """Bytes that mean nothing."""
    bench = Bench(store, home)

    @fuzz(store, 60)
    @given(
        KIND,
        st.binary(max_size=300),
        st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfe", b"sku,", b"sep=;\n"]),
    )
    def take(kind: str, noise: bytes, start: bytes) -> None:
        bench.take(kind, start + noise, ".csv")

    take()
    assert rows(store, quarantined_rows).empty
