"""Imported by the server that runs of receiving are forked from: what a first run loads and builds is there already."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from inbox_run import as_csv, order, put, receive
from project import ROOT

from tasks.store.database.engine import engine
from tasks.store.schema import metadata

with TemporaryDirectory() as folder:
    os.environ |= {"FULFILMENT_HOME": folder, "FULFILMENT_DATABASE_URL": f"sqlite:///{folder}/warm.db",
                   "FULFILMENT_CONFIG": str(ROOT / "config")}  # fmt: skip
    metadata.create_all(engine())
    put(Path(folder), "orders", as_csv([order("#1"), order("#2", quantity="none")]))
    receive()
    engine().dispose()
