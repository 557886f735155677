"""The operations report of a small, busy week: the page, its lists, and what a second run leaves."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, Table, insert, select, update

from config.settings import settings
from tasks.domain.notices import SILENT_CHANNEL
from tasks.domain.reporting.findings import FindingKind
from tasks.steps.report_kpis import broken_record_findings, figure_table, measure, write_operations_report
from tasks.store import schema

AS_OF = datetime(2026, 9, 11, 17, 0, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>=1+1"
CUSTOMER = "jane.doe@mail.example"


def _put(connection: Connection, table: Table, **values: object) -> int:
    made: Any = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(made[0])


def _days_ago(days: float) -> datetime:
    return AS_OF - timedelta(seconds=round(days * 86400))


class Week:
    """A shop's week, written straight into the tables."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.merchant = self.put(schema.merchants, code="HEARTH", name="Hearth & Hook")
        self.warehouse = self.put(
            schema.warehouses, code="MAIN", name="London", time_zone="Europe/London", country="GB"
        )
        self.location = self.put(schema.locations, warehouse_id=self.warehouse, code="A-01-1")
        self.product = self.put(
            schema.products, merchant_id=self.merchant, sku=HOSTILE, abc_class="A", unit_cost_minor=250, currency="GBP"
        )
        self.source = self.put(
            schema.imports, kind="orders", source="HEARTH", sha256="00", file_name="orders.csv", state="loaded",
            received_at=_days_ago(3), rows_in=20, rows_loaded=18, rows_quarantined=2,
        )  # fmt: skip
        self.put(
            schema.quarantined_rows, import_id=self.source, row_number=7, raw=f"x,{CUSTOMER}",
            reasons=f"email: found '{CUSTOMER}'", cells="{}",
        )  # fmt: skip
        self.put(
            schema.quarantined_rows, import_id=self.source, row_number=8, raw="x", reasons="sku: found ''", cells="{}",
            state="corrected",
        )  # fmt: skip

    def put(self, table: Table, **values: object) -> int:
        """Insert one row and give its id."""
        return _put(self.connection, table, **values)

    def order(self, number: str, placed: float, shipped: float | None, **more: object) -> int:
        """One order of two units, due two days after it was placed; `placed` and `shipped` are days ago."""
        more = {"paid_at": _days_ago(placed), "ship_by": _days_ago(placed - 2), **more}
        order = self.put(
            schema.orders, merchant_id=self.merchant, order_number=number, channel="web", currency="GBP",
            created_at=_days_ago(placed), email=CUSTOMER, customer_name="Jane Doe", **more,
        )  # fmt: skip
        done = 2 if shipped is not None else 0
        names = ("allocated", "picked", "packed", "shipped")
        self.put(
            schema.order_lines, order_id=order, line_number=1, sku=HOSTILE, quantity_ordered=2,
            **{f"quantity_{name}": done for name in names},
        )  # fmt: skip
        if shipped is not None:
            self.parcel(order, f"P-{number}", shipped)
        return order

    def parcel(self, order: int, code: str, shipped: float, state: str = "shipped") -> int:
        """A parcel with all of the order in it."""
        parcel = self.put(
            schema.shipments, merchant_id=self.merchant, parcel=code, order_id=order, warehouse_id=self.warehouse,
            carrier="DPD", state=state, shipped_at=_days_ago(shipped), packed_at=_days_ago(shipped + 0.1),
        )  # fmt: skip
        self.put(schema.shipment_lines, shipment_id=parcel, order_id=order, line_number=1, sku=HOSTILE, quantity=2)
        return parcel

    def count(self, expected: int, counted: int, *, within: bool, state: str) -> None:
        """One counted place."""
        count = self.put(schema.counts, warehouse_id=self.warehouse, code=f"C{expected}-{counted}", reason="cycle")
        line = self.put(
            schema.count_lines, count_id=count, location_id=self.location, product_id=self.product, sku=HOSTILE,
            quantity=counted, counted_at=_days_ago(1), state=state,
        )  # fmt: skip
        self.put(
            schema.variances, count_line_id=line, book=expected, expected=expected, counted=counted,
            difference=counted - expected, value_minor=250 * (counted - expected), currency="GBP",
            within_tolerance=within, decision="posted",
        )  # fmt: skip


