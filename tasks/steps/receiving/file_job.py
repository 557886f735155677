"""The job of importing one delivered file: what it needs, what it gathers on the way, and its outcome."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table

from tasks.domain.receiving.cells import Clock
from tasks.domain.receiving.export_kinds import Kind
from tasks.domain.receiving.name_resolution import LastOrder
from tasks.domain.receiving.row_checks import Context
from tasks.domain.sites.sites import Merchant, Warehouse
from tasks.gates.delivery import Gate
from tasks.inbox.delivered_files import Block, Export, ExportError, fingerprint
from tasks.inbox.layouts import Layout
from tasks.store.receiving.imports import Delivery
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.staging import Sink

NAME_BYTES_MAX = 180
Loader = Callable[[Connection, Table, Intake], Loaded]
Appender = Callable[[Connection, int, Path], AbstractContextManager[Sink]]


class RefusedDeliveryError(ExportError):
    """The file could be read, but as a whole it is not plausible."""


@dataclass(frozen=True)
class Site:
    """The configuration of this installation that reading a file needs."""

    merchants: Sequence[Merchant]
    warehouses: Sequence[Warehouse]
    layouts: Sequence[Layout]
    merchant: str  # the owner of a file that names none


class FileState(StrEnum):
    """What a run did with a file."""

    LOADED = "loaded"
    REFUSED = "refused"
    SEEN = "seen"  # it was imported before


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file."""

    kind: str
    file_name: str
    state: FileState
    layout: str = ""
    rows_in: int = 0
    rows_loaded: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    rows_ignored: int = 0
    reason: str = ""
    warnings: tuple[str, ...] = ()
    columns: tuple[tuple[str, int], ...] = ()  # the columns that rows are refused for, with the number of faults
    import_id: int = 0
    sheet: Path | None = None  # the sheet of the refused rows, when it is written already


@dataclass(frozen=True)
class OpenedFile:
    """An opened file: its delivery, its content, its layout, and the ids of the merchants its rows may name."""

    delivery: Delivery
    export: Export
    layout: Layout
    merchant_ids: Mapping[str, int]

    def blocks(self) -> Iterator[Block]:
        """Its rows in blocks; in one block when the layout needs the whole file."""
        return self.export.blocks(whole=not self.layout.streams)


@dataclass
class Tally:
    """What is counted and collected while the blocks of a file are checked.

    `rows`: checked source rows; `ignored`: source rows about something else; `good`: source rows without a fault,
    which make `records`. `refused`: rows ready for quarantine.
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
class FileJob:
    """One file to import, with everything that importing it needs.

    `warehouse`: the code its folder names, otherwise empty. `appender`: the short way for a file whose rows are all
    new, where its kind has one.
    """

    path: Path
    kind: Kind
    merchant: str
    warehouse: str
    site: Site
    gate: Gate
    loader: Loader
    appender: Appender | None
    as_of: datetime

    @property
    def name(self) -> str:
        """The file's name, shortened so that other files can be named after it; invalid bytes are replaced."""
        return os.fsencode(self.path.name)[:NAME_BYTES_MAX].decode("utf-8", errors="replace")

    def delivery(self) -> Delivery:
        """The identity of the file."""
        return Delivery(self.kind.name, self.merchant, fingerprint(self.path), self.name)

    def context(self) -> Context:
        """The clock, currency and defaults for what the rows leave out."""
        owner = next((merchant for merchant in self.site.merchants if merchant.code == self.merchant), None)
        defaults = {"merchant": self.merchant, "warehouse": self.warehouse, "count_id": self.name.partition(".")[0]}
        return Context(
            clock=Clock(owner.time_zone if owner else "UTC"),
            currency=owner.currency if owner else None,
            defaults=tuple((name, text) for name, text in defaults.items() if text),
        )
