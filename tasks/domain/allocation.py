"""Which open order gets which unit of stock: in order of priority, whole orders first, never more than there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.availability import BufferRules
from tasks.domain.orders import ShipByRules, is_held, is_refunded, same_words
from tasks.domain.serving import Line, Shelves, serve
from tasks.domain.states import Purpose


class Precedence(StrEnum):
    """What decides whose order is served first."""

    SHIP_BY = "ship_by"
    SERVICE_LEVEL = "service_level"
    PAID_AT = "paid_at"


class PlaceOrder(StrEnum):
    """What decides which of several places is emptied first."""

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


def prioritised(lines: pd.DataFrame, rules: AllocationRules) -> pd.DataFrame:
    """Order lines in the order in which they are served, numbered from 0; the lines of an order stay together.

    `lines`: order_id, ship_by, service_level, paid_at, merchant, order_number, line_number, and more. Ties end with
    merchant, order number and line number, so that the same lines always come in the same order (I10).
    """
    levels = {name.strip().casefold(): rank for rank, name in enumerate(rules.service_levels)}
    rank = same_words(lines["service_level"].fillna(rules.ship_by.service_level_otherwise)).map(levels)
    keys = lines.assign(service_level=rank.fillna(len(levels)))
    by = [*map(str, rules.priority), "merchant", "order_number", "order_id", "line_number"]
    return lines.loc[keys.sort_values(by, na_position="last").index].reset_index(drop=True)


def standing(lines: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Why an order may not be served now: unpaid, refunded or held; an empty text where it may."""
    told = np.select(
        [lines["paid_at"].isna(), is_refunded(lines), is_held(lines, as_of)],
        ["unpaid", "refunded", "held: " + lines["hold_reason"].fillna("")],
        "",
    )
    return pd.Series(told, index=lines.index, dtype="str")


def explode(lines: pd.DataFrame, parts: pd.DataFrame, promised: pd.DataFrame) -> pd.DataFrame:
    """What each line takes from stock, sorted by line: line (its number), product_id, per, units; all int64.

    `lines`: as of `prioritised`, with product_id (Int64), need, quantity_allocated; a line without a product takes
    nothing. `parts`: product_id, part_id, quantity.
    `promised`: order_id, line_number, product_id, units promised already. Where more of a component is promised
    than whole kits make, as after a short pick of another component, only the rest is asked for.
    """
    known = lines.dropna(subset="product_id").astype({"product_id": "int64"})
    rows = known.assign(line=known.index).merge(parts, on="product_id", sort=False)
    rows = rows.rename(columns={"product_id": "kit_id", "part_id": "product_id", "quantity": "per"})
    rows = rows.merge(promised, on=["order_id", "line_number", "product_id"], how="left")
    spare = (rows["units"].fillna(0) - rows["quantity_allocated"] * rows["per"]).clip(lower=0)
    rows["units"] = (rows["need"] * rows["per"] - spare).clip(lower=0)
    told = rows.sort_values(["line", "product_id"])[["line", "product_id", "per", "units"]]
    return told.astype("int64").reset_index(drop=True)


@dataclass(frozen=True)
class Promised:
    """What open lines get.

    `promises`: order_id, line_number, location_id, product_id, lot, quantity (int64), each place of a line once.
    `served`: units of each line served, by its number.
    """

    promises: pd.DataFrame
    served: pd.Series


def allocate(
    lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
    taken_up: pd.DataFrame, rules: AllocationRules,
) -> Promised:  # fmt: skip
    """Serve lines in their order from the places in theirs.

    `lines`: as of `prioritised`, with need, product_id (Int64) and standing. `wants`: as of `explode`. `places`: as of
    `availability.promisable`. `warehouses`: ids, the preferred first. `taken_up`: order_id, line_number, location_id,
    product_id, lot of promises that are being picked: a line cannot get more at such a place before that is shipped,
    so an order that would is left out.

    An order is served whole from one warehouse when one has all of it; whether it may otherwise be split or served in
    part is a rule. An order with a SKU nobody knows counts as one that lacks stock.
    """
    places = places[places["warehouse_id"].isin(warehouses)]
    may = (lines["standing"] == "") & lines["product_id"].notna()
    unknown = lines["product_id"].isna().groupby(lines["order_id"]).transform("any")
    may &= rules.partial | ~unknown
    key = ["order_id", "line_number", "location_id", "product_id", "lot"]
    while True:
        served = _serve(lines[may], wants[wants["line"].isin(lines.index[may])], places, warehouses, rules)
        again = served.promises[key].merge(taken_up[key], on=key)["order_id"]
        if again.empty:
            return served
        may &= ~lines["order_id"].isin(again)


