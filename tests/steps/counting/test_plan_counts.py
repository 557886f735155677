"""Which places are put on blind count sheets, and what becomes of a sheet that comes back."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pypdf
import pytest
from inbox_run import receive
from project import ROOT
from sqlalchemy import Column, Connection, Date, Engine, MetaData, Table, insert, select, update

from config.read import ConfigError
from tasks.domain.counting.count_states import CountDecision
from tasks.steps.counting.plan_counts import plan
from tasks.steps.counting.reconcile_counts import reconcile
from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.store.database.frames import staged
from tasks.store.footprint import footprint
from tasks.store.receiving.loader import Intake
from tasks.store.receiving.loaders.counts import load_counts
from tasks.store.schema import (
    allocations,
    carts,
    count_lines,
    counts,
    imports,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    stock_snapshots,
    variances,
    warehouses,
    waves,
)
from tasks.store.stock.post_moves import post_moves

AS_OF = datetime(2026, 3, 6, 6, tzinfo=UTC)
A, B, C = 1, 2, 3  # products, called like their ABC class


@pytest.fixture
def shop(store: Engine) -> Engine:
    """MAIN with places A-2 and A-10 of one aisle, and a product of each class."""
    with store.begin() as connection:
        connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
        connection.execute(
            insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="Europe/London", country="GB")
        )
        connection.execute(insert(locations), [
            {"id": id_, "warehouse_id": 1, "code": f"A-{id_}", "zone": "A", "aisle": "1"} for id_ in (2, 10)
        ])  # fmt: skip
        connection.execute(insert(products), [
            {"id": id_, "merchant_id": 1, "sku": sku, "name": f"Thing {sku}", "abc_class": sku, "unit_cost_minor": 100,
             "currency": "GBP"} for id_, sku in ((A, "A"), (B, "B"), (C, "C"))])  # fmt: skip
    return store


def stock(connection: Connection, product: int, quantity: int, location: int = 2) -> None:
    """Units at a place since January."""
    row = {
        "product_id": product, "location_id": location, "condition": "available", "lot": "", "quantity": quantity,
        "kind": "opening", "reason": None, "document": None, "effective_at": pd.Timestamp("2026-01-01T00:00:00Z"),
        "recorded_at": pd.Timestamp("2026-01-01T00:00:00Z"), "cause": f"test:{product}:{location}",
    }  # fmt: skip
    post_moves(connection, pd.DataFrame([row]))


def moved(connection: Connection, product: int, units: int, kind: str, days_ago: float) -> None:
    """One movement at A-2."""
    at = pd.Timestamp(AS_OF - timedelta(days=days_ago)).as_unit("s")
    row = {
        "product_id": product, "location_id": 2, "condition": "available", "lot": "", "quantity": units, "kind": kind,
        "reason": None, "document": None, "effective_at": at, "recorded_at": at, "cause": f"test:{kind}:{days_ago}",
    }  # fmt: skip
    post_moves(connection, pd.DataFrame([row]))


def exported(connection: Connection, product: int, units: int) -> None:
    """What yesterday's stock export says of A-2."""
    new = insert(imports).values(kind="stock", source="s", sha256="0", file_name="s", state="loaded", received_at=AS_OF)
    import_id = connection.execute(new.returning(imports.c.id)).scalar_one()
    connection.execute(insert(stock_snapshots).values(
        location_id=2, product_id=product, condition="available", on_hand=units,
        snapshot_at=AS_OF - timedelta(days=1), import_id=import_id))  # fmt: skip


def counted(connection: Connection, product: int, days_ago: int, location: int = 2, *, wrong: bool = False) -> None:
    """A closed count of a place."""
    line_id = lost(connection, product, "posted" if wrong else "matched", days_ago, location)
    connection.execute(insert(variances).values(
        count_line_id=line_id, expected=1 + wrong, counted=1, difference=-int(wrong), within_tolerance=not wrong,
        decision="posted" if wrong else "matched"))  # fmt: skip


