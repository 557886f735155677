"""Reads the text of cells, one reader per type.

Each reader takes the distinct texts of a column and returns their values, missing where a text has no certain meaning.
Most texts are clean and are read in one vectorised call; the others are repaired one distinct text at a time. A repair
is only made where one reading is possible: an apostrophe or ="…" that a spreadsheet added, a comma before one or two
decimals, a serial date. A number in scientific notation has lost digits, and 1,234 has two readings: both are refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache

import numpy as np
import pandas as pd
from babel import Locale
from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from stdnum import ean

from tasks.domain.receiving.export_kinds import Field, Type

MONEY_SCALE = 10_000  # money is read in ten-thousandths, until the row's currency is known
CODE_LENGTH_MAX = 100
TEXT_LENGTH_MAX = 2_000
_CLEAN_CODE = r"[A-Za-z0-9#_./:@+-]{0,100}"  # empty is a default (no lot); an empty cell of a file is no text
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ufffd-\uffff]")
_JOINERS = re.compile(r"[\u200c-\u200f]")  # needed by names in Persian, Arabic and Hebrew, and by emoji
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_OFFSET = r"(?: ?(?:Z|UTC|[+-](?:0\d|1[0-4]):?[0-5]\d))?"
_ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?" + _OFFSET
_ISO_MINUTES = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(" + _OFFSET + ")")
_EXACT = pd.api.types.pandas_dtype("timestamp[s, tz=UTC][pyarrow]")
_FIRST, _LAST = pd.Timestamp("2000-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")


@dataclass(frozen=True)
class Clock:
    """How times without a zone are read: the time zone, and whether 03/04 is the third of April (None: unknown)."""

    zone: str = "UTC"
    day_first: bool | None = None


Reader = Callable[[Field, pd.Series, Clock], pd.Series]


def read_texts(field: Field, texts: pd.Series, clock: Clock) -> pd.Series:
    """The values of the distinct, present `texts` of one column; missing where a text has no certain meaning."""
    return _READERS[field.type](field, texts, clock)


def expectation(field: Field) -> str:
    """What a cell of this field must be, in words: its type and its range."""
    limits = value_range(field)
    return f"{type_words(field)}, {limits}" if limits else type_words(field)


def type_words(field: Field) -> str:
    """The type of a field in words."""
    return {
        Type.TEXT: f"text without control characters, at most {TEXT_LENGTH_MAX:,} characters",
        Type.CODE: "a code on one line, not in scientific notation",
        Type.INTEGER: "a whole number",
        Type.MONEY: "an amount of money such as 12.50",
        Type.NUMBER: "a number",
        Type.INSTANT: "a time such as 2026-03-06 17:05:00 +0000 that exists once",
        Type.DATE: "a date such as 2026-03-06",
        Type.EMAIL: "an e-mail address",
        Type.CURRENCY: "a currency code such as GBP",
        Type.COUNTRY: "a country or its two-letter code",
        Type.GTIN: "a GTIN of 8, 12, 13 or 14 digits with its check digit",
        Type.CHOICE: "one of " + ", ".join(field.choices),
        Type.FLAG: "yes or no",
    }[field.type]


def value_range(field: Field) -> str:
    """The range of a field in words, such as "at least 1, at most 100"; empty when it has none."""
    unit = 100 if field.type is Type.MONEY else 1
    limits = (("at least", field.minimum), ("at most", field.maximum))
    return ", ".join(f"{word} {limit // unit:,}" for word, limit in limits if limit is not None)


@dataclass(frozen=True)
class DateOrder:
    """What dates such as 25/12/2026 reveal about the order of day and month; `+` combines two parts of a file."""

    any: bool = False
    first_beyond_12: bool = False
    second_beyond_12: bool = False

    def __add__(self, other: "DateOrder") -> "DateOrder":
        return DateOrder(
            self.any or other.any,
            self.first_beyond_12 or other.first_beyond_12,
            self.second_beyond_12 or other.second_beyond_12,
        )

    @property
    def day_first(self) -> bool | None:
        """Whether the day comes first; None when no date shows it, or dates contradict each other."""
        return self.first_beyond_12 if self.first_beyond_12 != self.second_beyond_12 else None


def date_order(texts: pd.Series) -> DateOrder:
    """What the dates among `texts` reveal about the order of day and month."""
    texts = texts.dropna()
    dates = texts[texts.str.match(r"\s*'?\d{1,2}[/.-]\d{1,2}[/.-]\d{4}")].drop_duplicates()
    parts = dates.str.extract(r"^\s*'?(\d{1,2})[/.-](\d{1,2})[/.-]").astype("int64")
    return DateOrder(len(dates) > 0, bool((parts[0] > 12).any()), bool((parts[1] > 12).any()))


def bare(text: str) -> str:
    """The text without what a spreadsheet adds around it: spaces, a leading apostrophe, ="…"."""
    return _unwrapped(text).removeprefix("'").strip()


def _unwrapped(text: str) -> str:
    text = text.replace("\u00a0", " ").strip()
    return text[2:-1].replace('""', '"') if re.fullmatch(r'="(?:[^"]|"")*"', text) else text


def _read_each(texts: pd.Series, read: Callable[[str], object]) -> list[object]:
    return [read(bare(text)) for text in texts]


def _in_two_passes(texts: pd.Series, clean: pd.Series, fast: pd.Series, slow: Callable[[str], object]) -> pd.Series:
    """`fast` where `clean`, otherwise the result of `slow` for each text."""
    if not clean.all():
        is_loose = ~clean
        fast = fast.copy()
        fast[is_loose] = pd.Series(_read_each(texts[is_loose], slow), index=texts.index[is_loose], dtype=object).astype(
            fast.dtype
        )
    return fast


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _read_text(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(r"(?:[!-~](?:[ -~]{0,198}[!-~])?)?") & ~texts.str.match(r"['=]")
    if not clean.all():
        texts_read = [_text(text) for text in texts[~clean]]
        texts = texts.copy()
        texts[~clean] = pd.Series(texts_read, index=texts.index[~clean], dtype="str")
    return texts


def _text(text: str) -> str | None:
    text = _unwrapped(text).replace("\r\n", "\n")
    if re.match(r"'[=+@\d-]", text):  # before a letter the apostrophe belongs to the word: 's-Hertogenbosch
        text = text[1:]
    bad = _CONTROL.search(_JOINERS.sub("", text)) or not 0 < len(text) <= TEXT_LENGTH_MAX
    return None if bad else text


def _read_code(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(_CLEAN_CODE) & ~texts.str.contains("+", regex=False)
    return _in_two_passes(texts, clean, texts, _code)


def _code(text: str) -> str | None:
    if _CONTROL.search(text) or re.search(r"[\r\n\t]", text) or not 0 < len(text) <= CODE_LENGTH_MAX:
        return None
    return None if _SCIENTIFIC.fullmatch(text) and "+" in text else text


def _read_gtin(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    return pd.Series(_read_each(texts, _gtin), index=texts.index, dtype="str")


def _gtin(text: str) -> str | None:
    digits = text.replace(" ", "").replace("-", "")
    digits = digits.removesuffix(".0")
    if not digits.isascii() or not digits.isdigit():
        return None
    if len(digits) == 11:  # a GTIN-12 without its leading zero, which a spreadsheet dropped
        digits = digits.zfill(12)
    return digits if ean.is_valid(digits) else None


def _read_email(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(
        r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
    )
    return _in_two_passes(texts, clean, texts, _email)


def _email(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _read_currency(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    currencies = list_currencies()
    return pd.Series(
        _read_each(texts, lambda text: text.upper() if text.upper() in currencies else None), texts.index, "str"
    )


def _read_country(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    return pd.Series(_read_each(texts, lambda text: _countries().get(text.casefold())), texts.index, "str")


@cache
def _countries() -> dict[str, str]:
    """Two-letter codes by code, English name and common other spellings, all case-folded."""
    named = {code: name for code, name in Locale("en").territories.items() if re.fullmatch("[A-Z]{2}", code)}
    by_name = {name.casefold(): code for code, name in named.items()}
    usual = {"uk": "GB", "usa": "US", "eire": "IE", "rsa": "ZA", "channel islands": "GB", "czech republic": "CZ"}
    return by_name | {code.casefold(): code for code in named} | usual


def _read_choice(field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    words = {str(choice).casefold(): str(choice) for choice in field.choices}
    return pd.Series(_read_each(texts, lambda text: words.get(text.casefold())), texts.index, "str")


_FLAGS = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "y": True, "n": False}


def _read_flag(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    return pd.Series(_read_each(texts, lambda text: _FLAGS.get(text.casefold())), texts.index, "boolean")


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────
def _read_integer(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(r"-?[0-9]{1,18}")
    values = texts.where(clean, "0").astype("int64").astype("Int64")
    return _in_two_passes(texts, clean, values, _integer)


def _integer(text: str) -> int | None:
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]000", text):  # one, or a thousand?
        return None
    value = _decimal(text)
    return int(value) if value is not None and value == value.to_integral_value() and abs(value) < 10**18 else None


def _read_money(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(r"[0-9]{1,10}(?:\.[0-9]{1,4})?")
    scaled = texts.where(clean, "0").astype("float64") * MONEY_SCALE
    values = scaled.round().astype("int64").astype("Int64")
    return _in_two_passes(texts, clean, values, _money)


def _money(text: str) -> int | None:
    text = re.sub(r"^[£$€]\s*|\s*[£$€]$|^[A-Z]{3}\s+|\s+[A-Z]{3}$", "", text)
    value = _decimal(text)
    if value is None or abs(value) > 10**12:
        return None
    scaled = value * MONEY_SCALE
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _read_number(_field: Field, texts: pd.Series, _clock: Clock) -> pd.Series:
    values = [_decimal(bare(text)) for text in texts]
    return pd.Series([None if value is None else float(value) for value in values], texts.index, "Float64")


def _decimal(text: str) -> Decimal | None:
    """The number, if it has one possible reading: 12.5, 12,5, 1,234.50 and 1.234,50, but not 1,234 or 1.23E+12."""
    if re.fullmatch(r"[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}((\.\d{3})+,\d+|(\.\d{3}){2,})", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d+,\d{1,2}", text):
        text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,18})?", text, re.ASCII):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _read_instant(_field: Field, texts: pd.Series, clock: Clock) -> pd.Series:
    clean = texts.str.fullmatch(_ISO)
    if not clean.all():
        loose = _read_each(texts[~clean], lambda text: _iso_text(text, clock))
        texts = texts.copy()
        texts[~clean] = pd.Series(loose, index=texts.index[~clean], dtype="str")
    instants = _instants(texts, clock)
    return instants.where((instants >= _FIRST) & (instants < _LAST))


def _instants(texts: pd.Series, clock: Clock) -> pd.Series:
    """ISO texts as datetime64[s, UTC]; those without an offset are local times of `clock`."""
    try:
        exact: pd.Series = texts.astype(_EXACT)  # fails unless every text states its offset
        return exact.astype("timestamp[s][pyarrow]").astype("datetime64[s]").dt.tz_localize("UTC")
    except ValueError:
        pass
    local = _clock_times(texts.str.slice(0, 19))
    codes, tails = pd.factorize(texts.str.slice(19))
    seconds = np.array([_offset_seconds(tail) for tail in tails] or [np.nan])[codes]
    stated = ~np.isnan(seconds) & (codes >= 0)
    exact = local - pd.to_timedelta(pd.Series(np.where(stated, seconds, 0), texts.index).astype("int64"), unit="s")
    instants = exact.dt.tz_localize("UTC")
    if not stated.all():
        instants[~stated] = local[~stated].dt.tz_localize(clock.zone, ambiguous="NaT", nonexistent="NaT")
    return instants


def _clock_times(texts: pd.Series) -> pd.Series:
    """ISO texts without an offset as datetime64[s]; missing where the day or hour does not exist."""
    try:
        return texts.astype("timestamp[s][pyarrow]").astype(
            "datetime64[s]"
        )  # ten times as fast, but fails for all when it fails for one
    except ValueError:
        return pd.Series(pd.to_datetime(texts, format="ISO8601", errors="coerce").dt.as_unit("s"))


def _offset_seconds(tail: str) -> float:
    """The offset in seconds east of UTC at the end of an ISO text; NaN when it has none."""
    offset = re.sub(r"^\.\d+", "", tail).strip()
    if not offset:
        return np.nan
    if offset in {"Z", "UTC"}:
        return 0
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 60 + int(offset[-2:])) * 60


_LOOSE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:,? +(\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AaPp])[Mm])?)?")


def _iso_text(text: str, clock: Clock) -> str | None:
    """The ISO text of a date alone, a date as a spreadsheet displays it, or a spreadsheet's serial number."""
    if re.fullmatch(_ISO, text):
        return text
    if minutes := _ISO_MINUTES.fullmatch(text):
        return f"{minutes[1]}:00{minutes[2]}"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return f"{text} 00:00:00"
    if re.fullmatch(r"[34567]\d{4}(\.\d+)?", text):
        moment = datetime(1899, 12, 30) + timedelta(days=float(text))  # noqa: DTZ001 - on the clock of the file
        return (moment + timedelta(milliseconds=500)).isoformat(sep=" ", timespec="seconds")
    return _spreadsheet_date(text, clock)


