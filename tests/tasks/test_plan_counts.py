"""Which places are put on blind count sheets, and what becomes of a sheet that comes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pypdf
import pytest
from sqlalchemy import Connection, Engine, insert, select

from config.read import ConfigError
from tasks.document_counts import write_documents
from tasks.plan_counts import plan
from tasks.reconcile_counts import reconcile
from tasks.store.counts import load_counts
from tasks.store.footprint import footprint
from tasks.store.frames import staged
from tasks.store.intake import Intake
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
    warehouses,
    waves,
)
from tasks.store.stock import post_moves

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


def counted(connection: Connection, product: int, days_ago: int, location: int = 2) -> None:
    """A closed count of a place."""
    new = insert(counts).values(warehouse_id=1, code=f"OLD-{product}-{location}", reason="sheet", state="completed")
    count_id = connection.execute(new.returning(counts.c.id)).scalar_one()
    sku = {A: "A", B: "B", C: "C"}[product]
    connection.execute(insert(count_lines).values(
        count_id=count_id, location_id=location, product_id=product, sku=sku, quantity=1, state="matched",
        counted_at=AS_OF - timedelta(days=days_ago)))  # fmt: skip


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
    rows = plan.fn("MAIN", counters, as_of, empty=empty)
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
    assert planned() == [("A-2", "B", "periodic"), ("A-10", "A", "periodic"), ("A-10", "C", "negative stock")]


@pytest.mark.parametrize(("days_ago", "due"), [(1, True), (5, False)])
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
        new = insert(imports).values(
            kind="stock", source="s", sha256="0", file_name="s", state="loaded", received_at=AS_OF
        )
        import_id = connection.execute(new.returning(imports.c.id)).scalar_one()
        connection.execute(insert(stock_snapshots).values(
            location_id=2, product_id=A, condition="available", on_hand=6, snapshot_at=AS_OF - timedelta(days=1),
            import_id=import_id))  # fmt: skip
    assert planned() == [("A-2", "A", "stock export disagrees")]


def test_an_empty_place_is_counted_only_when_asked_for(shop: Engine) -> None:
    """The book says zero."""
    with shop.begin() as connection:
        connection.execute(insert(stock_levels).values(location_id=2, product_id=A, condition="available"))
    assert planned() == []
    assert planned(empty=True) == [("A-2", "A", "periodic")]


def test_a_run_on_the_same_day_plans_nothing_more(shop: Engine, home: Path) -> None:
    """No row, no sheet; the next day a place whose sheet is out is left alone until the sheet is old."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    assert len(planned()) == 1
    assert {path.name for path in write_documents.fn("plan-counts")} == {
        "CC-MAIN-20260306-1.xlsx",
        "CC-MAIN-20260306-1.pdf",
    }
    with shop.connect() as connection:
        before = footprint(connection)
    assert planned(as_of=AS_OF + timedelta(hours=3)) == []
    assert write_documents.fn("plan-counts") == []
    assert planned(as_of=AS_OF + timedelta(days=1)) == []
    with shop.connect() as connection:
        assert footprint(connection) == before
    assert len(planned(as_of=AS_OF + timedelta(days=8))) == 1


def test_the_day_is_the_warehouses(shop: Engine) -> None:
    """Half past eleven in the evening of UTC is tomorrow in London's summer."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    planned(as_of=datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    with shop.connect() as connection:
        assert connection.scalar(select(counts.c.code)) == "CC-MAIN-20260702-1"


def test_an_unknown_warehouse_is_refused(shop: Engine) -> None:
    """With the ones there are."""
    with pytest.raises(ConfigError, match="expected one of MAIN"):
        plan.fn("MARS", 1, AS_OF)


def test_a_sheet_is_blind_protected_and_the_same_every_time(shop: Engine, home: Path) -> None:
    """The book quantity is nowhere in the file; only what is to be filled in can be changed; paper says the same."""
    with shop.begin() as connection:
        stock(connection, A, 7777)
    planned()
    sheet, paper = write_documents.fn("plan-counts")
    page = openpyxl.load_workbook(sheet).active
    assert page is not None
    assert page.protection.sheet
    names = [str(cell.value) for cell in page[1]]
    free = {name for name, cell in zip(names, page[2], strict=True) if not cell.protection.locked}
    assert free == {"expires_on", "quantity", "counter", "counted_at", "comment"}
    assert [name for name in ZipFile(sheet).namelist() if name.endswith(".png")] == ["xl/media/image1.png"]
    everything = " ".join(str(cell.value) for row in page.iter_rows() for cell in row)
    text = pypdf.PdfReader(paper).pages[0].extract_text()
    assert "7777" not in everything + text
    assert "Thing A" in text
    first = (sheet.read_bytes(), paper.read_bytes())
    with shop.begin() as connection:
        connection.exec_driver_sql("DELETE FROM run_log")
    assert tuple(path.read_bytes() for path in write_documents.fn("plan-counts")) == first
    assert (home / "outgoing" / "plan-counts" / "20260306T060000Z").is_dir()


def test_a_filled_sheet_closes_the_planned_count(shop: Engine) -> None:
    """Planned in the morning, counted at noon, reconciled at night: no line beside the planned one."""
    with shop.begin() as connection:
        stock(connection, A, 5)
    planned()
    row = {
        "row_number": 2, "count_id": "CC-MAIN-20260306-1", "merchant_id": 1, "warehouse": "MAIN", "location": "A-2",
        "sku": "A", "condition": "available", "lot": "", "expires_on": None, "quantity": 5, "counter": "Ann",
        "counted_at": pd.Timestamp(AS_OF + timedelta(hours=6)), "comment": None,
    }  # fmt: skip
    frame = pd.DataFrame([row]).astype({"expires_on": "str", "comment": "str"})
    with shop.begin() as connection, staged(connection, frame) as rows:
        load_counts(connection, rows, Intake(1, "counts", "sheet.xlsx", AS_OF))
    assert reconcile.fn("MAIN", AS_OF + timedelta(hours=12)).lines("matched") == 1
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
    rows = plan.fn("MAIN", 2, AS_OF)
    assert rows.groupby("code").size().tolist() == [40, 40]
    assert rows["location"].tolist() == [f"B-{n}" for n in range(80)]
