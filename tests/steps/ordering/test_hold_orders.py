"""What keeps an order from being served: a second order of the same goods, a person's sheet, a missing payment."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from allocation_run import run
from floor import AS_OF, PAID, Shop
from inbox_run import put, receive
from sqlalchemy import Engine

from config.settings import settings
from tasks.store import schema

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
JANE = {"email": "Jane@mail.example"}


@pytest.fixture
def shop(store: Engine) -> Shop:
    """A shop with cups enough for everybody."""
    made = Shop(store)
    made.product("CUP")
    made.product("TRAY")
    made.stock("CUP", 50)
    made.stock("TRAY", 50, "A-02")
    return made


def held(shop: Shop) -> dict[str, str]:
    """Why each order is held that is."""
    orders = shop.rows(schema.orders).dropna(subset="hold_reason")
    return dict(zip(orders["order_number"], orders["hold_reason"], strict=True))


def served(shop: Shop) -> list[str]:
    """The orders that were promised something."""
    return sorted({number for number, _, _ in shop.open_promises()})


def sheet(name: str) -> pd.DataFrame:
    """The newest document of that name, as a person opens it."""
    folder = settings().folder("outgoing") / "allocate-orders"
    newest = max(folder.rglob(name))
    return pd.read_csv(newest, dtype="str", keep_default_na=False)


def drop(home: Path, kind: str, rows: pd.DataFrame, number: int, hours: float) -> None:
    """Drop a sheet in the inbox and receive it."""
    put(home, kind, rows.to_csv(index=False), f"{kind}-{number}.csv")
    outcome = receive(AS_OF + timedelta(hours=hours), [kind])[0]
    assert outcome.state == "loaded", outcome.reason


@pytest.mark.both_databases
def test_the_second_order_of_the_same_goods_waits_for_a_person(shop: Shop, home: Path) -> None:
    """Same customer, same basket, within the hours: held once, naming the other; released by a sheet for good."""
    lines = {"CUP": 2, "TRAY": 1}
    shop.order("1", lines, **JANE)
    shop.order("2", {"TRAY": 1, "CUP": 2}, email="jane@MAIL.example", created_at=PAID + timedelta(hours=3))
    shop.order("3", {"CUP": 3}, **JANE)  # other goods
    shop.order("4", lines, email="joe@mail.example")  # another customer
    shop.order("5", lines, **JANE, created_at=PAID - timedelta(hours=13))  # long before
    shop.order("6", lines, **JANE, merchant="OTHER")
    shop.order("7", lines, **JANE, paid_at=None, created_at=PAID + timedelta(hours=1))  # nobody paid for it
    run()
    assert held(shop) == {"2": "duplicate"}
    assert served(shop) == ["1", "3", "4", "5"]
    listed = sheet("held-orders.csv")
    assert listed["detail"].tolist() == ["the same customer ordered the same goods as 1 of 2026-03-05 10:00 UTC"]
    messages = shop.rows(schema.messages)
    assert "order_confirmed:HEARTH:2" not in set(messages["dedupe_key"])
    before = shop.everything()
    run()
    assert shop.everything() == before
    drop(home, "holds", listed.assign(action="release", set_by="Ada", comment="she wants both"), 1, 1)
    run(AS_OF + timedelta(hours=2))
    assert held(shop) == {}
    assert "2" in served(shop)
    ended = shop.rows(schema.order_holds).iloc[0]
    assert (ended["ended_by"], ended["comment"]) == ("Ada", "she wants both")


def test_an_order_that_is_being_picked_keeps_its_turn_before_its_double(shop: Shop) -> None:
    """What has begun goes on, though it was placed later; the double that has not is held."""
    shop.order("2", {"CUP": 1}, **JANE, created_at=PAID + timedelta(hours=1), fulfilled_at=AS_OF)
    shop.order("1", {"CUP": 1}, **JANE)
    run()
    assert held(shop) == {"1": "duplicate"}


@pytest.mark.both_databases
def test_a_sheet_holds_until_a_moment_and_the_hold_ends_by_itself(shop: Shop, home: Path) -> None:
    """Set, and ended at its date; rows that cannot be are refused with what was found; said again it is a no-op."""
    for number in ("1", "2", "3"):
        shop.order(number, {"CUP": 1})
    shop.order("4", {"CUP": 1}, cancelled_at=PAID)
    shop.order("5", {"CUP": 1}, hold_reason="incomplete")
    until = "2026-03-07T09:00:00Z"
    rows = [
        {"order_number": "1", "action": "hold", "hold_reason": "fraud", "hold_until": until, "set_by": "Ada"},
        {"order_number": "2", "action": "hold", "set_by": "Ada"},
        {"order_number": "3", "action": ""},
        {"order_number": "4", "action": "hold", "set_by": "Ada"},
        {"order_number": "5", "action": "release", "set_by": "Ada"},
        {"order_number": "9", "action": "hold", "set_by": "Ada"},
    ]
    drop(home, "holds", pd.DataFrame(rows).fillna(""), 1, 0)
    refused = shop.rows(schema.quarantined_rows)["reasons"].tolist()
    assert [reason.partition(":")[0] for reason in refused] == ["order_number", "action", "order_number"]
    run()
    assert (held(shop), served(shop)) == ({"1": "fraud", "2": "manual"}, ["3", "5"])  # no row of 5 is in quarantine
    before = shop.everything()["order_holds"]
    drop(home, "holds", pd.DataFrame(rows[:3]).fillna("").assign(comment=""), 2, 1)
    assert shop.everything()["order_holds"] == before
    run(AS_OF + timedelta(hours=23))
    assert held(shop)["1"] == "fraud"
    run(AS_OF + timedelta(hours=24))
    assert (held(shop), served(shop)) == ({"2": "manual"}, ["1", "3", "5"])
    assert shop.rows(schema.order_holds)["ended_by"].dropna().tolist() == ["its date"]


def test_an_order_nobody_pays_expires_and_its_customer_is_told(shop: Shop) -> None:
    """After fourteen days, once; one that is held for a person does not; money that comes later is a person's case."""
    days = {"old": 15, "older": 40, "young": 13, "kept": 15}
    ids = {
        name: shop.order(name, {"CUP": 1}, paid_at=None, created_at=AS_OF - timedelta(days=age),
                         hold_reason="manual" if name == "kept" else None)
        for name, age in days.items()
    }  # fmt: skip
    run()
    before = shop.everything()
    run()
    assert shop.everything() == before
    orders = shop.rows(schema.orders).dropna(subset="expired_at")
    assert sorted(orders["order_number"]) == ["old", "older"]
    told = shop.rows(schema.messages).set_index("dedupe_key")["state"].to_dict()
    assert told == {"order_expired:HEARTH:old": "queued", "order_expired:HEARTH:older": "suppressed"}
    shop.change(ids["old"], paid_at=AS_OF)
    run(AS_OF + timedelta(hours=1))
    alerts = shop.rows(schema.alerts)
    assert alerts[["kind", "subject"]].to_numpy().tolist() == [["paid_after_expiry", "old"]]
    assert "old" not in served(shop)
    shop.change(ids["old"], refunded_minor=1000)
    run(AS_OF + timedelta(hours=2))
    assert shop.rows(schema.alerts)["state"].tolist() == ["resolved"]


def test_what_must_leave_soon_is_labelled(shop: Shop) -> None:
    """LATE, DUE within a day, and nothing else; the most overdue first."""
    for number, hours in (("1", 23), ("2", 25), ("3", -1), ("4", -30)):
        shop.order(number, {"CUP": 1}, ship_by=AS_OF + timedelta(hours=hours))
    run()
    listed = sheet("orders-due.csv")
    assert listed[["urgency", "order_number"]].to_numpy().tolist() == [["LATE", "4"], ["LATE", "3"], ["DUE", "1"]]
    assert listed["allocated"].tolist() == ["1", "1", "1"]
