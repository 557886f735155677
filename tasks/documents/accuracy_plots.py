"""Record accuracy and shrinkage over past counts, one picture a warehouse: the same figures give the same bytes."""

from pathlib import Path
from typing import Any

import pandas as pd

from tasks.documents.plot_style import BAD, GOOD, INK, PALE, STYLE
from tasks.domain.money import exponent

DAYS_LABELLED_MAX = 10
_DPI = 110


def write_trend(path: Path, title: str, days: pd.DataFrame) -> Path:
    """Draw one warehouse's `tasks.domain.counting.count_reports.trend` as a PNG: accuracy above, shrinkage below.

    Amounts of the currency most of the days are in; days on which only another was counted are left out below.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.8), dpi=_DPI)
        FigureCanvasAgg(figure)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        places = {day: number for number, day in enumerate(sorted(days["day"].unique()))}
        _accuracy(above, days.assign(place=days["day"].map(places)), title)
        _shrinkage(below, days.assign(place=days["day"].map(places)))
        _label(below, list(places))
        part = path.with_name(path.name + ".part")
        figure.savefig(part, format="png", metadata={"Software": None})
    part.replace(path)
    return path


def _accuracy(axis: Any, days: pd.DataFrame, title: str) -> None:
    counted = days[days["accuracy"].notna()].drop_duplicates("place")
    axis.set_title(title)
    axis.plot(counted["place"], 100 * counted["accuracy"], color=GOOD, marker="o", label="by line")
    axis.plot(counted["place"], 100 * counted["accuracy_value"], color=INK, marker="s", markersize=4, linestyle=":",
              label="by value")  # fmt: skip
    lowest = 100 * counted[["accuracy", "accuracy_value"]].min().min() if len(counted) else 0
    axis.set_ylim(max(0, min(90, lowest - 5)), 101)
    axis.set_ylabel("record accuracy, %")
    axis.grid(axis="y", alpha=0.4)
    axis.legend(frameon=False, fontsize=8, loc="lower left", ncols=2)
    for _, last in counted.tail(1).iterrows():
        axis.annotate(f"{100 * last['accuracy']:.1f}", (last["place"], 100 * last["accuracy"]),
                      textcoords="offset points", xytext=(7, -3), fontsize=9, color=GOOD)  # fmt: skip


def _shrinkage(axis: Any, days: pd.DataFrame) -> None:
    currency = days["currency"].mode().iloc[0] if len(days) else ""
    in_currency = days[days["currency"] == currency]
    unit = 10 ** (exponent(currency) if currency else 2)
    axis.bar(in_currency["place"], in_currency["absolute_minor"] / unit, color=PALE, width=0.6, label="absolute")
    colours = [BAD if net < 0 else GOOD for net in in_currency["net_minor"]]
    axis.bar(
        in_currency["place"], in_currency["net_minor"] / unit, color=colours, width=0.3, label="net (below 0: lost)"
    )
    axis.axhline(0, color=INK, linewidth=0.8)
    axis.set_ylabel(f"adjusted, {currency}" if currency else "adjusted")
    handles, names = axis.get_legend_handles_labels()
    axis.legend(handles, names, frameon=False, fontsize=8, ncols=2, loc="upper left")
    axis.margins(y=0.3)


def _label(axis: Any, days: list[str]) -> None:
    step = max(1, -(-len(days) // DAYS_LABELLED_MAX))
    shown = list(range(0, len(days), step))
    axis.set_xticks(shown, [days[number] for number in shown], fontsize=8, rotation=30 if len(days) > 5 else 0)
    axis.set_xlim(-0.6, max(0.6, len(days) - 0.4))
