"""Helpers for shapes: options, numbers in cells, and numbers written back as texts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

Options = Mapping[str, str | tuple[str, ...]]

_WHOLE = r"[+-]?\d{1,15}(?:\.0+)?"
_AMOUNT = r"[+-]?\d{1,12}(?:\.\d{1,9})?"


def text_option(options: Options, name: str) -> str:
    """The option `name`, a single word; empty when it is not set."""
    value = options.get(name, "")
    return value if isinstance(value, str) else value[0]


def list_option(options: Options, name: str) -> tuple[str, ...]:
    """The option `name`, a list of words; empty when it is not set."""
    value = options.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)


def column(cells: pd.DataFrame, name: str) -> pd.Series:
    """The column `name`, or a column of missing texts."""
    return cells[name] if name in cells else pd.Series(np.nan, index=cells.index, dtype="str")


def _bare(text: pd.Series) -> pd.Series:
    """Texts without what a spreadsheet adds around a number, and with a decimal point."""
    bare = text.str.strip().str.replace(r"^'|^=\"|\"$", "", regex=True)
    return bare.str.replace(r"^([+-]?\d+),(\d{1,2})$", r"\1.\2", regex=True)


def whole(text: pd.Series) -> pd.Series:
    """Whole numbers as Int64; missing where the text is not one."""
    bare = _bare(text)
    return amount(text).where(bare.str.fullmatch(_WHOLE).fillna(value=False).astype(bool)).astype("Int64")


def amount(text: pd.Series) -> pd.Series:
    """Decimal numbers as float64; missing where the text is not one."""
    bare = _bare(text)
    clean = bare.where(bare.str.fullmatch(_AMOUNT).fillna(value=False).astype(bool))
    return pd.to_numeric(clean, errors="coerce").astype("float64")


def whole_text(numbers: pd.Series) -> pd.Series:
    """Whole numbers (any numeric dtype) as texts; missing stays missing."""
    return numbers.astype("Int64").astype("str").where(numbers.notna(), np.nan).astype("str")


def cents_text(cents: pd.Series) -> pd.Series:
    """Hundredths (Int64) as texts such as 12.50; missing stays missing."""
    sign = pd.Series(np.where(cents.fillna(0) < 0, "-", ""), index=cents.index, dtype="str")
    units, cents_left = cents.abs() // 100, cents.abs() % 100
    return (sign + whole_text(units) + "." + whole_text(cents_left).str.zfill(2)).astype("str")


def positions(key: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """For each row: the position of the first row with its key, and its number among the rows of that key, from 1."""
    codes, _ = pd.factorize(key, use_na_sentinel=False)
    first = np.unique(codes, return_index=True)[1]
    numbers = pd.Series(codes).groupby(codes).cumcount() + 1
    return (first[codes] if len(codes) else codes), whole_text(numbers.set_axis(key.index))
