"""Count sheets that come back: what they fill, add and leave alone."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest
from sqlalchemy import Column, Connection, Date, Engine, MetaData, Table, insert, select

from tasks.store.database.frames import read, staged
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.counts import load_counts
from tasks.store.schema import count_lines, counts, locations, lots, merchants, products, stock_levels, warehouses

AS_OF = datetime(2026, 3, 6, 18, tzinfo=UTC)
NOON = pd.Timestamp("2026-03-06T12:00:00Z")
LATER = pd.Timestamp("2026-03-06T13:00:00Z")
STAGED = Table("staged_counts", MetaData(), Column("expires_on", Date), Column("counted_on", Date))
ROW = {
    "count_id": "CC-1", "merchant_id": 1, "warehouse": "MAIN", "location": "A-01", "sku": "MUG",
    "condition": "available", "lot": "", "expires_on": None, "quantity": 7, "counter": "Ann", "counted_at": NOON,
    "counted_on": None, "comment": None,
}  # fmt: skip


@pytest.fixture
def shop(store: Engine) -> Engine:
    """A merchant with a mug (barcode 5012345678900) and a bowl, and a warehouse with two places."""
    with store.begin() as connection:
        connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
        connection.execute(insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="UTC", country="GB"))
        connection.execute(insert(locations), [{"id": n, "warehouse_id": 1, "code": f"A-0{n}"} for n in (1, 2)])
        goods = [{"id": 1, "merchant_id": 1, "sku": "MUG", "barcode": "5012345678900"},
                 {"id": 2, "merchant_id": 1, "sku": "BOWL", "barcode": None}]  # fmt: skip
        connection.execute(insert(products), goods)
    return store


def rows_of(*rows: dict[str, object]) -> pd.DataFrame:
    """Staged rows: each says only where it is not ROW."""
    frame = pd.DataFrame([ROW | row for row in rows])
    frame.insert(0, "row_number", range(2, len(rows) + 2))
    moments = pd.to_datetime(frame["counted_at"], utc=True).dt.as_unit("s")
    days = frame["expires_on"].astype("object")
    return frame.assign(quantity=frame["quantity"].astype("Int64"), counted_at=moments, expires_on=days)


def load(connection: Connection, *rows: dict[str, object], import_id: int = 1) -> Loaded:
    """Load rows as a file of their own."""
    frame = rows_of(*rows)
    for name in ("counter", "comment"):
        frame[name] = frame[name].astype("str")
    with staged(connection, frame, like=STAGED) as table:
        return load_counts(connection, table, Intake(import_id, "counts", "sheet.csv", AS_OF))


def lines(connection: Connection) -> list[tuple[object, ...]]:
    """Document, round, place, sku, quantity, state of every line."""
    line = count_lines.c
    chosen = select(counts.c.code, counts.c.round, locations.c.code, line.sku, line.quantity, line.state).select_from(
        count_lines.join(counts).join(locations, locations.c.id == line.location_id)
    )
    return [tuple(row) for row in connection.execute(chosen.order_by(line.id))]


def plan(connection: Connection, count_round: int = 1) -> None:
    """A planned document for the mug at A-01."""
    new = insert(counts).values(warehouse_id=1, code="CC-1", round=count_round, reason="periodic", state="planned")
    count_id = connection.execute(new.returning(counts.c.id)).scalar_one()
    connection.execute(insert(count_lines).values(count_id=count_id, location_id=1, product_id=1, sku="MUG"))


def test_a_sheet_nobody_planned_opens_its_document(shop: Engine) -> None:
    """A count document of round 1, counted, with a line a row."""
    with shop.begin() as connection:
        loaded = load(connection, {}, {"location": "A-02", "quantity": 0})
        assert (loaded.loaded, loaded.unchanged, len(loaded.refused)) == (2, 0, 0)
        assert lines(connection) == [("CC-1", 1, "A-01", "MUG", 7, "counted"), ("CC-1", 1, "A-02", "MUG", 0, "counted")]
        assert connection.execute(select(counts.c.state)).scalar_one() == "counted"


def test_the_same_count_in_another_file_changes_nothing(shop: Engine) -> None:
    """Equal rows are unchanged, whatever file they come in."""
    with shop.begin() as connection:
        load(connection, {}, {"sku": "BOWL"})
        before = read(connection, select(count_lines))
        again = load(connection, {"sku": "BOWL"}, {}, import_id=2)
        assert (again.loaded, again.unchanged) == (0, 2)
        pd.testing.assert_frame_equal(read(connection, select(count_lines)), before)


def test_a_filled_sheet_fills_the_planned_places(shop: Engine) -> None:
    """The planned line takes the quantity; no second line appears."""
    with shop.begin() as connection:
        plan(connection)
        assert load(connection, {"expires_on": date(2027, 1, 1)}).loaded == 1
        assert lines(connection) == [("CC-1", 1, "A-01", "MUG", 7, "counted")]


def test_a_recount_sheet_fills_its_own_round(shop: Engine) -> None:
    """The sheet of round 2 names itself CODE-R2."""
    with shop.begin() as connection:
        load(connection, {})
        plan(connection, count_round=2)
        load(connection, {"count_id": "CC-1-R2", "counter": "Bob", "quantity": 6}, import_id=2)
        assert lines(connection) == [("CC-1", 1, "A-01", "MUG", 7, "counted"), ("CC-1", 2, "A-01", "MUG", 6, "counted")]


def test_what_is_not_counted_is_not_zero(shop: Engine) -> None:
    """An empty quantity leaves the planned place ready, and is no news."""
    with shop.begin() as connection:
        plan(connection)
        loaded = load(connection, {"quantity": None, "counter": None, "counted_at": None})
        assert (loaded.loaded, loaded.unchanged) == (0, 1)
        assert lines(connection) == [("CC-1", 1, "A-01", "MUG", None, "ready")]


def test_a_count_without_a_time_is_refused_until_it_has_one(shop: Engine) -> None:
    """The line is kept as refused; the sheet sent again with the time makes the same line a count."""
    with shop.begin() as connection:
        assert load(connection, {"counted_at": None}).loaded == 1
        assert lines(connection)[0][-1] == "refused"
        assert "counted_at" in str(connection.execute(select(count_lines.c.reason)).scalar_one())
        assert load(connection, {"counted_at": None}, import_id=2).unchanged == 1
        assert load(connection, {}, import_id=3).loaded == 1
        assert lines(connection) == [("CC-1", 1, "A-01", "MUG", 7, "counted")]


def test_a_barcode_stands_for_its_product(shop: Engine) -> None:
    """A scanned barcode is read as the SKU that has it."""
    with shop.begin() as connection:
        load(connection, {"sku": "5012345678900"})
        assert lines(connection)[0][3] == "MUG"


def test_places_and_skus_nobody_knows_are_kept(shop: Engine) -> None:
    """They are findings for a person, under the names the sheet gives them; what says no place at all is refused."""
    with shop.begin() as connection:
        loaded = load(connection, {"location": "Z-99"}, {"sku": "GHOST"}, {"location": None, "sku": "BOWL"})
        assert loaded.loaded == 2
        assert loaded.refused["reason"].tolist() == [
            "location: found '', expected the location: the SKU is stocked at 0 of them"
        ]
        line = count_lines.c
        kept = (
            connection.execute(select(line.location_id, line.location_code, line.product_id, line.sku)).tuples().all()
        )
        assert kept == [(None, "Z-99", 1, "MUG"), (1, None, None, "GHOST")]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([(1, "")], ("A-01", "")),
        ([(2, "L1")], ("A-02", "L1")),  # the sheet need not name the lot either
        ([(1, ""), (2, "")], None),
        ([(1, "L1"), (1, "L2")], None),
    ],
)
def test_a_sheet_without_places_means_the_one_place_of_the_sku(
    shop: Engine, places: list[tuple[int, str]], said: tuple[str, str] | None
) -> None:
    """Where the SKU lies in one place only; otherwise nobody knows which was counted, and the row is refused."""
    with shop.begin() as connection:
        levels = [{"location_id": where, "lot": lot, "product_id": 1, "condition": "available", "on_hand": 4}
                  for where, lot in places]  # fmt: skip
        connection.execute(insert(stock_levels), levels)
        loaded = load(connection, {"location": None})
        found = connection.execute(select(locations.c.code, count_lines.c.lot).join_from(count_lines, locations)).all()
        assert [tuple(row) for row in found] == ([said] if said else [])
        assert list(loaded.refused["reason"]) == (
            [] if said else ["location: found '', expected the location: the SKU is stocked at 2 of them"]
        )


def test_a_day_without_a_time_of_day_is_kept_as_such(shop: Engine) -> None:
    """Midnight is not what it says: the line has a day and no moment yet; the time, coming later, fills it."""
    with shop.begin() as connection:
        day = {"counted_at": pd.NaT, "counted_on": date(2026, 3, 6)}
        assert load(connection, day).loaded == 1
        assert load(connection, day, import_id=2).unchanged == 1
        line = count_lines.c
        assert connection.execute(select(line.state, line.counted_at, line.counted_on)).tuples().all() == [
            ("counted", None, date(2026, 3, 6))
        ]


def test_what_a_count_says_of_a_lot_is_news_only_where_nobody_said_it(shop: Engine) -> None:
    """The first word of a lot's expiry is kept; a count never overwrites it."""
    with shop.begin() as connection:
        load(connection, {"lot": "L1", "expires_on": date(2027, 1, 1)})
        load(connection, {"lot": "L1", "expires_on": date(2027, 2, 2), "counter": "Bob"}, import_id=2)
        assert connection.execute(select(lots)).tuples().all() == [(1, "L1", date(2027, 1, 1))]


def test_two_sheets_of_one_place_stand_beside_each_other(shop: Engine) -> None:
    """Another quantity of another counter is another line; which is right is not the loader's to say."""
    with shop.begin() as connection:
        load(connection, {})
        load(connection, {"counter": "Bob", "quantity": 9, "counted_at": LATER}, import_id=2)
        assert [line[4] for line in lines(connection)] == [7, 9]


def test_a_place_twice_in_one_sheet_with_two_quantities_is_refused(shop: Engine) -> None:
    """The first row stands, the second says which row it contradicts."""
    with shop.begin() as connection:
        loaded = load(connection, {}, {"quantity": 8})
        assert (loaded.loaded, loaded.unchanged, len(loaded.refused)) == (1, 0, 1)
        assert "row 2" in loaded.refused["reason"].iloc[0]
