"""A tour's edges turned into the way a picker walks: every edge once, from the depot and back, places as they come."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.tour_states import BOTH, HIGH, LOW, PASS, TWICE, tour_moves

GATE, END = (
    -1,
    -2,
)  # a depot off the aisles, another where tours end; other vertices: aisle x cross-aisles + cross-aisle
HOME = -1  # stands in the order for the way from the end to the beginning


@dataclass
class _Graph:
    """Edges by vertex, each with its places in walking order from one vertex to the other."""

    ends: list[tuple[int, int]] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)
    at: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, one: int, other: int, places: list[int]) -> None:
        for vertex in {one, other}:
            self.at[vertex].append(len(self.ends))
        self.ends.append((one, other))
        self.places.append(places)


def walking_order(
    floor: Floor, chosen: list[tuple[int, int, int]], subaisle: np.ndarray, along_m: np.ndarray
) -> np.ndarray:
    """The rows of `subaisle` and `along_m` (sorted by both) in the order in which the tour takes them.

    A tour can be walked either way round; it begins at the end that lies nearer the first aisle's front.
    `chosen`: how each subaisle is walked, edges to the gate and across, as aisle, step and option; last aisle first.
    """
    graph, crosses = _Graph(), floor.blocks + 1
    across = tour_moves(crosses, floor.gates).across
    next_front = 0
    for aisle, step, option in chosen:
        front = aisle * crosses
        if step < floor.blocks:
            low, high = np.searchsorted(subaisle, [aisle * floor.blocks + step, aisle * floor.blocks + step + 1])
            _walk(graph, front + step, option, list(range(low, high)), along_m)
        elif step == floor.blocks:
            _legs(graph, floor, front, option)
        else:
            for cross, count in enumerate(across[option]):
                for _ in range(count):
                    graph.add(front + cross, next_front + cross, [])
        next_front = front
    depot = GATE if floor.gate_m else floor.depot_aisle * crosses + floor.depot_cross
    if floor.end_m:
        graph.add(END, GATE, [HOME])  # makes a circuit of the way from the one to the other
    order = _circuit(graph, depot)
    if floor.end_m:
        return np.array(order[:0:-1] if order[:1] == [HOME] else order[:-1], dtype="int64")
    return np.array(order[::-1] if order and order[-1] < order[0] else order, dtype="int64")


def _legs(graph: _Graph, floor: Floor, front: int, option: int) -> None:
    """Edges between the gates and the aisle of which `front` is the front."""
    if floor.end_m:
        for number, (vertex, cross) in enumerate(zip((GATE, END), floor.gates, strict=True)):
            if option >> number & 1:
                graph.add(vertex, front + cross, [])
    elif floor.gate_m:
        for _ in range(option):
            graph.add(GATE, front + floor.gate_cross, [])


def _walk(graph: _Graph, low: int, option: int, rows: list[int], along_m: np.ndarray) -> None:
    split = {LOW: len(rows), HIGH: 0}.get(option)
    if option in {PASS, TWICE}:
        graph.add(low, low + 1, rows)
        if option == TWICE:
            graph.add(low, low + 1, [])
    if option == BOTH:
        split = int(np.argmax(np.diff(along_m[rows]))) + 1
    if split is not None:
        if rows[:split]:
            graph.add(low, low, rows[:split])
        if rows[split:]:
            graph.add(low + 1, low + 1, rows[split:][::-1])


def _circuit(graph: _Graph, depot: int) -> list[int]:
    """The places of an Euler circuit (Hierholzer 1873): in and out of an aisle's end as soon as one is there."""
    walked = [False] * len(graph.ends)
    for vertex, edges in graph.at.items():
        edges.sort(key=lambda edge: (graph.ends[edge] == (vertex, vertex), bool(graph.places[edge])))
    stack: list[tuple[int, int]] = [(depot, -1)]
    circuit: list[tuple[int, int]] = []
    while stack:
        vertex, edge_in = stack[-1]
        edges = graph.at[vertex]
        while edges and walked[edges[-1]]:
            edges.pop()
        if not edges:
            circuit.append((vertex, edge_in))
            stack.pop()
            continue
        edge = edges.pop()
        walked[edge] = True
        one, other = graph.ends[edge]
        stack.append((other if vertex == one else one, edge))
    return _passed(graph, [edge_in for _, edge_in in circuit if edge_in >= 0], depot)


def _passed(graph: _Graph, edges: list[int], at: int) -> list[int]:
    """The places along the circuit; a circuit walked backwards is one too."""
    places: list[int] = []
    for edge in edges:
        one, other = graph.ends[edge]
        forth = graph.places[edge]
        places += forth if one in {at, other} else forth[::-1]
        at = other if at == one else one
    return places
