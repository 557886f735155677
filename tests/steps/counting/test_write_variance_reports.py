"""The documents of reconcile-counts: what an analyst opens, and what the warehouse's own system imports."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from counted_floor import folder, lay_out, moment, run, sheet
from inbox_run import put, receive
from sqlalchemy import Engine, func, select

from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.store.schema import run_log, stock_moves

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
EVENING = moment(2, "18:00")


@pytest.fixture
def documents(store: Engine, home: Path) -> Path:
    """One evening's documents: two places right, one posted, one asked about, one SKU nobody knows."""
    assert store
    lay_out(home)
    rows = [("A-01", "MUG", 198), ("A-02", "VASE", 36), ("B-01", "FLOUR", 1000), ("B-02", "JUG", 60),
            ("B-02", "=HYPERLINK(0)", 4)]  # fmt: skip
    sheet(home, "CC-1", rows, moment(2, "09:30"))
    run(EVENING)
    return folder(home, EVENING)


def pages(path: Path) -> dict[str, list[dict[object, object]]]:
    """The rows of each sheet of a report, by their headings."""
    book = openpyxl.load_workbook(path)
    return {
        page.title: [dict(zip([cell.value for cell in page[4]], row, strict=True))
                     for row in page.iter_rows(min_row=5, values_only=True)]
        for page in book
    }  # fmt: skip


def test_the_report_opens_on_what_to_do_and_keeps_what_matched(documents: Path) -> None:
    """A sheet a question; matched places are there as evidence; money is a number in its currency."""
    told = pages(documents / "variances.xlsx")
    assert list(told) == ["to act on", "all lines", "by SKU", "accuracy", "shrinkage"]
    assert [(row["location"], row["SKU"], row["decision"]) for row in told["to act on"]] == [
        ("A-02", "VASE", "review"), ("B-02", "=HYPERLINK(0)", "review")]  # fmt: skip
    assert sorted(str(row["decision"]) for row in told["all lines"]) == ["matched", "matched", "posted", "review",
                                                                         "review"]  # fmt: skip
    every = next(row for row in told["accuracy"] if row["ABC class"] == "all")
    assert (every["places"], every["right"], every["accuracy"]) == (5, 3, 0.6)
    assert [(row["reason"], row["units net"], row["value net"]) for row in told["shrinkage"]] == [
        ("all reasons", -2, -10), ("CORRECTION", -2, -10)]  # fmt: skip
    page = openpyxl.load_workbook(documents / "variances.xlsx")["all lines"]
    assert (page.freeze_panes, page.auto_filter.ref is not None) == ("A5", True)
    money = next(cell for cell in page[5] if "GBP" in cell.number_format)
    assert money.data_type == "n"
    assert {cell.data_type for row in page.iter_rows(min_row=5) for cell in row} <= {"s", "n", "d"}  # no formula


def test_times_in_the_report_are_on_the_warehouses_clock(store: Engine, home: Path) -> None:
    """Counted at 09:30 UTC in April is 10:30 in London."""
    assert store
    lay_out(home)
    at = moment(30, "09:30")  # summer time begins on 29 March 2026
    sheet(home, "CC-1", [("A-01", "MUG", 200)], at)
    run(moment(30, "18:00"))
    row = pages(folder(home, moment(30, "18:00")) / "variances.xlsx")["all lines"][0]
    assert str(row["counted at"]) == "2026-03-30 10:30:00"


def test_the_shop_is_told_what_lies_in_the_whole_warehouse(documents: Path) -> None:
    """Shopify's file: one row a SKU and location, on hand before and after."""
    told = pd.read_csv(documents / "adjustments-MAIN-shopify_inventory_2024.csv")
    assert told[["SKU", "Location", "On hand (current)", "On hand (new)"]].to_numpy().tolist() == [
        ["MUG", "London", 200, 198]]  # fmt: skip


@pytest.mark.parametrize(("kind", "state"), [("movements", "refused"), ("stock", "refused"), ("counts", "loaded")])
def test_adjustments_that_come_back_post_nothing(
    documents: Path, store: Engine, home: Path, kind: str, state: str
) -> None:
    """The canonical file is an outgoing document: it is refused whole; as a count sheet it has no quantity."""
    with store.connect() as connection:
        before = connection.scalar(select(func.count()).select_from(stock_moves))
    put(home, kind, (documents / "adjustments.csv").read_bytes(), "adjustments.csv")
    (outcome,) = receive(moment(3, "08:00"))
    assert outcome.state == state
    assert run(moment(3, "18:00")).places_counted == 0
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(stock_moves)) == before


def test_a_crash_before_the_documents_loses_none_and_changes_no_byte(documents: Path, store: Engine) -> None:
    """The log forgets that they were written: they are written again, the same."""
    before = {path.name: path.read_bytes() for path in documents.iterdir()}
    assert {"variances.xlsx", "variances.csv", "record-accuracy.csv", "adjustments.csv", "trend-MAIN.png"} <= set(
        before
    )
    with store.begin() as connection:
        connection.execute(run_log.delete())
    write_count_documents.fn("reconcile-counts")
    assert {path.name: path.read_bytes() for path in documents.iterdir()} == before
