"""How soon the shortest tour of one picker is found, on published instances, and how long each tour is."""

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks.picking.published_instances import Instance, read_instance
from benchmarks.picking.scattered_storage import shortest_scattered
from tasks.domain.picking.routing.shortest_tour import Tour, shortest


@dataclass(frozen=True)
class Routed:
    """An instance's tour, and the seconds it took."""

    name: str
    tour: Tour
    seconds: float
    scattered: bool


def main(arguments: list[str]) -> int:
    """Route every instance and write `instance,length`; print how long it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks picker-routing", description=__doc__)
    parser.add_argument("instances", nargs="*", type=Path, metavar="INSTANCE", help="instance files")
    parser.add_argument("--blocks", type=int, choices=(1, 2), default=1, help="2: with a middle cross-aisle (1)")
    parser.add_argument("--out", type=Path, help="the CSV file to write: instance,length")
    options = parser.parse_args(arguments)
    if not options.instances:
        print("picker-routing: no instance given, nothing to route")
        return 0
    routed = [_routed(read_instance(path, blocks=options.blocks), path.name) for path in options.instances]
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(["instance", "length"])
            lines.writerows((one.name, f"{one.tour.walk_m:g}") for one in routed)
    _tell(routed)
    return 0


def _routed(instance: Instance, name: str) -> Routed:
    places = instance.places[instance.places["article"].isin(np.flatnonzero(instance.demand))]
    at = (places["subaisle"].to_numpy(), places["along_m"].to_numpy())
    scattered = bool(places["article"].duplicated().any())
    began = time.perf_counter()
    if scattered:
        tour = shortest_scattered(
            instance.floor, *at, places["article"].to_numpy(), places["quantity"].to_numpy(), instance.demand
        )
    else:
        tour = shortest(instance.floor, *at)
    return Routed(name, tour, time.perf_counter() - began, scattered)


def _tell(routed: list[Routed]) -> None:
    for word, rows in (("dedicated", [one for one in routed if not one.scattered]),
                       ("scattered", [one for one in routed if one.scattered])):  # fmt: skip
        if rows:
            seconds = [one.seconds for one in rows]
            warm = seconds[1:] or seconds
            print(f"{word}: {len(rows)} tours, {sum(one.tour.walk_m for one in rows):,.0f} long in all; the first "
                  f"{1e3 * seconds[0]:,.1f} ms, then {1e3 * mean(warm):,.3f} ms in the mean, at most "
                  f"{1e3 * max(warm):,.1f} ms")  # fmt: skip
