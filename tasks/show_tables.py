"""Tables for Prefect's UI as an analyst reads them: columns in words, whole numbers whole, nothing where nothing is."""

from collections.abc import Mapping, Sequence
from typing import Any


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an artifact; every row has every column, and a run that found nothing says so."""
    columns = dict.fromkeys(name for row in rows for name in row)
    table = [{name.replace("_", " "): _plain(row.get(name)) for name in columns} for row in rows]
    return table or [{"result": "nothing this time"}]


def _plain(value: Any) -> Any:
    """3 for 3.0, blank for what is missing, yes and no; a number written as text stays a text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if value != value else int(value) if value.is_integer() else value  # noqa: PLR0124 - not a number
    if isinstance(value, str):
        whole = value.removesuffix(".0")
        return whole if whole.removeprefix("-").isdigit() else "" if value in MISSING else value
    return "" if value is None else value


MISSING = ("nan", "NaN", "NaT", "None", "<NA>")
