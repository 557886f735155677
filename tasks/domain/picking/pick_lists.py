"""Pick lists beyond their stops: where these lie, what a revision changed, and the layout for handhelds."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from tasks.domain.states import PickState

Row = dict[str, Any]
WAVE_KEYS = ("wave", "kind", "warehouse", "carrier")
VERSION = 1  # of the layout for handhelds (docs/operate/waves.md); it grows when a key changes its meaning or goes


def with_places(stops: pd.DataFrame, reached: pd.DataFrame) -> pd.DataFrame:
    """`stops` (as in the store's `pick_list`) with what their list needs beside them, in their order.

    `reached`: location_id, across_m, along_m. Adds across_m, along_m, note (str, empty), standing_across_m and
    standing_along_m (float64, missing: the tour begins at the depot).
    """
    at = reached.set_index("location_id")[["across_m", "along_m"]].reindex(stops["location_id"]).reset_index(drop=True)
    rows = stops.reset_index(drop=True)
    return rows.assign(across_m=at["across_m"], along_m=at["along_m"], note="", standing_across_m=float("nan"),
                       standing_along_m=float("nan"))  # fmt: skip


def with_revision_note(stops: pd.DataFrame) -> pd.DataFrame:
    """The stops (as in `with_places`) of one cart whose list was revised, with its note and where the picker stands."""
    reported_stops = stops[stops["picked_at"].notna()].sort_values(["picked_at", "stop"]).tail(1)
    standing = {
        f"standing_{name}": reported_stops[name].iloc[0] for name in ("across_m", "along_m") if len(reported_stops)
    }
    return stops.assign(note=_note(stops), **standing)


def _note(stops: pd.DataFrame) -> str:
    """Such as: Revision 2: removed: order 5 (stop 3); new: 2 × CUP of order 7 (stop 6)."""
    revision = stops["list_revision"].iloc[0]
    removed_stops = stops[stops["left_revision"] == revision].groupby(["merchant", "order_number"])["stop"].unique()
    added_picks = stops[(stops["revision"] == revision) & (stops["state"] == PickState.OPEN)]
    removals = [f"order {key[1]} ({_stops(numbers)})" for key, numbers in removed_stops.items()]
    additions = [
        f"{one.planned} × {one.sku} of order {one.order_number} (stop {one.stop})" for one in added_picks.itertuples()
    ]
    changes = [f"{word}: {', '.join(words)}" for word, words in (("removed", removals), ("new", additions)) if words]
    if not (stops["state"] == PickState.OPEN).any():
        changes.append("nothing is left to pick")
    return f"Revision {revision}: " + "; ".join(changes)


def _stops(numbers: Sequence[int]) -> str:
    return f"stop{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def handheld_list(stops: pd.DataFrame) -> dict[str, Any]:
    """One wave in the layout for handhelds; `stops` as in `with_places`. Only what is still to be picked."""
    rows: list[Row] = [
        {str(name): _json_value(value) for name, value in row.items()} for row in stops.to_dict("records")
    ]
    cut_off_at = rows[0]["cut_off_at"]
    return {
        "layout": "pick-list", "version": VERSION, **{name: rows[0][name] for name in WAVE_KEYS},
        "cut_off_at": f"{cut_off_at:%Y-%m-%dT%H:%M:%SZ}" if cut_off_at else None,
        "carts": [_cart(list(cart)) for _, cart in groupby(rows, itemgetter("cart"))],
    }  # fmt: skip


def _cart(rows: list[Row]) -> dict[str, Any]:
    first, ahead = rows[0], [row for row in rows if row["state"] == PickState.OPEN]
    return {
        "cart": first["cart"], "barcode": f"{first['wave']}/{first['cart']}", "zone": first["zone"],
        "revision": first["list_revision"], "changed": first["note"], "walk_m": first["walk_m"],
        "seconds": first["walk_s"], "stops": [_stop(list(stop)) for _, stop in groupby(ahead, itemgetter("stop"))],
    }  # fmt: skip


def _stop(rows: list[Row]) -> dict[str, Any]:
    stop = {name: rows[0][name] for name in ("stop", "location", "across_m", "along_m")}
    return stop | {"picks": [_pick(row) for row in rows]}


def _pick(row: Row) -> dict[str, Any]:
    pick = {name: row[name] for name in ("merchant", "order_number", "sku", "name", "barcode")}
    wall = row["wall_position"]
    return pick | {
        "lot": row["lot"] or None, "quantity": row["planned"], "position": row["position"],
        "wall_position": None if wall is None else int(wall),
    }  # fmt: skip


def _json_value(value: Any) -> Any:
    """The value as JSON takes it; nothing where it is missing."""
    return None if pd.isna(value) else value.item() if hasattr(value, "item") else value
