"""Counts compared with the dated book, and what follows from the difference."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import Connection, Engine, func, insert, select, update

from tasks.domain.counting.count_results import Decided
from tasks.domain.counting.count_states import LINE_MAY_BECOME, CountDecision
from tasks.steps.counting.reconcile_counts import carry_out_answers, reconcile
from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.store.footprint import footprint
from tasks.store.schema import (
    alerts,
    allocations,
    carts,
    count_lines,
    counts,
    imports,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    shipments,
    stock_levels,
    stock_moves,
    stock_snapshots,
    variances,
    warehouses,
    waves,
)
from tasks.store.stock.post_moves import post_moves

AS_OF = datetime(2026, 3, 6, 18, tzinfo=UTC)
A01, A02 = 1, 2
MUG, VASE, FLOUR = 1, 2, 3  # 5.00, 300.00 and 0.10 a unit; classes A, A and C


def at(clock: str) -> datetime:
    """That time on the day of the run."""
    return datetime.fromisoformat(f"2026-03-06T{clock}:00+00:00")


def move(connection: Connection, quantity: int, clock: str, *, kind: str = "adjust", product: int = MUG,
         location: int = A01, document: str | None = None) -> None:  # fmt: skip
    """One movement, dated; recorded at the end of the day."""
    cause = f"test:{connection.scalar(select(func.count()).select_from(stock_moves))}"
    row = {
        "product_id": product, "location_id": location, "condition": "available", "lot": "", "quantity": quantity,
        "kind": kind, "reason": None, "document": document, "effective_at": pd.Timestamp(at(clock)),
        "recorded_at": pd.Timestamp(AS_OF), "cause": cause,
    }  # fmt: skip
    post_moves(connection, pd.DataFrame([row]))


def counted(
    connection: Connection, quantity: int | None, clock: str = "09:30", *, counter: str | None = "Ann",
    code: str = "CC-1", count_round: int = 1, product: int | None = MUG, location: int = A01,
) -> None:  # fmt: skip
    """One counted place: on the line that waits for it, otherwise on a line of its own."""
    known = select(counts.c.id).where(counts.c.code == code, counts.c.round == count_round)
    count_id = connection.scalar(known)
    if count_id is None:
        new = insert(counts).values(warehouse_id=1, code=code, round=count_round, reason="sheet", state="counted")
        count_id = connection.execute(new.returning(counts.c.id)).scalar_one()
    said = {"quantity": quantity, "counter": counter, "counted_at": at(clock), "state": "counted"}
    sku = {MUG: "MUG", VASE: "VASE", FLOUR: "FLOUR", None: "GHOST"}[product]
    mine = count_lines.c.count_id == count_id, count_lines.c.sku == sku, count_lines.c.state == "ready"
    if not connection.execute(update(count_lines).where(*mine).values(said)).rowcount:
        place = {"count_id": count_id, "location_id": location, "product_id": product, "sku": sku}
        connection.execute(insert(count_lines).values(**place, **said))


def run(warehouse: str | None = None) -> Decided:
    """One run at the end of the day."""
    return reconcile.fn(warehouse, AS_OF)


def on_hand(connection: Connection, product: int = MUG, location: int = A01) -> int:
    """What the levels say of a place."""
    level = stock_levels.c
    return int(
        connection.scalar(select(level.on_hand).where(level.product_id == product, level.location_id == location)) or 0
    )


def decisions(connection: Connection) -> list[tuple[object, ...]]:
    """Expected, counted, difference and decision of every finding."""
    one = variances.c
    return [tuple(row) for row in connection.execute(
        select(one.expected, one.counted, one.difference, one.decision).order_by(one.count_line_id))]  # fmt: skip


@pytest.fixture
def shop(store: Engine) -> Engine:
    """A merchant, a warehouse with two places, and three products."""
    with store.begin() as connection:
        connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
        connection.execute(insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="UTC", country="GB"))
        connection.execute(insert(locations), [{"id": n, "warehouse_id": 1, "code": f"A-0{n}"} for n in (A01, A02)])
        rows = [(MUG, "MUG", 500, "A"), (VASE, "VASE", 30_000, "A"), (FLOUR, "FLOUR", 10, "C")]
        connection.execute(insert(products), [
            {"id": id_, "merchant_id": 1, "sku": sku, "unit_cost_minor": cost, "currency": "GBP", "abc_class": letter}
            for id_, sku, cost, letter in rows
        ])  # fmt: skip
    return store


def promise(connection: Connection, quantity: int, clock: str, *, picked: int = 0, picked_at: str = "08:50") -> int:
    """An order line with an open allocation at A-01, perhaps picked. Gives the order's id."""
    number = int(connection.scalar(select(func.count()).select_from(orders)) or 0) + 1
    connection.execute(insert(orders).values(id=number, merchant_id=1, order_number=f"#{number}", currency="GBP",
                                             created_at=at("07:00")))  # fmt: skip
    connection.execute(insert(order_lines).values(order_id=number, line_number=1, sku="MUG", quantity_ordered=quantity,
                                                  quantity_allocated=quantity, quantity_picked=picked))  # fmt: skip
    of = {"order_id": number, "line_number": 1, "location_id": A01, "product_id": MUG}
    new = insert(allocations).values(**of, quantity=quantity, allocated_at=at(clock))
    allocation_id = connection.execute(new.returning(allocations.c.id)).scalar_one()
    connection.execute(update(stock_levels).values(allocated=stock_levels.c.allocated + quantity))
    if number == 1:
        connection.execute(insert(waves).values(id=1, warehouse_id=1, code="W-1", released_at=at("08:00")))
        connection.execute(insert(carts).values(id=1, wave_id=1, number=1))
    taken = {"quantity_picked": picked, "state": "picked", "picked_at": at(picked_at)} if picked else {}
    stop = {"cart_id": 1, "stop_number": number, "allocation_id": allocation_id, "quantity": quantity}
    connection.execute(insert(picks).values(**stop, **taken))
    return number


