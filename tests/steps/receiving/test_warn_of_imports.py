"""Alerts about delivered files: one per cause, sent once to the merchant's own people, resolved with the cause."""

from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from inbox_run import AS_OF, as_csv, furnish, order, put, rows, stock
from inbox_run import receive as receive_files
from sqlalchemy import Engine

from tasks.steps.ordering.send_alert_digest import send_alert_digest
from tasks.store import schema
from tasks.store.footprint import footprint

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own

DAY = timedelta(days=1)


def receive(as_of: datetime = AS_OF) -> None:
    """What the flow does, including the digest."""
    receive_files(as_of)
    send_alert_digest.fn(as_of)


def alerts(store: Engine) -> list[tuple[str, str, str]]:
    """Kind, subject and state of each alert."""
    found = rows(store, schema.alerts)[["kind", "subject", "state"]]
    return sorted(found.itertuples(index=False, name=None))


def digest_facts(store: Engine) -> str:
    """The facts of all digests."""
    messages = rows(store, schema.messages)
    assert set(messages["recipient"]) <= {"stockroom@hearthandhook.example"}
    return "".join(messages["facts"])


def test_a_refused_file_is_told_until_one_of_its_name_is_loaded(store: Engine, home: Path) -> None:
    """The reason goes to the merchant's own people, once; the corrected file closes the alert."""
    put(home, "orders", "size,colour\nXL,red\n", "orders.csv")
    receive()
    assert alerts(store) == [("refused_file", "orders.csv", "open")]
    assert digest_facts(store).count("no known layout of orders") == 1
    put(home, "orders", "size,colour\nXL,blue\n", "orders.csv")
    receive(AS_OF + DAY)
    assert alerts(store) == [("refused_file", "orders.csv", "open")]
    assert len(rows(store, schema.messages)) == 1, "still the same trouble"
    put(home, "orders", as_csv([order("#1")]), "orders.csv")
    receive(AS_OF + 2 * DAY)
    assert alerts(store) == [("refused_file", "orders.csv", "resolved")]


@pytest.mark.both_databases
def test_rows_in_quarantine_are_told_until_they_are_corrected(store: Engine, home: Path) -> None:
    """How many and in which sheet, never what they say; dropped in again, corrected, the alert is over."""
    put(home, "orders", as_csv([order("#1"), order("#2", quantity="Jane Roe")]), "orders.csv")
    receive()
    assert alerts(store) == [("quarantined_rows", "orders.csv", "open")]
    [sheet] = (home / "quarantine" / "orders").glob("*.xlsx")
    assert "1 row waits in quarantine/orders" in digest_facts(store)
    assert "Jane" not in digest_facts(store)
    book = openpyxl.load_workbook(sheet)
    cells = book.active
    assert cells is not None
    cells.cell(2, [cell.value for cell in cells[1]].index("quantity") + 1, 2)
    (home / "inbox" / "orders").mkdir(parents=True, exist_ok=True)
    book.save(home / "inbox" / "orders" / sheet.name)
    receive(AS_OF + DAY)
    assert alerts(store) == [("quarantined_rows", "orders.csv", "resolved")]


def test_drift_is_told_until_a_newer_export_agrees(store: Engine, home: Path) -> None:
    """Places and units apart, an alert an export; the next one that says what the ledger says closes it."""
    furnish(home)
    put(home, "stock", as_csv([stock("MUG", 5), stock("VASE", 2)]), "opening.csv")
    receive()
    later = [str(pd.Timestamp(AS_OF + hours * timedelta(hours=1))) for hours in (1, 2)]
    put(
        home,
        "stock",
        as_csv([stock("MUG", 8, snapshot_at=later[0]), stock("VASE", 2, snapshot_at=later[0])]),
        "one.csv",
    )
    receive(AS_OF + DAY)
    assert alerts(store) == [("drift", "one.csv", "open")]
    assert "1 place, 3 units apart" in digest_facts(store)
    put(
        home,
        "stock",
        as_csv([stock("MUG", 5, snapshot_at=later[1]), stock("VASE", 2, snapshot_at=later[1])]),
        "two.csv",
    )
    receive(AS_OF + 2 * DAY)
    assert alerts(store) == [("drift", "one.csv", "resolved")]


def test_a_second_run_raises_and_tells_nothing(store: Engine, home: Path) -> None:
    """The same files again, refused and loaded ones, change no row."""
    for moment in (AS_OF, AS_OF + DAY):
        put(home, "orders", "size,colour\nXL,red\n", "strange.csv")
        put(home, "orders", as_csv([order("#1"), order("#2", quantity="two")]), "orders.csv")
        receive(moment)
        with store.connect() as connection:
            after = footprint(connection)
        if moment == AS_OF:
            before = after
    assert after == before
