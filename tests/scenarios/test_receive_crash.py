"""A run of receiving killed at any moment, and started again, ends like a run that was not (I9)."""

import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from inbox_run import account, as_csv, files_of, furnish, logical, movement, order, put, stock
from killed_runs import Stop, events, kill_after, run
from sqlalchemy import NullPool, create_engine, text

from tasks.store.database.engine import engine_of
from tasks.store.schema import metadata

ORDERS = 400
_numbers = count()


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven files of five kinds with rows of every fate, one of them not to be believed."""
    home = tmp_path_factory.mktemp("inbox")
    skus = [f"SKU-{number:03}" for number in range(120)]
    furnish(home, skus, [f"A-{number:02}" for number in range(20)])
    put(home, "stock", as_csv([stock(sku, n, f"A-{n % 25:02}") for n, sku in enumerate(skus)]), "stock.csv")
    put(home, "movements", as_csv([movement(n, n % 7 - 3, skus[n % 125 % 120]) for n in range(200)]), "moves.csv")
    lines = [order(f"#{n // 2}", n % 2 + 1, sku=skus[n % 120], quantity=n % 30 or "none") for n in range(ORDERS)]
    put(home, "orders", as_csv(lines), "orders.csv")
    put(home, "orders", as_csv([*lines[:40], order("#new")]), "overlap.csv")
    put(home, "orders", as_csv([order(f"#x{n}", quantity="none") for n in range(150)]), "hopeless.csv")
    return home / "inbox"


class Place:
    """A home with a full inbox, and an empty database with every table."""

    def __init__(self, home: Path, address: str, inbox: Path) -> None:
        self.home = home
        self.address = address
        shutil.copytree(inbox, home / "inbox")

    def end(self) -> tuple[dict[str, list[str]], dict[str, bytes]]:
        """What the tables say, and which files lie where: all that others see."""
        engine = engine_of(self.address)
        account(engine)
        files = files_of(self.home, "inbox", "archive", "quarantine", "outgoing")
        told = logical(engine), {re.sub(r"\.\d+\.xlsx$", ".xlsx", name): content for name, content in files.items()}
        engine.dispose()
        return told


Places = Callable[[], Place]


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path, inbox: Path) -> Places:
    """As many places as asked for, each as empty as the other."""
    if request.param == "sqlite":
        return _sqlite_places(tmp_path, inbox)
    return _postgresql_places(request.getfixturevalue("postgresql_server"), tmp_path, inbox)


def _sqlite_places(folder: Path, inbox: Path) -> Places:
    template = folder / "template.db"
    engine = create_engine(f"sqlite:///{template}")
    metadata.create_all(engine)
    engine.dispose()

    def place() -> Place:
        home = folder / f"home-{next(_numbers)}"
        home.mkdir()
        shutil.copy(template, home / "fulfilment.db")
        return Place(home, f"sqlite:///{home / 'fulfilment.db'}", inbox)

    return place


def _postgresql_places(server: str, folder: Path, inbox: Path) -> Places:
    address = server.replace("postgresql:", "postgresql+psycopg:")
    admin = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    template = f"crash_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {template}"))
    engine = engine_of(server.rsplit("/", 1)[0] + f"/{template}")
    metadata.create_all(engine)
    engine.dispose()

    def place() -> Place:
        name = f"crash_{next(_numbers)}"
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        home = folder / name
        home.mkdir()
        return Place(home, server.rsplit("/", 1)[0] + f"/{name}", inbox)

    return place


@pytest.mark.parametrize("places", ["sqlite", "postgresql"], indirect=True)
def test_a_killed_run_leaves_no_trace_after_the_next(places: Places) -> None:
    """Killed before and after every commit, while files are put away, and at moments spread over its time."""
    clean = places()
    started = time.perf_counter()
    assert run(clean.home, clean.address) == 0
    seconds = time.perf_counter() - started
    happened, expected = events(clean.home), clean.end()
    assert expected[0]["order_lines"]

    def end(stop: Stop | float) -> tuple[Stop | float, bool, object]:
        place = places()
        if isinstance(stop, Stop):
            killed = run(place.home, place.address, stop) < 0
        else:
            killed = kill_after(place.home, place.address, seconds * stop)
        assert run(place.home, place.address) == 0, stop
        return stop, killed, place.end()

    stops: list[Stop | float] = [Stop("commit", n) for n in range(1, happened["commit"] + 1)]
    stops += [Stop("commit", n, after=True) for n in range(1, happened["commit"] + 1)]
    stops += [Stop("rename", n) for n in range(1, happened["rename"] + 1, 2)]
    stops += [Stop("statement", happened["statement"] * part // 9) for part in range(1, 9)]
    stops += [part / 5 for part in range(1, 5)]
    with ThreadPoolExecutor(2) as two:
        ends = list(two.map(end, stops))
    assert [stop for stop, _, found in ends if found != expected] == []
    assert sum(killed for _, killed, _ in ends) >= 30


@pytest.mark.parametrize("places", ["sqlite", "postgresql"], indirect=True)
def test_a_run_killed_again_and_again_comes_to_its_end(places: Places) -> None:
    """Each start gets a little further; what the one before it left is no burden."""
    clean = places()
    assert run(clean.home, clean.address) == 0
    place = places()
    starts = 0
    while run(place.home, place.address, Stop("statement", 8 + 6 * starts)) != 0:
        starts += 1
        assert starts < 60
    assert starts > 5
    assert place.end() == clean.end()
