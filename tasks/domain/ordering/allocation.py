"""Which open order gets which unit of stock: in order of priority, whole orders first, never more than there is."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.ordering.allocation_arrays import Terms, asked
from tasks.domain.ordering.order_states import is_held, is_refunded
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
    turn = np.lexsort((numbers, ids, *reversed(keys)))
    new = np.ones(len(turn), dtype=bool)
    new[1:] = np.logical_or.reduce([key[turn[1:]] != key[turn[:-1]] for key in keys])
    run = np.cumsum(new)
    several = np.flatnonzero(_several_orders(run, ids[turn]))
    tied = lines.iloc[turn[several]][["order_number", "order_id", "line_number"]].assign(run=run[several])
    if len(tied):
        settled = tied.reset_index(drop=True).sort_values(["run", "order_number", "order_id", "line_number"])
        turn[several] = turn[several][settled.index]
    return lines.take(turn).reset_index(drop=True)


def _several_orders(run: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Whether more than one order is in the run (numbered from 1) of each row."""
    found: np.ndarray = np.zeros(int(run.max(initial=0)) + 1, dtype=bool)
    found[run[1:][(run[1:] == run[:-1]) & (ids[1:] != ids[:-1])]] = True
    several: np.ndarray = found[run]
    return several


def _key(lines: pd.DataFrame, name: Precedence, rules: AllocationRules) -> np.ndarray:
    """Numbers that sort as the precedence says; what is not known comes last."""
    if name is Precedence.MERCHANT:
        return _rank(lines["merchant"], rules.merchants)
    if name is Precedence.SERVICE_LEVEL:
        return _rank(lines["service_level"], rules.service_levels, rules.ship_by.service_level_otherwise)
    moments = lines[str(name)].to_numpy(dtype="datetime64[s]")
    return np.where(np.isnat(moments), np.iinfo("int64").max, moments.astype("int64"))


def _rank(words: pd.Series, listed: tuple[str, ...], otherwise: str = "") -> np.ndarray:
    """The place of each word in a list, case and outer blanks aside."""
    ranks = {word.strip().casefold(): rank for rank, word in enumerate(listed)}
    codes, said = pd.factorize(words)
    every = [ranks.get(word.strip().casefold(), len(ranks)) for word in [*said, otherwise]]
    return np.array(every)[codes]


