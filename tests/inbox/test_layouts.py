"""Which export is which, that no row of it is lost, and that the document says what the code does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT
from real_exports import REAL, Real, Row, write
from sqlalchemy import Engine, text

from config.read import ConfigError, names, read
from tasks.domain.receiving.export_kinds import KINDS, Field, Kind
from tasks.domain.receiving.quarantine import FILE_COLUMN, REASONS_COLUMN, ROW_COLUMN
from tasks.domain.receiving.row_checks import Context, check_rows
from tasks.inbox.layouts import CANONICAL, Layout, UnknownLayout, canonical, recognise, translate
from tasks.steps.receiving.file_job import Outcome
from tasks.steps.receiving.receive_exports import expectations, read_site, receive_kind

EXPORTS = ROOT / "config" / "exports"
DOCUMENT = (ROOT / "docs" / "operate" / "exports.md").read_text(encoding="utf-8")
SHOPIFY, OF_2023 = REAL["shopify_orders"], REAL["shopify_inventory_2023"]
VARIANTS = [  # how the same systems wrote them at other times
    SHOPIFY._replace(header=SHOPIFY.header[:56]),
    OF_2023._replace(header=(*OF_2023.header[:9], "HS Code", "COO", *OF_2023.header[9:])),
    REAL["amazon_fba_inventory"]._replace(
        header=(*REAL["amazon_fba_inventory"].header, "afn-researching-quantity", "afn-reserved-future-supply")
    ),
]


@pytest.fixture
def layouts(home: Path) -> list[Layout]:
    """Every layout the installation knows."""
    return [read(f"exports/{name}.yaml", Layout) for name in names("exports")]


# ── recognition ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("real", [*REAL.values(), *VARIANTS], ids=lambda real: f"{real.name}-{len(real.header)}")
def test_a_real_header_is_recognised_as_what_it_is(layouts: list[Layout], real: Real) -> None:
    """Each known export is recognised, in whatever case and with whatever blanks its header is written."""
    assert recognise(real.kind, real.header, layouts).name == real.name
    assert recognise(real.kind, [f" {one.upper()} " for one in real.header], layouts).name == real.name


def test_every_layout_is_tried_on_a_real_header(layouts: list[Layout]) -> None:
    """No layout is configured whose header is not among the real ones, and each is called as its file."""
    assert {one.name for one in layouts} == set(REAL)
    assert [one.name for one in layouts] == names("exports")


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_of_a_kind_are_its_canonical_header(layouts: list[Layout], kind: str) -> None:
    """A file with all fields, or only the required ones, or with quarantine columns beside them, is canonical."""
    every = [one.name for one in KINDS[kind].fields]
    required = [one.name for one in KINDS[kind].fields if one.required]
    for header in (required, every, [REASONS_COLUMN, *every, FILE_COLUMN, ROW_COLUMN, "quarantine_raw"]):
        assert recognise(kind, header, layouts).name == CANONICAL


def test_columns_of_ones_own_do_not_disturb_a_canonical_file(layouts: list[Layout]) -> None:
    """Extra columns are left alone, as many as there may be."""
    header = ["warehouse", "SKU", "On_hand", *(f"note {number}" for number in range(20))]
    assert recognise("stock", header, layouts).name == CANONICAL


@pytest.mark.parametrize(
    ("kind", "header", "reason"),
    [
        ("counts", ("warehouse", "location", "sku", "on_hand"), "seems meant for the folder stock"),
        ("stock", SHOPIFY.header, "seems meant for the folder orders"),
        ("orders", SHOPIFY.header[:20], "nearest is shopify_orders, but Lineitem sku is missing"),
        ("products", ("SKU", "Titel", "Preis", "Menge"), "nearest is canonical, of which it has only sku"),
        ("stock", OF_2023.header[:11], "nearest is shopify_inventory_legacy, which has no Location"),
    ],
)  # fmt: skip
def test_a_strange_header_is_refused_with_what_would_help(
    layouts: list[Layout], kind: str, header: Sequence[str], reason: str
) -> None:
    """The folder it belongs in, or the nearest layout and how it differs; never a guess."""
    with pytest.raises(UnknownLayout) as refusal:
        recognise(kind, header, layouts)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("columns: {skew: SKU}", "skew"),
        ("columns: {sku: SKU}\nshape: bend", "bend"),
        ("columns: {sku: SKU}\nkolumns: {}", "kolumns"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, word: str
) -> None:
    """A misspelt key, field or shape is found when the layout is read."""
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "odd.yaml").write_text(f"name: odd\nkind: stock\nheader: [SKU]\n{line}\n")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(tmp_path))
    with pytest.raises(ConfigError, match=word):
        read("exports/odd.yaml", Layout)


# ── translation ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_canonical_file_is_taken_as_it_is() -> None:
    """The canonical columns are the file's own arrays, not copies; other columns are left out."""
    cells = pd.DataFrame({"SKU": ["A"], "warehouse": ["MAIN"], "on_hand": ["1"], "note": ["x"]}, dtype="str", index=[7])
    translated = translate(canonical("stock"), cells)
    assert list(translated.rows) == ["row_number", "warehouse", "sku", "on_hand"]
    assert translated.rows["row_number"].tolist() == [7]
    assert translated.ignored == 0
    assert _address(translated.rows["sku"]) == _address(cells["SKU"])


