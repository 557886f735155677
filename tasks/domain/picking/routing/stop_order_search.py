"""The best order of stops when only the metres between them are known: exact for few, a search and a bound for many.

Row and column 0 of `leg_m` (metres, float64, n + 2 x n + 2, may be lopsided) are where the way begins, the last ones
where it ends; the others are the stops.
"""

import numpy as np

from tasks.domain.compiled import kernel

EXACT_MAX = 12  # stops, for the dynamic programme over all their sets
ROUNDS_PER_STOP, ROUNDS_MIN, ROUNDS_MAX = 15, 600, 900  # of the search
REACH = 8  # stops: how far from each other two parts of the way are swapped, and how far around it is improved
SEGMENT_MAX = 3  # stops moved together
ASCENT_STEPS, STEP_DECAY = 150, 0.95  # of the bound: steps, and how they shorten
GAIN_MIN_M = 1e-9


def best_order(leg_m: np.ndarray, start: np.ndarray, seed: int) -> tuple[np.ndarray, bool]:
    """The stops (1 … n) in the order of the shortest way found, and whether it is the shortest there is.

    `start`: an order to begin with; what is found is no longer. The same legs, order and seed give the same way.
    """
    if len(start) <= EXACT_MAX:
        return _subset_dynamic_programme(leg_m), True
    best, rounds = start.astype("int64"), int(np.clip(ROUNDS_PER_STOP * len(start), ROUNDS_MIN, ROUNDS_MAX))
    _local_search(leg_m, best, 0, best.size)
    _double_bridges(leg_m, best, 2 * seed + 1, rounds)
    return best, False


def order_m(leg_m: np.ndarray, order: np.ndarray) -> float:
    """The metres of a way through the stops in that order."""
    whole = np.concatenate([[0], order, [len(leg_m) - 1]])
    return float(leg_m[whole[:-1], whole[1:]].sum())


@kernel
def _subset_dynamic_programme(leg_m: np.ndarray) -> np.ndarray:
    """The shortest way, by dynamic programming over the sets of stops already visited (Held and Karp 1962)."""
    stops = leg_m.shape[0] - 2
    best = np.full((1 << stops, stops), np.inf)
    previous = np.zeros((1 << stops, stops), dtype=np.int64)
    for last in range(stops):
        best[1 << last, last] = leg_m[0, last + 1]
    for visited in range(1, 1 << stops):
        for last in range(stops):
            if best[visited, last] < np.inf:
                _extend(leg_m, best, previous, visited, last)
    order = np.zeros(stops, dtype=np.int64)
    visited = (1 << stops) - 1
    if stops:
        last = int(np.argmin(best[visited] + leg_m[1 : stops + 1, stops + 1]))
        for position in range(stops - 1, -1, -1):
            order[position] = last + 1
            earlier = previous[visited, last]
            visited ^= 1 << last
            last = earlier
    return order


@kernel
def _extend(leg_m: np.ndarray, best: np.ndarray, previous: np.ndarray, visited: int, last: int) -> None:
    """Go on from the last stop of a set to each stop outside of it."""
    metres = best[visited, last]
    for following in range(leg_m.shape[0] - 2):
        if not visited >> following & 1:
            extended, walk_m = visited | 1 << following, metres + leg_m[last + 1, following + 1]
            if walk_m < best[extended, following]:
                best[extended, following] = walk_m
                previous[extended, following] = last


@kernel
def _at(order: np.ndarray, place: int) -> int:
    """The row of `leg_m` at a place of the way; -1 is where it begins, the number of stops where it ends."""
    if place < 0:
        return 0
    if place >= order.size:
        return order.size + 1
    stop: int = order[place]
    return stop


@kernel
def _move_cost_m(leg_m: np.ndarray, order: np.ndarray, first: int, count: int, to: int, is_reversed: bool) -> float:  # noqa: FBT001 - a kernel
    """Metres it costs to put `count` stops from `first` on behind the place `to` (outside of them), turned or not."""
    first_stop, last_stop = order[first], order[first + count - 1]
    before, after = _at(order, first - 1), _at(order, first + count)
    target_before, target_after = _at(order, to), _at(order, to + 1)
    cost_m = (
        leg_m[before, after] - leg_m[before, first_stop] - leg_m[last_stop, after] - leg_m[target_before, target_after]
    )
    if not is_reversed:
        return float(cost_m + leg_m[target_before, first_stop] + leg_m[last_stop, target_after])
    inside = 0.0
    for place in range(first, first + count - 1):
        inside += leg_m[order[place + 1], order[place]] - leg_m[order[place], order[place + 1]]
    return float(cost_m + leg_m[target_before, last_stop] + leg_m[first_stop, target_after] + inside)


@kernel
def _move_segment(order: np.ndarray, first: int, count: int, to: int, is_reversed: bool) -> None:  # noqa: FBT001 - a kernel
    """Put `count` stops from `first` on behind the place `to`, in reverse where `is_reversed`."""
    segment = order[first : first + count].copy()
    if is_reversed:
        segment = segment[::-1].copy()
    if to < first:
        order[to + 1 + count : first + count] = order[to + 1 : first].copy()
        order[to + 1 : to + 1 + count] = segment
    else:
        order[first : to + 1 - count] = order[first + count : to + 1].copy()
        order[to + 1 - count : to + 1] = segment


