"""What the steps of plan-waves know of each warehouse's floor."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.picking.routing.warehouse_floor import SiteFloor, site_floor
from tasks.domain.sites.sites import Warehouse
from tasks.store.picking.waves import pick_places


def floors(connection: Connection, sites: Mapping[str, Warehouse]) -> dict[str, SiteFloor]:
    """The floor of each warehouse that has pick places, by code."""
    places = pick_places(connection)
    mine = places[places["warehouse"].isin(sites)]
    return {str(code): site_floor(of_site, sites[str(code)].floor) for code, of_site in mine.groupby("warehouse")}


def with_off(rows: pd.DataFrame, of_sites: Mapping[str, SiteFloor]) -> pd.DataFrame:
    """`rows` (with location_id) with off (str): why their place cannot be reached, empty where it can."""
    off = [one.places.set_index("location_id")["off"] for one in of_sites.values()]
    told = pd.concat(off) if off else pd.Series(dtype="str")
    return rows.assign(off=rows["location_id"].map(told).fillna("").astype("str"))


def off_the_plan(of_sites: Mapping[str, SiteFloor], sites: Mapping[str, Warehouse]) -> pd.DataFrame:
    """Every pick place that does not lie on its warehouse's floor plan: warehouse, location, reason."""
    planned = [one.off for code, one in of_sites.items() if sites[code].floor]
    rows = pd.concat(planned) if planned else pd.DataFrame(columns=["warehouse", "location", "off"], dtype="str")
    nowhere = rows["warehouse"].map({code: site.default_location for code, site in sites.items()})
    return rows[rows["location"] != nowhere].rename(columns={"off": "reason"}).reset_index(drop=True)
