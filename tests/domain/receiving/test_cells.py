"""What a cell of text means: what is repaired because one reading is possible, what is refused because two are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.money import exponent
from tasks.domain.receiving.cells import MONEY_SCALE, Clock, date_order, read_texts
from tasks.domain.receiving.export_kinds import Field, Type

LONDON = Clock("Europe/London")
REFUSED = None


def read(kind: Type, *texts: str, clock: Clock = LONDON, choices: tuple[str, ...] = ()) -> list[object]:
    """The values of some texts, None where a text is refused."""
    values = read_texts(Field("cell", kind, choices=choices), pd.Series(texts, dtype="str"), clock)
    return values.astype(object).where(values.notna(), None).tolist()


def instant(text: str, clock: Clock = LONDON) -> str | None:
    """The moment a text names, in UTC."""
    [value] = read(Type.INSTANT, text, clock=clock)
    return None if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Type.CODE, "'00123", "00123"),
        (Type.CODE, '="00123"', "00123"),
        (Type.CODE, " MUG-1\u00a0", "MUG-1"),
        (Type.CODE, "1.23457E+12", REFUSED),
        (Type.CODE, "1,23457E+12", REFUSED),
        (Type.CODE, "12E3", "12E3"),  # a SKU; a spreadsheet writes the sign
        (Type.CODE, "A\nB", REFUSED),
        (Type.CODE, "A" * 101, REFUSED),
        (Type.CODE, "A\u200bB", REFUSED),
        (Type.CODE, "A\x00B", REFUSED),
        (Type.TEXT, "'=1+1", "=1+1"),
        (Type.TEXT, "'+44 20 7946 0000", "+44 20 7946 0000"),
        (Type.TEXT, "'s-Hertogenbosch", "'s-Hertogenbosch"),
        (Type.TEXT, '="a ""b"""', 'a "b"'),
        (Type.TEXT, "two\r\nlines", "two\nlines"),
        (Type.TEXT, "\U0001f468\u200d\U0001f469 mug", "\U0001f468\u200d\U0001f469 mug"),
        (Type.TEXT, "caf\ufffd", REFUSED),
        (Type.TEXT, "bell\x07", REFUSED),
        (Type.TEXT, "next\x85line", REFUSED),
        (Type.TEXT, "x" * 2_001, REFUSED),
        (Type.GTIN, "4006381333931", "4006381333931"),
        (Type.GTIN, "4006381333932", REFUSED),
        (Type.GTIN, "36000291452", "036000291452"),
        (Type.GTIN, "36000291453", REFUSED),
        (Type.GTIN, "4006381333931.0", "4006381333931"),
        (Type.GTIN, "4.00638E+12", REFUSED),
        (Type.EMAIL, "jane@mail.example", "jane@mail.example"),
        (Type.EMAIL, "'jane@mail.example ", "jane@mail.example"),
        (Type.EMAIL, "jane@mail", REFUSED),
        (Type.EMAIL, "jane..doe@mail.example", REFUSED),
        (Type.CURRENCY, "gbp", "GBP"),
        (Type.CURRENCY, "£", REFUSED),
        (Type.COUNTRY, "United Kingdom", "GB"),
        (Type.COUNTRY, "uk", "GB"),
        (Type.COUNTRY, "Atlantis", REFUSED),
        (Type.FLAG, "TRUE", True),
        (Type.FLAG, "perhaps", REFUSED),
        (Type.DATE, "31/12/2026", "2026-12-31"),
        (Type.DATE, "2026-02-30", REFUSED),
    ],
)
def test_a_word_is_repaired_where_one_reading_is_possible(kind: Type, text: str, value: object) -> None:
    """What a spreadsheet put around a word is taken off; what it destroyed is not guessed."""
    assert read(kind, text) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("12.0", 12), ("12,0", 12), ("+5", 5), ("-5", -5), ("007", 7), ("'4", 4), ('="3"', 3),
        ("1,234.0", 1234), ("1.234,0", 1234), ("1,234,567", 1_234_567), ("1.234.567", 1_234_567),
        ("1,234", REFUSED), ("1.234", REFUSED), ("1.000", REFUSED), ("1,000", REFUSED), ("1.2E+3", REFUSED),
        ("12.5", REFUSED), ("1 000", REFUSED), ("--5", REFUSED), ("½", REFUSED), ("٣", REFUSED), ("ten", REFUSED),
        ("9" * 19, REFUSED),
    ],
)  # fmt: skip
def test_a_number_with_two_readings_is_refused(text: str, value: int | None) -> None:
    """1,234 is a thousand here and one and a bit there; a quantity must not depend on who wrote it."""
    assert read(Type.INTEGER, text) == [value]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", "12.5"), ("12,50", "12.5"), ("£1,234.50", "1234.5"), ("1.234,50", "1234.5"), ("€ 3", "3"),
        ("12.50 GBP", "12.5"), ("1,234", REFUSED), ("0.00001", REFUSED), ("1e2", REFUSED), ("$", REFUSED),
        ("12.50-", REFUSED),
    ],
)  # fmt: skip
def test_money_keeps_every_decimal_it_has(text: str, amount: str | None) -> None:
    """Amounts are read exactly; a currency sign or code around them is no part of them."""
    assert read(Type.MONEY, text) == [None if amount is None else Decimal(amount) * MONEY_SCALE]


def test_a_choice_is_one_of_its_words_in_any_case() -> None:
    """A word that is not listed is refused, not kept."""
    assert read(Type.CHOICE, "Available", "lost", choices=("available", "damaged")) == ["available", None]


