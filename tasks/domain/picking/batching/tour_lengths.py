"""What it costs to pick some orders together: exact tour lengths of sets of orders, remembered, in compiled code.

The places of an order are bits, those of a batch the union of its orders' bits. A set of orders is known by the
exclusive or of its orders' keys (Zobrist 1970), so that a set whose tour was routed before is only looked up.
"""

from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import Ground, ground_of, tour_m, walk_past, walk_to

WORD = 64
MEMORY_BITS = 20  # tours remembered by a worker: 2 ** 20, 16 MB
ONE, SHIFT, DE_BRUIJN = np.uint64(1), np.uint64(58), np.uint64(0x03F79D71B4CB0A89)
LOWEST = np.array([number for _, number in sorted(((1 << n) * int(DE_BRUIJN) % 2**64 >> 58, n) for n in range(64))])


class Picking(NamedTuple):
    """Orders as the kernels take them.

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
    ground: Ground


class Memory(NamedTuple):
    """Tours already routed, by key, and the room in which one is worked out. Each worker has its own."""

    keys: np.ndarray
    metres: np.ndarray
    words: np.ndarray
    costs: np.ndarray
    values: np.ndarray
    trace: np.ndarray


def picking_of(
    floor: Floor, order: np.ndarray, subaisle: np.ndarray, along_m: np.ndarray, load: np.ndarray, limit: np.ndarray
) -> Picking:
    """Orders to be batched.

    Each line: `order` (from 0, int64), `subaisle` and `along_m` as of `floor.on_floor`. `load` (orders x kinds) and
    `limit` (kinds) in whole units.
    """
    places, number = np.unique(np.rec.fromarrays([subaisle, along_m]), return_inverse=True)
    within = np.arange(len(places)) - np.searchsorted(places["f0"], places["f0"])
    starts = (within % WORD == 0).cumsum() - 1
    bits = np.zeros((len(load), starts[-1] + 1 if len(starts) else 0), dtype="uint64")
    np.bitwise_or.at(bits, (order, starts[number]), ONE << (within[number] % WORD).astype("uint64"))
    along = np.zeros((bits.shape[1], WORD))
    along[starts, within % WORD] = places["f1"]
    keys = np.random.default_rng(0).integers(1, 2**63, len(load), dtype="uint64")
    lying = places["f0"][within % WORD == 0].astype("int64")
    return Picking(bits, lying, along, load.astype("int64"), limit.astype("int64"), keys, ground_of(floor))


def memory_of(picking: Picking) -> Memory:
    """Room for one worker."""
    ground, slots = picking.ground, 1 << MEMORY_BITS
    subaisles = ground.aisle_m.size * ground.length_m.size
    return Memory(
        np.zeros(slots, dtype="uint64"), np.zeros(slots), np.zeros(picking.subaisle.size, dtype="uint64"),
        np.empty((subaisles, 6)), np.empty((2, ground.done.size)), np.empty((0, 0), dtype="int32"),
    )  # fmt: skip


@kernel
def changed_m(picking: Picking, memory: Memory, orders: np.ndarray, key: np.uint64, without: int, added: int) -> float:
    """The metres of the tour of `orders` (key `key`) without the one at a position and with one more (-1 for none)."""
    if without >= 0:
        key ^= picking.key[orders[without]]
    if added >= 0:
        key ^= picking.key[added]
    slot = key & np.uint64(memory.keys.size - 1)
    if memory.keys[slot] == key:
        metres: float = memory.metres[slot]
        return metres
    memory.words[:] = 0
    for position in range(orders.size):
        if position != without:
            _unite(memory.words, picking.bits[orders[position]])
    if added >= 0:
        _unite(memory.words, picking.bits[added])
    metres = _routed_m(picking, memory)
    memory.keys[slot] = key
    memory.metres[slot] = metres
    return metres


@kernel
def _unite(words: np.ndarray, more: np.ndarray) -> None:
    for word in range(words.size):
        words[word] |= more[word]


@kernel
def _routed_m(picking: Picking, memory: Memory) -> float:
    """The metres of the shortest tour through the places of `memory.words`."""
    costs, ground = memory.costs, picking.ground
    blocks = ground.length_m.size
    for at in range(costs.shape[0]):
        walk_past(costs, at, ground.length_m[at % blocks])
    before = 0.0
    for word in range(picking.subaisle.size):
        left, at = memory.words[word], picking.subaisle[word]
        while left:
            along = picking.along[word, _lowest(left)]
            walk_to(costs, at, ground.length_m[at % blocks], along, before)
            before = along
            left &= left - ONE
    return tour_m(costs, ground, memory.values, memory.trace)[0]


@kernel
def _lowest(bits: int) -> int:
    """The number of the lowest bit that is set (Leiserson, Prokop and Randall 1998)."""
    number: int = LOWEST[((bits & (~bits + ONE)) * DE_BRUIJN) >> SHIFT]
    return number


@kernel
def fits(picking: Picking, load: np.ndarray, without: int, added: int) -> bool:
    """Whether a cart with `load` still holds what it must without one order and with another (-1 for none)."""
    for kind in range(load.size):
        units = load[kind]
        if without >= 0:
            units -= picking.load[without, kind]
        if added >= 0:
            units += picking.load[added, kind]
        if units > picking.limit[kind]:
            return False
    return True
