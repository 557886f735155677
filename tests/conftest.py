"""What every test may ask for: a data folder of its own and an empty database, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT
from servers import postgresql
from sqlalchemy import Engine, create_engine, text

from tasks.store.database.engine import engine_of
from tasks.store.schema import metadata

LONGEST_FIRST = ("test_online_retail.py", "service", "scenarios")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that at the end no core waits for one of them: a month, servers, whole days, others."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST_FIRST) if part in item.path.parts), 9))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the test session."""
    with postgresql() as address:
        yield address


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, with the Paper sender."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("FULFILMENT_HOME", str(folder))
    monkeypatch.setenv("FULFILMENT_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("FULFILMENT_SENDER", "paper")
    return folder


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the SQLite database of every test lies, one after the other.

    At one address SQLAlchemy compiles each statement once, and not once a test.
    """
    return tmp_path_factory.mktemp("sqlite") / "fulfilment.db"


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("with-tables") / "fulfilment.db"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_admin(postgresql_server: str) -> Iterator[Engine]:
    """What makes and drops databases of the server."""
    admin = create_engine(postgresql_server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    yield admin
    admin.dispose()


@pytest.fixture(scope="session")
def postgresql_with_tables(postgresql_server: str, postgresql_admin: Engine) -> str:
    """A database of the server with every table, to be copied."""
    _create_database(postgresql_admin, "with_tables", "template1")
    _make_tables(f"{postgresql_server.rsplit('/', 1)[0]}/with_tables")
    return "with_tables"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a database runs on both; one of a step on SQLite, or on both if marked `both_databases`.

    The queries are tested on both below tests/store and tests/scenarios. The mark is for steps that ask the database
    what nothing there asks.
    """
    if "database" in metafunc.fixturenames:
        of_a_step = "steps" in metafunc.definition.path.parts
        on_both = not of_a_step or metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("database", ["sqlite", "postgresql"] if on_both else ["sqlite"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database, with tables for a test that asks for `store`; the test runs once on each."""
    with_tables = "store" in request.fixturenames
    if request.param == "sqlite":
        file: Path = request.getfixturevalue("sqlite_file")
        for old in file.parent.iterdir():  # the database and its log
            old.unlink()
        if with_tables:
            shutil.copy(request.getfixturevalue("sqlite_with_tables"), file)
        address = f"sqlite:///{file}"
    else:
        server, admin = request.getfixturevalue("postgresql_server"), request.getfixturevalue("postgresql_admin")
        template = request.getfixturevalue("postgresql_with_tables") if with_tables else "template1"
        _create_database(admin, "of_a_test", template)
        address = f"{server.rsplit('/', 1)[0]}/of_a_test"
    monkeypatch.setenv("FULFILMENT_DATABASE_URL", address)
    yield address
    engine_of(address).dispose()
    if request.param == "sqlite":
        engine_of(f"{address}.sending").dispose()  # of the file that only one sender holds


@pytest.fixture
def store(database: str) -> Engine:
    """The engine of an empty database with every table."""
    return engine_of(database)


def _make_tables(address: str) -> None:
    metadata.create_all(engine_of(address))
    engine_of(address).dispose()


def _create_database(admin: Engine, name: str, template: str) -> None:
    """An empty database, or a copy of `template`, in the place of the one of that name."""
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
