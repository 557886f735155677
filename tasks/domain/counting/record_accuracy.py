"""Inventory record accuracy."""

import pandas as pd

from tasks.domain.counting.count_plans import CLASSES


def record_accuracy(findings: pd.DataFrame) -> pd.DataFrame:
    """Inventory record accuracy of what was counted, over all and by ABC class.

    `findings`: abc_class str, expected, difference int64, unit_minor Int64, within_tolerance bool, one row a counted
    place. Hit or miss a place, never netted; stock found where the record said nothing is a miss. By value: the value
    recorded less the absolute value of every difference (not below 0). Gives abc_class, places, right, accuracy
    (part of one), value_minor, off_minor, accuracy_value (missing where nothing has a value).
    """
    unit = findings["unit_minor"].astype("Int64").fillna(0)
    hit = findings["within_tolerance"] & ((findings["expected"] > 0) | (findings["difference"] == 0))
    rows = pd.DataFrame(
        {
            "abc_class": findings["abc_class"].where(findings["abc_class"].isin(CLASSES), "C"),
            "places": 1,
            "right": hit.astype("int64"),
            "value_minor": (findings["expected"].clip(lower=0) * unit).astype("int64"),
            "off_minor": (findings["difference"].abs() * unit).astype("int64"),
        }
    )
    rows["kept"] = (rows["value_minor"] - rows["off_minor"]).clip(lower=0)
    every = pd.concat([rows, rows.assign(abc_class="all")]).groupby("abc_class", sort=True).sum().reset_index()
    accuracy = every["right"] / every["places"]
    by_value = (every["kept"] / every["value_minor"].where(every["value_minor"] > 0)).round(4)
    groups = every.assign(accuracy=accuracy.round(4), accuracy_value=by_value)
    return groups[["abc_class", "places", "right", "accuracy", "value_minor", "off_minor", "accuracy_value"]]