def _spreadsheet_date(text: str, clock: Clock) -> str | None:
    parts = _LOOSE.fullmatch(text)
    if parts is None:
        return None
    first, second, year = int(parts[1]), int(parts[2]), int(parts[3])
    day_first = clock.day_first
    if day_first is None:
        day_first = True if first > 12 else False if second > 12 else first == second or None
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    hour = int(parts[4] or 0)
    if parts[7]:
        hour = hour % 12 + (12 if parts[7] in "pP" else 0)
    return f"{year}-{month:02}-{day:02} {hour:02}:{parts[5] or '00'}:{parts[6] or '00'}"


def _read_date(_field: Field, texts: pd.Series, clock: Clock) -> pd.Series:
    iso = pd.Series(_read_each(texts, lambda text: _iso_text(text, clock)), texts.index, "str")
    days = pd.to_datetime(iso.str.slice(0, 10), format="ISO8601", errors="coerce")
    return days.dt.strftime("%Y-%m-%d").astype("str")


_READERS: dict[Type, Reader] = {
    Type.TEXT: _read_text,
    Type.CODE: _read_code,
    Type.INTEGER: _read_integer,
    Type.MONEY: _read_money,
    Type.NUMBER: _read_number,
    Type.INSTANT: _read_instant,
    Type.DATE: _read_date,
    Type.EMAIL: _read_email,
    Type.CURRENCY: _read_currency,
    Type.COUNTRY: _read_country,
    Type.GTIN: _read_gtin,
    Type.CHOICE: _read_choice,
    Type.FLAG: _read_flag,
}
