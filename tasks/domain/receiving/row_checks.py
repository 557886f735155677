"""Checks the rows of an export: every rule once, every fault with its reason, the good rows typed.

Works on columns. A column is reduced to its distinct texts where that is faster, read by `receiving.cells`, and
expanded to the rows again; only faulty rows are handled one by one.
"""

import dataclasses
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tasks.domain.money import exponent
from tasks.domain.receiving.cells import MONEY_SCALE, Clock, bare, expectation, read_texts, type_words, value_range
from tasks.domain.receiving.export_kinds import Field, Kind, Type

_SAMPLE = 2_000
_DAY = r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|[34567]\d{4}(?:\.0+)?"
FOUND_LENGTH_MAX = 80
FAULT_COLUMNS = ("row_number", "field", "check", "reason")


@dataclass(frozen=True)
class CheckedRows:
    """The result of checking rows.

    `typed`: the good rows: row_number int64 and the fields that are there, or have a default, under typed names.
    `faults`: row_number int64, field str, check str (required, type, range, sequence), reason str.
    `tally`: rule str, field str, check str, rows int64, bad int64; one row per rule, whether or not it was broken.
    """

    typed: pd.DataFrame
    faults: pd.DataFrame
    tally: pd.DataFrame


@dataclass(frozen=True)
class Context:
    """What the file itself does not state."""

    clock: Clock = dataclasses.field(default_factory=Clock)
    currency: str | None = None
    defaults: tuple[tuple[str, str], ...] = ()  # (field, text where the file has none)


class _RuleResults:
    """Collects faults, and how often each rule was applied and broken."""

    def __init__(self, kind: Kind, rows: pd.DataFrame) -> None:
        self.kind = kind
        self.rows = rows
        self.numbers = rows["row_number"].to_numpy()
        self.faults: list[pd.DataFrame] = []
        self.tally: list[tuple[str, str, str, int, int]] = []

    def rule(
        self,
        field: str,
        check: str,
        rule: str,
        rows: int,
        bad: np.ndarray,
        quotes: pd.Series | None = None,
        expected: str | None = None,
    ) -> None:
        """Record the outcome of one rule.

        `rule`: its text, which no other rule of the kind has; `rows`: how many it was applied to; `bad`: a mask over
        all rows; `quotes`: the texts to quote; `expected`: what reasons say was expected, if not `rule`.
        """
        count = int(bad.sum())
        self.tally.append((f"{self.kind.name}.{field} is {rule}", field, check, rows, count))
        if not count:
            return
        quoted = "nothing" if quotes is None else "'" + quotes[bad].astype("str").str.slice(0, FOUND_LENGTH_MAX) + "'"
        self.faults.append(
            pd.DataFrame(
                {
                    "row_number": self.numbers[bad],
                    "field": field,
                    "check": check,
                    "reason": f"{field}: found " + quoted + f", expected {expected or rule}",
                }
            )
        )

    def judged(self, typed: dict[str, pd.Series]) -> CheckedRows:
        """The rows without any fault, typed, with the faults and the tally."""
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in FAULT_COLUMNS}).astype({"row_number": "int64"})
        faults = pd.concat(self.faults, ignore_index=True) if self.faults else empty
        frame = pd.DataFrame({"row_number": self.rows["row_number"], **typed})
        if self.faults:
            frame = frame[~frame["row_number"].isin(faults["row_number"])]
        names = ["rule", "field", "check", "rows", "bad"]
        return CheckedRows(frame.reset_index(drop=True), faults, pd.DataFrame(self.tally, columns=names))


def check_rows(kind: Kind, rows: pd.DataFrame, context: Context) -> CheckedRows:
    """Check `rows` (row_number int64, canonical fields as str, missing where the file has none) by every rule.

    A field without a column is missing in every row. If one row of a `row_number` is faulty, all of them are refused.
    """
    verdicts = _RuleResults(kind, rows)
    defaults = dict(context.defaults)
    typed: dict[str, pd.Series] = {}
    for field in kind.fields:
        default = defaults.get(field.name, field.default)
        texts = _texts(rows, field, default)
        if texts is None:
            _check_absent(verdicts, field)
            continue
        texts, values = _read(field, texts, default, context.clock)
        _check_column(verdicts, field, texts, values)
        typed[field.column] = values
    _convert_money(verdicts, kind, typed, context.currency)
    _check_sequence(verdicts, kind, typed)
    return verdicts.judged(typed)


def with_day_fields(kind: Kind, rows: pd.DataFrame) -> pd.DataFrame:
    """Move texts that name a day and no time of day from a moment to its `day_field`. `rows` as in `check_rows`."""
    for field in kind.fields:
        if field.day_field is not None and field.name in rows:
            rows = _with_day_field(rows, field.name, field.day_field)
    return rows


def _with_day_field(rows: pd.DataFrame, moment: str, day: str) -> pd.DataFrame:
    texts = rows[moment].str.strip().str.removeprefix("'")
    is_day = texts.str.fullmatch(_DAY).fillna(value=False).astype(bool)
    days = rows[day] if day in rows else pd.Series(None, index=rows.index, dtype="str")
    return rows.assign(**{moment: rows[moment].mask(is_day), day: days.mask(is_day, texts)})


