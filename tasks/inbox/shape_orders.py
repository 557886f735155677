"""Shapes of orders: cells on the first row of an order only, lines without numbers, lines packed in one cell."""

import re

import pandas as pd

from tasks.inbox.shape_cells import Options, amount, cents_text, list_option, positions, text_option, whole

POSITION = "line position"
_DETAILS = ("Product ID", "Product Qty", "Product SKU", "Product Name", "Product Weight", "Product Variation Details",
            "Product Unit Price", "Product Total Price")  # fmt: skip
_OPTIONAL = ("Product Weight", "Product Variation Details")


def carry_down(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Fill the blank `carry` cells of a row from the first row with the same `key`, and number the rows of a key.

    Adds `line position`, 1 for the first row.
    """
    first, numbers = positions(cells[text_option(options, "key")])
    filled = {}
    for name in list_option(options, "carry"):
        if name in cells:
            head = pd.Series(cells[name].array.take(first), index=cells.index)
            filled[name] = cells[name].where(cells[name].notna(), head)
    return cells.assign(**filled, **{POSITION: numbers})


def number_lines(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Number the lines of each `order`, by its `item` where that is a number, and price one unit.

    Adds `line position`, and `unit price`: the `line_price` divided by the `quantity`, where that is exact.
    """
    _, numbers = positions(cells[text_option(options, "order")])
    item, price = text_option(options, "item"), text_option(options, "line_price")
    if item in cells:
        stated = cells[item].str.fullmatch(r"[1-9]\d{0,17}").fillna(value=False).astype(bool)
        numbers = cells[item].where(stated, numbers)
    cells = cells.assign(**{POSITION: numbers})
    if price not in cells:
        return cells
    return cells.assign(**{"unit price": _per_unit(cells[price], whole(cells[text_option(options, "quantity")]))})


def _per_unit(price: pd.Series, quantity: pd.Series) -> pd.Series:
    """A line's price for one unit; missing where the division leaves a remainder."""
    cents = (amount(price) * 100).round().astype("Int64")
    units = quantity.where(quantity > 0)
    exact = (cents % units == 0).fillna(value=False).astype(bool)
    return price.where(quantity == 1, cents_text((cents // units).where(exact)))


def unpack_lines(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One row per line, of orders with all lines in one cell, `Product ID: 1, Product Qty: 2, … | Product ID: …`.

    A name may contain commas and bars: a line begins at `Product ID:`, and a detail ends at the name of the next one.
    Adds a column for each detail, and `line position`. A line that cannot be read has no details.
    """
    lines = cells[text_option(options, "packed")].str.split(r"\s*\|\s*(?=Product ID:)", regex=True)
    rows = cells.assign(**{POSITION: lines}).explode(POSITION)
    details = rows[POSITION].astype("str").str.extract(_packed_line(), flags=re.DOTALL)
    details = details.astype("str").where(details != "").set_axis(list(_DETAILS), axis="columns")
    rows[POSITION] = positions(pd.Series(rows.index, index=rows.index))[1]
    return pd.concat([rows, details], axis="columns")


def _packed_line() -> str:
    parts = []
    for name in _DETAILS:
        comma = "" if name == _DETAILS[0] else r",\s*"
        part = rf"{comma}{name}:\s*(.*?)\s*"
        parts.append(f"(?:{part})?" if name in _OPTIONAL else part)
    return r"^\s*" + "".join(parts) + r"[,|\s]*$"
