"""Plans made of priced batches: column generation, dives into it, and again where a plan is to be improved.

A dive fixes, one after the other, the batches the relaxed plan is surest of, and prices new ones for what is left
(Sadykov and others 2019, "Primal heuristics for branch and price: the assets of diving methods", INFORMS Journal on
Computing 31(2), section 3). Most dives keep a part of the best plan: only batches that lie near one another are made
anew.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks.domain.picking.batching.annealing import Batches, no_batches, put
from tasks.domain.picking.batching.covering import Cover
from tasks.domain.picking.batching.pricing import price
from tasks.domain.picking.batching.tour_lengths import Memory, Picking, changed_m

PRICED_MAX = 4000  # batches a pricing may find
GENERATIONS, GENERATIONS_DIVING = 60, 4  # pricings at most, at the root and after each fixing
COLUMNS_MAX, COLUMNS_KEPT = 9000, 3000
NODES_MAX, WHOLE_MAX = 400, 1500  # of the integer programme: its search tree, and the columns it is tried with
SURE, NOISE = 0.999, 0.15
KEPT_SHARE = 0.4  # of the best plan's batches, by most dives
SKIP = 0.3


class Workshop(NamedTuple):
    """What is used again and again: the orders, one worker's memory, pairs, neighbours, and the batches at hand."""

    picking: Picking
    memory: Memory
    pair_m: np.ndarray
    near: np.ndarray
    cover: Cover


def rows_of(batches: Batches) -> np.ndarray:
    """Batches as rows of sorted orders, -1 behind them."""
    used = np.flatnonzero(batches.count)
    rows = np.full((len(used), batches.orders.shape[1]), -1)
    for row, batch in zip(rows, used, strict=True):
        row[: batches.count[batch]] = np.sort(batches.orders[batch, : batches.count[batch]])
    return rows


def batches_of(shop: Workshop, rows: np.ndarray) -> Batches:
    """Rows as batches; an order that several cover stays in the first."""
    batches, seen = no_batches(shop.picking), set[int]()
    for batch, row in enumerate(rows):
        for order in row[row >= 0].tolist():
            if order not in seen:
                put(shop.picking, shop.memory, batches, batch, order)
                seen.add(order)
    return batches


def add(shop: Workshop, rows: np.ndarray) -> int:
    """Take batches into the cover, those that are new; gives how many."""
    fresh = shop.cover.fresh(rows)
    keys = shop.picking.key
    metres = [
        changed_m(shop.picking, shop.memory, row[row >= 0], np.bitwise_xor.reduce(keys[row[row >= 0]]), -1, -1)
        for row in fresh
    ]
    shop.cover.add(fresh, np.array(metres))
    return len(fresh)


def generate(shop: Workshop, generations: int, left_s: Callable[[], float]) -> tuple[float, bool]:
    """Price batches until none betters the relaxed plan, or so many times; gives its metres and whether that is all."""
    orders, most = shop.picking.key.size, shop.cover.members.shape[1]
    found = np.empty((PRICED_MAX, most), dtype="int64")
    alone = np.full((orders, most), -1)
    alone[:, 0] = np.arange(orders)
    for _ in range(generations):
        metres, worth, beyond = shop.cover.relaxed()
        starts = np.vstack([shop.cover.members[beyond < 1e-6], alone])
        count = price(shop.picking, shop.memory, shop.pair_m, starts, worth, found)
        if not add(shop, found[:count]):
            return metres, True
        if left_s() <= 0:
            break
    return shop.cover.relaxed()[0], False


def dive(shop: Workshop, kept: np.ndarray, chance: np.random.Generator, left_s: Callable[[], float]) -> Batches | None:
    """A plan that keeps some batches (rows) and takes the others from the relaxed plan, the surest first.

    None when `left_s` (seconds) are over before it is whole.
    """
    cover = shop.cover
    fixed = cover.numbers(kept)
    cover.fix(fixed)
    while left_s() > 0:
        generate(shop, GENERATIONS_DIVING, left_s)
        if (np.unique(cover.members[fixed]) >= 0).sum() == shop.picking.key.size:
            break
        share = cover.shares()
        share[fixed] = 0
        sure = np.flatnonzero(share > SURE).tolist()
        noisy = np.where(share > 1e-6, share + NOISE * chance.random(share.size), -1)
        chosen = sure or [int(np.argmax(noisy))]
        cover.fix(chosen)
        fixed += chosen
    cover.free(fixed)
    whole = (np.unique(cover.members[fixed]) >= 0).sum() == shop.picking.key.size
    return batches_of(shop, cover.members[fixed]) if whole else None


def kept_rows(shop: Workshop, best: Batches, chance: np.random.Generator) -> np.ndarray:
    """The batches of the best plan that a dive keeps: all but those that lie near an order drawn."""
    rows = rows_of(best)
    of = {int(order): number for number, row in enumerate(rows) for order in row[row >= 0]}
    anew = max(4, round(len(rows) * (1 - KEPT_SHARE)))
    seed = int(chance.integers(len(of)))
    chosen = [of[seed]]
    for order in shop.near[seed]:
        if len(chosen) >= anew:
            break
        if of[int(order)] not in chosen and chance.random() >= SKIP:
            chosen.append(of[int(order)])
    return np.delete(rows, chosen, axis=0)


def whole(shop: Workshop, best: Batches, seconds: float) -> Batches | None:
    """The shortest plan of the columns that may be part of one shorter than the best, where they are not too many."""
    relaxed_m, _, beyond = shop.cover.relaxed()
    best_m = best.metres.sum()
    columns = np.flatnonzero(beyond <= best_m - relaxed_m + 1e-6)
    if len(columns) > WHOLE_MAX:
        return None
    rows = shop.cover.whole(columns, float(best_m) - 1e-6, NODES_MAX, max(0.0, seconds))
    return None if rows is None else batches_of(shop, rows)


def thin(shop: Workshop, best: Batches) -> None:
    """Drop the columns furthest from use, when there are many; those of the best plan stay."""
    if len(shop.cover.metres) <= COLUMNS_MAX:
        return
    beyond = shop.cover.relaxed()[2]
    stays = np.argsort(beyond, kind="stable")[:COLUMNS_KEPT]
    single = np.flatnonzero((shop.cover.members >= 0).sum(axis=1) == 1)
    stays = np.concatenate([stays, single, shop.cover.numbers(rows_of(best))])
    shop.cover.forget(np.setdiff1d(np.arange(len(beyond)), stays))