def _serve(lines: pd.DataFrame, wants: pd.DataFrame, places: pd.DataFrame, warehouses: list[int],
           rules: AllocationRules) -> Promised:  # fmt: skip
    products = pd.Index(places["product_id"].unique()).union(pd.Index(wants["product_id"].unique()))
    free = places.pivot_table("units", "warehouse_id", "product_id", "sum", fill_value=0)
    free = free.reindex(index=warehouses, columns=products, fill_value=0).astype("int64")
    shelves = Shelves([row.tolist() for row in free.to_numpy()])
    taken = serve(_orders(lines, wants, products), shelves, partial=rules.partial, split=rules.split)
    frame = pd.DataFrame(taken, columns=["line", "warehouse", "kits"], dtype="int64")
    frame["warehouse_id"] = np.array(warehouses, dtype="int64")[frame["warehouse"]]
    parts = frame.merge(wants, on="line", sort=False)
    whole = parts["kits"].to_numpy() == lines["need"].reindex(parts["line"]).to_numpy()
    parts["units"] = np.where(whole, parts["units"], parts["kits"] * parts["per"])
    rows = spread(parts[parts["units"] > 0], places)
    of_line = lines[["order_id", "line_number"]].reindex(rows.pop("line")).reset_index(drop=True)
    return Promised(pd.concat([of_line, rows], axis=1), frame.groupby("line")["kits"].sum())


def _orders(lines: pd.DataFrame, wants: pd.DataFrame, products: pd.Index) -> Iterator[list[Line]]:
    """The lines of one order after the other, as plain numbers: a million rows are walked in a few seconds."""
    parts = list(zip(products.get_indexer(pd.Index(wants["product_id"])).tolist(), wants["per"].tolist(),
                     wants["units"].tolist(), strict=True))  # fmt: skip
    ends = np.searchsorted(wants["line"].to_numpy(), lines.index.to_numpy(), side="right").tolist()
    rows = zip(lines.index.tolist(), lines["order_id"].tolist(), lines["need"].tolist(), ends, strict=True)
    order: list[Line] = []
    start, last = 0, None
    for line, order_id, need, end in rows:
        if order and order_id != last:
            yield order
            order = []
        order.append((line, need, parts[start:end]))
        start, last = end, order_id
    if order:
        yield order


def spread(parts: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Take what is served in each warehouse from its places, in their order: two lines of intervals laid side by side.

    `parts`: line, product_id, warehouse_id, units, in order of service. `places`: as of `promisable`. Gives line,
    location_id, product_id, lot, quantity.
    """
    pool = ["product_id", "warehouse_id"]
    stock = places.assign(end=places["units"].cumsum())
    base = stock.assign(start=stock["end"] - stock["units"]).groupby(pool)["start"].min()
    start = base.reindex(pd.MultiIndex.from_frame(parts[pool])).to_numpy(dtype="int64", na_value=0)
    end = start + parts.groupby(pool)["units"].cumsum().to_numpy()
    asked = parts.assign(start=end - parts["units"].to_numpy(), end=end).sort_values("start")
    cuts = np.unique(np.concatenate([asked["start"], asked["end"], stock["end"]]))
    at, until = cuts[:-1], cuts[1:]
    who = np.searchsorted(asked["start"].to_numpy(), at, side="right") - 1
    served = (who >= 0) & (at < asked["end"].to_numpy()[who]) if len(asked) else np.zeros(len(at), dtype=bool)
    who, where = who[served], np.searchsorted(stock["end"].to_numpy(), at[served], side="right")
    rows = pd.DataFrame(
        {
            "line": asked["line"].to_numpy()[who],
            **{name: stock[name].to_numpy()[where] for name in ("location_id", "product_id", "lot")},
            "quantity": (until - at)[served],
        }
    )
    key = ["line", "location_id", "product_id", "lot"]
    return rows.groupby(key, sort=True)["quantity"].sum().reset_index()


def waiting(lines: pd.DataFrame, wants: pd.DataFrame, served: pd.Series, left: pd.Series,
            rules: AllocationRules) -> pd.DataFrame:  # fmt: skip
    """Lines that got less than they need, with `missing` (units of the line) and `reason`, in the order of service.

    `lines`: as given to `allocate`, with standing (str) and product_id (Int64). `wants`: as of `explode`, of every
    line with a product. `served`: units of the line by its number. `left`: units by product_id that could still be
    promised after the run. The reason is the order's standing, an unknown SKU, no stock, or that the line waits for
    others.
    """
    rows = lines.assign(missing=lines["need"] - served.reindex(lines.index).fillna(0).astype("int64"))
    rows = rows[rows["missing"] > 0]
    short = short_lines(rows, wants, left)
    blocked = (short.reindex(rows.index).notna() | rows["product_id"].isna()).groupby(rows["order_id"]).transform("any")
    otherwise = np.where(blocked & (not rules.partial), "waits for other lines of the order",
                         "no warehouse has all of it")  # fmt: skip
    reason = short.reindex(rows.index).fillna(pd.Series(otherwise, index=rows.index))
    reason = reason.mask(rows["product_id"].isna(), "unknown SKU").mask(rows["standing"] != "", rows["standing"])
    return rows.assign(reason=reason.astype("str"))


def short_lines(rows: pd.DataFrame, wants: pd.DataFrame, left: pd.Series) -> pd.Series:
    """Of the lines (by number) whose order asks for more of a product than is left: how much there is."""
    asked = wants.merge(rows[["order_id", "missing", "need"]], left_on="line", right_index=True)
    part = asked["missing"] < asked["need"]
    asked["units"] = asked["units"].mask(part, asked["missing"] * asked["per"])
    of_order = asked.groupby(["order_id", "product_id"])["units"].transform("sum")
    have = asked["product_id"].map(left).fillna(0).astype("int64")
    short = asked[of_order > have].assign(have=have, of_order=of_order)
    told = "no stock: " + short["have"].astype("str") + " of " + short["of_order"].astype("str") + " free"
    return told.groupby(short["line"]).first()