@pytest.fixture
def week(store: Engine) -> Week:
    """Orders on time, late, early, cancelled, refunded, held; messages sent, bounced and kept back; a count missed."""
    with store.begin() as connection:
        made = Week(connection)
        made.order("1001", 4, 3)
        late = made.order("1002", 5, 1)
        made.order("1003", 6, 5)
        made.order("1004", 5, None, cancelled_at=_days_ago(4.5))
        made.order("1005", 4, None, hold_reason="stock")
        held = made.order("1006", 3, None)
        made.put(schema.shipments, merchant_id=made.merchant, parcel="P-1006", order_id=held, state="held",
                 packed_at=_days_ago(0.2))  # fmt: skip
        inspected = made.put(
            schema.inspections, shipment_id=connection.execute(
                select(schema.shipments.c.id).where(schema.shipments.c.parcel == "P-1006")).scalar_one(),
            plan="AQL 2.5", seed=1, verdict="hold", inspected_at=_days_ago(0.1),
        )  # fmt: skip
        made.put(schema.findings, inspection_id=inspected, code="wrong_item", severity="critical", subject=HOSTILE)
        for order, state in ((late, "bounced"), (held, "sent")):
            made.put(
                schema.messages, dedupe_key=f"parcel_shipped:{order}", kind="parcel_shipped", order_id=order,
                merchant_id=made.merchant, recipient=CUSTOMER, facts="{}", state=state, created_at=_days_ago(1),
                sent_at=_days_ago(0.9) if state == "sent" else None,
            )  # fmt: skip
        made.order("1007", 6, None, total_minor=900, refunded_minor=900)
        for order, reason in ((late, "old news: it happened more than 2 days ago"), (held, SILENT_CHANNEL)):
            made.put(
                schema.messages, dedupe_key=f"order_confirmed:{order}", kind="order_confirmed", order_id=order,
                merchant_id=made.merchant, recipient=CUSTOMER, facts="{}", state="suppressed", reason=reason,
                created_at=_days_ago(1),
            )  # fmt: skip
        made.count(10, 10, within=True, state="matched")
        made.count(10, 5, within=False, state="review")
        made.count(0, 5, within=True, state="posted")
        made.put(schema.alerts, cause="low", kind="low_stock", subject=HOSTILE, detail="3 left", opened_at=_days_ago(2))
    return made


@pytest.mark.both_databases
def test_the_figures_of_the_week(week: Week) -> None:
    """1001 and 1003 left in time, 1002 late, 1005 and 1006 not at all; 1004 and 1007 were withdrawn."""
    report = measure.fn(AS_OF, None)
    on_time = report.figure("on_time_ship")
    assert (on_time.numerator, on_time.denominator) == (2, 5)
    assert report.figure("fill_rate_unit").value == 1
    assert report.figure("oversell_rate").numerator == 1
    assert report.figure("preship_refund_rate").numerator == 2
    assert report.figure("backlog_open").value == 2
    assert report.figure("backlog_late").value == 2
    accuracy = report.figure("record_accuracy")
    assert (accuracy.numerator, accuracy.denominator) == (1, 3)
    assert report.figure("shrink_units_net").value == 5
    assert report.figure("pick_accuracy").value == 0
    assert report.figure("notices_reached").value == 0.5
    assert report.figure("quarantine_rate").value == 0.1
    assert report.figure("short_pick_rate").missing == "no pick was reported"


def test_what_waits_for_a_person_comes_first(week: Week) -> None:
    """Each list says how much, since when and what to do; the page links its CSV."""
    report = measure.fn(AS_OF, None)
    assert [(one.key, one.count) for one in report.waiting] == [
        ("late_orders", 2), ("oversell", 1), ("held_parcels", 1), ("customers_not_reached", 1), ("held_orders", 1),
        ("open_alerts", 1), ("counts_in_review", 1), ("quarantine", 1),
    ]  # fmt: skip
    page = write_operations_report.fn(report)
    assert page.read_text(encoding="utf-8").index("Needs a person now") < page.read_text().index("Shipped on time")
    assert (page.parent / "waiting_late_orders.csv").read_text().splitlines()[1].startswith("HEARTH,1005")


def test_records_that_do_not_add_up_are_listed_and_found(week: Week, store: Engine) -> None:
    """A level without its moves: a list on the page, a CSV and a finding of the run; before, none of the three."""
    report = measure.fn(AS_OF, None)
    clean = write_operations_report.fn(report)
    assert broken_record_findings(report) == []
    assert not (clean.parent / "waiting_broken_records.csv").exists()
    with store.begin() as connection:
        _put(connection, schema.stock_levels, location_id=week.location, product_id=week.product,
             condition="available", lot="", on_hand=6)  # fmt: skip
    report = measure.fn(AS_OF, None)
    page = write_operations_report.fn(report)
    assert "records that do not add up" in page.read_text(encoding="utf-8")
    rows = pd.read_csv(page.parent / "waiting_broken_records.csv")
    fault = "on hand differs from the sum of the moves"
    assert rows[["invariant", "fault", "expected", "found"]].to_numpy().tolist() == [["I2", fault, 0, 6]]
    assert [(one.kind, one.count, one.what) for one in broken_record_findings(report)] == [
        (FindingKind.BROKEN_RECORDS, 1, fault)
    ]


