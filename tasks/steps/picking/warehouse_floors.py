"""The floors of warehouses, for the steps of plan-waves."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.picking.routing.warehouse_floor import SiteFloor, site_floor
from tasks.domain.sites.sites import Warehouse
from tasks.store.picking.waves import pick_locations


def warehouse_floors(connection: Connection, sites: Mapping[str, Warehouse]) -> dict[str, SiteFloor]:
    """The floor of each warehouse that has pick places, by code."""
    places = pick_locations(connection)
    site_places = places[places["warehouse"].isin(sites)]
    return {
        str(code): site_floor(warehouse_places, sites[str(code)].floor)
        for code, warehouse_places in site_places.groupby("warehouse")
    }


def with_unreachable_reasons(rows: pd.DataFrame, floors: Mapping[str, SiteFloor]) -> pd.DataFrame:
    """`rows` (with location_id) with off (str): why their place cannot be reached, empty where it can."""
    reasons = [one.places.set_index("location_id")["off"] for one in floors.values()]
    reason_by_place = pd.concat(reasons) if reasons else pd.Series(dtype="str")
    return rows.assign(off=rows["location_id"].map(reason_by_place).fillna("").astype("str"))


def unreachable_places(floors: Mapping[str, SiteFloor], sites: Mapping[str, Warehouse]) -> pd.DataFrame:
    """Every pick place that does not lie on its warehouse's floor plan: warehouse, location, reason."""
    off_plan = [one.off for code, one in floors.items() if sites[code].floor]
    rows = pd.concat(off_plan) if off_plan else pd.DataFrame(columns=["warehouse", "location", "off"], dtype="str")
    nowhere = rows["warehouse"].map({code: site.default_location for code, site in sites.items()})
    return rows[rows["location"] != nowhere].rename(columns={"off": "reason"}).reset_index(drop=True)