def _address(texts: pd.Series) -> int:
    return int(pa.chunked_array(texts.array.__arrow_array__()).chunk(0).buffers()[-1].address)


PACKED = (
    "Product ID: 1, Product Qty: 2, Product SKU: A, Product Name: b, c|d, Product Unit Price: 1, Product Total Price: 2"
)
CELLS = st.one_of(
    st.none(),
    st.sampled_from([
        "0", "1", "-3", "1,5", "2.50", "not stocked", "A", "[A] b", "WH/Stock/A", "/", "C1", "POST", "paid", "REPLACE",
        "Amazon", "variable", "02/03/2026", "2026-03-02 10:00:00", '="7"', "'7", "£", "1e400", "99999999999999999999",
        PACKED,
        "Product ID: |Product ID: 2", "kg", "05-Mar-2026",
    ]),
    st.text(max_size=8),
)  # fmt: skip
LEAVES_NOTHING_OUT = {"carry_down", "number_lines", "unpack_lines", "split_paths"}


def _cells(data: st.DataObject, real: Real, rows_min: int) -> pd.DataFrame:
    """Some rows filled from a few odd texts."""
    pool = np.array(data.draw(st.lists(CELLS, min_size=1, max_size=8)), dtype=object)
    rows = data.draw(st.integers(rows_min, 6))
    draw = np.random.default_rng(data.draw(st.integers(0, 1 << 16)))
    table = draw.choice(pool, (rows, len(real.header)))
    numbers = pd.RangeIndex(2, 2 + 3 * rows, 3) if data.draw(st.booleans()) else pd.RangeIndex(2, 2 + rows)
    return pd.DataFrame(table, columns=list(real.header), index=numbers, dtype="str")


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_row_is_lost_whatever_its_cells_say(data: st.DataObject) -> None:
    """Each source row is among the records under its number or is counted as ignored; no cell breaks a layout."""
    real = data.draw(st.sampled_from(list(REAL.values())))
    layout = read(EXPORTS / f"{real.name}.yaml", Layout)
    cells = _cells(data, real, 0)
    translated = translate(layout, cells)
    taken = set(translated.rows["row_number"])
    assert taken <= set(cells.index)
    assert translated.ignored == len(cells) - len(taken)
    assert translated.rows["row_number"].is_monotonic_increasing
    assert {str(one) for one in translated.rows.dtypes[1:]} <= {"str"}
    if not layout.skip and layout.shape in {None, *LEAVES_NOTHING_OUT}:
        assert translated.ignored == 0
    check_rows(KINDS[real.kind], translated.rows, Context(defaults=(("merchant", "HEARTH"),)))


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_layout_that_streams_reads_blocks_as_it_reads_the_whole(data: st.DataObject) -> None:
    """Where a block ends changes nothing."""
    streaming = [one for one in REAL.values() if read(EXPORTS / f"{one.name}.yaml", Layout).streams]
    real = data.draw(st.sampled_from(streaming))
    layout = read(EXPORTS / f"{real.name}.yaml", Layout)
    cells = _cells(data, real, 2)
    cut = data.draw(st.integers(1, len(cells) - 1))
    parts = [translate(layout, part).rows for part in (cells[:cut], cells[cut:])]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), translate(layout, cells).rows)


# ── from the inbox into the database ─────────────────────────────────────────────────────────────────────────────
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
AS_OF = datetime(2026, 3, 3, 12, tzinfo=UTC)
MUG = {"Handle": "mug", "Title": "Mug", "Variant SKU": "MUG", "Variant Grams": "400", "Variant Price": "10.00"}
SPOON = {"Handle": "spoon", "Title": "Spoon", "Variant SKU": "SPOON", "Variant Grams": "40", "Variant Price": "5.00"}
ORDER = {
    "Name": "#1001", "Email": "ada@example.org", "Financial Status": "paid", "Paid at": "2026-03-02 09:00:00 +0000",
    "Currency": "GBP", "Total": "25.00", "Created at": "2026-03-02 08:59:00 +0000", "Lineitem quantity": "2",
    "Lineitem name": "Mug", "Lineitem price": "10.00", "Lineitem sku": "MUG", "Lineitem requires shipping": "true",
    "Shipping Country": "GB",
}  # fmt: skip


