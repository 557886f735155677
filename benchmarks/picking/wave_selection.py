"""How dense a wave is chosen from the instances of the SBPO 2025 challenge, and how soon; writes its solution files."""

import argparse
import csv
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array

from benchmarks.picking.wave_selection_check import check
from tasks.domain.picking.release.dense_wave import DenseWave, OrderPool, densest_wave

SEARCHES = 2  # at the same time: one a core
SPARE_S = 2.0  # kept of the time, at most a tenth of it: a search does not stop at once


def main(arguments: list[str]) -> int:
    """Choose a wave from each instance within `--seconds`, check it, write it, and print it beside the best known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks wave-selection", description=__doc__)
    parser.add_argument("instances", type=Path, nargs="*", help="instance files, as the challenge writes them")
    parser.add_argument("--seconds", type=float, default=30, help="for each instance, reading included (30)")
    parser.add_argument("--out", type=Path, default=Path("data/reports/wave-selection"), help="where solutions go")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if not options.instances:
        print("wave-selection: no instance files are named")
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(SEARCHES) as threads:
        _choose(_pool("1 1 1\n1 0 1\n1 0 1\n1 1"), 60, 1, threads)  # compiles what is not compiled yet
        print(f"seed {options.seed}, {options.seconds:g} s an instance, {SEARCHES} searches", _row(HEADER), sep="\n")
        failed = [one for one in options.instances if not _measure(one, options, threads)]
    return 1 if failed else 0


HEADER = ("instance", "orders", "units", "aisles", "density", "best known", "ratio", "reached s", "0.995 s", "ended s",
          "proven")  # fmt: skip


def _measure(instance: Path, options: argparse.Namespace, threads: ThreadPoolExecutor) -> bool:
    start = time.perf_counter()
    wave, reached = _choose(_pool(instance.read_text(encoding="ascii")), options.seconds, options.seed, threads, start)
    ended = time.perf_counter() - start
    if wave is None:
        print(f"{instance.stem}: no wave found")
        return False
    file = options.out / f"{instance.stem}.txt"
    file.write_text(_solution(wave), encoding="ascii")
    problems = check(instance.read_text(encoding="ascii"), file.read_text(encoding="ascii"))
    best_known = _best_known(instance)
    near = next((f"{seconds:.1f}" for seconds, density in reached if best_known and density >= 0.995 * best_known), "")
    print(_row((
        instance.stem, len(wave.orders), wave.units, len(wave.aisles), f"{wave.density:.4f}",
        f"{best_known:.4f}" if best_known else "", f"{wave.density / best_known:.4f}" if best_known else "",
        f"{next(seconds for seconds, density in reached if density == wave.density):.1f}", near, f"{ended:.1f}",
        "yes" if wave.proven else "",
    )), *problems, sep="\n", flush=True)  # fmt: skip
    return not problems


def _choose(
    pool: OrderPool, seconds: float, seed: int, threads: ThreadPoolExecutor, start: float | None = None
) -> tuple[DenseWave | None, list[tuple[float, float]]]:
    """The wave, and when (in seconds) which density was reached."""
    begun = time.perf_counter() if start is None else start
    end = begun + seconds - min(SPARE_S, seconds / 10)
    reached: list[tuple[float, float]] = []
    wave = densest_wave(
        pool,
        seed=seed,
        searches=SEARCHES,
        run=threads.map,
        stop=lambda _: time.perf_counter() > end,
        on_better=lambda better: reached.append((time.perf_counter() - begun, better.density)),
    )
    return wave, reached


def _pool(text: str) -> OrderPool:
    head, *lines = text.strip().splitlines()
    orders, items, aisles = map(int, head.split())
    least, most = map(int, lines[orders + aisles].split())
    return OrderPool(_matrix(lines[:orders], items), _matrix(lines[orders : orders + aisles], items), least, most)


def _matrix(lines: list[str], items: int) -> csr_array:
    numbers = [np.array(line.split(), dtype=np.int64) for line in lines]
    rows = np.repeat(np.arange(len(lines)), [len(one) // 2 for one in numbers])
    columns, quantities = (np.concatenate([one[first::2] for one in numbers]) for first in (1, 2))
    stated = quantities > 0
    return coo_array((quantities[stated], (rows[stated], columns[stated])), (len(lines), items)).tocsr()


def _solution(wave: DenseWave) -> str:
    return "".join(f"{number}\n" for part in (wave.orders, wave.aisles) for number in (len(part), *part))


def _best_known(instance: Path) -> float | None:
    file = instance.resolve().parents[1] / "best_known.csv"
    if not file.exists():
        return None
    with file.open(encoding="utf-8", newline="") as rows:
        best_known = {row["instance"]: float(row["best_known"]) for row in csv.DictReader(rows)}
    return best_known.get(instance.stem)


def _row(cells: tuple[object, ...]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
