"""The migrations make exactly the schema, once, whoever asks first."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, delete, insert, inspect, text, update
from sqlalchemy.exc import IntegrityError

from tasks.store.database.engine import engine, engine_of
from tasks.store.migrate import configuration, migrate
from tasks.store.schema import (
    count_lines,
    locations,
    merchants,
    metadata,
    products,
    stock_levels,
    stock_moves,
    variances,
    warehouses,
)
from tasks.store.stock.post_moves import post_moves

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["migrated", "created"])
def made(database: str, request: pytest.FixtureRequest) -> Engine:
    """A database made by the migrations, and one made from schema.py."""
    _make(engine_of(database), request.param)
    return engine_of(database)


def _make(target: Engine, way: str) -> None:
    if way == "migrated":
        migrate(target)
    else:
        metadata.create_all(target)


def test_autogenerate_finds_nothing_to_add(database: str) -> None:
    """Tables, columns, types, nullability, keys and indexes of the migrations are those of schema.py."""
    migrate(engine_of(database))
    with engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_named_sentence_is_in_the_migrations(database: str) -> None:
    """Defaults, CHECKs, UNIQUEs, references, partial indexes and triggers are the same, word for word, in both."""
    target = engine_of(database)
    migrate(target)
    migrated = _sentences(target)
    with target.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
    metadata.create_all(target)
    created = _sentences(target)
    assert migrated == created
    assert any("i6_allocated_is_ordered" in sentence for sentence in migrated)
    assert any("i2_no_move_is_changed" in sentence for sentence in migrated)


def _sentences(target: Engine) -> set[str]:
    """What the database says of itself: every column, key, CHECK, UNIQUE, reference, index and trigger."""
    with target.connect() as connection:
        found = inspect(connection)
        asked: dict[str, Callable[[str], Any]] = {
            "column": found.get_columns,
            "check": found.get_check_constraints,
            "unique": found.get_unique_constraints,
            "reference": found.get_foreign_keys,
            "key": lambda table: [found.get_pk_constraint(table)],
        }
        sentences = {
            f"{table} {what} {sorted((key, str(value)) for key, value in one.items())}"
            for table in metadata.tables
            for what, ask in asked.items()
            for one in ask(table)
        }
        return sentences | _definitions(connection)


def _definitions(connection: Connection) -> set[str]:
    """Indexes and triggers as the database itself words them."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        rowids = "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"
        return {row[0] for row in connection.execute(text(f"{asked} UNION ALL {rowids}"))}
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    triggers = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    return {row[0] for row in connection.execute(text(f"{indexes} UNION ALL {triggers}"))}


def test_a_second_migration_finds_nothing_to_do(database: str) -> None:
    """The first call makes the tables and says so; the second says there was nothing to do."""
    assert migrate(engine_of(database)) is True
    assert migrate(engine_of(database)) is False


def test_two_processes_may_migrate_at_once(database: str) -> None:
    """Of four that ask at the same moment, one migrates and three find it done."""
    target, ready, answers = engine_of(database), threading.Barrier(4), []

    def ask() -> None:
        ready.wait()
        answers.append(migrate(target))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]


BEFORE_0003 = (
    "INSERT INTO merchants (id, code, name) VALUES (1, 'M', 'M')",
    "INSERT INTO warehouses (id, code, name, time_zone, country) VALUES (1, 'W', 'W', 'UTC', 'GB')",
    "INSERT INTO locations (id, warehouse_id, code) VALUES (1, 1, 'A')",
    "INSERT INTO products (id, merchant_id, sku) VALUES (1, 1, 'S')",
    "INSERT INTO counts (id, warehouse_id, code, reason) VALUES (1, 1, 'CC-1', 'plan'), (2, 1, 'CC-2', 'plan')",
    ("INSERT INTO count_lines (id, count_id, location_id, product_id, sku, quantity, counted_at, state) VALUES"
    " (1, 1, 1, 1, 'S', 7, '2026-03-02 12:00:00+00:00', 'posted'), (2, 1, 1, NULL, 'GHOST', 1, NULL, 'review'),"
    " (3, 1, 1, 1, 'S', NULL, NULL, 'ready'), (4, 2, 1, 1, 'S', NULL, NULL, 'ready')"),
    ("INSERT INTO variances (count_line_id, expected, counted, difference, decision) VALUES"
    " (1, 9, 7, -2, 'posted'), (2, 0, 1, 1, 'review')"),
)  # fmt: skip


