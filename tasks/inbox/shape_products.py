"""Shapes of products: weights and sizes in the export's own units, rows that only hold a picture."""

import numpy as np
import pandas as pd

from tasks.inbox.shape_cells import Options, amount, column, list_option, text_option, whole_text
from tasks.inbox.shape_orders import carry_down

GRAMS = {"g": 1.0, "kg": 1000.0, "lb": 453.59237, "lbs": 453.59237, "oz": 28.349523125}
CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0, "in": 2.54, "ft": 30.48}


def goods(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Products with their own cells, `weight g` (whole grams) and `volume ml` (whole millilitres).

    Options: `weight` and its `weight_unit`, three `sides` and their `side_unit`; a unit is a word, or the column with
    it. With `key` and `carry`, blank cells are filled from the first row of the product. Rows without any cell of
    `sold` are ignored. A weight that is no number stays as it is, to be refused; the volume is missing when a side is
    missing or not positive.
    """
    if "key" in options:
        cells = carry_down(cells, options)
    if "sold" in options:
        cells = cells[cells[[name for name in list_option(options, "sold") if name in cells]].notna().any(axis=1)]
    return cells.assign(**{"weight g": _grams(cells, options), "volume ml": _millilitres(cells, options)})


def _grams(cells: pd.DataFrame, options: Options) -> pd.Series:
    weights = column(cells, text_option(options, "weight"))
    grams = amount(weights) * _factor(cells, text_option(options, "weight_unit"), GRAMS)
    return whole_text(grams.round()).where(grams.notna(), weights)


def _millilitres(cells: pd.DataFrame, options: Options) -> pd.Series:
    factor = _factor(cells, text_option(options, "side_unit"), CENTIMETRES)
    volume = pd.Series(1.0 if list_option(options, "sides") else np.nan, index=cells.index)
    for side in list_option(options, "sides"):
        length = amount(column(cells, side)) * factor
        volume *= length.where(length > 0)
    return whole_text(volume.round())


def _factor(cells: pd.DataFrame, unit: str, factors: dict[str, float]) -> pd.Series | float:
    if unit in factors or unit not in cells:
        return factors.get(unit, np.nan)
    return cells[unit].str.strip().str.casefold().map(factors).astype("float64")
