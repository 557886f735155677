"""Tables for Prefect's UI: column names in words, whole numbers without decimals, moments with their time zone."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tasks.configured import clock_of

SHOWN_MAX = 200


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an artifact: every row has every column, and an empty table says so."""
    columns = dict.fromkeys(name for row in rows for name in row)
    table = [{name.replace("_", " "): _plain(row.get(name)) for name in columns} for row in rows]
    return table or [{"result": "nothing to show"}]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The first rows of a frame, for `shown`; moments are in the warehouses' time zone, which is named."""
    clock, first = clock_of(), frame.head(SHOWN_MAX)
    on_clock = {
        str(name): moments.dt.tz_convert(clock).dt.strftime(f"%Y-%m-%d %H:%M {clock.key}")
        for name, moments in first.select_dtypes("datetimetz").items()
    }
    rows = first.assign(**on_clock).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """3 for 3.0, blank for a missing value, yes and no for booleans, a moment as text."""
    if value is None or (not isinstance(value, (list, str)) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value if isinstance(value, (int, str)) else str(value)
