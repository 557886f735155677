"""What it costs to pick some orders together: exact tour lengths of sets of orders, remembered, in compiled code.

The places of an order are bits, those of a batch the union of its orders' bits. A set of orders is known by the
exclusive or of its orders' keys (Zobrist 1970), so that a set whose tour was routed before is only looked up.
"""

from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import (
    FloorArrays,
    cost_empty_subaisle,
    cost_next_place,
    floor_arrays,
    tour_m,
)

WORD_BITS = 64
CACHE_BITS = 20  # tours remembered by a worker: 2 ** 20, 16 MB
ONE, SHIFT, DE_BRUIJN = np.uint64(1), np.uint64(58), np.uint64(0x03F79D71B4CB0A89)
LOWEST_BIT_NUMBERS = np.array(
    [number for _, number in sorted(((1 << n) * int(DE_BRUIJN) % 2**64 >> 58, n) for n in range(64))]
)


class BatchingProblem(NamedTuple):
    """An order batching problem as the kernels take it.

    `bits` (orders x words, uint64): the places of each order. `subaisle` (words) and `along` (words x 64): where the
    place of each bit lies. `load` (orders x kinds, int64) and `limit` (kinds, int64): what an order takes of a cart's
    positions, lines, weight, volume or boxes, and how much of it there is. `key` (orders, uint64): see above.
    """

    bits: np.ndarray
    subaisle: np.ndarray
    along: np.ndarray
    load: np.ndarray
    limit: np.ndarray
    key: np.ndarray
    ground: FloorArrays


class TourCache(NamedTuple):
    """Tour lengths already worked out, by key, and the workspace for the next. Each worker has its own."""

    keys: np.ndarray
    metres: np.ndarray
    words: np.ndarray
    costs: np.ndarray
    values: np.ndarray
    trace: np.ndarray


def batching_problem(
    floor: Floor, order: np.ndarray, subaisle: np.ndarray, along_m: np.ndarray, load: np.ndarray, limit: np.ndarray
) -> BatchingProblem:
    """Orders to be batched.

    Each line: `order` (from 0, int64), `subaisle` and `along_m` as in `floor.on_floor`. `load` (orders x kinds) and
    `limit` (kinds) in whole units.
    """
    places, place_number = np.unique(np.rec.fromarrays([subaisle, along_m]), return_inverse=True)
    position_in_subaisle = np.arange(len(places)) - np.searchsorted(places["f0"], places["f0"])
    starts = (position_in_subaisle % WORD_BITS == 0).cumsum() - 1
    bits = np.zeros((len(load), starts[-1] + 1 if len(starts) else 0), dtype="uint64")
    np.bitwise_or.at(
        bits, (order, starts[place_number]), ONE << (position_in_subaisle[place_number] % WORD_BITS).astype("uint64")
    )
    along = np.zeros((bits.shape[1], WORD_BITS))
    along[starts, position_in_subaisle % WORD_BITS] = places["f1"]
    keys = np.random.default_rng(0).integers(1, 2**63, len(load), dtype="uint64")
    subaisle_of_word = places["f0"][position_in_subaisle % WORD_BITS == 0].astype("int64")
    return BatchingProblem(
        bits, subaisle_of_word, along, load.astype("int64"), limit.astype("int64"), keys, floor_arrays(floor)
    )


def tour_cache(problem: BatchingProblem) -> TourCache:
    """An empty cache for one worker."""
    ground, slots = problem.ground, 1 << CACHE_BITS
    subaisles = ground.aisle_m.size * ground.length_m.size
    return TourCache(
        np.zeros(slots, dtype="uint64"), np.zeros(slots), np.zeros(problem.subaisle.size, dtype="uint64"),
        np.empty((subaisles, 6)), np.empty((2, ground.done.size)), np.empty((0, 0), dtype="int32"),
    )  # fmt: skip


@kernel
def changed_tour_m(
    problem: BatchingProblem, cache: TourCache, orders: np.ndarray, key: np.uint64, without: int, added: int
) -> float:
    """The metres of the tour of `orders` (key `key`) without the one at a position and with one more (-1 for none)."""
    if without >= 0:
        key ^= problem.key[orders[without]]
    if added >= 0:
        key ^= problem.key[added]
    slot = key & np.uint64(cache.keys.size - 1)
    if cache.keys[slot] == key:
        metres: float = cache.metres[slot]
        return metres
    cache.words[:] = 0
    for position in range(orders.size):
        if position != without:
            _add_places(cache.words, problem.bits[orders[position]])
    if added >= 0:
        _add_places(cache.words, problem.bits[added])
    metres = _shortest_tour_m(problem, cache)
    cache.keys[slot] = key
    cache.metres[slot] = metres
    return metres


@kernel
def _add_places(words: np.ndarray, more: np.ndarray) -> None:
    for word in range(words.size):
        words[word] |= more[word]


@kernel
def _shortest_tour_m(problem: BatchingProblem, cache: TourCache) -> float:
    """The metres of the shortest tour through the places of `memory.words`."""
    costs, ground = cache.costs, problem.ground
    blocks = ground.length_m.size
    for subaisle in range(costs.shape[0]):
        cost_empty_subaisle(costs, subaisle, ground.length_m[subaisle % blocks])
    previous_along_m = 0.0
    for word in range(problem.subaisle.size):
        remaining, subaisle = cache.words[word], problem.subaisle[word]
        while remaining:
            along = problem.along[word, _lowest_bit(remaining)]
            cost_next_place(costs, subaisle, ground.length_m[subaisle % blocks], along, previous_along_m)
            previous_along_m = along
            remaining &= remaining - ONE
    return tour_m(costs, ground, cache.values, cache.trace)[0]


@kernel
def _lowest_bit(bits: int) -> int:
    """The number of the lowest bit that is set (Leiserson, Prokop and Randall 1998)."""
    number: int = LOWEST_BIT_NUMBERS[((bits & (~bits + ONE)) * DE_BRUIJN) >> SHIFT]
    return number


@kernel
def fits_cart(problem: BatchingProblem, load: np.ndarray, without: int, added: int) -> bool:
    """Whether a cart with `load` still holds what it must without one order and with another (-1 for none)."""
    for kind in range(load.size):
        units = load[kind]
        if without >= 0:
            units -= problem.load[without, kind]
        if added >= 0:
            units += problem.load[added, kind]
        if units > problem.limit[kind]:
            return False
    return True
