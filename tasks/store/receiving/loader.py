"""What a loader is told about the file at hand, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd


def _none() -> pd.DataFrame:
    return pd.DataFrame({"row_number": pd.Series(dtype="int64"), "reason": pd.Series(dtype="str")})


@dataclass(frozen=True)
class Intake:
    """One file being taken in."""

    import_id: int
    kind: str
    file_name: str
    as_of: datetime


@dataclass(frozen=True)
class Loaded:
    """What became of the rows: loaded + unchanged + refused = rows given.

    `refused`: row_number int64, reason str, one row per reason.
    """

    loaded: int
    unchanged: int
    refused: pd.DataFrame = field(default_factory=_none)