def test_the_page_lets_no_name_act_and_names_no_customer(week: Week) -> None:
    """A hostile SKU is text; addresses and names stay in the database."""
    page = write_operations_report.fn(measure.fn(AS_OF, None))
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http://" not in html.replace("http://www.w3.org/", "")
    written = [path.read_text(encoding="utf-8") for path in page.parent.iterdir()]
    assert not any(CUSTOMER in text or "Jane" in text for text in written)
    assert "\n'=" not in html


def test_a_second_run_writes_the_same_bytes(week: Week) -> None:
    """And reads only: the report changes no table."""
    page = write_operations_report.fn(measure.fn(AS_OF, None))
    first = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    write_operations_report.fn(measure.fn(AS_OF, None))
    assert {path.name: path.read_bytes() for path in page.parent.iterdir()} == first


@pytest.mark.both_databases
def test_plots_are_drawn_again_only_where_they_would_differ(week: Week, store: Engine) -> None:
    """A report of the same figures takes the plots that lie there; one of other figures draws its own."""
    page = write_operations_report.fn(measure.fn(AS_OF, None))
    kept = page.parent / "plots.json"
    kept.write_text(kept.read_text(encoding="utf-8").replace("Orders due", "Drawn before"), encoding="utf-8")
    write_operations_report.fn(measure.fn(AS_OF, None))
    assert "Drawn before" in page.read_text(encoding="utf-8")
    with store.begin() as connection:
        connection.execute(update(schema.shipments).values(shipped_at=_days_ago(2.5)))
    write_operations_report.fn(measure.fn(AS_OF, None))
    assert "Drawn before" not in page.read_text(encoding="utf-8")
    assert "Orders due" in page.read_text(encoding="utf-8")


@pytest.mark.both_databases
def test_a_late_file_restates_a_day_and_says_so(week: Week, store: Engine) -> None:
    """Monday's parcel becomes known on Saturday: Friday's report said otherwise, and Saturday's says that."""
    write_operations_report.fn(measure.fn(AS_OF, None))
    with store.begin() as connection:
        line = schema.order_lines.c
        order = connection.execute(
            select(schema.orders.c.id).where(schema.orders.c.order_number == "1006")
        ).scalar_one()
        for name in ("allocated", "picked", "packed", "shipped"):
            column = f"quantity_{name}"
            connection.execute(update(schema.order_lines).where(line.order_id == order).values({column: 2}))
        where = schema.shipments.c.parcel == "P-1006"
        connection.execute(update(schema.shipments).where(where).values(shipped_at=_days_ago(2), state="shipped"))
    report = measure.fn(AS_OF + timedelta(days=1), None)
    rows = report.restated[report.restated["key"] == "on_time_ship"]
    assert rows[["day", "before", "now"]].to_numpy().tolist() == [["2026-09-10", 0.0, 1.0]]
    assert "Restated" in write_operations_report.fn(report).read_text(encoding="utf-8")


def test_an_empty_shop_has_an_honest_report(store: Engine) -> None:
    """No figure is made up: each says that there is no data and why."""
    report = measure.fn(AS_OF, date(2026, 9, 10))
    page = write_operations_report.fn(report).read_text(encoding="utf-8")
    assert "Nothing waits for a person." in page
    assert "no order was due" in page
    assert page.count("No data: ") == 5
    assert {row["figure"] for row in figure_table(report)} == {
        "Open orders", "Open past their ship-by", "Due within 24 hours",
    }  # fmt: skip


def test_the_documents_of_the_day_are_linked(week: Week, home: Path) -> None:
    """Files whose path says the day; letters to customers only as a folder."""
    outgoing = settings().folder("outgoing")
    for name in ("plan-waves/20260911T170000Z/W1.pdf", "plan-waves/20260910T170000Z/W0.pdf",
                 f"send-messages/2026-09-11/{CUSTOMER}.html"):  # fmt: skip
        (outgoing / name).parent.mkdir(parents=True, exist_ok=True)
        (outgoing / name).write_text("x")
    html = write_operations_report.fn(measure.fn(AS_OF, None)).read_text(encoding="utf-8")
    assert "../../../outgoing/plan-waves/20260911T170000Z/W1.pdf" in html
    assert "W0.pdf" not in html
    assert "W1.pdf, 17:00 UTC" in html
    assert "2026-09-11/1 file<" in html
    assert CUSTOMER not in html


def test_the_lists_hold_what_was_counted(week: Week) -> None:
    """Every figure drills to its orders: the numerator is the rows marked as counted."""
    page = write_operations_report.fn(measure.fn(AS_OF, None))
    rows = pd.read_csv(page.parent / "on_time_ship.csv")
    assert rows.loc[rows["counted"], "order_number"].tolist() == [1001, 1003]
    assert json.loads((page.parent / "days.json").read_text())
