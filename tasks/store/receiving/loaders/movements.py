"""Loads dated stock movements of the warehouse system."""

import pandas as pd
from sqlalchemy import Connection, Table, func, literal, select

from tasks.domain.counting.count_postings import give_back
from tasks.domain.states import Condition
from tasks.domain.stock.put_away import is_put_away_later, put_away_stages
from tasks.store.counting.count_cases import open_allocations
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, drop_rows, keys_match, row_count
from tasks.store.ordering.allocations import release
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.placed_rows import PlacedRows, placed_rows
from tasks.store.schema import locations, merchants, stock_levels, stock_moves
from tasks.store.stock.count_corrections import last_settled
from tasks.store.stock.post_moves import PLACE, post_moves

MOVEMENT_FACTS = ("warehouse", "location", "sku", "condition", "lot", "quantity", "kind", "occurred_at")
MOVE_COLUMNS = (*PLACE, "quantity")


def load_movements(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Post staged movements to the ledger, each id once; the same id with other values is refused.

    When promised units leave a place, the promises of the newest orders are released. Units that are picked already
    cannot leave, so a movement of them is refused. A movement that was effective before a settled count of its place
    changes nothing there, as the count includes it. Units that were received before they were put away lie at the
    receiving location of the warehouse in between.
    """
    for name in ("allocations", "waves", "stock"):
        exclusive(connection, name)
    total = row_count(connection, rows)
    refused = [
        drop_repeats(connection, rows, ("merchant_id", "movement_id"), MOVEMENT_FACTS),
        _refuse_zero(connection, rows),
    ]
    placed = placed_rows(connection, rows)
    lots.record_expiry(connection, placed.rows)
    movements = _with_booked(connection, placed)
    is_booked = movements["booked_quantity"].notna()
    conflicts = movements[is_booked & _differs_from_booked(movements)]
    moves = movements[~is_booked].drop(columns=[*(f"booked_{name}" for name in MOVE_COLUMNS), "booked_at"])
    unreceivable = _without_receiving_location(moves)
    moves = moves[~moves["row_number"].isin(unreceivable["row_number"])]
    picked = _release_promises(connection, moves, intake)
    moves = moves[~moves["row_number"].isin(picked["row_number"])]
    dated = put_away_stages(moves.drop(columns="row_number"))
    post_moves(connection, dated.assign(recorded_at=pd.Timestamp(intake.as_of)))
    refused_rows = pd.concat(
        [*refused, placed.refused, _conflict_reasons(conflicts), unreceivable, picked],
        ignore_index=True,
    )
    return Loaded(len(moves), total - len(moves) - len(refused_rows), refused_rows)


def _with_booked(connection: Connection, placed: PlacedRows) -> pd.DataFrame:
    """Every staged movement as a move, with the move that the ledger has under the same cause."""
    row, booked = placed.rows.c, stock_moves.c
    receiving_locations = select(locations.c.id).where(
        locations.c.warehouse_id == row.warehouse_id, locations.c.purpose == "receiving"
    )
    receiving = receiving_locations.order_by(locations.c.code).limit(1).scalar_subquery().label("receiving_id")
    cause = literal("movement:") + merchants.c.code + literal(":") + row.movement_id
    return read(
        connection,
        select(
            row.row_number,
            *(row[name] for name in MOVE_COLUMNS),
            row.kind,
            row.reason,
            row.document,
            row.occurred_at.label("effective_at"),
            row.put_away_at,
            receiving,
            cause.label("cause"),
            booked.effective_at.label("booked_at"),
            *(booked[name].label(f"booked_{name}") for name in MOVE_COLUMNS),
        )
        .join_from(placed.rows, merchants, merchants.c.id == row.merchant_id)
        .join(stock_moves, booked.cause == cause, isouter=True),
    )


def _differs_from_booked(movements: pd.DataFrame) -> pd.Series:
    """Whether the movement differs from the move that is booked under its cause."""
    differences = [movements[name] != movements[f"booked_{name}"] for name in MOVE_COLUMNS]
    differences.append(is_put_away_later(movements) & (movements["put_away_at"] != movements["booked_at"]))
    return pd.concat(differences, axis="columns").any(axis="columns")


def _conflict_reasons(conflicts: pd.DataFrame) -> pd.DataFrame:
    reason = "movement_id: found '" + conflicts["cause"].str.split(":", n=2).str[2] + "' again with "
    reason += conflicts["quantity"].astype("str") + " units, expected the " + conflicts["booked_quantity"].astype("str")
    reason += " units booked before, of the same SKU and place, put away at the same time"
    return pd.DataFrame({"row_number": conflicts["row_number"], "reason": reason.astype("str")})


def _without_receiving_location(moves: pd.DataFrame) -> pd.DataFrame:
    """Receipts put away later in a warehouse without a receiving location: row_number and reason."""
    refused = moves[is_put_away_later(moves) & moves["receiving_id"].isna()]
    reason = (
        "put_away_at: found '" + refused["put_away_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ") + "', expected a location of"
    )
    reason += " purpose receiving in the warehouse, where the units lay until then"
    return pd.DataFrame({"row_number": refused["row_number"], "reason": reason.astype("str")})


def _refuse_zero(connection: Connection, rows: Table) -> pd.DataFrame:
    reason = literal("quantity: found '0', expected units that moved").label("reason")
    refused = read(connection, select(rows.c.row_number, reason).where(rows.c.quantity == 0))
    drop_rows(connection, rows, refused)
    return refused


def _release_promises(connection: Connection, moves: pd.DataFrame, intake: Intake) -> pd.DataFrame:
    """Release promises where less will be on hand than is promised.

    Returns the rows, as row_number and reason, that would take units picked for an order.
    """
    moves = _effective_moves(connection, moves)
    needs = _shortages(connection, moves)
    promises = open_allocations(connection, needs)
    place = ["location_id", "product_id", "lot"]
    unpicked = (
        (promises["quantity"] - promises["picked"]).clip(lower=0).groupby([promises[name] for name in place]).sum()
    )
    needs = needs.join(unpicked.rename("free"), on=place)
    is_enough = needs["need"] <= needs["free"].fillna(0)
    release(connection, give_back(promises, needs[is_enough]), "movement", intake.as_of)
    is_short = pd.MultiIndex.from_frame(moves[place]).isin(pd.MultiIndex.from_frame(needs.loc[~is_enough, place]))
    refused = moves[is_short & (moves["condition"] == Condition.AVAILABLE) & (moves["quantity"] < 0)]
    reason = "quantity: found '" + refused["quantity"].astype("str") + "', expected to leave the units picked there"
    return pd.DataFrame({"row_number": refused["row_number"], "reason": reason.astype("str")})


def _effective_moves(connection: Connection, moves: pd.DataFrame) -> pd.DataFrame:
    """The moves that change what is on hand now: no settled count of their place came after them."""
    settled = last_settled(connection, moves).rename(columns={"counted_at": "settled_at"})
    dated = moves.merge(settled, on=list(PLACE), how="left")
    return dated[~(dated["effective_at"] <= dated["settled_at"]).astype(bool)].drop(columns="settled_at")


def _shortages(connection: Connection, moves: pd.DataFrame) -> pd.DataFrame:
    """Places where less will be on hand than is promised: location_id, product_id, lot, need int64 (units)."""
    with staged(connection, moves[list(MOVE_COLUMNS)], like=stock_moves) as new:
        place = [new.c[name] for name in PLACE]
        sums = select(*place, func.sum(new.c.quantity).label("quantity")).group_by(*place).subquery("sums")
        level = stock_levels.c
        need = level.allocated - level.on_hand - sums.c.quantity
        shortages = select(level.location_id, level.product_id, level.lot, need.label("need"))
        shortages = shortages.join(sums, keys_match(stock_levels, sums, PLACE)).where(level.allocated > 0, need > 0)
        return read(connection, shortages)
