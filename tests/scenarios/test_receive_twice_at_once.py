"""Several processes over the same inbox at the same time: each file is loaded once, and every process ends well."""

from pathlib import Path

import pytest
from inbox_run import account, as_csv, column, files_of, furnish, logical, movement, order, put, stock
from killed_runs import context, finish, run, start
from sqlalchemy import Engine, create_engine

from tasks.store.schema import imports, metadata

SKUS = [f"SKU-{number}" for number in range(40)]


def fill(home: Path) -> int:
    """An inbox of every sort of file; says how many there are."""
    furnish(home, SKUS, ["A-00", "A-01"])
    put(home, "stock", as_csv([stock(sku, n, f"A-0{n % 3}") for n, sku in enumerate(SKUS)]), "stock.csv")
    put(home, "movements", as_csv([movement(n, n % 5 - 2, SKUS[n]) for n in range(40)]), "moves.csv")
    for day in range(4):
        lines = [order(f"#{day}-{n // 2}", n % 2 + 1, quantity=n % 20 or "none") for n in range(60)]
        put(home, "orders", as_csv([*lines, order("#every day")]), f"orders-{day}.csv")
    put(home, "orders", as_csv(lines), "the same, twice (1).csv")
    put(home, "orders", as_csv(lines), "the same, twice (2).csv")
    put(home, "orders", "nothing of use", "note.txt")
    return 11


def address_of(store: Engine) -> str:
    """The database's address as the settings have it."""
    return store.url.set(drivername=store.dialect.name).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], list[bytes]]:
    """What one process alone makes of the inbox: its tables, and what the files put away say."""
    home = tmp_path_factory.mktemp("alone")
    fill(home)
    engine = create_engine(f"sqlite:///{home / 'fulfilment.db'}")
    metadata.create_all(engine)
    assert run(home, f"sqlite:///{home / 'fulfilment.db'}") == 0
    told = logical(engine)
    engine.dispose()
    return told, sorted(_contents(home))


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_over_one_inbox_load_each_file_once(
    store: Engine, home: Path, expected: tuple[object, object], processes: int
) -> None:
    """No error, no row twice, every file archived or refused: the tables are those of one process alone."""
    files = fill(home)
    together = context().Barrier(processes)
    running = [start(home, address_of(store), together=together) for _ in range(processes)]
    assert [finish(process) for process in running] == [0] * processes
    account(store)
    assert sorted(map(str, column(store, imports, "state"))) == ["loaded"] * (files - 2) + ["refused"]
    assert files_of(home, "inbox") == {}
    assert (logical(store), sorted(_contents(home))) == expected


def test_two_machines_with_one_database_load_each_file_once(
    store: Engine, tmp_path: Path, expected: tuple[object, list[bytes]]
) -> None:
    """Each has its own folders and was sent the same files: what one loads the other has seen, and puts away too."""
    homes = [tmp_path / name for name in ("here", "there")]
    for home in homes:
        fill(home)
    together = context().Barrier(2)
    running = [start(home, address_of(store), together=together) for home in homes]
    assert [finish(process) for process in running] == [0, 0]
    account(store)
    assert logical(store) == expected[0]
    for home in homes:
        assert files_of(home, "inbox") == {}
        assert sorted(_contents(home)) == expected[1]


def _contents(home: Path) -> list[bytes]:
    """What the files put away say, whatever number their import got."""
    return list(files_of(home, "archive", "quarantine").values())
