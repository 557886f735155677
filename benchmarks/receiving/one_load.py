"""The three ways a file of order lines gets into a database, each run in a process of its own by `receive`.

Prints one JSON object: way, seconds, peak_mb, start_mb, done. Imports and the creation of tables are not timed.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from benchmarks.peak_memory import peak_mb
from config.prefect_environment import in_process

_TYPES = {"line_number": pa.int64(), "merchant": pa.string()}


def limit(file: Path, database: str) -> tuple[float, str]:
    """What the machine can do at best: read in blocks, ingest, validate nothing."""
    import adbc_driver_postgresql.dbapi
    import adbc_driver_sqlite.dbapi

    started = time.perf_counter()
    url = make_url(database)
    postgresql = url.get_backend_name() == "postgresql"
    driver = adbc_driver_postgresql.dbapi if postgresql else adbc_driver_sqlite.dbapi
    rows = 0
    with driver.connect(database if postgresql else f"file:{url.database}") as connection:
        with connection.cursor() as cursor, pyarrow.csv.open_csv(file, _read_options()) as reader:
            rows = cursor.adbc_ingest("lines_as_they_are", reader, mode="create")
        connection.commit()
    return time.perf_counter() - started, f"{rows:,} rows ingested"


def _read_options() -> pyarrow.csv.ReadOptions:
    return pyarrow.csv.ReadOptions(block_size=24 << 20)


def typical(file: Path, database: str) -> tuple[float, str]:
    """What a project does by habit: pandas.read_csv, then to_sql through SQLAlchemy; validates nothing."""
    engine = create_engine(make_url(database).set(drivername=_habit(database)))
    started = time.perf_counter()
    frame = pd.read_csv(file)
    frame.to_sql("lines_by_habit", engine, if_exists="fail", index=False, chunksize=50_000)
    return time.perf_counter() - started, f"{len(frame):,} rows written"


def _habit(database: str) -> str:
    return "postgresql+psycopg" if database.startswith("postgresql") else "sqlite"


def ours(file: Path, database: str) -> tuple[float, str]:
    """receive-exports' own steps: every row judged, good ones merged, bad ones quarantined, the file archived."""
    home = file.parent / "home"
    os.environ |= in_process(home) | {"FULFILMENT_HOME": str(home), "FULFILMENT_DATABASE_URL": database}
    import great_expectations  # noqa: F401 - so that its import is not timed, as no other is
    import holidays.countries  # noqa: F401 - the same
    import xlsxwriter  # noqa: F401 - the same

    from tasks.clock import moment
    from tasks.steps.prepare_database import prepare_database
    from tasks.steps.receiving import receive_exports

    prepare_database.fn()
    inbox = home / "inbox" / "orders"
    inbox.mkdir(parents=True)
    os.link(file, inbox / "orders.csv")
    started = time.perf_counter()
    as_of, site = moment(), receive_exports.read_site.fn()
    with receive_exports.expectations(as_of) as gate:
        outcome = receive_exports.receive_kind.fn(
            "orders", receive_exports.find_files.fn(["orders"])["orders"], site, gate, as_of
        )[0]
    receive_exports.hold_incomplete_orders.fn()
    outcome_words = f"{outcome.state}: {outcome.rows_loaded:,} rows loaded, {outcome.rows_quarantined:,} quarantined"
    return time.perf_counter() - started, outcome_words


WAYS: dict[str, Callable[[Path, str], tuple[float, str]]] = {"limit": limit, "typical": typical, "ours": ours}


def main(arguments: list[str]) -> None:
    """Run one way once and print what it cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiving.one_load", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("file", type=Path, help="canonical order lines")
    parser.add_argument("database", help="address of an empty database")
    options = parser.parse_args(arguments)
    start_mb = peak_mb()
    seconds, done = WAYS[options.way](options.file, options.database)
    print(
        json.dumps({"way": options.way, "seconds": seconds, "peak_mb": peak_mb(), "start_mb": start_mb, "done": done})
    )


if __name__ == "__main__":
    main(sys.argv[1:])
