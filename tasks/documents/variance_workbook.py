"""The workbooks of counting: a variance report to read, and a sheet to answer in. No cell of either executes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.documents.tables import CREATED
from tasks.domain.counting.approvals import TO_ANSWER
from tasks.domain.counting.count_states import CountAnswer, ReasonCode
from tasks.domain.money import exponent

_WIDTH_MAX = 46
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
_HEAD = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#e8eef3"}
_TITLE = {"bold": True, "font_size": 13}
_FILLED = {"answer": 12, "answered_by": 18, "reason_code": 22, "comment": 40}
_CHOICES = {"answer": [str(one) for one in CountAnswer], "reason_code": [str(one) for one in ReasonCode][:14]}
_TOP = 3  # rows above the header: the title, what it says, an empty one
_WORDS = {"abc_class": "ABC class", "sku": "SKU", "value_minor": "value", "kind": "what it is"}


@dataclass(frozen=True)
class Page:
    """One sheet: its name, a sentence on what it shows, its rows, and a picture beside them."""

    name: str
    about: str
    rows: pd.DataFrame
    picture: Path | None = None


def write_variance_workbook(path: Path, pages: Sequence[Page], zones: Mapping[str, str]) -> Path:
    """Write pages as a workbook: header frozen and filtered, money in its currency, times on the warehouse's clock.

    A column `x_minor` is money of the row's `currency`, `accuracy…` a part of one shown in percent, a moment is shown
    in the zone of the row's `warehouse` (`zones`: by code). The same rows give the same bytes.
    """
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with xlsxwriter.Workbook(str(part), _OPTIONS) as book:
        book.set_properties({"created": CREATED})
        for page in pages:
            _write_page(book, page, zones)
    part.replace(path)
    return path


def _write_page(book: Any, page: Page, zones: Mapping[str, str]) -> None:
    sheet, rows = book.add_worksheet(page.name), _local(page.rows, zones)
    names = [str(name) for name in rows.columns]
    for number, name in enumerate(names):
        sheet.set_column(number, number, _width(name, rows[name]))
    sheet.freeze_panes(_TOP + 1, 0)
    sheet.autofilter(_TOP, 0, _TOP + max(1, len(rows)), len(names) - 1)
    _to_print(sheet, page.name)
    sheet.write_string(0, 0, page.name, book.add_format(_TITLE))
    sheet.write_string(1, 0, page.about if len(rows) else f"{page.about} Nothing this time.")
    head = book.add_format(_HEAD)
    sheet.set_row(_TOP, 30)
    for number, name in enumerate(names):
        sheet.write_string(_TOP, number, heading(name), head)
    _write_rows(book, sheet, rows, _TOP + 1)
    if page.picture is not None:
        sheet.insert_image(_TOP, len(names) + 1, str(page.picture), {"object_position": 2})


def write_answer_sheet(path: Path, sheet: pd.DataFrame) -> Path:
    """Write what waits (`counting.approvals.answer_sheet`) as a workbook to answer in and to drop in the inbox.

    Only the cells of an answer can be changed; the answer and the reason code are chosen from lists.
    """
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with xlsxwriter.Workbook(str(part), _OPTIONS | {"constant_memory": False}) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("approvals")
        page.protect("", {"format_columns": True, "autofilter": True, "select_locked_cells": True})
        page.freeze_panes(1, 1)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        page.autofilter(0, 0, len(sheet), len(sheet.columns) - 1)
        rows = sheet.assign(asked_at=sheet["asked_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        _write_rows(book, page, rows, 1)
        for number, name in enumerate(str(label) for label in rows.columns):
            _answer_column(book, page, number, name, rows[name])
    part.replace(path)
    return path


def _answer_column(book: Any, page: Any, number: int, name: str, values: pd.Series) -> None:
    page.write_string(0, number, name.removesuffix("_minor"), book.add_format(_HEAD))
    page.set_column(number, number, _FILLED.get(name, _width(name, values)))
    if name not in TO_ANSWER:
        return
    open_ = book.add_format({"locked": False, "border": 1, "num_format": "@", "bg_color": "#fff8e1", "valign": "top"})
    for row in range(1, len(values) + 1):
        page.write_blank(row, number, None, open_)
    if words := _CHOICES.get(name):
        listed = {"validate": "list", "source": words, "error_message": "Choose one of the list, or leave it empty."}
        page.data_validation(1, number, len(values), number, listed)


def _to_print(sheet: Any, name: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_TOP)
    sheet.set_footer(f"&L{name}&RPage &P of &N")


def heading(name: str) -> str:
    """A column's name in words."""
    return _WORDS.get(name, name.removesuffix("_minor").replace("_", " "))


