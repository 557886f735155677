"""Shapes: functions for exports in which a row is not one record, which a map of columns cannot express.

A shape takes the export's cells (str columns, index: row number in the file) and the layout's options, and returns
cells: with columns added, rows repeated under their number, or rows left out that are not about the kind. A text that
cannot be read is passed on as it is, or as missing: the rules of the kind refuse it with a reason.
"""

from collections.abc import Callable

import pandas as pd

from tasks.inbox.shape_cells import Options
from tasks.inbox.shape_invoices import adjustments, credit_notes, invoices
from tasks.inbox.shape_orders import carry_down, number_lines, unpack_lines
from tasks.inbox.shape_products import goods
from tasks.inbox.shape_stock import filled_rows, melt_locations, split_conditions, split_paths, split_unavailable

Shape = Callable[[pd.DataFrame, Options], pd.DataFrame]

SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        adjustments,
        carry_down,
        credit_notes,
        filled_rows,
        goods,
        invoices,
        melt_locations,
        number_lines,
        split_conditions,
        split_paths,
        split_unavailable,
        unpack_lines,
    )
}
