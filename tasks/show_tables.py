"""Tables for Prefect's UI as an analyst reads them: columns in words, whole numbers whole, nothing where nothing is."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

SHOWN_MAX = 200


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an artifact; every row has every column, and a run that found nothing says so."""
    columns = dict.fromkeys(name for row in rows for name in row)
    table = [{name.replace("_", " "): _plain(row.get(name)) for name in columns} for row in rows]
    return table or [{"result": "nothing this time"}]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The first rows of a frame, for `shown`."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in _first(frame)]


def _first(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.head(SHOWN_MAX).to_dict("records")


def _plain(value: Any) -> Any:
    """3 for 3.0, blank for what is missing, yes and no, a moment as text."""
    if value is None or (not isinstance(value, (list, str)) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value if isinstance(value, (int, str)) else str(value)
