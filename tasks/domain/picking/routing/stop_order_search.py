"""The best order of stops when only the metres between them are known: exact for few, a search and a bound for many.

Row and column 0 of `leg_m` (metres, float64, n + 2 x n + 2, may be lopsided) are where the way begins, the last ones
where it ends; the others are the stops.
"""

import numpy as np

from tasks.domain.compiled import kernel

EXACT_MAX = 12  # stops, for the dynamic programme over all their sets
ROUNDS_A_STOP, ROUNDS_MIN, ROUNDS_MAX = 15, 200, 900  # of the search
REACH = 8  # stops: how far from each other two parts of the way are swapped, and how far around it is improved
SEGMENT_MAX = 3  # stops moved together
ASCENTS, SHRINK = 150, 0.95  # of the bound: steps, and how they shorten
TINY = 1e-9


def best_order(leg_m: np.ndarray, start: np.ndarray, seed: int) -> tuple[np.ndarray, bool]:
    """The stops (1 … n) in the order of the shortest way found, and whether it is the shortest there is.

    `start`: an order to begin with; what is found is no longer. The same legs, order and seed give the same way.
    """
    if len(start) <= EXACT_MAX:
        return _every_set(leg_m), True
    best, rounds = start.astype("int64"), int(np.clip(ROUNDS_A_STOP * len(start), ROUNDS_MIN, ROUNDS_MAX))
    _improve(leg_m, best, 0, best.size)
    _perturb(leg_m, best, 2 * seed + 1, rounds)
    return best, False


def order_m(leg_m: np.ndarray, order: np.ndarray) -> float:
    """The metres of a way through the stops in that order."""
    whole = np.concatenate([[0], order, [len(leg_m) - 1]])
    return float(leg_m[whole[:-1], whole[1:]].sum())


@kernel
def _every_set(leg_m: np.ndarray) -> np.ndarray:
    """The shortest way, by dynamic programming over the sets of stops already visited (Held and Karp 1962)."""
    stops = leg_m.shape[0] - 2
    best = np.full((1 << stops, stops), np.inf)
    came = np.zeros((1 << stops, stops), dtype=np.int64)
    for last in range(stops):
        best[1 << last, last] = leg_m[0, last + 1]
    for visited in range(1, 1 << stops):
        for last in range(stops):
            if best[visited, last] < np.inf:
                _extend(leg_m, best, came, visited, last)
    order = np.zeros(stops, dtype=np.int64)
    visited = (1 << stops) - 1
    if stops:
        at = int(np.argmin(best[visited] + leg_m[1 : stops + 1, stops + 1]))
        for place in range(stops - 1, -1, -1):
            order[place] = at + 1
            before = came[visited, at]
            visited ^= 1 << at
            at = before
    return order


@kernel
def _extend(leg_m: np.ndarray, best: np.ndarray, came: np.ndarray, visited: int, last: int) -> None:
    """Go on from the last stop of a set to each stop outside of it."""
    metres = best[visited, last]
    for following in range(leg_m.shape[0] - 2):
        if not visited >> following & 1:
            more, so_far = visited | 1 << following, metres + leg_m[last + 1, following + 1]
            if so_far < best[more, following]:
                best[more, following] = so_far
                came[more, following] = last


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
def _moved_m(leg_m: np.ndarray, order: np.ndarray, first: int, count: int, to: int, turned: bool) -> float:  # noqa: FBT001 - a kernel
    """What it costs to put `count` stops from `first` on behind the place `to` (outside of them), turned or not."""
    one, last = order[first], order[first + count - 1]
    before, after = _at(order, first - 1), _at(order, first + count)
    here, there = _at(order, to), _at(order, to + 1)
    metres = leg_m[before, after] - leg_m[before, one] - leg_m[last, after] - leg_m[here, there]
    if not turned:
        return float(metres + leg_m[here, one] + leg_m[last, there])
    inside = 0.0
    for place in range(first, first + count - 1):
        inside += leg_m[order[place + 1], order[place]] - leg_m[order[place], order[place + 1]]
    return float(metres + leg_m[here, last] + leg_m[one, there] + inside)


@kernel
def _move(order: np.ndarray, first: int, count: int, to: int, turned: bool) -> None:  # noqa: FBT001 - a kernel
    """Put the stops there."""
    segment = order[first : first + count].copy()
    if turned:
        segment = segment[::-1].copy()
    if to < first:
        order[to + 1 + count : first + count] = order[to + 1 : first].copy()
        order[to + 1 : to + 1 + count] = segment
    else:
        order[first : to + 1 - count] = order[first + count : to + 1].copy()
        order[to + 1 - count : to + 1] = segment


