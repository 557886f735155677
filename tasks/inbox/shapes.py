"""What a column map cannot say: one small function for each way in which rows are not one record each.

A shape takes the export's cells (str columns, index: row number in the file) and the layout's options, and gives
cells again: columns added, rows repeated under their number, or rows left out that say nothing of the kind. What
cannot be understood is passed on as it is, or as missing: the rules of the kind refuse it with a reason.
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
