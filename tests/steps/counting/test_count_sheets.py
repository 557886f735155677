"""Count sheets as files, from the inbox to the decision: times, places, lots, and goods that were not put away."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from inbox_run import AS_OF, Record, as_csv, column, furnish, movement, product, put, receive, stock
from sqlalchemy import Engine, select

from tasks.domain.counting.count_results import Decided
from tasks.domain.counting.count_states import CountDecision
from tasks.steps.counting.reconcile_counts import reconcile
from tasks.store.schema import count_lines, locations, lots, quarantined_rows, stock_levels, variances

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
MORROW = AS_OF + timedelta(days=1)


def counted(quantity: object, at: str = "2026-03-06 09:30:00", **other: object) -> Record:
    """A counted place of a sheet written on the warehouse's clock."""
    return {"count_id": "CC-1", "warehouse": "MAIN", "location": "A-01", "sku": "MUG", "quantity": quantity,
            "counter": "Ann", "counted_at": at, **other}  # fmt: skip


def shelf(home: Path, *facts: Record) -> None:
    """A hundred mugs at A-01 the day before, and what moved since."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 100, snapshot_at="2026-03-05 06:00:00 +0000")]), "stock.csv")
    if facts:
        put(home, "movements", as_csv(facts), "movements.csv")


def decided(home: Path, *sheet: Record, as_of: datetime = AS_OF) -> Decided:
    """What becomes of a sheet."""
    put(home, "counts", as_csv(sheet), "sheet.csv")
    receive()
    return reconcile.fn(None, as_of)


def expected(store: Engine) -> list[object]:
    """What the counts should have found."""
    return column(store, variances, "expected")


def test_a_sheet_that_spans_midnight_is_compared_with_two_days(store: Engine, home: Path) -> None:
    """Ten to midnight and ten past it: the sale at midnight lies between the two counts."""
    shelf(home, movement(1, -5, occurred_at="2026-03-06 00:00:00 +0000"), movement(2, 5, location="A-02",
          occurred_at="2026-03-06 00:00:00 +0000"))  # fmt: skip
    decided(home, counted(100, "2026-03-05 23:50:00"), counted(5, "2026-03-06 00:10:00", location="A-02"))
    assert expected(store) == [100, 5]


@pytest.mark.parametrize("said", ["2026-03-29 01:30:00", "2025-10-26 01:30:00"])
def test_a_time_the_clock_did_not_show_once_is_refused(store: Engine, home: Path, said: str) -> None:
    """In the night the clocks change an hour is missing, or is there twice: the row waits with the reason."""
    shelf(home)
    decided(home, counted(100, said), counted(0, location="A-02"))
    assert ["that exists once" in str(reason) for reason in column(store, quarantined_rows, "reasons")] == [True]
    assert expected(store) == [0]


@pytest.mark.both_databases
def test_a_day_is_enough_where_nothing_moved(store: Engine, home: Path) -> None:
    """Refused while the day may still bring movements; once it is over, the count stands for any moment of it."""
    shelf(home)
    assert decided(home, counted(99, "2026-03-06")).refused["reason"].str.contains("not over").tolist() == [True]
    assert reconcile.fn(None, MORROW).number_of(CountDecision.POSTED) == 1
    assert reconcile.fn(None, MORROW).refused.empty


def test_a_day_is_not_enough_where_goods_moved(store: Engine, home: Path) -> None:
    """Before the sale or after it? Refused with the reason; the sheet with the time settles it."""
    shelf(home, movement(1, -5))
    told = decided(home, counted(95, "2026-03-06"), as_of=MORROW)
    assert told.refused["reason"].str.contains("moved that day").tolist() == [True]
    assert decided(home, counted(95), as_of=MORROW).number_of(CountDecision.MATCHED) == 1


@pytest.mark.both_databases
def test_units_that_were_not_put_away_were_not_in_the_bin(store: Engine, home: Path) -> None:
    """Received at seven, put away at eleven: at half past nine they lay at the door, in between nowhere else."""
    late = {"kind": "receipt", "put_away_at": "2026-03-06 11:00:00 +0000"}
    shelf(home, movement(1, 40, **late))
    put(home, "locations", as_csv([{"warehouse": "MAIN", "location": "DOOR", "purpose": "receiving"}]), "door.csv")
    told = decided(home, counted(100), counted(40, location="DOOR"))
    assert (told.number_of(CountDecision.MATCHED), expected(store)) == (2, [100, 40])
    with store.connect() as connection:
        found = select(locations.c.code, stock_levels.c.on_hand).join(locations).order_by(locations.c.code)
        assert [tuple(row) for row in connection.execute(found)] == [("A-01", 140), ("DOOR", 0)]
    put(home, "movements", as_csv([movement(1, 40, **late), movement(2, 1)]), "again.csv")
    assert [(one.rows_loaded, one.rows_unchanged) for one in receive()] == [(1, 1)]


def test_goods_wait_nowhere_in_a_warehouse_without_a_place_for_it(store: Engine, home: Path) -> None:
    """A receipt that was put away later needs a receiving place: otherwise it is refused, and says so."""
    shelf(home, movement(1, 40, kind="receipt", put_away_at="2026-03-06 11:00:00 +0000"))
    receive()
    assert ["put_away_at: found" in str(reason) for reason in column(store, quarantined_rows, "reasons")] == [True]


def test_a_place_nobody_knew_is_decided_once_it_is_known(store: Engine, home: Path) -> None:
    """The bin is on no floor plan: a person is asked. With the plan comes the place, and the count is compared."""
    shelf(home)
    told = decided(home, counted(3, location="Z-09"), counted(7, sku="GHOST"))
    assert told.findings["finding"].tolist() == ["unknown_location", "unknown_sku"]
    assert told.number_of(CountDecision.REVIEW) == 2
    put(home, "locations", as_csv([{"warehouse": "MAIN", "location": "Z-09"}]), "plan.csv")
    put(home, "products", as_csv([product("GHOST")]), "ghost.csv")
    receive()
    again = reconcile.fn(None, AS_OF)
    assert again.findings["finding"].tolist() == ["found_at_zero", "found_at_zero"]
    assert again.number_of(CountDecision.RECOUNT) == 2
    assert len(column(store, variances, "id")) == 2


def test_a_lot_that_expires_otherwise_than_is_known_is_told(store: Engine, home: Path) -> None:
    """The export says January; the sheet says February: the units match, and the contradiction is shown."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 10, lot="L1", expires_on="2027-01-01")]), "stock.csv")
    told = decided(home, counted(10, lot="L1", expires_on="2027-02-02"))
    assert [str(one) for one in column(store, lots, "expires_on")] == ["2027-01-01"]
    assert told.number_of(CountDecision.MATCHED) == 1
    assert told.table()["reason"].tolist() == [
        "counted as expected; lot L1 expires on 2027-02-02 by the sheet, on 2027-01-01 by what is known of it"
    ]


def test_what_a_counter_writes_is_the_time_on_the_wall(store: Engine, home: Path) -> None:
    """A sheet of the Leeds warehouse in July: half past nine is half past eight in UTC."""
    furnish(home)
    put(home, "locations", as_csv([{"warehouse": "NORTH", "location": "C-01"}]), "leeds.csv")
    put(home, "counts", as_csv([counted(5, "2025-07-04 09:30:00", warehouse="Leeds", location="C-01")]), "leeds.csv")
    receive()
    assert [str(one) for one in column(store, count_lines, "counted_at")] == ["2025-07-04 08:30:00+00:00"]