def ship(connection: Connection, number: int, quantity: int, clock: str) -> None:
    """The parcel of a promise left: its goods are out of the ledger and the promise is kept."""
    connection.execute(insert(shipments).values(id=number, merchant_id=1, parcel=f"P{number}", order_id=number,
                                                state="shipped", shipped_at=at(clock)))  # fmt: skip
    gone = update(allocations).where(allocations.c.order_id == number)
    connection.execute(gone.values(state="consumed", closed_at=AS_OF))
    connection.execute(update(stock_levels).values(allocated=stock_levels.c.allocated - quantity))
    move(connection, -quantity, clock, kind="ship", document=f"P{number}")


def test_a_sale_before_the_count_is_no_difference(shop: Engine) -> None:
    """Opening 10, three sold at 09:10, 7 counted at 09:30."""
    with shop.begin() as connection:
        move(connection, 10, "06:00", kind="opening")
        move(connection, -3, "09:10")
        counted(connection, 7)
    assert run().number_of(CountDecision.MATCHED) == 1
    with shop.begin() as connection:
        assert decisions(connection) == [(7, 7, 0, "matched")]


@pytest.mark.both_databases
def test_a_sale_after_the_count_is_no_excuse(shop: Engine) -> None:
    """Opening 10, 7 counted at 09:30, three sold at 10:00: three were missing, and the sale still stands."""
    with shop.begin() as connection:
        move(connection, 10, "06:00", kind="opening")
        counted(connection, 7)
        move(connection, -3, "10:00")
    run()
    with shop.begin() as connection:
        counted(connection, 7, "09:30", counter="Bob", count_round=2)
    assert run().number_of(CountDecision.POSTED) == 1
    with shop.begin() as connection:
        assert on_hand(connection) == 4
        row = connection.execute(select(stock_moves).where(stock_moves.c.kind == "count")).one()
        assert (row.quantity, row.effective_at, row.reason) == (-3, at("09:30"), "RECOUNTED")


@pytest.mark.parametrize(("shipped_at", "expected"), [(None, 7), ("11:00", 7), ("09:00", 7)])
@pytest.mark.both_databases
def test_picked_units_are_gone_from_the_bin_once(shop: Engine, shipped_at: str | None, expected: int) -> None:
    """Picked at 08:50: out of the bin at 09:30, whether the parcel waits, leaves later, or has left."""
    with shop.begin() as connection:
        move(connection, 10, "06:00", kind="opening")
        number = promise(connection, 3, "08:00", picked=3)
        if shipped_at:
            ship(connection, number, 3, shipped_at)
        counted(connection, 7)
    run()
    with shop.begin() as connection:
        assert decisions(connection) == [(expected, 7, 0, "matched")]


