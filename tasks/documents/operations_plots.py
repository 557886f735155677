"""The plots of the operations report as SVG text: the same figures give the same bytes."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from tasks.documents.plot_style import BAD, GOOD, PALE, SHADES, STYLE
from tasks.domain.reporting.operations_report import Report

AGES = ((1, "under 1 day"), (2, "1-2"), (3, "2-3"), (5, "3-5"), (10, "5-10"), (float("inf"), "over 10 days"))
NAME_LENGTH_MAX = 34


def plots(report: Report) -> dict[str, str]:
    """One SVG per plot that has data, by name."""
    makers: dict[str, Callable[[Report], str]] = {
        "on_time": _on_time,
        "backlog": _backlog,
        "records": _records,
        "quality": _quality,
        "notices": _notices,
        "returns": _returns,
    }
    drawn = {name: maker(report) for name, maker in makers.items()}
    return {name: svg for name, svg in drawn.items() if svg}


@contextmanager
def _canvas(title: str, height: float = 2.6) -> Iterator[tuple[Any, list[str]]]:
    """An axis to draw on; the SVG is appended to the list when the block ends."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    svgs: list[str] = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, height))
        FigureCanvasSVG(figure)
        axis = figure.add_subplot()
        axis.set_title(title)
        yield axis, svgs
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r"^.*?(?=<svg)", "", text.getvalue(), flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svgs.append(svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1))


def _days(report: Report, key: str) -> pd.DataFrame:
    """The last days of a figure, every day in it; numerator and denominator are 0 where nothing happened."""
    when = report.when
    days = pd.date_range(end=pd.Timestamp(when.last), periods=report.rules.trend_days).strftime("%Y-%m-%d")
    by_day = report.figure(key).by_day
    if by_day.empty or not by_day["day"].isin(days).any():
        return pd.DataFrame()
    return by_day.set_index("day").reindex(days, fill_value=0.0)


def _label_days(axis: Any, days: pd.Index) -> None:
    dates = pd.to_datetime(days)
    axis.set_xticks(range(len(days)), [f"{day:%a}\n{day.day}.{day.month}." for day in dates], fontsize=8)


def _on_time(report: Report) -> str:
    days = _days(report, "on_time_ship")
    if days.empty:
        return ""
    with _canvas("Orders due and orders shipped on time") as (axis, svgs):
        places = range(len(days))
        axis.bar(places, days["denominator"], color=PALE, label="due")
        axis.bar(places, days["numerator"], color=GOOD, width=0.5, label="shipped on time")
        _label_days(axis, days.index)
        axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(0, 1.02))
        axis.margins(y=0.25)
    return svgs[0]


def _backlog(report: Report) -> str:
    waiting = report.figure("backlog_open").drill
    if waiting.empty:
        return ""
    edges = [0.0, *(edge for edge, _ in AGES)]
    band = pd.cut(waiting["age_days"], edges, right=False, labels=[name for _, name in AGES])
    sums = pd.crosstab(band, waiting["counted"], dropna=False).reindex(columns=[False, True], fill_value=0)
    sums = sums.reindex([name for _, name in AGES], fill_value=0)
    with _canvas("Open orders by age") as (axis, svgs):
        axis.bar(sums.index, sums[False], color=GOOD, label="in time")
        axis.bar(sums.index, sums[True], bottom=sums[False], color=BAD, label="past their ship-by")
        axis.tick_params(axis="x", labelsize=8)
        axis.legend(frameon=False, fontsize=8)
    return svgs[0]


def _records(report: Report) -> str:
    shown = [one for one in report.figures if one.key.startswith("record_accuracy") and one.value is not None]
    if not shown:
        return ""
    names = [one.name.removeprefix("Record accuracy").lstrip(", ") or "all places" for one in shown][::-1]
    values = [100 * (one.value or 0) for one in shown][::-1]
    with _canvas("Record accuracy, % of counted places", 0.9 + 0.34 * len(shown)) as (axis, svgs):
        axis.barh(names, values, color=GOOD, height=0.6)
        axis.set_xlim(0, 100)
        target = report.rules.targets.get("record_accuracy")
        if target is not None and target.at_least is not None:
            axis.axvline(100 * target.at_least, color=BAD, linestyle="--", linewidth=1)
    return svgs[0]


def _quality(report: Report) -> str:
    if len(report.faults):
        faults = report.faults.assign(name=report.faults["code"].str.replace("_", " "))
        table = faults.pivot_table(index="name", columns="severity", values="found", aggfunc="sum", fill_value=0)
        return _stacked("What inspections found", table)
    files = report.files[report.files["rows_quarantined"] > 0]
    if files.empty:
        return ""
    table = files.groupby("kind")[["rows_quarantined"]].sum().rename(columns={"rows_quarantined": "rows quarantined"})
    return _stacked("Rows quarantined, by kind of file", table)


def _notices(report: Report) -> str:
    if report.notices.empty:
        return ""
    rows = report.notices.assign(kind=report.notices["kind"].str.replace("_", " "))
    return _stacked("Messages by state", pd.crosstab(rows["kind"], rows["state"].str.replace("_", " ")))


def _returns(report: Report) -> str:
    if report.reasons.empty:
        return ""
    rows = report.reasons.assign(disposition=report.reasons["disposition"].str.replace("_", " "))
    table = rows.pivot_table(index="reason", columns="disposition", values="units", aggfunc="sum", fill_value=0)
    return _stacked("Units returned, by reason", table)


def _stacked(title: str, table: pd.DataFrame, rows_max: int = 9) -> str:
    """Horizontal stacked bars, longest on top; `table`: one row per bar, one column per part."""
    total = table.sum(axis="columns")
    table = table.assign(_total=total).sort_index().sort_values("_total", ascending=False, kind="stable")
    table = table.head(rows_max).drop(columns="_total").iloc[::-1]
    names = [str(name)[:NAME_LENGTH_MAX] for name in table.index]
    with _canvas(title, 0.9 + 0.32 * len(table)) as (axis, svgs):
        left = pd.Series(0, index=table.index)
        for number, part in enumerate(table.columns):
            axis.barh(names, table[part], left=left, color=SHADES[number % len(SHADES)], label=str(part), height=0.65)
            left += table[part]
        if len(table.columns) > 1:
            axis.legend(frameon=False, fontsize=8, loc="lower right")
        axis.xaxis.get_major_locator().set_params(integer=True)
    return svgs[0]
