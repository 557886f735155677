"""A release from the database and back: drafted before anything is locked, checked by someone who does not trust it."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from floor import AS_OF, Shop
from sqlalchemy import Engine

from benchmarks.picking import release_check
from benchmarks.picking.release_backlog import AS_OF as FRIDAY
from benchmarks.picking.release_backlog import BacklogSize, build
from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.release.picker_capacity import BUSY, WAITS
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.domain.sites.sites import Warehouse
from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.picking.draft_waves import (
    CHANGED_REASON,
    Backlog,
    Draft,
    draft_waves,
    read_backlog,
    without_changed_orders,
)
from tasks.steps.picking.plan_waves import release_waves
from tasks.store.database.engine import reading

RULES = ("rules/waves.yaml", WaveRules)


def sites(pickers: int | None = None) -> dict[str, Warehouse]:
    """The warehouses, MAIN with so many pickers."""
    return {site.code: replace(site, pickers=pickers) if site.code == "MAIN" else site for site in warehouses()}


def draft(of: dict[str, Warehouse]) -> tuple[Backlog, list[Draft], pd.DataFrame]:
    """What could be released, the drafts, and who is left out."""
    with reading().connect() as connection:
        backlog = read_backlog(connection, of, read(*RULES), AS_OF)
    drafts, left = draft_waves(backlog, of, read(*RULES), None, AS_OF, map)
    return backlog, drafts, pd.concat(left)


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Cups in aisle B, trays far back."""
    made = Shop(store)
    for sku, place in (("CUP", "B-03"), ("TRAY", "D-09")):
        made.product(sku, weight_g=300, volume_ml=500)
        made.stock(sku, 40, place)
    return made


def test_what_changed_while_its_wave_was_planned_stays_behind(shop: Shop) -> None:
    """A held order and one another planner took leave the cart, which walks less; a new order waits for the next."""
    orders = [shop.order(str(number), {sku: 1}) for number, sku in enumerate(("CUP", "TRAY", "CUP"), 1)]
    allocate_stock.fn(AS_OF)
    backlog, drafts, _ = draft(sites())
    shop.change(orders[1], hold_reason="address")
    shop.order("4", {"CUP": 1})
    allocate_stock.fn(AS_OF)
    with reading().connect() as connection:
        now = read_backlog(connection, sites(), read(*RULES), AS_OF)
    stands, gone = without_changed_orders(drafts[0], backlog, now)
    assert gone[["order_number", "reason"]].to_numpy().tolist() == [["2", CHANGED_REASON]]
    assert sorted(stands.plan.stops["order_id"]) == [orders[0], orders[2]]
    assert stands.plan.carts["walk_m"].item() < drafts[0].plan.carts["walk_m"].item()
    release_waves.fn(None, None, AS_OF)
    with reading().connect() as connection:
        later = read_backlog(connection, sites(), read(*RULES), AS_OF)
    assert without_changed_orders(drafts[0], backlog, later)[0].plan.carts.empty


def test_pickers_who_are_too_few_take_what_must_leave(shop: Shop) -> None:
    """One picker until 17:00, 560 lines less those in hand: what is late tomorrow goes, what can wait says so."""
    shop.order("late", {"CUP": 1, "TRAY": 1}, ship_by=AS_OF - timedelta(days=1))
    shop.order("today", {"CUP": 1}, ship_by=AS_OF + timedelta(hours=8))
    shop.order("far", {"CUP": 1, "TRAY": 1}, ship_by=AS_OF + timedelta(days=5))
    shop.order("near", {"CUP": 1}, ship_by=AS_OF + timedelta(days=5))
    allocate_stock.fn(AS_OF)
    backlog, _, left = draft(sites(pickers=1))
    assert left.empty
    wait = {"far": WAITS, "near": WAITS}
    for free, expected in ((4, {"far": WAITS}), (3, wait), (2, {**wait, "today": BUSY})):
        busy = replace(backlog, in_hand={"MAIN": 560 - free})
        told = pd.concat(draft_waves(busy, sites(pickers=1), read(*RULES), None, AS_OF, map)[1])
        assert dict(zip(told["order_number"], told["reason"], strict=True)) == expected


def test_a_release_holds_when_it_is_checked_from_its_rows(store: Engine) -> None:
    """I5: each line once and whole, no cart overloaded, urgent first, each way as long as told on the floor's graph."""
    with store.begin() as connection:
        build(connection, BacklogSize(110, 264, 640))
    with reading().connect() as connection:
        backlog = read_backlog(connection, sites(), read(*RULES), FRIDAY)
    left = release_waves.fn(None, None, FRIDAY).left_out
    assert left["reason"].str.startswith("no cart holds it").all()
    expected = set(backlog.rows["allocation_id"][~backlog.rows["order_number"].isin(left["order_number"])])
    with reading().connect() as connection:
        stops = release_check.stops_of(connection)
    checked = backlog.floors["MAIN"].places, expected, sites()["MAIN"].carts
    assert release_check.problems(stops, *checked) == []
    longer = stops.assign(walk_m=stops["walk_m"].where(stops["cart"] != 1, stops["walk_m"] + 1))
    reordered = stops.assign(number=-stops["number"])
    for wrong in (stops.iloc[1:], pd.concat([stops, stops.iloc[:1]]), longer, reordered):
        assert release_check.problems(wrong, *checked) != []