def test_units_picked_after_the_count_were_still_in_the_bin(shop: Engine) -> None:
    """A pick at 10:00 does not lower what a count at 09:30 should have found."""
    with shop.begin() as connection:
        move(connection, 10, "06:00", kind="opening")
        promise(connection, 3, "08:00", picked=3, picked_at="10:00")
        counted(connection, 10)
    run()
    with shop.begin() as connection:
        assert decisions(connection) == [(10, 10, 0, "matched")]


@pytest.mark.parametrize(
    ("product", "book", "found", "decision"),
    [
        (MUG, 200, 198, "posted"),  # 1 % and 10.00
        (MUG, 200, 197, "recount"),  # 1.5 %
        (MUG, 1000, 993, "recount"),  # 0.7 %, but 35.00
        (VASE, 500, 498, "review"),  # 0.4 %, but 600.00
        (FLOUR, 100, 95, "posted"),
        (FLOUR, 100, 94, "recount"),
        (FLOUR, 0, 1, "recount"),  # found where the book says nothing
        (FLOUR, 5, 0, "recount"),
    ],
)
def test_the_tolerance_is_a_percentage_and_a_value(
    shop: Engine, product: int, book: int, found: int, decision: str
) -> None:
    """Both limits hold; what is dear waits for a person at once."""
    with shop.begin() as connection:
        if book:
            move(connection, book, "06:00", kind="opening", product=product)
        counted(connection, found, product=product)
    run()
    with shop.begin() as connection:
        assert decisions(connection) == [(book, found, found - book, decision)]
        assert on_hand(connection, product) == (found if decision == "posted" else book)


@pytest.mark.both_databases
def test_two_people_who_agree_close_the_place(shop: Engine) -> None:
    """Outside tolerance: a recount is planned; another person's equal difference is posted, and the place is done."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        counted(connection, 90)
    run()
    with shop.begin() as connection:
        asked = connection.execute(select(counts.c.round, counts.c.state).order_by(counts.c.round)).all()
        assert [tuple(row) for row in asked] == [(1, "recount"), (2, "planned")]
        move(connection, -5, "10:00")
        counted(connection, 85, "10:30", counter="Bob", count_round=2)
    run()
    with shop.begin() as connection:
        assert on_hand(connection) == 85
        assert connection.scalars(select(count_lines.c.state).order_by(count_lines.c.id)).all() == [
            "approved",
            "posted",
        ]
        assert set(connection.scalars(select(counts.c.state))) == {"completed"}
        assert [row[3] for row in decisions(connection)] == ["superseded", "posted"]


@pytest.mark.parametrize("counter", ["Ann", " ann", None])
@pytest.mark.both_databases
def test_one_person_does_not_agree_with_themselves(shop: Engine, counter: str | None) -> None:
    """The same counter, or nobody named, twice the same: a third round is asked for."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        counted(connection, 90)
    run()
    with shop.begin() as connection:
        counted(connection, 90, "10:30", counter=counter, count_round=2)
    assert run().number_of(CountDecision.RECOUNT) == 1
    with shop.begin() as connection:
        assert connection.scalar(select(func.max(counts.c.round))) == 3


def test_the_third_disagreement_waits_for_a_person(shop: Engine) -> None:
    """Three people, three quantities: one line in review, nothing posted."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
    for number, (counter, quantity) in enumerate([("Ann", 90), ("Bob", 91), ("Cem", 92)], start=1):
        with shop.begin() as connection:
            counted(connection, quantity, f"1{number}:00", counter=counter, count_round=number)
        run()
    with shop.begin() as connection:
        states = connection.scalars(select(count_lines.c.state).order_by(count_lines.c.id)).all()
        assert states == ["rejected", "rejected", "review"]
        assert on_hand(connection) == 100


def test_a_recount_that_finds_the_book_right_closes_the_place(shop: Engine) -> None:
    """The first counter had miscounted: nothing is posted."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        counted(connection, 90)
    run()
    with shop.begin() as connection:
        counted(connection, 100, "10:30", counter="Bob", count_round=2)
    assert run().number_of(CountDecision.MATCHED) == 1
    with shop.begin() as connection:
        assert on_hand(connection) == 100
        assert connection.scalars(select(count_lines.c.state).order_by(count_lines.c.id)).all() == [
            "rejected",
            "matched",
        ]