def test_mixed_time_zones_in_one_column_become_one_clock() -> None:
    """An offset is taken as it is written; without one the clock is the merchant's, in summer and in winter."""
    texts = ("2026-07-01 12:00:00 +0200", "2026-07-01T12:00:00Z", "2026-07-01 12:00:00", "2026-01-01 12:00")
    assert [f"{value:%H:%M}" for value in read(Type.INSTANT, *texts)] == ["10:00", "12:00", "11:00", "12:00"]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-29 01:30:00", REFUSED),  # London skipped it
        ("2026-10-25 01:30:00", REFUSED),  # London had it twice
        ("2026-10-25 01:30:00 +0100", "2026-10-25 00:30:00"),
        ("46000.5", "2025-12-09 12:00:00"),
        ("'2026-03-06 17:05:00", "2026-03-06 17:05:00"),
        ("2026-03-06T17:05:00.999+00:00", "2026-03-06 17:05:00"),
        ("2026-02-30 10:00:00", REFUSED),
        ("2026-03-06 24:00:00", REFUSED),
        ("2026-03-06 17:05:00 +9900", REFUSED),
        ("1899-12-30 00:00:00", REFUSED),
        ("9999-12-31 00:00:00", REFUSED),
        ("yesterday", REFUSED),
    ],
)
def test_a_time_is_read_only_where_it_exists_once(text: str, utc: str | None) -> None:
    """The hour London skips names no moment, the hour it repeats names two."""
    assert instant(text) == utc


def test_the_column_decides_whether_the_day_comes_first() -> None:
    """One 25/12 tells how 03/04 is meant; with neither or both in sight only what can be nothing else is read."""
    column = pd.Series(["03/04/2026", "25/12/2026", "2026-01-01"], dtype="str")
    assert date_order(column).day_first is True
    assert date_order(pd.Series(["03/04/2026", "12/25/2026"], dtype="str")).day_first is False
    assert date_order(pd.Series(["25/12/2026", "12/25/2026"], dtype="str")).day_first is None
    assert instant("03/04/2026 9:15", Clock("UTC", day_first=True)) == "2026-04-03 09:15:00"
    assert instant("03/04/2026 9:15 PM", Clock("UTC", day_first=False)) == "2026-03-04 21:15:00"
    assert instant("03/04/2026", Clock("UTC")) is None
    assert instant("25/12/2026", Clock("UTC")) == "2026-12-25 00:00:00"
    assert instant("12/25/2026", Clock("UTC", day_first=True)) is None


MOMENTS = st.integers(946_771_200, 4_102_272_000).map(lambda second: datetime.fromtimestamp(second, UTC))  # 2000-2099
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))
ZONES = st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
STATED = ("{0:%Y-%m-%d %H:%M:%S} {1}", "{0:%Y-%m-%dT%H:%M:%S}{1}", "{0:%Y-%m-%dT%H:%M:%S}.250{1}")


@settings(deadline=None)
@given(moment=MOMENTS, offset=OFFSETS, colon=st.booleans(), form=st.sampled_from(STATED))
def test_a_moment_with_its_offset_reads_back(moment: datetime, offset: timedelta, colon: bool, form: str) -> None:
    """Whatever clock it was written on, whatever clock the merchant has."""
    local = moment + offset
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if offset < timedelta() else "+"
    said = f"{sign}{minutes // 60:02}{':' if colon else ''}{minutes % 60:02}"
    assert instant(form.format(local, said)) == f"{moment:%Y-%m-%d %H:%M:%S}"


FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y, %I:%M:%S %p", "serial")


@settings(deadline=None)
@given(moment=MOMENTS, zone=ZONES, form=st.sampled_from(FORMS))
def test_a_moment_on_the_merchants_clock_reads_back(moment: datetime, zone: str, form: str) -> None:
    """Every format reads back to the moment it was written from, unless its hour came twice that day."""
    local = moment.astimezone(ZoneInfo(zone))
    if form == "serial":
        text = repr((local.replace(tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1))
    else:
        text = local.strftime(form)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    expected = REFUSED if twice else f"{moment:%Y-%m-%d %H:%M:%S}"
    assert instant(text, Clock(zone, day_first=True)) == expected


@settings(deadline=None)
@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1, max_size=20))
def test_any_integer_reads_back(numbers: list[int]) -> None:
    """However it is written: plainly, with decimals of nothing, behind an apostrophe, with every thousand marked."""
    plain = [str(number) for number in numbers]
    assert read(Type.INTEGER, *plain) == numbers
    assert read(Type.INTEGER, *(f"{text}.0" for text in plain)) == numbers
    assert read(Type.INTEGER, *(f"'{text}" for text in plain)) == numbers
    assert read(Type.INTEGER, *(f"{number:,}.00" for number in numbers)) == numbers


CURRENCIES = st.sampled_from(["GBP", "USD", "JPY", "KWD", "CLF", "EUR"])


@settings(deadline=None)
@given(minor=st.integers(0, 10**12), currency=CURRENCIES, written=st.sampled_from(["{}", "'{}", "{} GBP", "€{}"]))
def test_money_reads_back_in_any_currency(minor: int, currency: str, written: str) -> None:
    """No decimals, two, three or four: an amount in minor units survives being written as a decimal."""
    amount = Decimal(minor).scaleb(-exponent(currency))
    [scaled] = read(Type.MONEY, written.format(amount))
    assert scaled == amount * MONEY_SCALE


@settings(deadline=None)
@given(st.text(max_size=40), st.sampled_from(list(Type)))
def test_no_text_breaks_a_reader(text: str, kind: Type) -> None:
    """A text is read or refused; nothing is raised, and a word that is kept prints on one screen."""
    [value] = read(kind, text, choices=("one", "two"))
    if isinstance(value, str):
        assert value == value.strip()
        assert "\x00" not in value
