"""Every invariant as one assertion, for any scenario: what the audit queries of the store find is shown."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Engine, text

from config.read import names, read
from tasks.domain.sites.sites import Cart, Warehouse
from tasks.store.audit import broken_records
from tasks.store.footprint import footprint


def broken(connection: Connection, idle_since: datetime) -> pd.DataFrame:
    """Every row that breaks I1 to I7: invariant, fault, subject, expected, found."""
    carts = {name: _carts(name) for name in names("warehouses")}
    return broken_records(connection, carts, idle_since)


def _carts(name: str) -> tuple[Cart, ...]:
    return read(f"warehouses/{name}.yaml", Warehouse).carts


def hold(store: Engine, idle_since: datetime) -> None:
    """I1 to I7 hold; the offending rows are the message."""
    if store.dialect.name == "postgresql":  # what autovacuum does within minutes, and a test cannot wait for
        with store.begin() as connection:
            connection.execute(text("ANALYZE"))
    with store.connect() as connection:
        found = broken(connection, idle_since)
    assert found.empty, found.to_string()


def changed_by(store: Engine, action: Callable[[], object]) -> list[str]:
    """The tables that hold something else after `action` (I8: none after a second run)."""
    before = _look(store)
    action()
    after = _look(store)
    return sorted(name for name in after if after[name] != before[name])


def _look(store: Engine) -> dict[str, str]:
    with store.connect() as connection:
        return footprint(connection)
