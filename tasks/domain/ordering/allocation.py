"""Which open order gets which unit of stock: in order of priority, whole orders first, never more than there is."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.ordering.allocation_arrays import ServiceTerms, demand_arrays
from tasks.domain.ordering.order_states import Standing, is_held, is_refunded
from tasks.domain.ordering.promised_days import IncomingRules
from tasks.domain.ordering.ship_by import ShipByRules
from tasks.domain.states import Purpose
from tasks.domain.stock.availability import BufferRules


class Precedence(StrEnum):
    """What decides whose order is served first."""

    SHIP_BY = "ship_by"
    SERVICE_LEVEL = "service_level"
    PAID_AT = "paid_at"
    CREATED_AT = "created_at"  # first come, first served
    MERCHANT = "merchant"


class PlaceOrder(StrEnum):
    """What decides which of several places is emptied first."""

    EXPIRY = "expiry"  # first expired, first out; what does not expire comes last
    RECEIVED = "received"  # first in, first out: when units of the lot came first
    LOT = "lot"
    SMALLEST = "smallest"
    LOCATION = "location"


@dataclass(frozen=True)
class AllocationRules:
    """The schema of config/rules/allocation.yaml."""

    priority: tuple[Precedence, ...]
    service_levels: tuple[str, ...]  # the most urgent first; one not listed comes last
    warehouses: tuple[str, ...]  # the preferred first; one not listed serves no order
    partial: bool  # whether a line may be served while others of its order wait
    split: bool  # whether two warehouses may serve one order
    purposes: tuple[Purpose, ...]  # places promised from, the first emptied first
    places: tuple[PlaceOrder, ...]
    buffer: BufferRules
    ship_by: ShipByRules
    merchants: tuple[str, ...] = ()  # for priority merchant: the first served first; one not listed comes last
    split_cost_minor: int = 0  # what a further parcel costs, in the order's currency: less goods than that wait
    incoming: IncomingRules = field(default_factory=IncomingRules)
    full_pass_h: int = 24  # hours after which every open order is looked at again, whatever has changed

    def __post_init__(self) -> None:
        if self.split_cost_minor < 0 or self.full_pass_h < 0:
            raise ValueError("allocation: split_cost_minor and full_pass_h cannot be negative")


def prioritised(lines: pd.DataFrame, rules: AllocationRules) -> pd.DataFrame:
    """Order lines in the order in which they are served, numbered from 0; the lines of an order stay together.

    `lines`: order_id, ship_by, service_level, paid_at, created_at, merchant, order_number, line_number, and more.
    Ties end with merchant, order number and line number, so that the same lines always come in the same order (I10).
    """
    keys = [_key(lines, name, rules) for name in rules.priority] + [lines["merchant"].rank(method="dense").to_numpy()]
    ids, numbers = lines["order_id"].to_numpy(), lines["line_number"].to_numpy()
    sequence = np.lexsort((numbers, ids, *reversed(keys)))
    begins_run = np.ones(len(sequence), dtype=bool)
    begins_run[1:] = np.logical_or.reduce([key[sequence[1:]] != key[sequence[:-1]] for key in keys])
    run = np.cumsum(begins_run)
    tied = np.flatnonzero(_is_shared_run(run, ids[sequence]))
    rows = lines.iloc[sequence[tied]][["order_number", "order_id", "line_number"]].assign(run=run[tied])
    if len(rows):
        by_number = rows.reset_index(drop=True).sort_values(["run", "order_number", "order_id", "line_number"])
        sequence[tied] = sequence[tied][by_number.index]
    return lines.take(sequence).reset_index(drop=True)


def _is_shared_run(run: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Whether more than one order is in the run (numbered from 1) of each row."""
    is_shared: np.ndarray = np.zeros(int(run.max(initial=0)) + 1, dtype=bool)
    is_shared[run[1:][(run[1:] == run[:-1]) & (ids[1:] != ids[:-1])]] = True
    of_row: np.ndarray = is_shared[run]
    return of_row


