"""The documents of plan-waves: pick lists with their maps, rows a picker fills in, the floor, and who was left out."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd
from prefect import task

from config.settings import settings
from tasks.configured import warehouses
from tasks.documents.run_folder import write_changed
from tasks.documents.tables import write_csv
from tasks.documents.whole_files import write_json, write_text
from tasks.domain.picking.pick_lists import handheld_list, with_places, with_revision_note
from tasks.domain.picking.routing.floor_picture import svg
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.steps.picking.plan_waves import ReleasedWaves
from tasks.steps.picking.warehouse_floors import warehouse_floors
from tasks.store.database.engine import reading
from tasks.store.picking import pick_lists

FLOW = "plan-waves"


@task(task_run_name="print pick lists")
def write_pick_lists(planned: ReleasedWaves, as_of: datetime) -> int:
    """Print the lists of every open wave that has none yet, those that were revised, and the orders left out where that
    changed; returns the number of files.
    """  # noqa: D205 - one sentence
    now = {"left-out.csv": planned.left_out, "off-the-floor.csv": planned.off_floor}
    files = write_changed(settings().home, FLOW, {}, now, as_of)
    with reading().connect() as connection:
        site_floors = warehouse_floors(connection, {site.code: site for site in warehouses()})
        for at in pick_lists.released_at(connection):
            target = settings().documents(FLOW, at)
            if not (target / "pick-list.csv").exists():
                files += _write_lists(
                    target, _with_floor_positions(pick_lists.pick_list(connection, at), site_floors), site_floors
                )
        for _, cart in _with_floor_positions(pick_lists.revised_lists(connection), site_floors).groupby(
            ["wave", "cart"]
        ):
            files += _write_revision(cart, site_floors)
    return files


def _with_floor_positions(stops: pd.DataFrame, site_floors: Mapping[str, SiteFloor]) -> pd.DataFrame:
    names = ["location_id", "across_m", "along_m"]
    reached = [one.reached[names] for one in site_floors.values()]
    return with_places(stops, pd.concat(reached) if reached else pd.DataFrame(columns=names, dtype="float64"))


def _write_lists(target: Path, stops: pd.DataFrame, site_floors: Mapping[str, SiteFloor]) -> int:
    """One wave after the other: on paper, for handhelds, and one map per cart."""
    from tasks.documents.pick_lists import picker_rows, write_pick_list  # with ReportLab, which only a list needs

    for code in stops["warehouse"].unique():
        site = site_floors[code]
        write_text(target / f"floor-{code}.svg", svg(site.floor, aisles=site.aisle_names))
    for wave, of_wave in stops.groupby("wave"):
        site = site_floors[of_wave["warehouse"].iloc[0]]
        write_pick_list(target / f"{wave}.pdf", of_wave, site.floor, site.aisle_names)
        write_json(target / f"{wave}.json", handheld_list(of_wave))
        for number, cart in of_wave.groupby("cart"):
            write_text(target / "maps" / f"{wave}-{number}.svg", _map(cart, site))
    write_csv(target / "pick-list.csv", picker_rows(stops))  # last: while it is missing, the lists are written again
    return stops["wave"].nunique() * 2 + stops.groupby(["wave", "cart"]).ngroups + stops["warehouse"].nunique() + 1


def _map(cart: pd.DataFrame, site: SiteFloor) -> str:
    walked = cart.drop_duplicates("stop").dropna(subset=["across_m", "along_m"])
    at = list(zip(walked["across_m"].tolist(), walked["along_m"].tolist(), strict=True))
    return svg(site.floor, at, walked["location"].tolist(), site.aisle_names)


def _write_revision(cart: pd.DataFrame, site_floors: Mapping[str, SiteFloor]) -> int:
    """The list of a cart that was planned again, unless it was printed."""
    first = cart.iloc[0]
    name = f"{first['wave']}-cart-{first['cart']}-R{first['list_revision']}"
    target = settings().documents(FLOW, first["revised_at"])
    if (target / f"{name}.csv").exists():
        return 0
    from tasks.documents.pick_lists import picker_rows, write_pick_list

    revised_stops, site = with_revision_note(cart), site_floors[first["warehouse"]]
    write_pick_list(target / f"{name}.pdf", revised_stops, site.floor, site.aisle_names)
    write_json(target / f"{name}.json", handheld_list(revised_stops))
    write_csv(target / f"{name}.csv", picker_rows(revised_stops[revised_stops["state"] == "open"]))
    return 3
