"""Routing policies: the order in which pickers take their stops by habit, to compare with the shortest tour.

The four policies are those of Hall 1993, "Distance approximations for routing manual pickers in a warehouse", IIE
Transactions 25(4), and Petersen 1997, "An evaluation of order picking routeing policies", International Journal of
Operations & Production Management 17(11). All begin and end at the front.
"""

import numpy as np

from tasks.domain.picking.routing.floor import Floor
from tasks.domain.sites.floor_plans import Habit


def habit_order(habit: Habit, floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> np.ndarray:
    """The places in the order in which pickers with this habit (any but the shortest way) take them.

    `subaisle` and `along_m` as in `floor.on_floor`. Middle cross-aisles are walked over, as if the floor were one
    block; the stops of a one-way aisle are taken the way it is walked.
    """
    aisle = np.unique(subaisle // floor.blocks, return_inverse=True)[1]
    depth = np.array(floor.crosses_m)[subaisle % floor.blocks] + along_m
    one_way = np.array(floor.one_way or [0] * len(floor.aisles_m))[subaisle // floor.blocks]
    if habit == Habit.RETURN or aisle.max(initial=0) == 0:
        return np.lexsort((np.where(one_way < 0, -depth, depth), aisle))
    if habit == Habit.S_SHAPE:
        return np.lexsort((depth * np.where(one_way == 0, 1 - 2 * (aisle % 2), one_way), aisle))
    return _around(aisle, depth, one_way, _from_front(habit, floor, aisle, depth))


def _around(aisle: np.ndarray, depth: np.ndarray, one_way: np.ndarray, from_front: np.ndarray) -> np.ndarray:
    """Up the first aisle, along the back, down the last one, and home along the front."""
    last = aisle.max()
    leg = np.select([aisle == 0, aisle == last, ~from_front], [0, 2, 1], 3)
    across = np.where(leg == 3, -aisle, aisle)
    up = np.where(one_way == 0, np.where((leg == 0) | (leg == 3), 1, -1), one_way)
    return np.lexsort((depth * up, across, leg))


def _from_front(habit: Habit, floor: Floor, aisle: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Of each place whether it is taken from the front: before the middle, or before the largest gap of its aisle."""
    front, back = floor.crosses_m[0], floor.crosses_m[-1]
    if habit == Habit.MIDPOINT:
        return depth <= (front + back) / 2
    from_front = np.zeros(len(aisle), dtype=bool)
    for number in np.unique(aisle):
        rows = np.flatnonzero(aisle == number)
        sorted_depth = np.sort(depth[rows])
        gap = int(np.diff(sorted_depth, prepend=front, append=back).argmax())
        from_front[rows] = depth[rows] < (sorted_depth[gap] if gap < len(sorted_depth) else np.inf)
    return from_front
