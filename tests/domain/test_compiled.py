"""Compiled kernels are kept on disk, and what an earlier version kept there does no harm."""

import os
import subprocess
import sys
from pathlib import Path

from project import ROOT

MODULE = """
from typing import NamedTuple
from tasks.domain.compiled import kernel
class {name}(NamedTuple):
    units: int
@kernel
def doubled(line):
    return 2 * line.units
print(doubled({name}(21)))
"""


def test_a_cache_that_names_a_class_of_an_earlier_version_is_compiled_anew(tmp_path: Path) -> None:
    """The class a kernel takes was renamed and the kernel did not move: Numba alone would raise AttributeError."""
    for name in ("Line", "OrderLine"):
        (tmp_path / "lines.py").write_text(MODULE.format(name=name), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-c", "import lines"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (run.stdout.strip(), run.stderr) == ("42", "")
    assert list(tmp_path.rglob("*.nbi"))
