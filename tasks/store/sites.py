"""Merchants and warehouses: config says what they are, the store gives them ids."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, select

from tasks.domain.sites.sites import Merchant, Warehouse
from tasks.store.database.frames import insert_into
from tasks.store.schema import locations, merchants, warehouses


def ensure_sites(connection: Connection, of_merchants: Sequence[Merchant], of_warehouses: Sequence[Warehouse]) -> None:
    """Make every configured merchant, warehouse and default location a row; what is there already stays."""
    _ensure(connection, merchants, [{"code": one.code, "name": one.name} for one in of_merchants])
    _ensure(
        connection,
        warehouses,
        [
            {"code": one.code, "name": one.name, "time_zone": one.time_zone, "country": one.country}
            for one in of_warehouses
        ],
    )
    ids = warehouse_ids(connection)
    _ensure(
        connection,
        locations,
        [{"warehouse_id": ids[one.code], "code": one.default_location} for one in of_warehouses],
    )


def merchant_ids(connection: Connection) -> dict[str, int]:
    """Merchant id by code."""
    return {row.code: row.id for row in connection.execute(select(merchants.c.code, merchants.c.id))}


def warehouse_ids(connection: Connection) -> dict[str, int]:
    """Warehouse id by code."""
    return {row.code: row.id for row in connection.execute(select(warehouses.c.code, warehouses.c.id))}


def _ensure(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    if rows:
        connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)
