"""Steps of plan-waves: release what can be picked, say why the rest is not."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import warehouses
from tasks.domain.sites import Warehouse
from tasks.domain.waves import selection
from tasks.domain.waves.selection import WaveRules
from tasks.draft_waves import Draft, drafted, read_backlog, standing
from tasks.share_parts import planners
from tasks.steps import step
from tasks.store import waves
from tasks.store.engine import engine, exclusive, reading
from tasks.store.sites import warehouse_ids


class UnknownChoiceError(ValueError):
    """A parameter names a warehouse or a carrier nobody configured."""


@dataclass(frozen=True)
class Planned:
    """The waves of one run: wave, carrier, carts, orders, picks, walk_m; and who was left out, with the reason."""

    waves: pd.DataFrame
    left_out: pd.DataFrame


@step(task_run_name="group orders into waves and carts")
def release_waves(warehouse: str | None, carrier: str | None, as_of: datetime) -> Planned:
    """Put every promise that can be picked into one wave, and close the waves that are finished.

    Waves are planned before anything is locked. What has changed until they are written does not go along.
    """
    rules, sites = read("rules/waves.yaml", WaveRules), _sites(warehouse, carrier)
    with reading().connect() as connection:
        backlog = read_backlog(connection, sites, rules, as_of)
    with planners() as run:
        drafts, left = drafted(backlog, sites, rules, carrier, as_of, run)
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "waves")
        waves.close_finished(connection)
        now, made = read_backlog(connection, sites, rules, as_of), []
        for draft in drafts:
            stands, gone = standing(draft, backlog, now)
            left.append(gone)
            if len(stands.plan.carts):
                made.append(_release(connection, stands, rules, as_of))
    return Planned(pd.DataFrame(made, columns=["wave", "carts", "orders", "picks", "walk_m"]), _left_out(left))


def _sites(warehouse: str | None, carrier: str | None) -> dict[str, Warehouse]:
    sites = {site.code: site for site in warehouses()}
    known = sorted({one.name for site in sites.values() for one in site.carriers})
    if warehouse is not None and warehouse not in sites:
        raise UnknownChoiceError(f"warehouse: found {warehouse!r}, expected one of {', '.join(sites)}")
    if carrier is not None and carrier not in known:
        raise UnknownChoiceError(f"carrier: found {carrier!r}, expected one of {', '.join(known)}")
    return {site.code: site for site in sites.values() if warehouse in {None, site.code}}


def _release(connection: Connection, draft: Draft, rules: WaveRules, as_of: datetime) -> dict[str, object]:
    site, carrier, plan = draft.site, draft.carrier, draft.plan
    stem = selection.code_stem(site, carrier, f"{as_of.astimezone(ZoneInfo(site.time_zone)):%Y%m%d}")
    code = f"{stem}{waves.numbers_taken(connection, stem) + 1}"
    wave = {
        "warehouse_id": warehouse_ids(connection)[site.code], "code": code, "carrier": carrier,
        "cut_off_at": selection.next_pickup(site, carrier, rules, as_of), "released_at": as_of,
    }  # fmt: skip
    waves.release_wave(connection, wave, plan.carts, plan.stops)
    return {
        "wave": code, "carts": len(plan.carts), "orders": int(plan.stops["order_id"].nunique()),
        "picks": len(plan.stops), "walk_m": round(float(plan.carts["walk_m"].sum()), 1),
    }  # fmt: skip


def _left_out(found: list[pd.DataFrame]) -> pd.DataFrame:
    columns = ["warehouse", "carrier", "merchant", "order_number", "reason"]
    rows = pd.concat([one[columns] for one in found]).drop_duplicates()
    return rows.sort_values(["warehouse", "merchant", "order_number"], ignore_index=True)
