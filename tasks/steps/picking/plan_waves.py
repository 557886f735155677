"""Steps of plan-waves: release what can be picked, with a reason for each order left out."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.domain.picking.routing.durations import cart_s
from tasks.domain.sites.sites import Warehouse
from tasks.runs.step import step
from tasks.steps.picking.draft_waves import Draft, draft_waves, read_backlog, without_changed_orders
from tasks.steps.picking.parallel_planners import planners
from tasks.steps.picking.warehouse_floors import unreachable_places
from tasks.store.database.engine import engine, exclusive, reading
from tasks.store.picking import waves
from tasks.store.sites import warehouse_ids

WAVES = ["wave", "carts", "orders", "picks", "walk_m", "walk_minutes", "habit_m"]  # habit_m: beyond the shortest


@dataclass(frozen=True)
class ReleasedWaves:
    """The waves of one run (as in `WAVES`), who was left out, with the reason, and the places no tour can reach."""

    waves: pd.DataFrame
    left_out: pd.DataFrame
    off_floor: pd.DataFrame


@step(task_run_name="group orders into waves and carts")
def release_waves(warehouse: str | None, carrier: str | None, as_of: datetime) -> ReleasedWaves:
    """Put every promise that can be picked into one wave, and close the waves that are finished.

    Waves are planned before anything is locked. What has changed until they are written does not go along.
    """
    rules, sites = read("rules/waves.yaml", WaveRules), _sites(warehouse)
    with reading().connect() as connection:
        backlog = read_backlog(connection, sites, rules, as_of)
    with planners() as run:
        drafts, left_out = draft_waves(backlog, sites, rules, carrier, as_of, run)
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "waves")
        waves.close_finished(connection)
        now, released = read_backlog(connection, sites, rules, as_of), []
        for draft in drafts:
            current, changed_orders = without_changed_orders(draft, backlog, now)
            left_out.append(changed_orders)
            if len(current.plan.carts):
                released.append(_release(connection, current, rules, as_of))
    return ReleasedWaves(
        pd.DataFrame(released, columns=WAVES), _left_out(left_out), unreachable_places(backlog.floors, sites)
    )


def _sites(warehouse: str | None) -> dict[str, Warehouse]:
    return {site.code: site for site in warehouses() if warehouse in {None, site.code}}


def _release(connection: Connection, draft: Draft, rules: WaveRules, as_of: datetime) -> dict[str, object]:
    site, carrier, plan = draft.site, draft.carrier, draft.plan
    stem = release_rules.code_stem(site, carrier, f"{as_of.astimezone(ZoneInfo(site.time_zone)):%Y%m%d}")
    code = f"{stem}{waves.highest_wave_number(connection, stem) + 1}"
    wave = {
        "warehouse_id": warehouse_ids(connection)[site.code], "code": code, "carrier": carrier, "kind": str(draft.kind),
        "cut_off_at": release_rules.next_pickup(site, carrier, rules, as_of), "released_at": as_of,
    }  # fmt: skip
    stops = plan.stops.merge(draft.floor.reached[["location_id", "lifts"]], on="location_id", how="left")
    seconds = cart_s(stops, plan.carts.set_index("number")["walk_m"], site.picking.speeds)
    carts = plan.carts.assign(walk_s=plan.carts["number"].map(seconds).round(1))
    waves.release_wave(connection, wave, carts, plan.stops, plan.wall)
    habit = (carts["walk_m"] - carts["shortest_m"]).sum()
    return {
        "wave": code, "carts": len(carts), "orders": int(plan.stops["order_id"].nunique()), "picks": len(plan.stops),
        "walk_m": round(float(carts["walk_m"].sum()), 1), "walk_minutes": round(float(carts["walk_s"].sum()) / 60, 1),
        "habit_m": round(float(habit), 1),
    }  # fmt: skip


def _left_out(parts: list[pd.DataFrame]) -> pd.DataFrame:
    columns = ["warehouse", "carrier", "merchant", "order_number", "reason"]
    rows = pd.concat([one[columns] for one in parts]).drop_duplicates()
    return rows.sort_values(["warehouse", "merchant", "order_number"], ignore_index=True)