@pytest.mark.both_databases
def test_two_sheets_that_disagree_make_a_recount(shop: Engine) -> None:
    """Even where one of them agrees with the book."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        counted(connection, 100)
        counted(connection, 97, counter="Bob")
    decided = run()
    assert (decided.number_of(CountDecision.RECOUNT), len(decided.findings)) == (1, 1)
    with shop.begin() as connection:
        assert on_hand(connection) == 100
        asked = select(func.count()).select_from(count_lines.join(counts)).where(counts.c.round == 2)
        assert connection.scalar(asked) == 1


def test_an_earlier_count_that_comes_late_posts_nothing(shop: Engine) -> None:
    """Two documents of one place: the later moment stands, in whatever order they arrive."""
    with shop.begin() as connection:
        move(connection, 200, "06:00", kind="opening")
        counted(connection, 198, "12:00")
    run()
    with shop.begin() as connection:
        counted(connection, 199, "11:00", code="CC-2")
    assert run().number_of(CountDecision.SUPERSEDED) == 1
    with shop.begin() as connection:
        assert on_hand(connection) == 198


def test_two_documents_of_one_place_are_decided_in_order(shop: Engine) -> None:
    """The second is compared with the book the first has put right."""
    with shop.begin() as connection:
        move(connection, 200, "06:00", kind="opening")
        counted(connection, 198, "12:00", code="CC-2")
        counted(connection, 199, "11:00", code="CC-1")
    assert run().number_of(CountDecision.POSTED) == 2
    with shop.begin() as connection:
        assert on_hand(connection) == 198


def test_what_was_not_counted_stays(shop: Engine) -> None:
    """A place on the sheet without a quantity is not zero."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        counted(connection, 1, product=FLOUR)
        connection.execute(insert(count_lines).values(count_id=1, location_id=A01, product_id=MUG, sku="MUG"))
    run()
    with shop.begin() as connection:
        assert on_hand(connection) == 100


def test_an_unknown_sku_waits_for_a_person(shop: Engine) -> None:
    """Goods nobody knows are a finding of their own; nothing is posted."""
    with shop.begin() as connection:
        counted(connection, 4, product=None)
    assert run().number_of(CountDecision.REVIEW) == 1
    with shop.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(stock_moves)) == 0


@pytest.mark.both_databases
def test_a_count_gives_impossible_promises_back_newest_first(shop: Engine) -> None:
    """Ten promised, seven left: the newest promise shrinks, its line and the place with it, and an alert opens."""
    with shop.begin() as connection:
        move(connection, 10, "06:00", kind="opening")
        promise(connection, 4, "07:00", picked=4)
        promise(connection, 6, "08:00")
    for number, counter in enumerate(("Ann", "Bob"), start=1):
        with shop.begin() as connection:
            counted(connection, 3, f"1{number}:00", counter=counter, count_round=number)
        decided = run()
    assert decided.units_released == 3
    with shop.begin() as connection:
        level = connection.execute(select(stock_levels.c.on_hand, stock_levels.c.allocated)).one()
        assert tuple(level) == (7, 7)
        one = allocations.c
        rows = connection.execute(
            select(one.order_id, one.quantity, one.state, one.closed_reason).order_by(one.id)
        ).all()
        assert [tuple(row) for row in rows] == [(1, 4, "open", None), (2, 3, "open", None), (2, 3, "released", "count")]
        assert connection.scalars(select(order_lines.c.quantity_allocated).order_by(order_lines.c.order_id)).all() == [
            4,
            3,
        ]
        assert connection.scalars(select(picks.c.quantity).order_by(picks.c.id)).all() == [4, 3]
        assert connection.scalar(select(alerts.c.cause)) == "oversell:HEARTH:MUG"


