"""What taking in one delivered file is done with, and what comes of it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table

from tasks.domain.receiving.cells import Clock
from tasks.domain.receiving.export_kinds import Kind
from tasks.domain.receiving.row_judging import Context
from tasks.domain.receiving.row_names import LastOrder
from tasks.domain.sites.sites import Merchant, Warehouse
from tasks.gates.delivery import Gate
from tasks.inbox.delivered_files import Block, Export, ExportError, fingerprint
from tasks.inbox.layouts import Layout
from tasks.store.receiving.imports import Delivery
from tasks.store.receiving.loader import Intake, Loaded

NAME_BYTES_MAX = 180
Loader = Callable[[Connection, Table, Intake], Loaded]


class RefusedDeliveryError(ExportError):
    """The file was read, but is not to be believed."""


@dataclass(frozen=True)
class Site:
    """What the installation knows and no file says."""

    merchants: Sequence[Merchant]
    warehouses: Sequence[Warehouse]
    layouts: Sequence[Layout]
    merchant: str  # whose a file is that does not say


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `state` is loaded, refused or seen (taken in before)."""

    kind: str
    file_name: str
    state: str
    layout: str = ""
    rows_in: int = 0
    rows_loaded: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    rows_ignored: int = 0
    reason: str = ""
    warnings: tuple[str, ...] = ()
    columns: tuple[tuple[str, int], ...] = ()  # which its refused rows are refused for, and how often
    import_id: int = 0
    sheet: Path | None = None  # drafted already, of its refused rows


@dataclass(frozen=True)
class Opened:
    """A file being read: what it is, its blocks, its layout, and the ids of the merchants its rows may name."""

    delivery: Delivery
    export: Export
    layout: Layout
    merchant_ids: Mapping[str, int]

    def blocks(self) -> Iterator[Block]:
        """Its rows, as many at a time as the layout allows."""
        return self.export.blocks(whole=not self.layout.streams)


@dataclass
class Tally:
    """What is gathered while a file's blocks go by; `refused` holds rows ready for quarantine.

    `rows` of the file are judged, `ignored` say nothing of the kind; `good` ones make `records`.
    """

    rows: int = 0
    ignored: int = 0
    good: int = 0
    records: int = 0
    last_order: LastOrder = field(default_factory=LastOrder)
    last_at: pd.Timestamp | None = None
    rules: list[pd.DataFrame] = field(default_factory=list)
    refused: list[pd.DataFrame] = field(default_factory=list)
    corrections: list[pd.DataFrame] = field(default_factory=list)


@dataclass(frozen=True)
class Intaking:
    """Everything one file is taken in with."""

    path: Path
    kind: Kind
    merchant: str
    warehouse: str  # named by its folder, otherwise nothing
    site: Site
    gate: Gate
    loader: Loader
    as_of: datetime

    @property
    def name(self) -> str:
        """The file's name, short enough to name other files after it; bytes in it that are no text are marked."""
        return os.fsencode(self.path.name)[:NAME_BYTES_MAX].decode("utf-8", errors="replace")

    def delivery(self) -> Delivery:
        """What makes the file the file it is."""
        return Delivery(self.kind.name, self.merchant, fingerprint(self.path), self.name)

    def context(self) -> Context:
        """What the file's rows do not say themselves."""
        owner = next((one for one in self.site.merchants if one.code == self.merchant), None)
        said = {"merchant": self.merchant, "warehouse": self.warehouse, "count_id": self.name.partition(".")[0]}
        defaults = tuple((name, text) for name, text in said.items() if text)
        return Context(Clock(owner.time_zone if owner else "UTC"), owner.currency if owner else None, defaults)