def _texts(rows: pd.DataFrame, field: Field, default: str | None) -> pd.Series | None:
    """The column's texts with blanks filled by the default; None when the file has no text for the field."""
    if field.name not in rows or rows[field.name].isna().all():
        return None if default is None else pd.Series([default], dtype="str").take([0] * len(rows)).set_axis(rows.index)
    texts = rows[field.name]
    blank = texts.isna() | (texts == "")
    return texts.where(~blank, np.nan if default is None else default) if blank.any() else texts


def _read(field: Field, texts: pd.Series, default: str | None, clock: Clock) -> tuple[pd.Series, pd.Series]:
    """The column's texts and values; a text of spaces only counts as missing."""
    values = _read_column(field, texts, clock)
    unread = texts[values.isna() & texts.notna()]
    blank = unread.index[unread.map(bare) == ""]
    if len(blank):
        texts = texts.where(~texts.index.isin(blank), np.nan if default is None else default)
        values = _read_column(field, texts, clock)
    return texts, values


def _read_column(field: Field, texts: pd.Series, clock: Clock) -> pd.Series:
    """Type one column by its distinct texts."""
    codes, distinct = _distinct(texts)
    values = read_texts(field, distinct.reset_index(drop=True), clock)
    if codes is None:
        return values.set_axis(texts.index)
    return pd.Series(values.array.take(codes, allow_fill=bool((codes < 0).any())), index=texts.index)


def _distinct(texts: pd.Series) -> tuple[np.ndarray | None, pd.Series]:
    """Codes and distinct texts; no codes when nearly every text is distinct."""
    step = max(1, len(texts) // _SAMPLE)
    sample = texts.iloc[::step]
    if len(texts) > _SAMPLE and not texts.hasnans and sample.nunique() > len(sample) * 0.8:
        return None, texts
    codes, distinct = pd.factorize(texts)
    return codes, pd.Series(distinct)


def _check_absent(verdicts: _RuleResults, field: Field) -> None:
    nothing = np.zeros(len(verdicts.rows), dtype=bool)
    if field.required:
        verdicts.rule(field.name, "required", "a value", len(nothing), ~nothing)
    verdicts.rule(field.name, "type", type_words(field), 0, nothing)


def _check_column(verdicts: _RuleResults, field: Field, texts: pd.Series, values: pd.Series) -> None:
    missing = texts.isna().to_numpy()
    if field.required:
        verdicts.rule(field.name, "required", "a value", len(texts), missing)
    unread = values.isna().to_numpy() & ~missing
    present = int(len(texts) - missing.sum())
    verdicts.rule(field.name, "type", type_words(field), present, unread, texts, expectation(field))
    if field.minimum is not None and field.type is not Type.MONEY:
        outside = ~_between(values, field) & ~unread & ~missing
        verdicts.rule(field.name, "range", value_range(field), present, outside, texts, expectation(field))


def _between(values: pd.Series, field: Field) -> np.ndarray:
    """Whether each number lies in the field's range; a missing one does."""
    within: Any = values.between(field.minimum, field.maximum)  # type: ignore[arg-type]
    return np.asarray(within.fillna(value=True).to_numpy(dtype=bool))


def _convert_money(verdicts: _RuleResults, kind: Kind, typed: dict[str, pd.Series], currency: str | None) -> None:
    """Convert amounts from ten-thousandths to the minor units of each row's currency, and check their range."""
    fields = [field for field in kind.fields if field.column in typed and field.type is Type.MONEY]
    if not fields:
        return
    step = _minor_step(typed, currency, verdicts.rows.index)
    for field in fields:
        scaled = typed[field.column]
        minor, remainder = scaled // step, scaled % step
        bad = (remainder != 0).fillna(value=False).to_numpy(dtype=bool) | ~_between(minor, field)
        rule, expected = (
            f"{words}, in the decimals of its currency" for words in (value_range(field), expectation(field))
        )
        verdicts.rule(field.name, "range", rule, int(scaled.notna().sum()), bad, scaled / MONEY_SCALE, expected)
        typed[field.column] = minor


def _minor_step(typed: dict[str, pd.Series], currency: str | None, index: pd.Index) -> pd.Series:
    """The number of ten-thousandths in one minor unit of each row's currency."""
    codes = typed.get("currency", pd.Series(currency, index=index, dtype="str")).fillna(currency or "")
    numbers, distinct_codes = pd.factorize(codes)
    steps = [MONEY_SCALE // 10 ** min(4, exponent(code) if code else 2) for code in distinct_codes]
    return pd.Series(np.array(steps, dtype="int64")[numbers], index=index)


def _check_sequence(verdicts: _RuleResults, kind: Kind, typed: dict[str, pd.Series]) -> None:
    for earlier, later in combinations([name for name in kind.sequence if name in typed], 2):
        is_present = typed[earlier].notna() & typed[later].notna()
        bad = (is_present & (typed[later] < typed[earlier])).to_numpy(dtype=bool)
        verdicts.rule(later, "sequence", f"no earlier than {earlier}", int(is_present.sum()), bad, typed[later])