def _key(lines: pd.DataFrame, name: Precedence, rules: AllocationRules) -> np.ndarray:
    """Numbers that sort as the precedence says; missing values come last."""
    if name is Precedence.MERCHANT:
        return _rank(lines["merchant"], rules.merchants)
    if name is Precedence.SERVICE_LEVEL:
        return _rank(lines["service_level"], rules.service_levels, rules.ship_by.service_level_otherwise)
    moments = lines[str(name)].to_numpy(dtype="datetime64[s]")
    return np.where(np.isnat(moments), np.iinfo("int64").max, moments.astype("int64"))


def _rank(words: pd.Series, listed: tuple[str, ...], otherwise: str = "") -> np.ndarray:
    """The position of each word in a list, regardless of case and outer blanks; words not listed come last."""
    ranks = {word.strip().casefold(): rank for rank, word in enumerate(listed)}
    codes, distinct_words = pd.factorize(words)
    rank_of_code = [ranks.get(word.strip().casefold(), len(ranks)) for word in [*distinct_words, otherwise]]
    return np.array(rank_of_code)[codes]


def order_standing(lines: pd.DataFrame, as_of: datetime) -> pd.Series:
    """The Standing of each line's order (str): what is unpaid is that before all, then refunded, then held.

    `lines`: paid_at, refunded_minor, total_minor, hold_reason, hold_until.
    """
    standing = pd.Series(str(Standing.SERVABLE), index=lines.index, dtype="str")
    standing[is_held(lines, as_of)] = Standing.HELD
    standing[is_refunded(lines)] = Standing.REFUNDED
    standing[lines["paid_at"].isna()] = Standing.UNPAID
    return standing


def explode(lines: pd.DataFrame, parts: pd.DataFrame, promised: pd.DataFrame) -> pd.DataFrame:
    """What each line takes from stock, sorted by line: line (its number), product_id, per, units; all int64.

    `lines`: as in `prioritised`, with product_id (Int64), need, quantity_allocated; a line without a product takes
    nothing. `parts`: product_id, part_id, quantity. `promised`: order_id, line_number, product_id, units promised
    already. Where more of a component is promised than whole kits make, as after a short pick of another component,
    only the rest is wanted.
    """
    parts = parts.sort_values(["product_id", "part_id"])
    product_ids = lines["product_id"].to_numpy(dtype="int64", na_value=0)
    first = np.searchsorted(parts["product_id"], product_ids)
    count = np.searchsorted(parts["product_id"], product_ids, side="right") - first
    line = np.repeat(np.arange(len(lines)), count)
    part = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    per = parts["quantity"].to_numpy()[part]
    wants = pd.DataFrame({"line": line, "product_id": parts["part_id"].to_numpy()[part], "per": per,
                          "units": lines["need"].to_numpy()[line] * per})  # fmt: skip
    spare = _spare_units(wants, lines, promised)
    wants.loc[spare.index, "units"] = (wants["units"].loc[spare.index] - spare).clip(lower=0)
    return wants


def _spare_units(wants: pd.DataFrame, lines: pd.DataFrame, promised: pd.DataFrame) -> pd.Series:
    """Units of parts that are promised beyond whole kits, by row of `wants`."""
    key = ["order_id", "line_number", "product_id"]
    promised_units = promised.groupby(key)["units"].sum().reset_index()
    concerned = np.flatnonzero(lines["order_id"].isin(promised_units["order_id"]))
    rows = wants[wants["line"].isin(concerned)]
    rows = rows.join(lines.loc[concerned, ["order_id", "line_number", "quantity_allocated"]], on="line")
    units = rows[key].merge(promised_units, on=key, how="left")["units"].fillna(0).to_numpy(dtype="int64")
    spare = pd.Series(units, index=rows.index) - rows["quantity_allocated"] * rows["per"]
    return pd.Series(spare.clip(lower=0))


@dataclass(frozen=True)
class Promises:
    """What open lines get.

    `promises`: order_id, line_number, location_id, product_id, lot, quantity (int64), each place of a line once.
    `served`: units of each line served, by its number. `unsettled`: the ids of orders that wait although there may be
    enough for them: they are looked at again in the next run, whatever has changed.
    """

    promises: pd.DataFrame
    served: pd.Series
    unsettled: np.ndarray


