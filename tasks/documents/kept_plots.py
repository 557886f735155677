"""Plots of the operations report, kept and drawn again only when their data changed.

Matplotlib takes longer to import and to draw than everything else in a report.
"""

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from tasks.documents import operations_plots, plot_style
from tasks.domain.reporting.operations_report import Report


def kept_plots(path: Path, report: Report) -> dict[str, str]:
    """The plots of `report` as SVG text, by name; kept at `path` with a digest of their data."""
    digest = _digest(report)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if kept.get("digest") != digest:
        kept = {"digest": digest, "plots": operations_plots.plots(report)}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(path)
    return dict(kept["plots"])


def _digest(report: Report) -> str:
    """The digest of all a plot depends on: figures, rules, the drawing code and Matplotlib's version."""
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (operations_plots, plot_style))
    values = [(one.key, one.name, one.value) for one in report.figures]
    digest = sha256(code + repr((version("matplotlib"), report.when.last, report.rules, values)).encode())
    frames = [report.faults, report.reasons, report.notices, report.files]
    for frame in [*frames, *(frame for one in report.figures for frame in (one.by_day, one.drill))]:
        digest.update(repr(list(frame.columns)).encode())
        digest.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return digest.hexdigest()