@pytest.mark.both_databases
def test_units_in_pickers_hands_are_never_given_back(shop: Engine) -> None:
    """The book says four, all picked after the count, and the count found none: a person looks."""
    with shop.begin() as connection:
        move(connection, 4, "06:00", kind="opening")
        promise(connection, 4, "07:00", picked=4, picked_at="15:00")
    for number, counter in enumerate(("Ann", "Bob"), start=1):
        with shop.begin() as connection:
            counted(connection, 0, f"1{number}:00", counter=counter, count_round=number)
        decided = run()
    assert decided.number_of(CountDecision.REVIEW) == 1
    with shop.begin() as connection:
        assert connection.scalar(select(allocations.c.state)) == "open"
        assert on_hand(connection) == 4


@pytest.mark.both_databases
def test_a_second_run_changes_nothing(shop: Engine, home: Path) -> None:
    """No row, no document."""
    with shop.begin() as connection:
        move(connection, 200, "06:00", kind="opening")
        counted(connection, 198)
        counted(connection, 3, product=FLOUR)
        said = {"location_id": A01, "product_id": MUG, "condition": "available", "lot": "", "snapshot_at": at("05:00")}
        connection.execute(insert(stock_snapshots).values(**said, on_hand=205, import_id=_import(connection)))
    run()
    written = write_count_documents.fn("reconcile-counts")
    names = {path.name for path in written}
    assert names == {
        "variances.csv", "variances.xlsx", "adjustments.csv", "adjustments-MAIN-shopify_inventory_2024.csv",
        "record-accuracy.csv", "trend-MAIN.png", "CC-1-R2.xlsx", "CC-1-R2.pdf",
    }  # fmt: skip
    with shop.connect() as connection:
        before = footprint(connection)
    again = run()
    assert (len(again.findings), again.value_adjusted(), again.table().empty) == (0, "nothing", True)
    assert write_count_documents.fn("reconcile-counts") == []
    with shop.connect() as connection:
        assert footprint(connection) == before
    folder = home / "outgoing" / "reconcile-counts" / "20260306T180000Z"
    found = pd.read_csv(folder / "variances.csv")
    mug = found[found["sku"] == "MUG"][["export", "expected", "counted", "difference"]]
    assert mug.to_numpy().tolist() == [[205, 200, 198, -2]]
    adjusted = pd.read_csv(folder / "adjustments.csv", keep_default_na=False)
    assert adjusted.drop(columns="merchant").to_dict("records") == [
        {"warehouse": "MAIN", "location": "A-01", "sku": "MUG", "condition": "available", "lot": "",
         "quantity_delta": -2, "reason": "CORRECTION", "counted_at": "2026-03-06T09:30:00Z", "count": "CC-1"}
    ]  # fmt: skip
    accuracy = pd.read_csv(folder / "record-accuracy.csv").set_index("abc_class")["accuracy"]
    assert accuracy.to_dict() == {"A": 1.0, "C": 0.0, "all": 0.5}
    rows = CalamineWorkbook.from_path(str(folder / "CC-1-R2.xlsx")).get_sheet_by_index(0).to_python()
    assert [rows[1][rows[0].index(name)] for name in ("count_id", "location", "sku", "quantity")] == [
        "CC-1-R2", "A-01", "FLOUR", ""]  # fmt: skip


def _import(connection: Connection) -> int:
    new = insert(imports).values(
        kind="stock", source="s", sha256="0", file_name="s.csv", state="loaded", received_at=AS_OF
    )
    return int(connection.execute(new.returning(imports.c.id)).scalar_one())


def test_a_count_from_the_future_waits(shop: Engine) -> None:
    """What was counted after the moment of the run is decided by a later run."""
    with shop.begin() as connection:
        counted(connection, 5, "18:01")
    assert len(run().findings) == 0


def answer(connection: Connection, said: str, *lines: int, reason_code: str | None = None) -> None:
    """A person's answer to findings in review."""
    mine = variances.c.count_line_id.in_(lines), variances.c.decision == "review"
    told = {"answer": said, "answered_by": "Mia", "answered_at": AS_OF, "comment": "seen"}
    connection.execute(update(variances).where(*mine).values(**told, reason_code=reason_code))


