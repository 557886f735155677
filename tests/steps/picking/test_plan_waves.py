"""plan-waves on a small floor: who goes on which cart, who is left out and why, and what lies in the printer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from floor import AS_OF, Shop
from pypdf import PdfReader
from sqlalchemy import Engine, select

from tasks.domain.receiving.export_kinds import KINDS
from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.picking.plan_waves import ReleasedWaves, release_waves
from tasks.steps.picking.print_pick_lists import write_pick_lists
from tasks.store import schema


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Forty cups in two aisles, ten trays far back, a heavy anvil."""
    made = Shop(store)
    made.product("CUP", weight_g=300, volume_ml=500)
    made.product("TRAY", weight_g=900, volume_ml=4000)
    made.product("ANVIL", weight_g=200_000, volume_ml=9000)
    made.stock("CUP", 40, "B-03")
    made.stock("TRAY", 10, "D-09")
    made.stock("ANVIL", 3, "A-02")
    return made


def plan(
    as_of: datetime = AS_OF, warehouse: str | None = None, carrier: str | None = None
) -> tuple[ReleasedWaves, int]:
    """Allocate, release, print; gives the plan and how many files were written."""
    allocate_stock.fn(as_of)
    planned = release_waves.fn(warehouse, carrier, as_of)
    return planned, write_pick_lists.fn(planned, as_of)


def left_out(planned: ReleasedWaves) -> dict[str, str]:
    """Why each order is not in a wave."""
    return dict(zip(planned.left_out["order_number"], planned.left_out["reason"], strict=True))


def carts(shop: Shop) -> list[tuple[str, int, str, int]]:
    """Wave, cart, order and position of every pick."""
    p, o = schema.picks.c, schema.orders.c
    statement = (
        select(schema.waves.c.code, schema.carts.c.number, o.order_number, p.position)
        .join_from(schema.picks, schema.carts, schema.carts.c.id == p.cart_id)
        .join(schema.waves, schema.waves.c.id == schema.carts.c.wave_id)
        .join(schema.allocations, schema.allocations.c.id == p.allocation_id)
        .join(schema.orders, o.id == schema.allocations.c.order_id)
        .order_by(schema.waves.c.code, schema.carts.c.number, p.stop_number, p.position)
    )
    with shop.store.connect() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement)]


@pytest.mark.both_databases
def test_carriers_have_waves_and_single_lines_have_carts_of_their_own(shop: Shop) -> None:
    """A wave a carrier; single-line and multi-line orders on separate carts, the most urgent order's cart first."""
    shop.order("1", {"CUP": 1}, service_level="Standard", ship_by=AS_OF + timedelta(days=2))
    shop.order("2", {"CUP": 1, "TRAY": 1}, ship_by=AS_OF + timedelta(days=1))
    shop.order("3", {"TRAY": 1}, service_level="Economy", ship_by=AS_OF + timedelta(days=3))
    shop.order("4", {"CUP": 2}, service_level="express")
    planned, files = plan()
    dpd, royal = "W-20260306-MAIN-DPD-1", "W-20260306-MAIN-ROYALMAIL-1"
    assert carts(shop) == [
        (dpd, 1, "4", 1),
        (royal, 1, "2", 1),
        (royal, 1, "2", 1),
        (royal, 2, "1", 1),
        (royal, 2, "3", 2),
    ]
    assert planned.left_out.empty
    assert files == 2 + 2 + 3 + 2  # lists on paper and for handhelds, a map a cart, the floor, the rows to fill in


def test_a_second_run_releases_nothing_and_prints_nothing(shop: Shop, home: Path) -> None:
    """I5 and I8: every promise is in one wave; the same state gives no row and no file."""
    shop.order("1", {"CUP": 1})
    shop.order("2", {"ANVIL": 1})
    plan()
    before, written = shop.everything(), sorted(home.rglob("outgoing/**/*"))
    planned, files = plan(AS_OF + timedelta(hours=1))
    assert (len(planned.waves), files) == (0, 0)
    assert shop.everything() == before
    assert sorted(home.rglob("outgoing/**/*")) == written
    shop.order("3", {"CUP": 1})
    assert plan(AS_OF + timedelta(hours=2))[0].waves["wave"].tolist() == ["W-20260306-MAIN-ROYALMAIL-2"]


