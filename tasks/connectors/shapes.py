"""What a column map cannot say: one small function for each layout whose rows are not one record each.

A shape takes the export's cells (str columns, index: row number in the file) and the layout's options, and gives
cells again: columns added, rows repeated under their number, or rows left out that say nothing of the kind.
"""

from collections.abc import Callable, Mapping

import pandas as pd

Options = Mapping[str, str | tuple[str, ...]]
Shape = Callable[[pd.DataFrame, Options], pd.DataFrame]

SHAPES: dict[str, Shape] = {}
