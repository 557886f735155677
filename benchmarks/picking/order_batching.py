"""How short the tours of published order batching instances become in a given time; every solution is checked."""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.picking.batching_check import problems
from benchmarks.picking.published_instances import Instance, picking_of_instance, read_instance
from tasks.domain.picking.batching.batch_search import BatchPlan, batch_orders
from tasks.domain.picking.batching.tour_lengths import BatchingProblem

WARMING_UP = "the kernels are compiled, or read from disk, before the clock of the first instance starts"
ROUNDS_MAX = 1_000_000
FEW = 8


@dataclass(frozen=True)
class Batched:
    """What is written of an instance."""

    instance: str
    batches: list[list[int]]
    length: float
    seconds: float
    seed: int


def main(arguments: list[str]) -> int:
    """Batch every instance, check each solution, and write it; the exit code tells whether all of them hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks order-batching", description=__doc__)
    parser.add_argument("instances", nargs="*", type=Path, metavar="INSTANCE", help="instance files")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each instance (120)")
    parser.add_argument("--seed", type=int, default=1, help="of the search (1)")
    parser.add_argument("--rounds", type=int, default=ROUNDS_MAX, help="at most; repeatable")
    parser.add_argument("--out", type=Path, help="the folder to write to: one JSON file an instance")
    options = parser.parse_args(arguments)
    if not options.instances:
        print("order-batching: no instance given, nothing to batch")
        return 0
    print(WARMING_UP)
    _warm_up(picking_of_instance(read_instance(options.instances[0])))
    wrong = 0
    for path in options.instances:
        instance = read_instance(path)
        clock = _Clock(options.seconds)
        plan = batch_orders(picking_of_instance(instance), options.seed, options.rounds, clock.left_s)
        wrong += _report(path, instance, plan, clock.passed_s(), options.seed, options.out)
    return int(wrong > 0)


def _warm_up(picking: BatchingProblem) -> None:
    """Call every kernel once, on a few orders."""
    few = picking._replace(bits=picking.bits[:FEW], load=picking.load[:FEW], key=picking.key[:FEW])
    batch_orders(few, 1, 2)


@dataclass
class _Clock:
    seconds: float
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = time.perf_counter()

    def passed_s(self) -> float:
        return time.perf_counter() - self.began

    def left_s(self) -> float:
        return self.seconds - self.passed_s()


def _report(path: Path, instance: Instance, plan: BatchPlan, seconds: float, seed: int, out: Path | None) -> int:
    batches = [list(batch) for batch in plan.batches]
    wrong = problems(instance, batches, plan.metres)
    for one in wrong:
        print(f"{path.name}: {one}")
    batched = Batched(path.name, batches, round(plan.metres, 6), round(seconds, 2), seed)
    print(f"{path.parent.name}/{path.name}: {batched.length:,.2f} in {len(batches)} tours, {plan.rounds} rounds, "
          f"{seconds:.1f} s", flush=True)  # fmt: skip
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{path.stem}.json").write_text(json.dumps(batched.__dict__), encoding="utf-8")
    return len(wrong)