@kernel
def _shift(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> bool:
    """Move one to three neighbouring stops where they shorten the way most (Or 1976); whether any did."""
    stops, better = order.size, False
    for count in range(1, min(SEGMENT_MAX, stops - 1) + 1):
        for first in range(low, min(high, stops - count + 1)):
            best, place, side = -TINY, -2, False
            for to in range(-1, stops):
                if to < first - 1 or to >= first + count:
                    for turned in (False, True):
                        metres = _moved_m(leg_m, order, first, count, to, turned)
                        if metres < best:
                            best, place, side = metres, to, turned
            if place > -2:
                _move(order, first, count, place, side)
                better = True
    return better


@kernel
def _turn(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> bool:
    """Walk a part of the way the other way round where that shortens it (2-opt, Croes 1958); whether any did."""
    stops, better = order.size, False
    for first in range(low, min(high, stops - 1)):
        inside, before = 0.0, _at(order, first - 1)
        for last in range(first + 1, stops):
            inside += leg_m[order[last], order[last - 1]] - leg_m[order[last - 1], order[last]]
            after = _at(order, last + 1)
            joined = leg_m[before, order[last]] + leg_m[order[first], after]
            if joined + inside - leg_m[before, order[first]] - leg_m[order[last], after] < -TINY:
                order[first : last + 1] = order[first : last + 1][::-1].copy()
                better = True
                break
    return better


@kernel
def _improve(leg_m: np.ndarray, order: np.ndarray, low: int, high: int) -> None:
    """Move and turn what lies from place `low` to `high` until nothing is shorter."""
    while _shift(leg_m, order, low, high) or _turn(leg_m, order, low, high):
        pass


@kernel
def _walked_m(leg_m: np.ndarray, order: np.ndarray) -> float:
    metres = 0.0
    for place in range(-1, order.size):
        metres += leg_m[_at(order, place), _at(order, place + 1)]
    return metres


@kernel
def _drawn(state: int, below: int) -> tuple[int, int]:
    """The next state of the generator, and a number from 0 to `below` (Lehmer's, Park and Miller 1988)."""
    state = state * 48271 % 2147483647
    return state, state % below


@kernel
def _perturb(leg_m: np.ndarray, best: np.ndarray, state: int, rounds: int) -> None:
    """Swap two neighbouring parts of the best way and improve it again, so many times; `best` is overwritten.

    The double bridge of Martin, Otto and Felten 1991, kept near one place so that a round is quick.
    """
    stops, shortest = best.size, _walked_m(leg_m, best)
    for _ in range(rounds):
        order = best.copy()
        state, first = _drawn(state, stops - 2)
        state, one = _drawn(state, min(REACH, stops - first - 2) + 1)
        state, other = _drawn(state, min(REACH, stops - first - 2 - one) + 1)
        middle, end = first + 1 + one, first + 2 + one + other
        order[first : first + end - middle] = best[middle:end]
        order[first + end - middle : end] = best[first:middle]
        _improve(leg_m, order, max(0, first - REACH), end + REACH)
        metres = _walked_m(leg_m, order)
        if metres < shortest - TINY:
            shortest = metres
            best[:] = order


@kernel
def at_least_m(leg_m: np.ndarray, walk_m: float) -> float:
    """No way is shorter: a spanning tree, with every stop weighted until it has two neighbours (Held and Karp 1971).

    `leg_m` must be the same in both directions (between stops). `walk_m`: of some way, for the length of the steps.
    """
    nodes = leg_m.shape[0]
    weight, best, step = np.zeros(nodes), 0.0, walk_m / (2 * nodes)
    for _ in range(ASCENTS):
        degree, metres = _tree(leg_m, weight)
        for node in range(nodes):
            wanted = 1 if node in (0, nodes - 1) else 2
            metres -= wanted * weight[node]
            degree[node] -= wanted
        best = max(best, metres)
        weight += step * degree
        step *= SHRINK
    return best


@kernel
def _tree(leg_m: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """The neighbours of each node in the smallest spanning tree of weighted legs, and its metres (Prim 1957)."""
    nodes = weight.size
    near, by, done = np.full(nodes, np.inf), np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.bool_)
    degree, metres, node = np.zeros(nodes, dtype=np.int64), 0.0, 0
    for _ in range(nodes - 1):
        done[node] = True
        following = -1
        for other in range(nodes):
            if not done[other]:
                leg = min(leg_m[node, other], leg_m[other, node]) + weight[node] + weight[other]
                if leg < near[other]:
                    near[other], by[other] = leg, node
                if following < 0 or near[other] < near[following]:
                    following = other
        metres += near[following]
        degree[following] += 1
        degree[by[following]] += 1
        node = following
    return degree, metres
