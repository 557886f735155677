"""A warehouse with a floor plan: three blocks, one-way aisles, two zones, levels, a dock and a packing bench."""

import os
import shutil
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
import yaml
from floor import AS_OF
from killed_runs import context
from project import ROOT

from tasks.steps.picking.plan_waves import release_waves

FLOOR: dict[str, Any] = {
    "cross_aisles_m": [0, 12, 24, 36],
    "aisles": [
        {"zone": "small", "names": ["A", "B", "C", "D", "E", "F"], "first_m": 4, "apart_m": 3},
        {"zone": "large", "names": ["G", "H", "I", "J"], "first_m": 24, "apart_m": 5},
    ],
    "depots": [
        {"name": "dock", "across_m": 2, "along_m": -4},
        {"name": "bench", "across_m": 30, "along_m": -4},
    ],
    "start": "dock",
    "drop_off": "bench",
    "one_way": {"B": "to_back", "C": "to_front"},
    "bays": {"first_m": 1, "apart_m": 1},
    "levels": ["1", "2", "3", "4"],
    "levels_in_reach": 2,
}


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Make a configuration in which MAIN says otherwise, below `folder`, and use it."""
    own = folder / "config"
    shutil.copytree(ROOT / "config", own)
    file = own / "warehouses" / "MAIN.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8")) | changes
    file.write_text(f"# The operations lead may change it.\n{yaml.safe_dump(said)}", encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(own))


def planner(together: Barrier) -> ForkServerProcess:
    """A process that releases waves as soon as the others of `together` do, in the environment of this one."""
    told = {name: said for name, said in os.environ.items() if name.startswith("FULFILMENT_")}
    process = context().Process(target=_release, args=(told, together))
    process.start()
    return process


def _release(told: dict[str, str], together: Barrier) -> None:
    os.environ |= told
    together.wait()
    release_waves.fn(None, None, AS_OF)
