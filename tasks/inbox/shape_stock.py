"""Shapes of stock and counts: a column a location, a column a condition, places written as paths."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tasks.inbox.shape_cells import Options, column, many, one, whole, whole_text

NOT_STOCKED = "not stocked"  # the shop does not keep the goods there; that is not 0
ON_HAND, CONDITION, WAREHOUSE, LOCATION = "on hand here", "condition here", "warehouse here", "location here"


def _not_stocked(text: pd.Series) -> pd.Series:
    return text.str.strip().str.casefold() == NOT_STOCKED


def split_unavailable(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """A row a place with `on_hand`, of which `unavailable` units are set aside: these become a second record.

    Adds `on hand here` and `condition here`. Without a number on hand it is the sum of `parts`. Rows that say
    "not stocked" are left out.
    """
    said = column(cells, one(options, "on_hand"))
    cells = cells[~(_not_stocked(said) | _not_stocked(column(cells, one(options, "available"))))]
    said = column(cells, one(options, "on_hand"))
    parts = [whole(column(cells, one(options, name))) for name in ("available", "committed", "unavailable")]
    on_hand = whole(said).where(said.notna(), parts[0] + parts[1] + parts[2])
    aside = parts[2].fillna(0).clip(lower=0)
    usable = whole_text(on_hand - aside).where(on_hand.notna(), said)
    return _by_condition(cells, {"available": usable, "quarantine": whole_text(aside)})


def split_conditions(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """A row a product with a column a condition: a record for each that has units, always one for `available`."""
    return _by_condition(cells, {name: column(cells, one(options, name)) for name in options})


def _by_condition(cells: pd.DataFrame, units: Mapping[str, pd.Series]) -> pd.DataFrame:
    records = []
    for condition, text in units.items():
        record = cells.assign(**{ON_HAND: text}).assign(**{CONDITION: condition})
        some = text.notna() & (whole(text).fillna(1) != 0)
        records.append(record if condition == "available" else record[some])
    return pd.concat(records).sort_index(kind="stable")


def melt_locations(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """A column a location, called as the shop calls it: every column that is not one of `goods`.

    Adds `warehouse here` and `on hand here`; a cell that says "not stocked" is no record.
    """
    goods = {name.casefold() for name in many(options, "goods")}
    places = [name for name in cells.columns if name.casefold() not in goods]
    if not places:
        return cells.iloc[:0].assign(**{WAREHOUSE: "", ON_HAND: ""})
    rows = cells.drop(columns=places).take(np.repeat(np.arange(len(cells)), len(places)))
    units = pd.concat([cells[name] for name in places]).sort_index(kind="stable")
    names = pd.Series(places, dtype="str").take(list(range(len(places))) * len(cells)).set_axis(rows.index)
    rows = rows.assign(**{WAREHOUSE: names, ON_HAND: units.array})
    return rows[~_not_stocked(rows[ON_HAND])]


def split_paths(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Places written as `WH/Stock/A-01`, goods written as `[SKU] name`.

    Adds `warehouse here` (the first step), `location here` (the last, unless that is only `root`) and `sku here`.
    """
    path = cells[one(options, "path")].str.strip().str.strip("/")
    last = path.str.extract(r"/\s*([^/]*)$", expand=False).astype("str")
    root = last.str.casefold() == one(options, "root").casefold()
    goods = cells[one(options, "goods")]
    coded = goods.str.extract(r"^\s*\[([^\]]+)\]", expand=False).astype("str")
    return cells.assign(
        **{
            WAREHOUSE: path.str.extract(r"^([^/]*)", expand=False).astype("str").str.strip(),
            LOCATION: last.where(~root),
            "sku here": coded.where(coded.notna(), goods),
        }
    )


def filled_rows(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Rows that say something in one of the columns of `says`; the others were left empty, as they were printed."""
    said = [column(cells, name).fillna("").str.strip() != "" for name in many(options, "says")]
    return cells[pd.concat(said, axis="columns").any(axis="columns")]
