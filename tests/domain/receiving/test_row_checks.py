"""The rows of an export: every reason is listed, every rule asked once, the good rows typed."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.receiving.cells import Clock
from tasks.domain.receiving.export_kinds import KINDS, Field, Kind
from tasks.domain.receiving.row_checks import CheckedRows, Context, check_rows, with_day_fields

ORDER = {
    "merchant": "HEARTH", "order_number": "#1001", "line_number": "1", "created_at": "2026-03-06 10:00:00 +0000",
    "paid_at": "2026-03-06 10:05:00 +0000", "currency": "GBP", "sku": "MUG-1", "quantity": "2", "unit_price": "12.50",
}  # fmt: skip
CONTEXT = Context(Clock("UTC"), "GBP", (("merchant", "HEARTH"),))

AMOUNT = "an amount of money such as 12.50, at least 0, at most 1,000,000,000, in the decimals of its currency"


def judged(*changes: dict[str, str | None], kind: str = "orders", context: Context = CONTEXT) -> CheckedRows:
    """One order line a change, rows numbered from 2."""
    rows = pd.DataFrame([{**ORDER, **change} for change in changes], dtype="str")
    return check_rows(KINDS[kind], rows.assign(row_number=range(2, 2 + len(rows))), context)


def test_a_good_row_is_typed() -> None:
    """Numbers are whole, money is in minor units, times are moments; nothing is at fault."""
    found = judged({})
    assert found.faults.empty
    row = found.typed.iloc[0]
    assert (row["row_number"], row["quantity"], row["unit_price_minor"]) == (2, 2, 1250)
    assert row["created_at"] == pd.Timestamp("2026-03-06T10:00:00Z")
    assert str(found.typed["paid_at"].dtype).startswith("datetime64[")


def test_every_reason_is_listed() -> None:
    """A row with four faults comes back with four reasons: field, what was found, what was expected."""
    found = judged({"quantity": "1,234", "currency": "£", "sku": None, "email": "jane@mail"}, {})
    assert found.faults["row_number"].tolist() == [2] * 4
    assert found.faults["reason"].tolist() == [
        "currency: found '£', expected a currency code such as GBP",
        "sku: found nothing, expected a value",
        "quantity: found '1,234', expected a whole number, at least 1, at most 1,000,000",
        "email: found 'jane@mail', expected an e-mail address",
    ]
    assert found.typed["row_number"].tolist() == [3]


@pytest.mark.parametrize(
    ("change", "check", "reason"),
    [
        ({"quantity": "0"}, "range", "quantity: found '0', expected a whole number, at least 1, at most 1,000,000"),
        ({"order_number": " "}, "required", "order_number: found nothing, expected a value"),
        ({"paid_at": "2026-03-06 09:59:59 +0000"}, "sequence",
         "paid_at: found '2026-03-06 09:59:59+00:00', expected no earlier than created_at"),
        ({"unit_price": "12.505"}, "range", f"unit_price: found '12.505', expected {AMOUNT}"),
        ({"unit_price": "0.5", "currency": "JPY"}, "range", f"unit_price: found '0.5', expected {AMOUNT}"),
        ({"unit_price": "-1"}, "range", f"unit_price: found '-1.0', expected {AMOUNT}"),
    ],
)  # fmt: skip
def test_a_reason_says_field_found_and_expected(change: dict[str, str | None], check: str, reason: str) -> None:
    """One fault, one sentence a person can act on."""
    faults = judged(change).faults
    assert faults[["check", "reason"]].to_numpy().tolist() == [[check, reason]]


def test_money_is_settled_in_each_rows_own_currency() -> None:
    """The same 1.5 is 150 pence and 1,500 fils."""
    found = judged(
        {"unit_price": "1.5"}, {"unit_price": "1.5", "currency": "KWD"}, {"unit_price": "15", "currency": "JPY"}
    )
    assert found.typed["unit_price_minor"].tolist() == [150, 1500, 15]


def test_what_the_file_does_not_say_has_its_default() -> None:
    """An absent column, an empty cell and a cell of spaces all say nothing; a default stands in, once it is judged."""
    rows = pd.DataFrame(
        {"warehouse": "MAIN", "sku": ["A", "B", "C"], "on_hand": "1", "condition": ["damaged", None, "  "]}
    )
    found = check_rows(KINDS["stock"], rows.astype("str").assign(row_number=[2, 3, 4]), CONTEXT)
    assert found.faults.empty
    assert found.typed["condition"].tolist() == ["damaged", "available", "available"]
    assert found.typed["merchant"].tolist() == ["HEARTH"] * 3
    assert "location" not in found.typed


def test_a_moment_is_compared_with_all_before_it() -> None:
    """Fulfilled before it was created is said, also when nobody says when it was paid."""
    found = judged({"paid_at": None, "fulfilled_at": "2026-03-05 10:00:00 +0000"})
    assert found.faults["reason"].str.contains("no earlier than created_at").tolist() == [True]


def test_an_empty_default_is_a_value() -> None:
    """Goods without a lot have the empty lot; a SKU of nothing is still no SKU."""
    rows = pd.DataFrame({"warehouse": "MAIN", "sku": ["A", "B", ""], "on_hand": "1", "lot": [None, "L7", None]})
    found = check_rows(KINDS["stock"], rows.astype("str").assign(row_number=[2, 3, 4]), CONTEXT)
    assert found.typed["lot"].tolist() == ["", "L7"]
    assert found.faults["reason"].tolist() == ["sku: found nothing, expected a value"]


def test_the_rows_of_one_number_are_refused_together() -> None:
    """A source row of three records, one of them bad, is one refused row."""
    rows = pd.DataFrame([ORDER, {**ORDER, "line_number": "2", "quantity": "x"}, {**ORDER, "order_number": "#1002"}])
    found = check_rows(KINDS["orders"], rows.astype("str").assign(row_number=[2, 2, 3]), CONTEXT)
    assert found.typed["row_number"].tolist() == [3]


@pytest.mark.parametrize(
    ("text", "counted_at", "counted_on"),
    [
        ("2026-03-06 09:30:00", "2026-03-06 09:30:00", None),
        ("2026-03-06T00:00:00Z", "2026-03-06T00:00:00Z", None),  # midnight, as stated
        ("2026-03-06", None, "2026-03-06"),
        ("6/3/2026", None, "6/3/2026"),
        ("'46087", None, "46087"),  # a spreadsheet's serial date
        ("46087.4", "46087.4", None),
        (None, None, None),
    ],
)
def test_a_day_is_not_a_moment(text: str | None, counted_at: str | None, counted_on: str | None) -> None:
    """A text without a time of day goes to the day field of the moment."""
    rows = with_day_fields(KINDS["counts"], pd.DataFrame({"counted_at": pd.Series([text], dtype="str")})).astype(object)
    assert [None if pd.isna(cell) else cell for cell in rows.iloc[0]] == [counted_at, counted_on]


TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "1", "2", "1,234", "x", "GBP", "A-1", "2026-03-06", "12.50", "\x00", "=1+1", "yes"]),
    st.text(max_size=12),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Kind, pd.DataFrame]:
    """Rows of any kind with anything in any of its columns; several records may share a row number."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    names = draw(st.lists(st.sampled_from([one.name for one in kind.fields]), unique=True, min_size=1))
    count = draw(st.integers(1, 12))
    columns = {name: draw(st.lists(TEXTS, min_size=count, max_size=count)) for name in names}
    numbers = sorted(draw(st.lists(st.integers(2, 10), min_size=count, max_size=count)))
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
    return kind, frame.assign(row_number=numbers)