def test_counts_survive_their_new_tables(database: str) -> None:
    """Every line and finding is there afterwards, says what it is, and the next one gets an id of its own."""
    target = engine_of(database)
    with target.begin() as connection:
        command.upgrade(configuration(connection), "0002")
        for statement in BEFORE_0003:
            connection.execute(text(statement.replace("+00:00", "") if target.dialect.name == "sqlite" else statement))
    assert migrate(target) is True
    with target.begin() as connection:
        found = connection.execute(text("SELECT id, state, merchant_id FROM count_lines ORDER BY id")).tuples().all()
        assert found == [(1, "posted", 1), (2, "review", None), (3, "cancelled", 1), (4, "ready", 1)]
        asked = (
            connection.execute(text("SELECT count_line_id, difference, finding FROM variances ORDER BY id"))
            .tuples()
            .all()
        )
        assert asked == [(1, -2, "difference"), (2, 1, "unknown_sku")]
        connection.execute(insert(count_lines).values(count_id=2, location_id=1, sku="GHOST"))
        connection.execute(insert(variances).values(count_line_id=5, decision="review"))
    with target.begin() as connection:
        command.downgrade(configuration(connection), "0002")
        assert connection.scalar(text("SELECT COUNT(*) FROM count_lines")) == 5


BEFORE_0011 = (
    "INSERT INTO merchants (id, code, name) VALUES (1, 'M', 'M')",
    ("INSERT INTO orders (id, merchant_id, order_number, currency, created_at, hold_reason, refunded_minor) VALUES"
     " (7, 1, '1001', 'GBP', '2026-03-02 12:00:00+00:00', 'fraud', 5)"),
    ("INSERT INTO messages (dedupe_key, kind, merchant_id, order_id, recipient, facts, created_at) VALUES"
     " ('a', 'order_confirmed', 1, 7, 'jane@mail.example', '{}', '2026-03-02 12:00:00+00:00')"),
    ("INSERT INTO alerts (cause, kind, subject, detail, state, opened_at) VALUES"
     " ('low', 'low_stock', 'CUP', '3 left', 'open', '2026-03-02 12:00:00+00:00')"),
)  # fmt: skip
TRIGGER = "CREATE TRIGGER of_another AFTER UPDATE ON orders BEGIN SELECT 1; END"


def test_orders_and_alerts_survive_their_new_words(database: str) -> None:
    """Rows, what refers to them and a trigger somebody else made are there afterwards; the new words can be said."""
    target = engine_of(database)
    sqlite = target.dialect.name == "sqlite"
    with target.begin() as connection:
        command.upgrade(configuration(connection), "0003")
        for statement in BEFORE_0011:
            connection.execute(text(statement.replace("+00:00", "") if sqlite else statement))
        if sqlite:
            connection.execute(text(TRIGGER))
    assert migrate(target) is True
    with target.begin() as connection:
        order = text("SELECT id, order_number, hold_reason, refunded_minor, expired_at FROM orders")
        assert connection.execute(order).tuples().all() == [(7, "1001", "fraud", 5, None)]
        assert connection.scalar(text("SELECT COUNT(*) FROM messages JOIN orders ON orders.id = order_id")) == 1
        assert connection.execute(text("SELECT cause, state, told_at FROM alerts")).tuples().all() == [
            ("low", "open", None)
        ]
        if sqlite:
            assert TRIGGER in _definitions(connection)
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        connection.execute(text("UPDATE orders SET hold_reason = 'duplicate'"))
        connection.execute(text("UPDATE alerts SET kind = 'paid_after_expiry'"))
    with pytest.raises(IntegrityError, match="a_snooze_has_an_end"), target.begin() as connection:
        connection.execute(text("UPDATE alerts SET state = 'snoozed'"))
    with target.begin() as connection:
        command.downgrade(configuration(connection), "0003")
        assert connection.execute(text("SELECT id, hold_reason FROM orders")).tuples().all() == [(7, "manual")]
        assert connection.scalar(text("SELECT COUNT(*) FROM messages")) == 1


@pytest.mark.parametrize(
    "change",
    [lambda: update(stock_moves).values(quantity=2), lambda: delete(stock_moves)],
    ids=["update", "delete"],
)
def test_the_ledger_is_only_appended_to(made: Engine, change: Callable[[], object]) -> None:
    """I2: the database itself refuses to change or delete a move, however it was made."""
    with made.begin() as connection:
        _post_one(connection)
    with pytest.raises(IntegrityError, match="i2_the_ledger_is_only_appended_to"), made.begin() as connection:
        connection.execute(change())  # type: ignore[call-overload]
    with made.begin() as connection:
        assert connection.execute(stock_levels.select()).one().on_hand == 5


def _post_one(connection: Connection) -> None:
    connection.execute(insert(merchants).values(id=1, code="M", name="M"))
    connection.execute(insert(warehouses).values(id=1, code="W", name="W", time_zone="UTC", country="GB"))
    connection.execute(insert(locations).values(id=1, warehouse_id=1, code="A"))
    connection.execute(insert(products).values(id=1, merchant_id=1, sku="S"))
    move = {
        "product_id": 1, "location_id": 1, "condition": "available", "lot": "", "quantity": 5, "kind": "receipt",
        "reason": None, "document": None, "effective_at": pd.Timestamp(NOON), "recorded_at": pd.Timestamp(NOON),
        "cause": "test",
    }  # fmt: skip
    assert post_moves(connection, pd.DataFrame([move])) == 1