def test_every_order_left_out_has_its_reason(shop: Shop) -> None:
    """Too heavy, held, not all there, nobody carries it, in reserve, nowhere: one reason each, and it is written."""
    shop.product("LAMP")
    shop.product("RUG")
    shop.product("VASE")
    shop.stock("LAMP", 1, "R-01", purpose="reserve")
    shop.stock("RUG", 1, "UNSPECIFIED", x_m=None, y_m=None)
    held = shop.order("held", {"CUP": 1})
    shop.order("heavy", {"ANVIL": 1})
    half = shop.order("half", {"CUP": 1})
    shop.order("drone", {"CUP": 1}, service_level="Drone")
    shop.order("reserve", {"LAMP": 1, "CUP": 1})
    shop.order("nowhere", {"RUG": 1})
    shop.order("good", {"CUP": 1})
    allocate_stock.fn(AS_OF)
    shop.change(held, hold_reason="address")
    with shop.store.begin() as connection:
        connection.execute(
            schema.order_lines.insert().values(order_id=half, line_number=2, sku="VASE", quantity_ordered=1)
        )
    planned, _ = plan()
    assert left_out(planned) == {
        "held": "held: address",
        "heavy": "no cart holds it: weight_g 200000, at most 120000",
        "half": "not all of it is allocated yet",
        "drone": "no carrier of MAIN takes the service level Drone",
        "reserve": "waits for replenishment: goods lie in reserve at R-01",
        "nowhere": "location UNSPECIFIED has no coordinates",
    }
    assert [order for _, _, order, _ in carts(shop)] == ["good"]


def test_where_no_cart_holds_any_order_there_is_no_wave(shop: Shop) -> None:
    """Each order has its reason, and nothing is released."""
    shop.order("heavy", {"ANVIL": 1})
    shop.order("heavier", {"ANVIL": 2})
    planned, files = plan()
    assert left_out(planned) == {
        "heavy": "no cart holds it: weight_g 200000, at most 120000",
        "heavier": "no cart holds it: weight_g 400000, at most 120000",
    }
    assert (carts(shop), files) == ([], 2)  # who is left out, and what lies off the floor


def test_a_cart_takes_no_more_than_it_holds(shop: Shop) -> None:
    """Twelve positions a trolley: the thirteenth order begins the next cart, in order of priority."""
    for number in range(14):
        shop.order(f"{number:02}", {"CUP": 1}, ship_by=AS_OF + timedelta(hours=20 - number))
    plan()
    assert [(cart, order) for _, cart, order, _ in carts(shop)] == [
        *((1, f"{number:02}") for number in range(13, 1, -1)), (2, "01"), (2, "00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("as_of", "pickup"),
    [
        (datetime(2026, 3, 27, 16, 59, tzinfo=UTC), datetime(2026, 3, 27, 17, 0, tzinfo=UTC)),
        (datetime(2026, 3, 27, 17, 1, tzinfo=UTC), datetime(2026, 3, 30, 16, 0, tzinfo=UTC)),
        (datetime(2026, 4, 2, 17, 0, tzinfo=UTC), datetime(2026, 4, 7, 16, 0, tzinfo=UTC)),
    ],
    ids=["just in time", "over the weekend the clocks go forward", "Good Friday and Easter Monday"],
)
def test_a_wave_is_picked_for_the_next_pickup(shop: Shop, as_of: datetime, pickup: datetime) -> None:
    """17:00 on the wall in London, winter or summer; not on weekends, not on public holidays."""
    shop.order("1", {"CUP": 1}, service_level="Standard")
    plan(as_of)
    assert shop.rows(schema.waves)["cut_off_at"][0] == pd.Timestamp(pickup)


def test_only_what_is_asked_for_is_planned(shop: Shop) -> None:
    """A warehouse and a carrier can be chosen."""
    shop.order("1", {"CUP": 1}, service_level="Standard")
    shop.order("2", {"CUP": 1}, service_level="Express")
    planned, _ = plan(carrier="DPD", warehouse="MAIN")
    assert planned.waves["wave"].tolist() == ["W-20260306-MAIN-DPD-1"]


def test_the_lists_say_what_to_take_and_print_the_same_bytes(shop: Shop, home: Path) -> None:
    """A page a cart, with place, SKU, quantity and position; printed anew when a run broke off before it was done."""
    shop.order("1", {"CUP": 3, "TRAY": 1})
    shop.order("2", {"CUP": 2})
    planned, _ = plan()
    folder = home / "outgoing" / "plan-waves" / "20260306T090000Z"
    list_, rows = folder / "W-20260306-MAIN-ROYALMAIL-1.pdf", folder / "pick-list.csv"
    pages = [page.extract_text() for page in PdfReader(list_).pages]
    assert len(pages) == 2
    assert all(word in pages[0] for word in ("Cart 1", "B-03", "D-09", "3 ×", "onto", "Friday 6 March 17:00"))
    first = list_.read_bytes(), rows.read_bytes()
    rows.unlink()
    list_.unlink()
    assert write_pick_lists.fn(planned, AS_OF + timedelta(minutes=1)) == 6
    assert (list_.read_bytes(), rows.read_bytes()) == first


def test_the_rows_of_a_pick_list_are_what_a_picker_sends_back(shop: Shop, home: Path) -> None:
    """The CSV has every column of the canonical picks kind, and beside them what was planned."""
    shop.order("1", {"CUP": 3})
    plan()
    rows = pd.read_csv(next(home.rglob("pick-list.csv")))
    assert list(rows.columns)[:8] == [field.name for field in KINDS["picks"].fields]
    assert rows[["order_number", "sku", "location", "planned_quantity", "stop"]].to_numpy().tolist() == [
        [1, "CUP", "B-03", 3, 1]
    ]
    assert rows["quantity"].isna().all()