@pytest.mark.parametrize(
    ("said", "late", "decision", "book", "states"),
    [
        ("approved", 0, "posted", 78, ["posted"]),
        ("rejected", -2, "rejected", 98, ["rejected"]),
        ("recount", -2, "recount", 98, ["recount", "ready"]),
    ],
)
@pytest.mark.both_databases
def test_an_answer_is_carried_out_once(
    shop: Engine, said: str, late: int, decision: str, book: int, states: list[str]
) -> None:
    """What posts nothing stands although two units left before the count and the file came after the question."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening", product=VASE)
        counted(connection, 78, product=VASE)
    assert run().number_of(CountDecision.REVIEW) == 1
    with shop.begin() as connection:
        if late:
            move(connection, late, "07:00", product=VASE)
        answer(connection, said, 1, reason_code="DAMAGED" if said == "approved" else None)
    told = carry_out_answers.fn(AS_OF)
    assert (told.number_of(CountDecision(decision)), len(told.findings)) == (1, 1)
    with shop.begin() as connection:
        assert on_hand(connection, VASE) == book
        assert list(connection.scalars(select(count_lines.c.state).order_by(count_lines.c.id))) == states
        found = connection.execute(select(variances)).mappings().one()
        assert (found["decision"], found["role"], found["asked_at"]) == (decision, "finance", AS_OF)
        adjusted = connection.scalars(select(stock_moves.c.reason).where(stock_moves.c.kind == "count")).all()
        assert adjusted == (["DAMAGED"] if said == "approved" else [])
        before = footprint(connection)
    assert carry_out_answers.fn(AS_OF).findings.empty
    with shop.begin() as connection:
        assert footprint(connection) == before


def test_what_explains_a_question_by_itself_is_no_loss(shop: Engine) -> None:
    """A file with the missing sale comes before the answer: approved, and nothing is posted."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening", product=VASE)
        counted(connection, 97, product=VASE)
    run()
    with shop.begin() as connection:
        move(connection, -3, "07:00", product=VASE)
        answer(connection, "approved", 1)
    assert carry_out_answers.fn(AS_OF).number_of(CountDecision.MATCHED) == 1
    with shop.begin() as connection:
        assert on_hand(connection, VASE) == 97


@pytest.mark.both_databases
def test_both_places_of_a_transfer_are_answered_together(shop: Engine) -> None:
    """Ten missing at one place, ten found at another: one answer moves them, at no value."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        move(connection, 100, "06:00", kind="opening", location=A02)
        counted(connection, 90)
        counted(connection, 110, location=A02)
    assert run().number_of(CountDecision.REVIEW) == 2
    with shop.begin() as connection:
        one = variances.c
        linked = (
            connection.execute(select(one.count_line_id, one.finding, one.transfer_line_id).order_by(one.id))
            .tuples()
            .all()
        )
        assert linked == [(1, "wrong_bin", 2), (2, "wrong_bin", 1)]
        answer(connection, "approved", 2)
    assert carry_out_answers.fn(AS_OF).value_adjusted() == "£0.00"
    with shop.begin() as connection:
        assert (on_hand(connection), on_hand(connection, location=A02)) == (90, 110)
        adjusted = select(stock_moves.c.reason, stock_moves.c.quantity).where(stock_moves.c.kind == "count")
        assert connection.execute(adjusted.order_by(stock_moves.c.id)).tuples().all() == [
            ("BIN_CORRECTION", -10), ("BIN_CORRECTION", 10)]  # fmt: skip


def test_an_approved_loss_of_what_pickers_hold_waits(shop: Engine) -> None:
    """It is posted by the run after the parcel has left, not before."""
    with shop.begin() as connection:
        move(connection, 4, "06:00", kind="opening")
        number = promise(connection, 4, "07:00", picked=4, picked_at="15:00")
    for count_round, counter in enumerate(("Ann", "Bob"), start=1):
        with shop.begin() as connection:
            counted(connection, 0, f"1{count_round}:00", counter=counter, count_round=count_round)
        run()
    with shop.begin() as connection:
        answer(connection, "approved", 2)
    assert carry_out_answers.fn(AS_OF).number_of(CountDecision.REVIEW) == 1
    with shop.begin() as connection:
        ship(connection, number, 4, "17:00")
    assert carry_out_answers.fn(AS_OF).number_of(CountDecision.POSTED) == 1
    with shop.begin() as connection:
        assert on_hand(connection) == -4  # nothing lay there at noon, and four left all the same


@pytest.mark.both_databases
def test_a_place_waits_on_one_sheet(shop: Engine) -> None:
    """A recount takes the place off a sheet that has not come back; that sheet is still read when it comes."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        new = insert(counts).values(warehouse_id=1, code="CC-9", round=1, reason="plan", state="planned")
        planned = connection.execute(new.returning(counts.c.id)).scalar_one()
        connection.execute(insert(count_lines).values(count_id=planned, location_id=A01, product_id=MUG, sku="MUG"))
        counted(connection, 90)
    run()
    with shop.begin() as connection:
        waiting = select(counts.c.code, counts.c.round, count_lines.c.state).join(counts)
        waiting = waiting.where(count_lines.c.quantity.is_(None)).order_by(count_lines.c.id)
        assert connection.execute(waiting).tuples().all() == [
            ("CC-9", 1, "cancelled"), ("CC-1", 2, "ready")]  # fmt: skip


