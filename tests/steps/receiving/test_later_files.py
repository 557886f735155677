"""What a later file, or the folder a file lies in, says of what is known."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from inbox_run import AS_OF, as_csv, column, furnish, order, product, put, receive
from project import ROOT
from real_exports import REAL, write
from sqlalchemy import Engine

from tasks.steps.receiving import receive_exports
from tasks.store.schema import order_lines, orders, products, quarantined_rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own

MORROW = AS_OF + timedelta(days=1)


def test_an_order_the_shop_fulfilled_meanwhile_asks_for_no_stock(store: Engine, home: Path) -> None:
    """First seen open, later fulfilled, nothing promised in between: it left without us."""
    furnish(home)
    put(home, "orders", as_csv([order("#1", quantity=3)]), "morning.csv")
    receive()
    assert column(store, order_lines, "quantity_shipped") == [0]
    put(home, "orders", as_csv([order("#1", quantity=3, fulfilled_at="2026-03-06 17:00:00+00:00")]), "evening.csv")
    receive(MORROW)
    assert column(store, order_lines, "quantity_shipped") == [3]
    assert len(column(store, orders, "id")) == 1


def test_a_file_says_nothing_of_what_it_has_no_column_for(store: Engine, home: Path) -> None:
    """A plain product list does not undo final sale, pack size or danger that another file told."""
    told = {"is_final_sale": "yes", "is_hazmat": "yes", "pack_quantity": "6"}
    put(home, "products", as_csv([product("MUG", **told), product("CUP")]), "full.csv")
    receive()
    put(home, "products", "sku,name\nMUG,Mug of clay\n", "plain.csv")
    [again] = receive(MORROW)
    assert again.rows_loaded == 1
    assert {*column(store, products, "is_final_sale")} == {False, True}
    assert {*column(store, products, "pack_quantity")} == {1, 6}


def test_a_folder_names_the_warehouse_of_a_sheet_that_does_not(store: Engine, home: Path) -> None:
    """With two warehouses a sheet of bins alone could be of either; below counts/MAIN it is of MAIN."""
    furnish(home)
    row = {"Product code": "MUG", "Bin location": "A-01", "Physical QOH": "3"}
    for folder in ("counts", "counts/MAIN"):
        write(home / "inbox" / folder / "sheet.csv", REAL["openboxes_count_sheet"], [row])
        outcomes = [one for one in receive() if one.kind == "counts"]
        assert [one.rows_quarantined for one in outcomes] == [0 if folder.endswith("MAIN") else 1]


def test_a_file_of_which_nothing_concerns_the_folder_is_no_trouble(store: Engine, home: Path) -> None:
    """A day without credit notes: every row is another folder's, the file is taken in with nothing to load."""
    row = {
        "Invoice": "536365", "StockCode": "85123A", "Description": "HOLDER", "Quantity": "6", "Price": "2.55",
        "InvoiceDate": "2010-12-01 08:26:00", "Customer ID": "17850", "Country": "United Kingdom",
    }  # fmt: skip
    write(home / "inbox" / "return_requests" / "day.csv", REAL["online_retail_returns"], [row])
    [one] = receive()
    assert (one.state, one.rows_in, one.rows_ignored) == ("loaded", 0, 1)


def test_a_file_of_nobody_is_not_guessed_at(store: Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two merchants and neither file, folder nor setting naming one, each row says whose it might be."""
    config = home.parent / "config"
    shutil.copytree(ROOT / "config", config)
    other = (config / "merchants" / "HEARTH.yaml").read_text(encoding="utf-8").replace("HEARTH", "LANTERN")
    (config / "merchants" / "LANTERN.yaml").write_text(other, encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(config))
    put(home, "orders", as_csv([order("#1"), order("#2", merchant="LANTERN"), order("#3", merchant="NOBODY")]))
    site = receive_exports.read_site.fn()
    with receive_exports.expectations(AS_OF) as gate:
        [one] = receive_exports.receive_kind.fn(
            "orders", receive_exports.find_files.fn(["orders"])["orders"], site, gate, AS_OF
        )
    assert (one.rows_loaded, one.rows_quarantined) == (1, 2)
    assert column(store, quarantined_rows, "reasons") == [
        "merchant: found nothing, expected one of HEARTH, LANTERN",
        "merchant: found 'NOBODY', expected one of HEARTH, LANTERN",
    ]
