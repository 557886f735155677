"""Shapes of stock and counts: one column per location or condition, places written as paths."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tasks.inbox.shape_cells import Options, column, list_option, text_option, whole, whole_text

NOT_STOCKED = "not stocked"  # the shop does not stock the goods there, which is not the same as 0
ON_HAND, CONDITION, WAREHOUSE, LOCATION = "on hand here", "condition here", "warehouse here", "location here"


def _not_stocked(text: pd.Series) -> pd.Series:
    return text.str.strip().str.casefold() == NOT_STOCKED


def split_unavailable(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One row per place with `on_hand`, of which `unavailable` units become a second record in quarantine.

    Adds `on hand here` and `condition here`. Without a number on hand, it is the sum of available, committed and
    unavailable units. Rows that say "not stocked" are ignored.
    """
    stated = column(cells, text_option(options, "on_hand"))
    cells = cells[~(_not_stocked(stated) | _not_stocked(column(cells, text_option(options, "available"))))]
    stated = column(cells, text_option(options, "on_hand"))
    parts = [whole(column(cells, text_option(options, name))) for name in ("available", "committed", "unavailable")]
    on_hand = whole(stated).where(stated.notna(), parts[0] + parts[1] + parts[2])
    aside = parts[2].fillna(0).clip(lower=0)
    usable = whole_text(on_hand - aside).where(on_hand.notna(), stated)
    return _by_condition(cells, {"available": usable, "quarantine": whole_text(aside)})


def split_conditions(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One row per product with a column per condition: a record for each one with units, and for `available`."""
    return _by_condition(cells, {name: column(cells, text_option(options, name)) for name in options})


def _by_condition(cells: pd.DataFrame, units: Mapping[str, pd.Series]) -> pd.DataFrame:
    records = []
    for condition, text in units.items():
        record = cells.assign(**{ON_HAND: text}).assign(**{CONDITION: condition})
        has_units = text.notna() & (whole(text).fillna(1) != 0)
        records.append(record if condition == "available" else record[has_units])
    return pd.concat(records).sort_index(kind="stable")


def melt_locations(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One column per location, named as in the shop: every column that is not one of `goods`.

    Adds `warehouse here` and `on hand here`; a cell that says "not stocked" makes no record.
    """
    goods = {name.casefold() for name in list_option(options, "goods")}
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
    path = cells[text_option(options, "path")].str.strip().str.strip("/")
    last = path.str.extract(r"/\s*([^/]*)$", expand=False).astype("str")
    root = last.str.casefold() == text_option(options, "root").casefold()
    goods = cells[text_option(options, "goods")]
    coded = goods.str.extract(r"^\s*\[([^\]]+)\]", expand=False).astype("str")
    return cells.assign(
        **{
            WAREHOUSE: path.str.extract(r"^([^/]*)", expand=False).astype("str").str.strip(),
            LOCATION: last.where(~root),
            "sku here": coded.where(coded.notna(), goods),
        }
    )


def filled_rows(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Rows with a text in one of the columns `says`; the others were printed and left empty."""
    is_filled = [column(cells, name).fillna("").str.strip() != "" for name in list_option(options, "says")]
    return cells[pd.concat(is_filled, axis="columns").any(axis="columns")]
