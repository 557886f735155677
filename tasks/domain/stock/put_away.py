"""Units that were received before they were put away: until then they lie at the warehouse's receiving place."""

import pandas as pd

from tasks.domain.states import MoveKind


def waited(moves: pd.DataFrame) -> pd.Series:
    """Whether each receipt was put away later than it was received: kind, effective_at, put_away_at (bool)."""
    later = (moves["put_away_at"] > moves["effective_at"]).astype(bool)
    return later & (moves["kind"] == MoveKind.RECEIPT)


def received_first(moves: pd.DataFrame) -> pd.DataFrame:
    """The moves of the ledger: a receipt that waited is three of them.

    `moves`: as `stock.post_moves.post_moves` takes them, with put_away_at (may be missing) and receiving_id (the
    receiving place of the warehouse). In when received, at the receiving place; from there to its own place when put
    away. Gives the same columns without those two.
    """
    late = waited(moves)
    plain = moves.drop(columns=["put_away_at", "receiving_id"])
    if not late.any():
        return plain
    rest = moves[late]
    at_door = plain[late].assign(location_id=rest["receiving_id"].astype("int64"))
    stages = [
        plain[~late],
        at_door.assign(cause=rest["cause"] + ":received"),
        at_door.assign(cause=rest["cause"] + ":from", quantity=-rest["quantity"], kind=MoveKind.TRANSFER.value,
                       effective_at=rest["put_away_at"]),
        plain[late].assign(kind=MoveKind.TRANSFER.value, effective_at=rest["put_away_at"]),
    ]  # fmt: skip
    return pd.concat(stages, ignore_index=True)
