"""Shapes of products: weights and sizes in the export's own units, rows that only hold a picture."""

import numpy as np
import pandas as pd

from tasks.inbox.shape_cells import Options, amount, column, many, one, whole_text
from tasks.inbox.shape_orders import carry_down

GRAMS = {"g": 1.0, "kg": 1000.0, "lb": 453.59237, "lbs": 453.59237, "oz": 28.349523125}
CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0, "in": 2.54, "ft": 30.48}


def goods(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Products with `weight g` (whole grams) and `volume ml` (whole millilitres) beside their own cells.

    `weight` and its `weight_unit`, three `sides` and their `side_unit`; a unit is a word or the column that says it.
    With `key` and `carry`, blank cells are filled from the first row of the product. Rows without any cell of
    `sold` say nothing of goods. What is no number stays as it is, to be refused; sizes that are not all known or
    not positive say nothing.
    """
    if "key" in options:
        cells = carry_down(cells, options)
    if "sold" in options:
        cells = cells[cells[[name for name in many(options, "sold") if name in cells]].notna().any(axis=1)]
    return cells.assign(**{"weight g": _grams(cells, options), "volume ml": _millilitres(cells, options)})


def _grams(cells: pd.DataFrame, options: Options) -> pd.Series:
    said = column(cells, one(options, "weight"))
    grams = amount(said) * _factor(cells, one(options, "weight_unit"), GRAMS)
    return whole_text(grams.round()).where(grams.notna(), said)


def _millilitres(cells: pd.DataFrame, options: Options) -> pd.Series:
    factor = _factor(cells, one(options, "side_unit"), CENTIMETRES)
    volume = pd.Series(1.0 if many(options, "sides") else np.nan, index=cells.index)
    for side in many(options, "sides"):
        length = amount(column(cells, side)) * factor
        volume *= length.where(length > 0)
    return whole_text(volume.round())


def _factor(cells: pd.DataFrame, unit: str, factors: dict[str, float]) -> pd.Series | float:
    if unit in factors or unit not in cells:
        return factors.get(unit, np.nan)
    return cells[unit].str.strip().str.casefold().map(factors).astype("float64")