def lost(connection: Connection, product: int, state: str, days_ago: float, location: int = 2) -> int:
    """A count of a place that ended in that state; the id of its line."""
    code = f"OLD-{product}-{location}-{days_ago}"
    new = insert(counts).values(warehouse_id=1, code=code, reason="sheet", state="completed")
    count_id = connection.execute(new.returning(counts.c.id)).scalar_one()
    line = insert(count_lines).values(
        count_id=count_id, location_id=location, product_id=product, sku={A: "A", B: "B", C: "C"}[product], quantity=1,
        state=state, counted_at=AS_OF - timedelta(days=days_ago))  # fmt: skip
    return int(connection.execute(line.returning(count_lines.c.id)).scalar_one())


def configure(home: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """A copy of the configuration in which counts.yaml says `new` for `old`."""
    config = home.parent / "config"
    shutil.copytree(ROOT / "config", config)
    file = config / "rules" / "counts.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(config))


def short_pick(connection: Connection, product: int, days_ago: int, location: int = 2) -> None:
    """A picker found less than planned."""
    sku = {A: "A", B: "B", C: "C"}[product]
    connection.execute(insert(orders).values(id=1, merchant_id=1, order_number="#1", currency="GBP", created_at=AS_OF))
    connection.execute(insert(order_lines).values(order_id=1, line_number=1, sku=sku, quantity_ordered=1))
    connection.execute(insert(allocations).values(
        id=1, order_id=1, line_number=1, location_id=location, product_id=product, quantity=1, state="released",
        allocated_at=AS_OF, closed_at=AS_OF, closed_reason="short_pick"))  # fmt: skip
    connection.execute(insert(waves).values(id=1, warehouse_id=1, code="W-1", released_at=AS_OF))
    connection.execute(insert(carts).values(id=1, wave_id=1, number=1))
    connection.execute(insert(picks).values(
        cart_id=1, stop_number=1, allocation_id=1, quantity=1, quantity_picked=0, state="short", short_reason="empty",
        picked_at=AS_OF - timedelta(days=days_ago)))  # fmt: skip


def planned(counters: int = 1, *, empty: bool = False, as_of: datetime = AS_OF) -> list[tuple[str, str, str]]:
    """Place, SKU and reason of everything planned for MAIN, in the order of the sheets."""
    rows = plan.fn("MAIN", counters, as_of, empty=empty).places
    return list(zip(rows["location"], rows["sku"], rows["reason"], strict=True))


def test_a_place_is_due_when_its_class_says_so(shop: Engine) -> None:
    """Forty days after a count, class A is due, class C is not."""
    with shop.begin() as connection:
        for product in (A, C):
            stock(connection, product, 5)
            counted(connection, product, 40)
    assert planned() == [("A-2", "A", "periodic")]


def test_places_are_walked_in_order(shop: Engine) -> None:
    """A-2 comes before A-10, whatever is more urgent."""
    with shop.begin() as connection:
        stock(connection, A, 5, location=10)
        stock(connection, B, 5, location=2)
        stock(connection, C, -1, location=10)
    assert planned() == [("A-2", "B", "periodic"), ("A-10", "A", "periodic"), ("A-10", "C", "negative stock, periodic")]


@pytest.mark.parametrize(("days_ago", "due"), [(1, True), (5, False)])
@pytest.mark.both_databases
def test_a_short_pick_asks_for_a_count_until_there_was_one(shop: Engine, days_ago: int, *, due: bool) -> None:
    """A place counted three days ago is due again after a short pick yesterday, not after one before the count."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        counted(connection, A, 3)
        short_pick(connection, A, days_ago)
    assert planned() == ([("A-2", "A", "short pick")] if due else [])


def test_a_disputed_place_is_counted(shop: Engine) -> None:
    """The stock export says another quantity than the ledger, and nobody has counted since."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        counted(connection, A, 3)
        exported(connection, A, 6)
    assert planned() == [("A-2", "A", "doubtful record")]


@pytest.mark.both_databases
def test_what_only_the_export_knows_is_counted(shop: Engine) -> None:
    """The ledger has no row for the place: the export's six units are six too many."""
    with shop.begin() as connection:
        exported(connection, A, 6)
    assert planned() == [("A-2", "A", "doubtful record")]


def test_what_moved_after_the_export_does_not_make_it_wrong(shop: Engine) -> None:
    """Five in the export, five in the ledger; three left since."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        counted(connection, A, 3)
        exported(connection, A, 5)
        moved(connection, A, -3, "ship", days_ago=0.5)
    assert planned() == []


@pytest.mark.parametrize(
    ("kind", "units", "reason"),
    [("ship", -5, ["empty bin"]), ("ship", -4, []), ("transfer", -5, ["empty bin"]), ("adjust", -5, []),
     ("transfer", 5, ["new place"]), ("receipt", 600, ["turnover"]), ("count", 600, [])],
)  # fmt: skip
def test_what_happened_since_the_count_asks_for_another(shop: Engine, kind: str, units: int, reason: list[str]) -> None:
    """Counted three days ago with five units; a day ago units moved. A correction of the record is no movement."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        counted(connection, A, 3)
        moved(connection, A, units, kind, days_ago=1)
    assert [why for _, _, why in planned()] == reason


def test_goods_in_a_place_of_their_first_receipt_are_new_there(shop: Engine) -> None:
    """No opening balance: the ledger begins with a receipt."""
    with shop.begin() as connection:
        moved(connection, A, 5, "receipt", days_ago=2)
    assert planned() == [("A-2", "A", "new place, periodic")]


def test_a_refused_count_leaves_the_record_in_doubt(shop: Engine) -> None:
    """The sheet came back without a time; it counts nothing, and the place is asked for again."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        counted(connection, A, 3)
        lost(connection, A, "refused", days_ago=1)
    assert planned() == [("A-2", "A", "doubtful record")]


def test_a_place_often_found_wrong_is_counted_sooner(shop: Engine) -> None:
    """The last three counts of the place were all wrong, the last of them twenty days ago."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        for days in (28, 24, 20):
            counted(connection, A, days, wrong=True)
    assert planned() == [("A-2", "A", "low accuracy")]


def test_no_plan_is_made_on_a_closed_day(shop: Engine) -> None:
    """Saturday: nothing, unless it is asked for."""
    saturday = AS_OF + timedelta(days=1)
    with shop.begin() as connection:
        stock(connection, A, 5)
    told = plan.fn("MAIN", 1, saturday)
    assert (len(told.places), told.closed) == (0, ("MAIN",))
    assert len(plan.fn("MAIN", 1, saturday, closed_too=True).places) == 1


def test_a_sheet_is_addressed_to_a_person(shop: Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configured names are in the count, on the workbook, where another may write his, and on the paper."""
    configure(home, monkeypatch, "counter_names: []", "counter_names: [Dilys]")
    with shop.begin() as connection:
        stock(connection, A, 5)
    assert plan.fn("MAIN", 1, AS_OF).places["counter"].tolist() == ["Dilys"]
    sheet, paper = write_count_documents.fn("plan-counts")
    page = openpyxl.load_workbook(sheet).active
    assert page is not None
    assert {row[0].value: row[1].value for row in zip(page[1], page[2], strict=True)}["counter"] == "Dilys"
    assert "for Dilys" in everything_in(paper)


def test_a_plan_for_an_unknown_warehouse_is_a_mistake(
    shop: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt name among the overrides would otherwise change nothing, silently."""
    configure(home, monkeypatch, "warehouses: {}", "warehouses: {NROTH: {working_days: [sat]}}")
    with pytest.raises(ConfigError, match="NROTH"):
        plan.fn("MAIN", 1, AS_OF)


@pytest.mark.both_databases
def test_an_empty_place_is_counted_only_when_asked_for(shop: Engine) -> None:
    """The book says zero."""
    with shop.begin() as connection:
        connection.execute(insert(stock_levels).values(location_id=2, product_id=A, condition="available"))
    assert planned() == []
    assert planned(empty=True) == [("A-2", "A", "periodic")]


def test_a_run_on_the_same_day_plans_nothing_more(shop: Engine, home: Path) -> None:
    """No row, no sheet; the next working day a place whose sheet is out is left alone until the sheet is old."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    assert len(planned()) == 1
    assert {path.name for path in write_count_documents.fn("plan-counts")} == {
        "CC-MAIN-20260306-1.xlsx",
        "CC-MAIN-20260306-1.pdf",
    }
    with shop.connect() as connection:
        before = footprint(connection)
    assert planned(as_of=AS_OF + timedelta(hours=3)) == []
    assert write_count_documents.fn("plan-counts") == []
    assert planned(as_of=AS_OF + timedelta(days=3)) == []
    with shop.connect() as connection:
        assert footprint(connection) == before
    assert len(planned(as_of=AS_OF + timedelta(days=10))) == 1


@pytest.mark.both_databases
def test_the_day_is_the_warehouses(shop: Engine) -> None:
    """Half past eleven in the evening of UTC is tomorrow in London's summer."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    planned(as_of=datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    with shop.connect() as connection:
        assert connection.scalar(select(counts.c.code)) == "CC-MAIN-20260702-1"


def everything_in(path: Path) -> str:
    """Every text of a document: each part of a workbook but its pictures, or each page of a PDF."""
    if path.suffix == ".pdf":
        reader = pypdf.PdfReader(path)
        return " ".join([*(page.extract_text() for page in reader.pages), str(reader.metadata)])
    with ZipFile(path) as parts:
        return " ".join(parts.read(one).decode() for one in parts.namelist() if not one.endswith(".png"))


def test_nothing_of_the_book_is_in_a_sheet(shop: Engine, home: Path) -> None:
    """Not the quantity, not what the export says, not why the place is counted; as many rows, whatever lies there."""
    with shop.begin() as connection:
        stock(connection, A, 7777)
        stock(connection, B, -8888)
        short_pick(connection, A, 1)
        exported(connection, A, 6666)
    assert planned() == [
        ("A-2", "A", "short pick, doubtful record, periodic"),
        ("A-2", "B", "negative stock, periodic"),
    ]
    sheet, paper = write_count_documents.fn("plan-counts")
    for path in (sheet, paper):
        text = everything_in(path)
        assert "Thing A" in text
        hidden = ("7777", "8888", "6666", "1111", "short pick", "negative", "doubtful", "periodic", "empty bin")
        assert [word for word in hidden if word in text] == []
    book = openpyxl.load_workbook(sheet)
    assert (len(book.sheetnames), len(book.defined_names)) == (1, 0)


@pytest.mark.both_databases
def test_a_sheet_is_protected_and_the_same_every_time(shop: Engine, home: Path) -> None:
    """Only what is to be filled in can be changed, and the rows for found goods; the same rows give the same bytes."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    planned()
    sheet, paper = write_count_documents.fn("plan-counts")
    page = openpyxl.load_workbook(sheet).active
    assert page is not None
    assert page.protection.sheet
    names = [str(cell.value) for cell in page[1]]
    free = [{name for name, cell in zip(names, page[row], strict=True) if not cell.protection.locked} for row in (2, 3)]
    to_fill = {"expires_on", "quantity", "counter", "counted_at", "comment"}
    assert free == [to_fill, to_fill | {"location", "sku", "condition", "lot"}]
    with ZipFile(sheet) as parts:
        assert len([name for name in parts.namelist() if name.endswith(".png")]) == 2  # the place, the goods
    first = (sheet.read_bytes(), paper.read_bytes())
    with shop.begin() as connection:
        connection.exec_driver_sql("DELETE FROM run_log")
    assert tuple(path.read_bytes() for path in write_count_documents.fn("plan-counts")) == first
    assert (home / "outgoing" / "plan-counts" / "20260306T060000Z").is_dir()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
@pytest.mark.both_databases
def test_a_filled_sheet_is_dropped_in_as_it_is(shop: Engine, home: Path) -> None:
    """Counted, not counted, and found where the sheet says nothing, by its barcode; rows left empty are ignored."""
    with shop.begin() as connection:
        stock(connection, A, 5)
        stock(connection, B, 7)
        connection.execute(update(products).where(products.c.id == C).values(barcode="5012345678900"))
    planned()
    sheet, _ = write_count_documents.fn("plan-counts")
    book = openpyxl.load_workbook(sheet)
    page = book.active
    assert page is not None
    column = {str(cell.value): number for number, cell in enumerate(page[1], 1)}
    said: dict[str, Any] = {"quantity": 5, "counter": "Ann", "counted_at": datetime(2026, 3, 6, 23, 50)}  # noqa: DTZ001 - on the wall
    for row, more in ((2, {}), (4, {"location": "A-10", "sku": "5012345678900"})):
        for name, value in (said | more).items():
            page.cell(row, column[name]).value = value
    (home / "inbox" / "counts").mkdir(parents=True)
    book.save(home / "inbox" / "counts" / "back.xlsx")
    [outcome] = [one for one in receive(AS_OF + timedelta(days=1)) if one.kind == "counts"]
    assert (outcome.rows_loaded, outcome.rows_unchanged, outcome.rows_quarantined, outcome.rows_ignored) == (
        2,
        1,
        0,
        11,
    )
    line = count_lines.c
    with shop.connect() as connection:
        found = connection.execute(
            select(line.location_id, line.sku, line.quantity, line.state).order_by(line.id)
        ).all()
    assert [tuple(row) for row in found] == [(2, "A", 5, "counted"), (2, "B", None, "ready"), (10, "C", 5, "counted")]
    assert write_count_documents.fn("plan-counts") == []  # goods found beside the sheet do not make it anew


@pytest.mark.both_databases
def test_a_filled_sheet_closes_the_planned_count(shop: Engine) -> None:
    """Planned in the morning, counted at noon, reconciled at night: no line beside the planned one."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    planned()
    row = {
        "row_number": 2, "count_id": "CC-MAIN-20260306-1", "merchant_id": 1, "warehouse": "MAIN", "location": "A-2",
        "sku": "A", "condition": "available", "lot": "", "expires_on": None, "quantity": 5, "counter": "Ann",
        "counted_at": pd.Timestamp(AS_OF + timedelta(hours=6)), "counted_on": None, "comment": None,
    }  # fmt: skip
    frame = pd.DataFrame([row]).astype({"comment": "str"})
    days = Table("staged_counts", MetaData(), Column("expires_on", Date), Column("counted_on", Date))
    with shop.begin() as connection, staged(connection, frame, like=days) as rows:
        load_counts(connection, rows, Intake(1, "counts", "sheet.xlsx", AS_OF))
    assert reconcile.fn("MAIN", AS_OF + timedelta(hours=12)).number_of(CountDecision.MATCHED) == 1
    with shop.connect() as connection:
        assert connection.scalars(select(count_lines.c.state)).all() == ["matched"]
        assert connection.scalars(select(counts.c.state)).all() == ["completed"]


def test_capacity_is_shared_by_the_counters(shop: Engine) -> None:
    """Two counters, two sheets, each a stretch of the walk."""
    with shop.begin() as connection:
        connection.execute(insert(locations), [
            {"id": 100 + n, "warehouse_id": 1, "code": f"B-{n}", "zone": "B", "aisle": "1"} for n in range(100)
        ])  # fmt: skip
        for n in range(100):
            stock(connection, A, 5, location=100 + n)
    rows = plan.fn("MAIN", 2, AS_OF).places
    assert rows.groupby("code").size().tolist() == [40, 40]
    assert rows["location"].tolist() == [f"B-{n}" for n in range(80)]
