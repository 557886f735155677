"""The loader of each kind of export, and the appender of kinds whose new rows need no merge."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, Table

from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.approvals import load_approvals
from tasks.store.receiving.loaders.counts import load_counts
from tasks.store.receiving.loaders.holds import load_holds
from tasks.store.receiving.loaders.incoming import load_incoming
from tasks.store.receiving.loaders.locations import load_locations
from tasks.store.receiving.loaders.message_events import load_message_events
from tasks.store.receiving.loaders.movements import load_movements
from tasks.store.receiving.loaders.orders import append_new_orders, load_orders
from tasks.store.receiving.loaders.packs import load_packs
from tasks.store.receiving.loaders.picks import load_picks
from tasks.store.receiving.loaders.products import load_products
from tasks.store.receiving.loaders.returns import load_return_receipts, load_return_requests
from tasks.store.receiving.loaders.shipments import load_shipments
from tasks.store.receiving.loaders.snoozes import load_snoozes
from tasks.store.receiving.loaders.stock import load_stock
from tasks.store.receiving.loaders.supply import load_supply
from tasks.store.receiving.loaders.tracking import load_tracking
from tasks.store.receiving.staging import Sink

APPENDERS: dict[str, Callable[[Connection, int, Path], AbstractContextManager[Sink]]] = {"orders": append_new_orders}
LOADERS: dict[str, Callable[[Connection, Table, Intake], Loaded]] = {
    "products": load_products,
    "locations": load_locations,
    "stock": load_stock,
    "movements": load_movements,
    "orders": load_orders,
    "counts": load_counts,
    "approvals": load_approvals,
    "incoming": load_incoming,
    "holds": load_holds,
    "supply": load_supply,
    "snoozes": load_snoozes,
    "message_events": load_message_events,
    "picks": load_picks,
    "packs": load_packs,
    "shipments": load_shipments,
    "tracking": load_tracking,
    "return_requests": load_return_requests,
    "return_receipts": load_return_receipts,
}