@settings(deadline=None)
@given(deliveries())
def test_every_row_is_either_good_or_refused(delivery: tuple[Kind, pd.DataFrame]) -> None:
    """No row is lost and none is both; the tally of each rule agrees with the faults and was asked once a row."""
    kind, rows = delivery
    found = check_rows(kind, rows, CONTEXT)
    good, refused = set(found.typed["row_number"]), set(found.faults["row_number"])
    assert good | refused == set(rows["row_number"])
    assert not good & refused
    assert found.tally["bad"].sum() == len(found.faults)
    assert found.tally["rule"].is_unique
    assert (found.tally["rows"] <= len(rows)).all()
    assert (found.tally["bad"] <= found.tally["rows"]).all()
    said = dict(CONTEXT.defaults)
    for field in kind.fields:
        asked = found.tally.set_index(["field", "check"])["rows"].get((field.name, "type"))
        assert asked == _spoken(field, rows, said.get(field.name, field.default))


def _spoken(field: Field, rows: pd.DataFrame, default: str | None) -> int:
    """How many rows say something of the field."""
    if default is not None:
        return len(rows)
    texts = rows.get(field.name, pd.Series(dtype="str")).fillna("")
    bare = texts.str.replace("\u00a0", " ").str.strip().str.removeprefix("'").str.strip()
    return int((bare != "").sum())


def test_a_rule_is_counted_whether_or_not_it_was_broken() -> None:
    """The gate sees how many rows each rule was asked of, and how many broke it."""
    tally = judged({}, {"quantity": "0"}, {"quantity": "x"}, {"quantity": None}).tally
    counted = {(field, check): (rows, bad) for _, field, check, rows, bad in tally.itertuples(index=False)}
    assert counted["quantity", "required"] == (4, 1)
    assert counted["quantity", "type"] == (3, 1)
    assert counted["quantity", "range"] == (3, 1)
    assert counted["phone", "type"] == (0, 0)