def _receive(home: Path, real: Real, *rows: Row) -> Outcome:
    path = write(home / "inbox" / real.kind / f"{real.name}.csv", real, rows)
    with expectations(AS_OF) as gate:
        (outcome,) = receive_kind.fn(real.kind, [path], read_site.fn(), gate, AS_OF)
    return outcome


def _counts(outcome: Outcome) -> dict[str, int]:
    return {
        "loaded": outcome.rows_loaded,
        "unchanged": outcome.rows_unchanged,
        "quarantined": outcome.rows_quarantined,
        "ignored": outcome.rows_ignored,
    }


def _rows(store: Engine, query: str) -> list[tuple[object, ...]]:
    with store.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_shopify_orders_are_received(store: Engine, home: Path) -> None:
    """Two lines of an order load, the row whose quantity is no number waits, the same file again is known."""
    second = {"Name": "#1001", "Lineitem quantity": "1", "Lineitem sku": "SPOON", "Lineitem price": "5.00"}
    rows = (ORDER, second, ORDER | {"Name": "#1002", "Lineitem quantity": "some"})
    outcome = _receive(home, SHOPIFY, *rows)
    assert (outcome.reason, _counts(outcome)) == ("", {"loaded": 2, "unchanged": 0, "quarantined": 1, "ignored": 0})
    assert _receive(home, SHOPIFY, *rows).state == "seen"
    assert _rows(
        store,
        "SELECT order_number, email, line_number, sku, quantity_ordered, unit_price_minor FROM order_lines "
        "JOIN orders ON orders.id = order_id ORDER BY 1, 3",
    ) == [("#1001", "ada@example.org", 1, "MUG", 2, 1000), ("#1001", "ada@example.org", 2, "SPOON", 1, 500)]


def test_a_legacy_inventory_is_received(store: Engine, home: Path) -> None:
    """Each stocked place opens the ledger with its number; where goods are not stocked is not 0, but nothing."""
    picture = {"Handle": "spoon", "Image Src": "https://shop.example/spoon.jpg"}
    products = _receive(home, REAL["shopify_products"], MUG, SPOON, picture)
    assert _counts(products) == {"loaded": 2, "unchanged": 0, "quarantined": 0, "ignored": 1}
    with store.begin() as connection:
        place = "INSERT INTO locations (warehouse_id, code, purpose) SELECT id, 'UNSPECIFIED', 'pick' FROM warehouses w"
        missing = "WHERE NOT EXISTS (SELECT 1 FROM locations WHERE warehouse_id = w.id AND code = 'UNSPECIFIED')"
        connection.execute(text(f"{place} {missing}"))
    legacy = REAL["shopify_inventory_legacy"]
    outcome = _receive(
        home,
        legacy._replace(header=(*legacy.header[:9], "London", "Leeds")),
        {"SKU": "MUG", "London": "4", "Leeds": "not stocked"},
        {"SKU": "SPOON", "London": "3", "Leeds": "7"},
        {"SKU": "FORK", "London": "not stocked", "Leeds": "not stocked"},
    )
    assert (outcome.reason, _counts(outcome)) == ("", {"loaded": 2, "unchanged": 0, "quarantined": 0, "ignored": 1})
    assert _rows(
        store,
        "SELECT warehouses.code, sku, on_hand FROM stock_levels JOIN products ON products.id = product_id "
        "JOIN locations ON locations.id = location_id JOIN warehouses ON warehouses.id = warehouse_id ORDER BY 1, 2",
    ) == [("MAIN", "MUG", 4), ("MAIN", "SPOON", 3), ("NORTH", "SPOON", 7)]


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────
def _about(field: Field) -> str:
    told = [field.about] if field.about else []
    if field.choices:
        told.append("one of " + ", ".join(f"`{one}`" for one in field.choices))
    if field.default:
        told.append(f"without it `{field.default}`")
    return "; ".join(told).replace("|", "\\|")


def _section(kind: Kind) -> str:
    """What docs/operate/exports.md says of one kind's canonical layout."""
    key = ", ".join(f"`{name}`" for name in kind.key)
    lines = [
        f"### {kind.name}",
        f"{kind.about[:1].upper()}{kind.about[1:]}. A row is identified by {key}.",
        "",
        "| field | type | required | about |",
        "|---|---|---|---|",
    ]
    for one in kind.fields:
        required = "yes" if one.required else ""
        lines += [f"| `{one.name}` | {one.type} | {required} | {_about(one)} |"]
    return "\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_tells_the_canonical_layout(kind: str) -> None:
    """docs/operate/exports.md says of each field what the code knows of it, and nothing else."""
    assert f"\n{_section(KINDS[kind])}\n\n" in DOCUMENT


@pytest.mark.parametrize("name", sorted(REAL))
def test_the_document_tells_of_every_foreign_layout(name: str) -> None:
    """Each has its line under the inbox folder it goes to."""
    assert f"| `{name}` | `{REAL[name].kind}` |" in DOCUMENT