@pytest.mark.both_databases
def test_the_last_round_is_the_supervisors(shop: Engine) -> None:
    """The third sheet names who is to count; the second is anybody else's."""
    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
    for number, quantity in enumerate((90, 80), start=1):
        with shop.begin() as connection:
            counted(connection, quantity, f"1{number}:00", counter=f"Ann {number}", count_round=number)
        run()
    with shop.begin() as connection:
        named = connection.scalars(select(counts.c.counter).order_by(counts.c.round)).all()
        assert named == [None, None, "floor supervisor"]


@pytest.mark.both_databases
def test_states_only_move_forward(shop: Engine) -> None:
    """Every step a line takes is one the table of transitions allows."""
    steps: set[tuple[str, str]] = set()
    seen: dict[int, str] = {}

    def look() -> None:
        with shop.begin() as connection:
            rows = connection.execute(select(count_lines.c.id, count_lines.c.state))
            now = {row.id: row.state for row in rows}
        steps.update((seen[one], state) for one, state in now.items() if one in seen and seen[one] != state)
        seen.update(now)

    with shop.begin() as connection:
        move(connection, 100, "06:00", kind="opening")
        move(connection, 100, "06:00", kind="opening", product=VASE)
    for number, (quantity, dear) in enumerate([(90, 50), (91, 50), (90, 50)], start=1):
        with shop.begin() as connection:
            counted(connection, quantity, f"1{number}:00", counter=f"Ann {number}", count_round=number)
            counted(connection, dear, f"1{number}:30", code=f"CC-V{number}", product=VASE)
        look()
        run()
        look()
        with shop.begin() as connection:
            answer(connection, ("recount", "rejected", "approved")[number - 1], *seen)
        carry_out_answers.fn(AS_OF)
        look()
    allowed = {(str(one), str(then)) for one, after in LINE_MAY_BECOME.items() for then in after}
    assert steps
    assert steps <= allowed, steps - allowed


moves_of_a_day = st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(0, 23)), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves_of_a_day, when=st.integers(0, 23), found=st.integers(0, 30), newest_first=st.booleans())
@pytest.mark.both_databases
def test_the_book_is_the_truth_at_the_count_and_what_moved_later(
    shop: Engine, moves: Sequence[tuple[int, int]], when: int, found: int, *, newest_first: bool
) -> None:
    """Whatever moved before and after, recorded in whatever order: final book = counted + what moved later (I2)."""
    with shop.begin() as connection:
        place = int(connection.scalar(select(func.max(locations.c.id))) or 0) + 1
        connection.execute(insert(locations).values(id=place, warehouse_id=1, code=f"B-{place}"))
        for units, slot in sorted(moves, key=lambda one: one[1], reverse=newest_first):
            move(connection, units, f"{6 + slot // 4:02}:{slot % 4 * 15:02}", location=place)
        for counter in ("Ann", "Bob"):
            clock = f"{6 + when // 4:02}:{when % 4 * 15:02}"
            counted(connection, found, clock, counter=counter, code=f"CC-{place}", location=place)
    decided = run()
    assert decided.number_of(CountDecision.POSTED) + decided.number_of(CountDecision.MATCHED) == 1
    with shop.begin() as connection:
        assert on_hand(connection, location=place) == found + sum(units for units, slot in moves if slot > when)
        here = stock_moves.c.location_id == place
        assert (connection.scalar(select(func.sum(stock_moves.c.quantity)).where(here)) or 0) == on_hand(
            connection, location=place
        )
