"""Dated stock movements of the warehouse system."""

import pandas as pd
from sqlalchemy import Connection, Table, func, literal, select

from tasks.domain.counting.count_postings import give_back
from tasks.domain.states import Condition
from tasks.domain.stock.put_away import received_first, waited
from tasks.store.counting.count_cases import open_allocations
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, drop, drop_repeats, same_key
from tasks.store.ordering.allocations import release
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.placed_rows import Placed, placed
from tasks.store.schema import locations, merchants, stock_levels, stock_moves
from tasks.store.stock.count_corrections import last_settled
from tasks.store.stock.post_moves import PLACE, post_moves

FACTS = ("warehouse", "location", "sku", "condition", "lot", "quantity", "kind", "occurred_at")
TOLD = (*PLACE, "quantity")


def load_movements(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Post staged movements to the ledger, each id once; the same id with another story is refused.

    What leaves a place although it was promised is given back to the newest orders; what was picked there already
    cannot leave otherwise, and the movement is refused. What was effective before a settled count of its place changes
    nothing there: the count saw it. Units that were received before they were put away lie at the warehouse's
    receiving place in between.
    """
    for name in ("allocations", "waves", "stock"):
        exclusive(connection, name)
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, ("merchant_id", "movement_id"), FACTS), _refuse_zero(connection, rows)]
    here = placed(connection, rows)
    lots.tell(connection, here.rows)
    found = _with_booked(connection, here)
    known = found["booked_quantity"].notna()
    otherwise = known & (
        pd.concat([found[name] != found[f"booked_{name}"] for name in TOLD], axis="columns").any(axis="columns")
        | (waited(found) & (found["put_away_at"] != found["booked_at"]))
    )
    moves = found[~known].drop(columns=[*(f"booked_{name}" for name in TOLD), "booked_at"])
    unplaced = _nowhere_to_wait(moves)
    moves = moves[~moves["row_number"].isin(unplaced["row_number"])]
    picked = _make_room(connection, moves, intake)
    moves = moves[~moves["row_number"].isin(picked["row_number"])]
    dated = received_first(moves.drop(columns="row_number"))
    post_moves(connection, dated.assign(recorded_at=pd.Timestamp(intake.as_of)))
    bad = pd.concat([*refused, here.refused, _otherwise(found[otherwise]), unplaced, picked], ignore_index=True)
    return Loaded(len(moves), total - len(moves) - len(bad), bad)


def _with_booked(connection: Connection, here: Placed) -> pd.DataFrame:
    """Every staged movement as a move, beside what the ledger says under its cause."""
    c, booked = here.rows.c, stock_moves.c
    door = select(locations.c.id).where(locations.c.warehouse_id == c.warehouse_id, locations.c.purpose == "receiving")
    receiving = door.order_by(locations.c.code).limit(1).scalar_subquery().label("receiving_id")
    cause = literal("movement:") + merchants.c.code + literal(":") + c.movement_id
    return read(
        connection,
        select(c.row_number, *(c[name] for name in TOLD), c.kind, c.reason, c.document,
               c.occurred_at.label("effective_at"), c.put_away_at, receiving, cause.label("cause"),
               booked.effective_at.label("booked_at"),
               *(booked[name].label(f"booked_{name}") for name in TOLD))
        .join_from(here.rows, merchants, merchants.c.id == c.merchant_id)
        .join(stock_moves, booked.cause == cause, isouter=True)
    )  # fmt: skip


def _otherwise(told: pd.DataFrame) -> pd.DataFrame:
    reason = "movement_id: found '" + told["cause"].str.split(":", n=2).str[2] + "' again with "
    reason += told["quantity"].astype("str") + " units, expected the " + told["booked_quantity"].astype("str")
    reason += " units booked before, of the same SKU and place, put away when it was said before"
    return pd.DataFrame({"row_number": told["row_number"], "reason": reason.astype("str")})


def _nowhere_to_wait(moves: pd.DataFrame) -> pd.DataFrame:
    """Receipts that were put away later, in a warehouse without a receiving place: row_number and reason."""
    lost = moves[waited(moves) & moves["receiving_id"].isna()]
    reason = (
        "put_away_at: found '" + lost["put_away_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ") + "', expected a location of"
    )
    reason += " purpose receiving in the warehouse, where the units lay until then"
    return pd.DataFrame({"row_number": lost["row_number"], "reason": reason.astype("str")})


def _refuse_zero(connection: Connection, rows: Table) -> pd.DataFrame:
    reason = literal("quantity: found '0', expected units that moved").label("reason")
    found = read(connection, select(rows.c.row_number, reason).where(rows.c.quantity == 0))
    drop(connection, rows, found)
    return found


def _make_room(connection: Connection, moves: pd.DataFrame, intake: Intake) -> pd.DataFrame:
    """Give promises back where less will be on hand than is promised.

    Returns the rows, as row_number and reason, that would take what was picked for an order.
    """
    moves = _not_counted_since(connection, moves)
    needs = _needs(connection, moves)
    promises = open_allocations(connection, needs)
    place = ["location_id", "product_id", "lot"]
    free = (promises["quantity"] - promises["picked"]).clip(lower=0).groupby([promises[name] for name in place]).sum()
    needs = needs.join(free.rename("free"), on=place)
    enough = needs["need"] <= needs["free"].fillna(0)
    release(connection, give_back(promises, needs[enough]), "movement", intake.as_of)
    short = pd.MultiIndex.from_frame(moves[place]).isin(pd.MultiIndex.from_frame(needs.loc[~enough, place]))
    bad = moves[short & (moves["condition"] == Condition.AVAILABLE) & (moves["quantity"] < 0)]
    reason = "quantity: found '" + bad["quantity"].astype("str") + "', expected to leave the units picked there"
    return pd.DataFrame({"row_number": bad["row_number"], "reason": reason.astype("str")})


def _not_counted_since(connection: Connection, moves: pd.DataFrame) -> pd.DataFrame:
    """The moves that change what is on hand now: no count of their place came after them and was settled."""
    last = last_settled(connection, moves).rename(columns={"counted_at": "settled_at"})
    both = moves.merge(last, on=list(PLACE), how="left")
    return both[~(both["effective_at"] <= both["settled_at"]).astype(bool)].drop(columns="settled_at")


def _needs(connection: Connection, moves: pd.DataFrame) -> pd.DataFrame:
    """Places where less will be on hand than is promised: location_id, product_id, lot, need int64 (units)."""
    with staged(connection, moves[list(TOLD)], like=stock_moves) as new:
        place = [new.c[name] for name in PLACE]
        sums = select(*place, func.sum(new.c.quantity).label("quantity")).group_by(*place).subquery("sums")
        level = stock_levels.c
        need = level.allocated - level.on_hand - sums.c.quantity
        found = select(level.location_id, level.product_id, level.lot, need.label("need"))
        found = found.join(sums, same_key(stock_levels, sums, PLACE)).where(level.allocated > 0, need > 0)
        return read(connection, found)