@kernel
def _or_opt(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> bool:
    """Move one to three neighbouring stops where they shorten the way most (Or 1976); whether any did."""
    stops, is_shorter = order.size, False
    for count in range(1, min(SEGMENT_MAX, stops - 1) + 1):
        for first in range(low, min(high, stops - count + 1)):
            best, best_to, best_is_reversed = -GAIN_MIN_M, -2, False
            for to in range(-1, stops):
                if to < first - 1 or to >= first + count:
                    for is_reversed in (False, True):
                        metres = _move_cost_m(leg_m, order, first, count, to, is_reversed)
                        if metres < best:
                            best, best_to, best_is_reversed = metres, to, is_reversed
            if best_to > -2:
                _move_segment(order, first, count, best_to, best_is_reversed)
                is_shorter = True
    return is_shorter


@kernel
def _two_opt(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> bool:
    """Walk a part of the way the other way round where that shortens it (2-opt, Croes 1958); whether any did."""
    stops, is_shorter = order.size, False
    for first in range(low, min(high, stops - 1)):
        inside, before = 0.0, _at(order, first - 1)
        for last in range(first + 1, stops):
            inside += leg_m[order[last], order[last - 1]] - leg_m[order[last - 1], order[last]]
            after = _at(order, last + 1)
            joined = leg_m[before, order[last]] + leg_m[order[first], after]
            if joined + inside - leg_m[before, order[first]] - leg_m[order[last], after] < -GAIN_MIN_M:
                order[first : last + 1] = order[first : last + 1][::-1].copy()
                is_shorter = True
                break
    return is_shorter


@kernel
def _local_search(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> None:
    """Or-opt and 2-opt on the places from `low` to `high` until neither shortens the way."""
    while _or_opt(leg_m, order, low, high) or _two_opt(leg_m, order, low, high):
        pass


@kernel
def _walked_m(leg_m: np.ndarray, order: np.ndarray) -> float:
    metres = 0.0
    for place in range(-1, order.size):
        metres += leg_m[_at(order, place), _at(order, place + 1)]
    return metres


@kernel
def _next_random(state: int, below: int) -> tuple[int, int]:
    """The next state of the generator, and a number from 0 to `below` (Lehmer's, Park and Miller 1988)."""
    state = state * 48271 % 2147483647
    return state, state % below


@kernel
def _double_bridges(leg_m: np.ndarray, best: np.ndarray, state: int, rounds: int) -> None:
    """Swap two neighbouring parts of the best way and improve it again, so many times; `best` is overwritten.

    The double bridge of Martin, Otto and Felten 1991, kept near one place so that a round is quick.
    """
    stops, shortest = best.size, _walked_m(leg_m, best)
    for _ in range(rounds):
        order = best.copy()
        state, first = _next_random(state, stops - 2)
        state, one = _next_random(state, min(REACH, stops - first - 2) + 1)
        state, other = _next_random(state, min(REACH, stops - first - 2 - one) + 1)
        middle, end = first + 1 + one, first + 2 + one + other
        order[first : first + end - middle] = best[middle:end]
        order[first + end - middle : end] = best[first:middle]
        _local_search(leg_m, order, max(0, first - REACH), end + REACH)
        metres = _walked_m(leg_m, order)
        if metres < shortest - GAIN_MIN_M:
            shortest = metres
            best[:] = order


@kernel
def lower_bound_m(leg_m: np.ndarray, walk_m: float) -> float:
    """A lower bound of every way in metres: spanning trees, stops weighted towards two neighbours (Held and Karp 1971).

    `leg_m` must be the same in both directions (between stops). `walk_m`: the metres of any way, which set the length
    of the ascent steps.
    """
    nodes = leg_m.shape[0]
    weight, best, step = np.zeros(nodes), 0.0, walk_m / (2 * nodes)
    for _ in range(ASCENT_STEPS):
        degree, metres = _spanning_tree(leg_m, weight)
        for node in range(nodes):
            wanted = 1 if node in (0, nodes - 1) else 2
            metres -= wanted * weight[node]
            degree[node] -= wanted
        best = max(best, metres)
        weight += step * degree
        step *= STEP_DECAY
    return best


@kernel
def _spanning_tree(leg_m: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """The neighbours of each node in the smallest spanning tree of weighted legs, and its metres (Prim 1957)."""
    nodes = weight.size
    nearest_m, parent, is_in_tree = (
        np.full(nodes, np.inf),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.bool_),
    )
    degree, metres, node = np.zeros(nodes, dtype=np.int64), 0.0, 0
    for _ in range(nodes - 1):
        is_in_tree[node] = True
        following = -1
        for other in range(nodes):
            if not is_in_tree[other]:
                leg = min(leg_m[node, other], leg_m[other, node]) + weight[node] + weight[other]
                if leg < nearest_m[other]:
                    nearest_m[other], parent[other] = leg, node
                if following < 0 or nearest_m[other] < nearest_m[following]:
                    following = other
        metres += nearest_m[following]
        degree[following] += 1
        degree[parent[following]] += 1
        node = following
    return degree, metres
