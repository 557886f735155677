"""What was found of a file before: the same figures within the same limits need no second look.

It is read from the file's documents, so that a refused file that comes again costs no import of Great Expectations.
"""

import html
import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.gates.pages import is_closed_off


def broken_before(docs: Path, kind: str, name: str, as_of: datetime, expected: pd.DataFrame) -> list[int] | None:
    """Which rows of `expected` did not hold when the file was judged; None when it was not, or differs in anything."""
    for path in (docs / "results" / kind / name).glob(f"*/{kind}.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        page = docs / "validations" / path.relative_to(docs / "results").with_suffix(".html")
        if _same(result, as_of, expected) and is_closed_off(page):
            return [one["expectation_config"]["meta"]["limit"] for one in result["results"] if not one["success"]]
    return None


def _same(result: dict[str, Any], as_of: datetime, expected: pd.DataFrame) -> bool:
    """By the same version of Great Expectations, of the same moment, and of the same figures and limits."""
    meta = result["meta"]
    return (
        meta["great_expectations_version"] == version("great_expectations")
        and datetime.fromisoformat(meta["run_id"]["run_time"]) == as_of
        and [_judged(one) for one in result["results"]] == _to_judge(expected)
    )


def _judged(one: dict[str, Any]) -> tuple[object, ...]:
    config = one["expectation_config"]
    limits = config["kwargs"]
    return (
        config["meta"]["limit"], limits["column"], one["result"].get("observed_value"), limits.get("min_value"),
        limits.get("max_value"), config["severity"],
    )  # fmt: skip


def _to_judge(expected: pd.DataFrame) -> list[tuple[object, ...]]:
    values = dict(zip(expected["measure"], expected["value"], strict=True))  # what is judged has one column a measure
    rows = zip(*(expected[name] for name in ("measure", "at_least", "at_most", "refuses")), strict=True)
    return [
        (number, html.escape(measure), values[measure], _limit(least), _limit(most),
         "critical" if refuses else "warning")
        for number, (measure, least, most, refuses) in enumerate(rows)
    ]  # fmt: skip


def _limit(border: float) -> float | None:
    return None if pd.isna(border) else border
