"""What every test may ask for: a data folder of its own and an empty database, on SQLite and on PostgreSQL."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import postgresql
from sqlalchemy import Engine, create_engine, text

from tasks.store.engine import engine, engine_of
from tasks.store.schema import metadata

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that at the end no core waits for one of them."""
    items.sort(key=lambda item: "scenarios" not in item.path.parts)


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database without tables; the test runs once on each."""
    if request.param == "sqlite":
        address = f"sqlite:///{home / 'fulfilment.db'}"
    else:
        server = request.getfixturevalue("postgresql_server")
        name = f"test_{next(_numbers)}"
        admin = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        address = server.rsplit("/", 1)[0] + f"/{name}"
    monkeypatch.setenv("FULFILMENT_DATABASE_URL", address)
    yield address
    engine_of(address).dispose()


@pytest.fixture
def store(database: str) -> Engine:
    """The engine of an empty database with every table."""
    metadata.create_all(engine())
    return engine()
