"""The operations report on disk: one self-contained page, and a CSV for every figure and every list."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from tasks.documents.kept_plots import kept_plots
from tasks.documents.tables import write_csv
from tasks.domain.money import exponent
from tasks.domain.reporting.figures import PERCENTILES, Figure, KpiRules, Mistake
from tasks.domain.reporting.operations_report import Report

FILES_LISTED_MAX = 24
_PLOTS = {
    Mistake.RECORDS: ("records",),
    Mistake.QUALITY: ("quality",),
    Mistake.PROCEDURES: ("on_time", "backlog"),
    Mistake.SILENCE: ("notices",),
    Mistake.RETURNS: ("returns",),
}
_QUESTIONS = {
    Mistake.RECORDS: "Is the stock where the records say, and is it there when it is sold?",
    Mistake.QUALITY: "Are parcels right before they leave, and files before they are loaded?",
    Mistake.PROCEDURES: "Do orders leave by their ship-by, and which are still open?",
    Mistake.SILENCE: "Are customers notified, and in time?",
    Mistake.RETURNS: "What comes back, why, and how fast is it settled?",
}
DAYS_FILE, PLOTS_FILE = "days.json", "plots.json"


@dataclass(frozen=True)
class FigureLine:
    """One line of a table of figures; `bar` and `mark` in percent."""

    name: str
    value: str
    basis: str
    target: str
    missed: bool
    bar: float | None
    mark: float | None
    definition: str
    note: str
    link: str


@dataclass(frozen=True)
class Document:
    """A file of the day, or a folder of many."""

    name: str
    link: str


def write_operations_page(reports: Path, outgoing: Path, report: Report) -> Path:
    """Write `reports/operations/<day>/`: index.html, figures.csv and one CSV per list. Returns the path of the page."""
    folder = reports / "operations" / report.when.last.isoformat()
    for figure in report.figures:
        if len(figure.drill):
            write_csv(folder / f"{figure.rows_key or figure.key}.csv", figure.drill)
    for one in report.waiting:
        write_csv(folder / f"waiting_{one.key}.csv", one.rows)
    write_csv(folder / "figures.csv", _figures_table(report))
    write_csv(folder / "restated.csv", report.restated)
    _write_text(folder / DAYS_FILE, json.dumps(_days_table(report), indent=0) + "\n")
    page = folder / "index.html"
    _write_text(
        page,
        _render(report, documents(reports, outgoing, page, report.when.last), kept_plots(folder / PLOTS_FILE, report)),
    )
    return page


def earlier_days(reports: Path, day: date) -> pd.DataFrame:
    """The figures by day of the latest report before `day`: key, day str, numerator, denominator float64."""
    earlier = sorted(path for path in (reports / "operations").glob(f"*/{DAYS_FILE}")
                     if path.parent.name < day.isoformat())  # fmt: skip
    rows = json.loads(earlier[-1].read_text(encoding="utf-8")) if earlier else []
    columns = ["key", "day", "numerator", "denominator"]
    return pd.DataFrame(rows, columns=columns).astype({"numerator": "float64", "denominator": "float64"})


def documents(reports: Path, outgoing: Path, page: Path, day: date) -> dict[str, list[Document]]:
    """The documents of `day`, by flow: those whose path contains the day. A folder of many is one link."""
    marks = (f"{day:%Y-%m-%d}", f"{day:%Y%m%d}")
    by_flow: dict[str, list[Document]] = {}
    for flow in sorted(path for path in outgoing.glob("*") if path.is_dir()):
        inside = (path for path in sorted(flow.rglob("*")) if path.is_file())
        files = [path for path in inside if _contains(path.relative_to(outgoing), marks)]
        if files:
            by_flow[flow.name.replace("-", " ")] = list(_links(files, flow, page.parent))
    expectations = reports / "expectations" / f"{day:%Y-%m-%d}" / "index.html"
    if expectations.is_file():
        link = Document("checks of the received files", _link(expectations, page.parent))
        by_flow.setdefault("receive exports", []).insert(0, link)
    return by_flow


def _contains(path: Path, marks: Iterable[str]) -> bool:
    return any(mark in path.as_posix() for mark in marks)


def _links(files: list[Path], flow: Path, start: Path) -> Iterable[Document]:
    folders: dict[Path, list[Path]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    for folder, inside in sorted(folders.items()):
        if len(inside) > FILES_LISTED_MAX or flow.name == "send-messages":  # letters are named after their recipients
            count = f"{len(inside):,} file{'' if len(inside) == 1 else 's'}"
            yield Document(_document_name(folder.relative_to(flow) / count), _link(folder, start))
        else:
            yield from (Document(_document_name(path.relative_to(flow)), _link(path, start)) for path in inside)


def _document_name(path: Path) -> str:
    """The name of a document, with the time of day if its folder is a moment: `holds.csv, 18:00 UTC`."""
    moment = re.fullmatch(r"\d{8}T(\d\d)(\d\d)\d\dZ", path.parts[0])
    if moment is None:
        return path.as_posix()
    return f"{Path(*path.parts[1:]).as_posix()}, {moment[1]}:{moment[2]} UTC"


def _link(path: Path, start: Path) -> str:
    return quote(Path(os.path.relpath(path, start)).as_posix())


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _render(report: Report, by_flow: dict[str, list[Document]], plots: dict[str, str]) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(Path(__file__).parent),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    sections = [
        {
            "name": mistake.value,
            "words": _QUESTIONS[mistake],
            "lines": figure_lines([one for one in report.figures if one.mistake is mistake], report.rules),
            "missing": _missing([one for one in report.figures if one.mistake is mistake]),
            "plots": [plots[name] for name in _PLOTS[mistake] if name in plots],
        }
        for mistake in (Mistake.PROCEDURES, Mistake.RECORDS, Mistake.QUALITY, Mistake.SILENCE, Mistake.RETURNS)
    ]
    return environment.get_template("operations_page.html.j2").render(
        report=report, sections=sections, documents=by_flow, waiting=[_waiting(one, report) for one in report.waiting],
        headline=headline(report), restated=_restated(report),
    )  # fmt: skip


def headline(report: Report) -> list[FigureLine]:
    """The five figures a shift looks at first, as far as they are known."""
    keys = ("on_time_ship", "backlog_open", "record_accuracy", "pick_accuracy", "notices_reached")
    return figure_lines([report.figure(key) for key in keys if report.figure(key).value is not None], report.rules)


def _waiting(one: object, report: Report) -> dict[str, object]:
    key, rows, oldest = one.key, one.rows, one.oldest  # type: ignore[attr-defined]
    hours = (report.when.as_of - oldest).total_seconds() / 3600 if oldest else None
    first = [_subject(row) for row in rows.head(3).to_dict("records")]
    more = len(rows) - len(first)
    return {
        "count": f"{one.count:,}", "what": one.what, "do": one.do, "link": f"waiting_{key}.csv",  # type: ignore[attr-defined]
        "oldest": duration(hours) if hours is not None and hours >= 0 else "",
        "first": ", ".join(first) + (f" and {more:,} more" if more > 0 else ""),
    }  # fmt: skip


def _subject(row: dict[str, object]) -> str:
    """The name of the row for a person."""
    names = ("parcel", "order_number", "rma", "file_name", "subject", "sku", "location", "kind")
    name = next((str(row[key]) for key in names if key in row and not pd.isna(row[key])), "?")  # type: ignore[call-overload]
    about = next((row[key] for key in ("hold_reason", "urgency", "fault", "rule", "state", "sku") if key in row), None)
    detail = "" if about is None or pd.isna(about) else f" ({str(about).replace('_', ' ')})"  # type: ignore[call-overload]
    return f"{name}{detail}"


def figure_lines(figures: list[Figure], rules: KpiRules) -> list[FigureLine]:
    """One line per figure with a value; the percentiles of one duration share a line."""
    shown = [one for one in figures if one.value is not None]
    rows = []
    for one in shown:
        if one.unit == "hours" and one.rows_key:
            if one.key.endswith(f"_p{PERCENTILES[0]}"):
                rows.append(_percentiles([each for each in shown if each.rows_key == one.rows_key]))
        else:
            rows.append(_line(one, rules))
    return rows


def _percentiles(ones: list[Figure]) -> FigureLine:
    pairs = zip(ones, PERCENTILES, strict=True)
    value = "\n".join(f"{percent} % within {duration(one.value or 0)}" for one, percent in pairs)
    name, about = ones[0].name.rpartition(",")[0], ones[0].definition.rpartition(" 50 %")[0]
    basis = f"{ones[0].denominator:,.0f} measured"
    return FigureLine(
        name=name, value=value, basis=basis, target="", missed=False, bar=None, mark=None,
        definition=about, note="", link=f"{ones[0].rows_key}.csv",
    )  # fmt: skip


def _line(one: Figure, rules: KpiRules) -> FigureLine:
    target = rules.targets.get(one.key)
    limits = (target.at_least, target.at_most) if target else (None, None)
    mark = next((limit for limit in limits if limit is not None), None)
    words = next((word for word, limit in zip(("at least ", "at most "), limits, strict=True) if limit is not None), "")
    is_share = one.unit == "share"
    basis = f"{one.numerator:,.10g} of {one.denominator:,.10g}" if is_share and one.numerator is not None else ""
    return FigureLine(
        name=one.name,
        value=amount(one.value or 0, one.unit),
        basis=basis,
        target=f"{words}{amount(mark, one.unit)}" if mark is not None else "",
        missed=bool(target and target.missed(one.value)),
        bar=round(100 * min(1.0, one.value or 0), 1) if is_share else None,
        mark=round(100 * mark, 1) if is_share and mark is not None else None,
        definition=one.definition,
        note=one.note,
        link=f"{one.rows_key or one.key}.csv" if len(one.drill) else "",
    )


def amount(value: float, unit: str) -> str:
    """A value with its unit, in words."""
    if unit == "share":
        return f"{value * 100:.1f} %"
    if unit == "hours":
        return duration(value)
    if unit.startswith("money "):
        currency = unit.removeprefix("money ")
        return f"{value / 10 ** exponent(currency):,.{exponent(currency)}f} {currency}"
    return f"{value:,.10g}"


def duration(hours: float) -> str:
    """Minutes below an hour, hours below two days, days above."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def _missing(figures: list[Figure]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for one in figures:
        if one.value is None:
            name = one.name.rpartition(",")[0] if one.rows_key or one.unit == "hours" else one.name
            reasons.setdefault(one.missing, []).append(name)
    return [f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items()]


def _restated(report: Report) -> list[dict[str, str]]:
    rows = report.restated.head(report.rules.rows_shown_max).to_dict("records")
    return [
        {"name": str(row["name"]), "day": str(row["day"]), "before": amount(row["before"], "share"),
         "now": amount(row["now"], "share")}
        for row in rows
    ]  # fmt: skip


def _figures_table(report: Report) -> pd.DataFrame:
    names = ("key", "name", "mistake", "value", "unit", "numerator", "denominator", "definition", "missing", "note")
    return pd.DataFrame([{name: getattr(one, name) for name in names} for one in report.figures])


def _days_table(report: Report) -> list[list[object]]:
    return [
        [one.key, row["day"], row["numerator"], row["denominator"]]
        for one in report.figures
        for row in one.by_day.to_dict("records")
    ]