def _local(rows: pd.DataFrame, zones: Mapping[str, str]) -> pd.DataFrame:
    """Moments as the clock of their warehouse showed them: a spreadsheet knows no zones."""
    clocks = rows["warehouse"].map(zones).fillna("UTC") if "warehouse" in rows else None
    local_times = {}
    for name in rows.select_dtypes("datetimetz"):
        local = rows[name].dt.tz_localize(None).astype("datetime64[s]")
        for zone in () if clocks is None else clocks.unique():
            there = rows[name].dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[s]")
            local = local.where(clocks != zone, there)
        local_times[str(name)] = local
    return rows.assign(**local_times)


def _write_rows(book: Any, sheet: Any, rows: pd.DataFrame, first: int) -> None:
    form = _forms(book)
    names = [str(name) for name in rows.columns]
    money = rows["currency"].astype(object).where(rows["currency"].notna(), "") if "currency" in rows else None
    columns = [_values(rows[name]) for name in names]
    for row, values in enumerate(zip(*columns, strict=True)):
        currency = "" if money is None else str(money.iloc[row])
        for column, value in enumerate(values):
            _write(sheet, first + row, column, value, names[column], currency, form)


def _write(sheet: Any, row: int, column: int, value: Any, name: str, currency: str, form: Any) -> None:
    if value is None:
        sheet.write_blank(row, column, None, form("plain"))
    elif name.endswith("_minor"):
        sheet.write_number(row, column, value / 10 ** _decimals(currency), form("money", currency))
    elif name.startswith("accuracy"):
        sheet.write_number(row, column, value, form("percent"))
    elif isinstance(value, pd.Timestamp):
        sheet.write_datetime(row, column, value.to_pydatetime(), form("time"))
    elif isinstance(value, bool):
        sheet.write_string(row, column, "yes" if value else "no", form("plain"))
    elif isinstance(value, str):
        sheet.write_string(row, column, value, form("plain"))
    else:
        signed = name in {"difference", "net", "units_net"}
        sheet.write_number(row, column, value, form("signed" if signed else "whole"))


def _forms(book: Any) -> Any:
    """The format of a kind of cell, made once a workbook."""
    shown = {"plain": "@", "percent": "0.0%", "time": "yyyy-mm-dd hh:mm", "whole": "#,##0",
             "signed": "+#,##0;[Red]-#,##0;0"}  # fmt: skip

    @cache
    def form(kind: str, currency: str = "") -> Any:
        if kind != "money":
            return book.add_format({"num_format": shown[kind], "valign": "top", "indent": 1 if kind == "plain" else 0})
        decimals = "." + "0" * _decimals(currency) if _decimals(currency) else ""
        unit = f' "{currency}"' if currency else ""
        return book.add_format({"num_format": f"#,##0{decimals}{unit};[Red]-#,##0{decimals}{unit}", "valign": "top"})

    return form


def _decimals(currency: str) -> int:
    return exponent(currency) if currency else 2


def _values(values: pd.Series) -> list[Any]:
    plain = values.astype(object)
    return list(plain.where(values.notna(), None))


def _width(name: str, values: pd.Series) -> int:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return 17
    longest = max((len(str(value)) for value in _values(values.head(300)) if value is not None), default=0)
    longest += 5 if name.endswith("_minor") else 0
    word = max(len(one) for one in heading(name).split())
    return min(_WIDTH_MAX, max(8, word + 4, longest + 2))
