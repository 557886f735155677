"""What a part of a tour can look like, as states and moves between them: the dynamic programme of the shortest tour.

Aisles are walked past from left to right, one after the other. What the part of a tour left of the frontier means for
the rest is told by its state alone: for every cross-aisle at the frontier whether no, an odd or an even number of edges
meet there, and which of them hang together (Ratliff and Rosenthal 1983, "Order-picking in a rectangular warehouse",
Operations Research 31(3), section 3, for two cross-aisles; Roodbergen and de Koster 2001, "Routing order pickers in a
warehouse with a middle aisle", European Journal of Operational Research 133(1), section 3, for three). The states are
found by trying every move rather than listed, so that any number of cross-aisles is served.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

NONE, PASS, TWICE, LOW, HIGH, BOTH = range(6)  # how a subaisle is walked; LOW is in and out from its lower end
State = tuple[tuple[int, int], ...]  # a vertex: 0, 1 (odd) or 2 (even) edges, and the number of its part or -1
Move = Callable[[State], State | None]


@dataclass(frozen=True)
class Moves:
    """Every move of a floor with `crosses` cross-aisles; each of its `gates` is a vertex of its own, off the floor.

    `source`, `target`: states by number; 0 is the empty one. `option`: how a subaisle is walked; edges to the one gate,
    or to which of two gates one is made (0 none, 1 where the tour begins, 2 where it ends, 3 both), or the cross-aisle
    the depot lies on; the row of `across`. `begin`: where the moves of a step begin: one step a
    subaisle, one for the depot, one to the next aisle. `across`: edges along each cross-aisle. `done`: the states a
    tour may end in.
    """

    source: np.ndarray
    target: np.ndarray
    option: np.ndarray
    begin: np.ndarray
    across: np.ndarray
    done: np.ndarray


@cache
def tour_moves(crosses: int, gates: tuple[int, ...] = ()) -> Moves:
    """The states and moves of a floor with so many cross-aisles (2 bound one block, 3 bound two).

    `gates`: the cross-aisle on which each gate opens: one for a tour that ends where it began, two for one that does
    not.
    """
    steps, across = _steps(crosses, gates), _across(crosses)
    numbers: dict[State, int] = {((0, -1),) * (crosses + len(gates)): 0}
    moves_by_step: list[list[tuple[int, int, int]]] = [[] for _ in steps]
    unexpanded = list(numbers)
    while unexpanded:
        state = unexpanded.pop()
        for step_moves, step in zip(moves_by_step, steps, strict=True):
            for option, move in enumerate(step):
                after = move(state)
                if after is not None:
                    if after not in numbers:
                        numbers[after] = len(numbers)
                        unexpanded.append(after)
                    step_moves.append((numbers[state], numbers[after], option))
    rows = np.array([row for step_moves in moves_by_step for row in sorted(step_moves)], dtype="int64")
    begin = np.cumsum([0, *(len(step_moves) for step_moves in moves_by_step)])
    done = np.array([_is_tour(state, crosses) for state in numbers])
    return Moves(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), begin, np.array(across), done)


def _steps(crosses: int, gates: tuple[int, ...]) -> list[list[Move]]:
    ways = [[_walk(low, option) for option in range(6)] for low in range(crosses - 1)]
    return [*ways, _depot(crosses, gates), [_step_right(edges) for edges in _across(crosses)]]


def _depot(crosses: int, gates: tuple[int, ...]) -> list[Move]:
    if not gates:
        return [_edges(at, at, 2) for at in range(crosses)]
    if len(gates) == 1:
        return [_edges(gates[0], crosses, count) for count in range(3)]
    return [_leave_and_come(crosses, gates, option) for option in range(4)]


def _leave_and_come(crosses: int, gates: tuple[int, ...], option: int) -> Move:
    """An edge to the gates of `option`; a tour leaves the first once and comes to the second once."""
    wanted = [number for number in range(2) if option >> number & 1]

    def move(state: State) -> State | None:
        if any(state[crosses + number][0] for number in wanted):
            return None
        for number in wanted:
            state = _edges(gates[number], crosses + number, 1)(state) or state
        return state

    return move


def _across(crosses: int) -> list[tuple[int, ...]]:
    return list(product(range(3), repeat=crosses))


def _edges(one: int, other: int, count: int) -> Move:
    """`count` edges between two vertices."""

    def move(state: State) -> State:
        if not count:
            return state
        changed = list(state)
        parts = {changed[one][1], changed[other][1]} - {-1}
        part = min(parts, default=len(state))
        for vertex in {one, other}:
            changed[vertex] = (_degree(changed[vertex][0], count), part)
        return _renumbered([(degree, part if old in parts else old) for degree, old in changed])

    return move


def _walk(low: int, option: int) -> Move:
    if option in {NONE, PASS, TWICE}:
        return _edges(low, low + 1, option)
    ends = {LOW: [low], HIGH: [low + 1], BOTH: [low, low + 1]}[option]

    def move(state: State) -> State:
        for end in ends:  # in and out again: an even number of edges more at this end
            state = _edges(end, end, 2)(state) or state
        return state

    return move


def _step_right(edges: tuple[int, ...]) -> Move:
    """To the next aisle; what stays behind must be even, and no part may be left behind alone."""

    def move(state: State) -> State | None:
        for (degree, _), count in zip(state, edges, strict=False):
            if (degree == 0 and count) or (degree + count) % 2:
                return None
        new = [(count, part if count else -1) for (_, part), count in zip(state, edges, strict=False)]
        new += state[len(edges) :]
        kept = {part for _, part in new}
        return _renumbered(new) if {part for _, part in state} - {-1} <= kept and any(edges) else None

    return move


def _degree(degree: int, more: int) -> int:
    return 2 - (degree + more) % 2


def _renumbered(vertices: list[tuple[int, int]]) -> State:
    order: dict[int, int] = {-1: -1}
    return tuple((degree, order.setdefault(part, len(order) - 1)) for degree, part in vertices)


def _is_tour(state: State, crosses: int) -> bool:
    """One part; even everywhere, but for two gates: the tour begins at one of them and ends at the other."""
    parts = {part for degree, part in state if degree}
    gates = [degree for degree, _ in state[crosses:]]
    at_gates = gates == ([2] if len(gates) == 1 else [1] * len(gates))
    return len(parts) == 1 and at_gates and all(degree != 1 for degree, _ in state[:crosses])
