"""Put-away: units received before they are put away are stored at the warehouse's receiving place until then."""

import pandas as pd

from tasks.domain.states import MoveKind


def is_put_away_later(moves: pd.DataFrame) -> pd.Series:
    """Whether each receipt was put away later than it was received: kind, effective_at, put_away_at (bool)."""
    later = (moves["put_away_at"] > moves["effective_at"]).astype(bool)
    return later & (moves["kind"] == MoveKind.RECEIPT)


def put_away_stages(moves: pd.DataFrame) -> pd.DataFrame:
    """The moves of the ledger: a receipt that is put away later becomes three of them.

    `moves`: as `stock.post_moves.post_moves` takes them, with put_away_at (may be missing) and receiving_id (the
    receiving place of the warehouse). In when received, at the receiving place; from there to its own place when put
    away. Gives the same columns without those two.
    """
    is_late = is_put_away_later(moves)
    plain = moves.drop(columns=["put_away_at", "receiving_id"])
    if not is_late.any():
        return plain
    late = moves[is_late]
    at_receiving = plain[is_late].assign(location_id=late["receiving_id"].astype("int64"))
    stages = [
        plain[~is_late],
        at_receiving.assign(cause=late["cause"] + ":received"),
        at_receiving.assign(cause=late["cause"] + ":from", quantity=-late["quantity"], kind=MoveKind.TRANSFER.value,
                       effective_at=late["put_away_at"]),
        plain[is_late].assign(kind=MoveKind.TRANSFER.value, effective_at=late["put_away_at"]),
    ]  # fmt: skip
    return pd.concat(stages, ignore_index=True)