def standing(lines: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Why an order may not be served now: unpaid, refunded or held; an empty text where it may."""
    unpaid, refunded, held = lines["paid_at"].isna(), is_refunded(lines), is_held(lines, as_of)
    told = pd.Series("", index=lines.index, dtype="str")
    told[held] = "held: " + lines.loc[held, "hold_reason"]
    told[refunded] = "refunded"
    told[unpaid] = "unpaid"
    return told


def explode(lines: pd.DataFrame, parts: pd.DataFrame, promised: pd.DataFrame) -> pd.DataFrame:
    """What each line takes from stock, sorted by line: line (its number), product_id, per, units; all int64.

    `lines`: as of `prioritised`, with product_id (Int64), need, quantity_allocated; a line without a product takes
    nothing. `parts`: product_id, part_id, quantity.
    `promised`: order_id, line_number, product_id, units promised already. Where more of a component is promised
    than whole kits make, as after a short pick of another component, only the rest is asked for.
    """
    parts = parts.sort_values(["product_id", "part_id"])
    asked = lines["product_id"].to_numpy(dtype="int64", na_value=0)
    first = np.searchsorted(parts["product_id"], asked)
    count = np.searchsorted(parts["product_id"], asked, side="right") - first
    line = np.repeat(np.arange(len(lines)), count)
    each = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    per = parts["quantity"].to_numpy()[each]
    rows = pd.DataFrame({"line": line, "product_id": parts["part_id"].to_numpy()[each], "per": per,
                         "units": lines["need"].to_numpy()[line] * per})  # fmt: skip
    spare = _spare(rows, lines, promised)
    rows.loc[spare.index, "units"] = (rows["units"].loc[spare.index] - spare).clip(lower=0)
    return rows


def _spare(rows: pd.DataFrame, lines: pd.DataFrame, promised: pd.DataFrame) -> pd.Series:
    """Units of parts that are promised beyond whole kits, by row."""
    key = ["order_id", "line_number", "product_id"]
    have = promised.groupby(key)["units"].sum().reset_index()
    concerned = np.flatnonzero(lines["order_id"].isin(have["order_id"]))
    some = rows[rows["line"].isin(concerned)]
    some = some.join(lines.loc[concerned, ["order_id", "line_number", "quantity_allocated"]], on="line")
    units = some[key].merge(have, on=key, how="left")["units"].fillna(0).to_numpy(dtype="int64")
    spare = pd.Series(units, index=some.index) - some["quantity_allocated"] * some["per"]
    return pd.Series(spare.clip(lower=0))


@dataclass(frozen=True)
class Promised:
    """What open lines get.

    `promises`: order_id, line_number, location_id, product_id, lot, quantity (int64), each place of a line once.
    `served`: units of each line served, by its number. `unsettled`: the ids of orders that wait although there may be
    enough for them: they are looked at again in the next run, whatever has changed.
    """

    promises: pd.DataFrame
    served: pd.Series
    unsettled: np.ndarray


KEY = ["order_id", "line_number", "location_id", "product_id", "lot"]


def allocate(
    lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
    promised: pd.DataFrame, taken_up: pd.DataFrame, rules: AllocationRules,
) -> Promised:  # fmt: skip
    """Serve lines in their order from the places in theirs.

    `lines`: as of `prioritised`, with need, product_id (Int64), unit_price_minor and standing. `wants`: as of
    `explode`. `places`: as of `availability.promisable`. `warehouses`: ids, the preferred first. `promised`: order_id,
    warehouse_id of what orders have already. `taken_up`: order_id, line_number, location_id, product_id, lot of
    promises that are being picked: a line cannot get more at such a place before that is shipped, so an order that
    would is left out.

    An order is served whole from one warehouse when one has all of it; whether it may otherwise be split or served in
    part is a rule. An order with a SKU nobody knows counts as one that lacks stock.
    """
    places = places[places["warehouse_id"].isin(warehouses)]
    may, out = _may_be_served(lines, rules), np.empty(0, dtype="int64")
    while True:
        served = _serve(lines[may], wants, places, warehouses, promised, rules)
        again = served.promises[KEY].merge(taken_up[KEY], on=KEY)["order_id"].unique() if len(taken_up) else out[:0]
        if not len(again):
            return replace(served, unsettled=np.union1d(served.unsettled, out))
        may, out = may & ~lines["order_id"].isin(again).to_numpy(), np.union1d(out, again)


def _may_be_served(lines: pd.DataFrame, rules: AllocationRules) -> np.ndarray:
    unknown = lines["product_id"].isna().to_numpy()
    may: np.ndarray = (lines["standing"] == "").to_numpy() & ~unknown
    if not rules.partial and unknown.any():
        may &= ~lines["order_id"].isin(lines.loc[unknown, "order_id"]).to_numpy()
    return may


def _serve(lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
           promised: pd.DataFrame, rules: AllocationRules) -> Promised:  # fmt: skip
    from tasks.domain.ordering.placing_kernel import place
    from tasks.domain.ordering.serving_kernel import serve

    numbers = lines.index.to_numpy()
    wants = wants[np.isin(wants["line"].to_numpy(), numbers)] if len(numbers) else wants[:0]
    products = np.union1d(places["product_id"], wants["product_id"])
    numbers_of = asked(lines, wants, products, warehouses, promised)
    of_place = pd.Index(warehouses).get_indexer(pd.Index(places["warehouse_id"]))
    pool = np.searchsorted(products, places["product_id"]), of_place
    free = np.zeros((len(warehouses), len(products)), dtype="int64")
    np.add.at(free, pool[::-1], places["units"].to_numpy())
    given, waits = serve(numbers_of, free, Terms(rules.partial, rules.split, rules.split_cost_minor))
    code = pool[0] * max(1, len(warehouses)) + pool[1]
    turn = np.argsort(code, kind="stable")
    pools_at = np.searchsorted(code[turn], np.arange(free.size)).reshape(len(products), len(warehouses))
    part, here, units = place(numbers_of, given, pools_at, places["units"].to_numpy()[turn])
    line = np.searchsorted(numbers, wants["line"].to_numpy()[part])
    of_line = lines[["order_id", "line_number"]].take(line).reset_index(drop=True)
    taken = places[["location_id", "product_id", "lot"]].take(turn[here]).reset_index(drop=True)
    rows = pd.concat([of_line, taken], axis=1).assign(quantity=units)
    some = pd.Series(given.sum(axis=1), index=lines.index)
    return Promised(rows, some[some > 0], lines["order_id"].to_numpy()[numbers_of.lines_at[:-1]][waits])