PROMISE_KEY = ["order_id", "line_number", "location_id", "product_id", "lot"]


def allocate(
    lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
    promised: pd.DataFrame, in_waves: pd.DataFrame, rules: AllocationRules,
) -> Promises:  # fmt: skip
    """Serve lines in their order from the places in theirs.

    `lines`: as in `prioritised`, with need, product_id (Int64), unit_price_minor and standing. `wants`: as in
    `explode`. `places`: as in `availability.promisable_places`. `warehouses`: ids, the preferred first. `promised`:
    order_id, warehouse_id of what orders have already. `in_waves`: PROMISE_KEY of promises that are being picked: a
    line cannot get more at such a place before that is shipped, so an order that would is left out.

    An order is served whole from one warehouse when one has all of it; whether it may otherwise be split or served in
    part is a rule. An order with an unknown SKU counts as one that lacks stock.
    """
    places = places[places["warehouse_id"].isin(warehouses)]
    is_in_turn, left_out = _may_be_served(lines, rules), np.empty(0, dtype="int64")
    while True:
        result = _serve(lines[is_in_turn], wants, places, warehouses, promised, rules)
        growing = result.promises[PROMISE_KEY].merge(in_waves[PROMISE_KEY], on=PROMISE_KEY) if len(in_waves) else None
        if growing is None or growing.empty:
            return replace(result, unsettled=np.union1d(result.unsettled, left_out))
        left_out = np.union1d(left_out, growing["order_id"].unique())
        is_in_turn = is_in_turn & ~lines["order_id"].isin(left_out).to_numpy()


def _may_be_served(lines: pd.DataFrame, rules: AllocationRules) -> np.ndarray:
    is_unknown = lines["product_id"].isna().to_numpy()
    may: np.ndarray = (lines["standing"] == Standing.SERVABLE).to_numpy() & ~is_unknown
    if not rules.partial and is_unknown.any():
        may &= ~lines["order_id"].isin(lines.loc[is_unknown, "order_id"]).to_numpy()
    return may


def _serve(lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
           promised: pd.DataFrame, rules: AllocationRules) -> Promises:  # fmt: skip
    from tasks.domain.ordering.placing_kernel import place
    from tasks.domain.ordering.serving_kernel import serve

    numbers = lines.index.to_numpy()
    wants = wants[np.isin(wants["line"].to_numpy(), numbers)] if len(numbers) else wants[:0]
    products = np.union1d(places["product_id"], wants["product_id"])
    demand = demand_arrays(lines, wants, products, warehouses, promised)
    product = np.searchsorted(products, places["product_id"])
    warehouse = pd.Index(warehouses).get_indexer(pd.Index(places["warehouse_id"]))
    free = np.zeros((len(warehouses), len(products)), dtype="int64")
    np.add.at(free, (warehouse, product), places["units"].to_numpy())
    served, may_get_more = serve(demand, free, ServiceTerms(rules.partial, rules.split, rules.split_cost_minor))
    pool = product * max(1, len(warehouses)) + warehouse
    sequence = np.argsort(pool, kind="stable")  # the places of a product and warehouse side by side, in their order
    first_place = np.searchsorted(pool[sequence], np.arange(free.size)).reshape(len(products), len(warehouses))
    part, position, units = place(demand, served, first_place, places["units"].to_numpy()[sequence])
    line = np.searchsorted(numbers, wants["line"].to_numpy()[part])
    of_line = lines[["order_id", "line_number"]].take(line).reset_index(drop=True)
    of_place = places[["location_id", "product_id", "lot"]].take(sequence[position]).reset_index(drop=True)
    promises = pd.concat([of_line, of_place], axis=1).assign(quantity=units)
    line_units = pd.Series(served.sum(axis=1), index=lines.index)
    waiting_orders = lines["order_id"].to_numpy()[demand.first_line[:-1]][may_get_more]
    return Promises(promises, line_units[line_units > 0], waiting_orders)
