"""Stored results: a file with the same figures and limits as before is not validated again.

They are read from the file's documents, so that a refused file that is delivered again does not need the slow import of
Great Expectations.
"""

import html
import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.gates.pages import is_closed_off


def earlier_failures(docs: Path, kind: str, name: str, as_of: datetime, expected: pd.DataFrame) -> list[int] | None:
    """The rows of `expected` that did not hold when the file was judged before; None without an equal result."""
    for path in (docs / "results" / kind / name).glob(f"*/{kind}.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        page = docs / "validations" / path.relative_to(docs / "results").with_suffix(".html")
        if _is_same(result, as_of, expected) and is_closed_off(page):
            return [
                outcome["expectation_config"]["meta"]["limit"]
                for outcome in result["results"]
                if not outcome["success"]
            ]
    return None


def _is_same(result: dict[str, Any], as_of: datetime, expected: pd.DataFrame) -> bool:
    """Whether a result has the same version of Great Expectations, moment, figures and limits."""
    meta = result["meta"]
    return (
        meta["great_expectations_version"] == version("great_expectations")
        and datetime.fromisoformat(meta["run_id"]["run_time"]) == as_of
        and [_judged(outcome) for outcome in result["results"]] == _to_judge(expected)
    )


def _judged(outcome: dict[str, Any]) -> tuple[object, ...]:
    config = outcome["expectation_config"]
    limits = config["kwargs"]
    return (
        config["meta"]["limit"],
        limits["column"],
        outcome["result"].get("observed_value"),
        limits.get("min_value"),
        limits.get("max_value"),
        config["severity"],
    )


def _to_judge(expected: pd.DataFrame) -> list[tuple[object, ...]]:
    rows = zip(*(expected[name] for name in ("measure", "value", "at_least", "at_most", "refuses")), strict=True)
    return [
        (
            number,
            html.escape(measure),
            value,
            _limit(at_least),
            _limit(at_most),
            "critical" if refuses else "warning",
        )
        for number, (measure, value, at_least, at_most, refuses) in enumerate(rows)
    ]


def _limit(border: float) -> float | None:
    return None if pd.isna(border) else border
