"""One served installation for all tests of a module."""

from collections.abc import Iterator

import pytest
from counted_floor import lay_out
from installation import Installation, installation

from tasks.store.database.engine import engine
from tasks.store.migrate import migrate


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation, with a floor that can be counted."""
    home = tmp_path_factory.mktemp("served") / "data"
    home.mkdir()
    with pytest.MonkeyPatch.context() as surroundings:
        surroundings.setenv("FULFILMENT_HOME", str(home))
        migrate(engine())
        lay_out(home)
    with installation(home, "--runs", "4") as one:
        yield one
