"""The arguments and the result of a loader."""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd


def no_refusals() -> pd.DataFrame:
    """No refused rows: row_number int64, reason str."""
    return pd.DataFrame({"row_number": pd.Series(dtype="int64"), "reason": pd.Series(dtype="str")})


@dataclass(frozen=True)
class Intake:
    """The file that is being imported."""

    import_id: int
    kind: str
    file_name: str
    as_of: datetime


@dataclass(frozen=True)
class Loaded:
    """The outcome of the rows: loaded + unchanged + refused = staged rows.

    `refused`: row_number int64, reason str, one row per reason.
    """

    loaded: int
    unchanged: int
    refused: pd.DataFrame = field(default_factory=no_refusals)
