"""Loads products and the components of kits."""

import pandas as pd
from sqlalchemy import Connection, Select, Table, and_, delete, exists, false, func, literal, or_, select, update

from tasks.domain.receiving.kits import parse_components
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import drop_repeats, drop_rows, insert_new, keys_match, row_count, update_changed
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import kit_components, products

PRODUCT_KEY = ("merchant_id", "sku")
PRODUCT_FACTS = (
    "name", "barcode", "pack_quantity", "weight_g", "volume_ml", "abc_class", "unit_cost_minor", "unit_price_minor",
    "currency", "category", "country_of_origin", "is_final_sale", "is_hazmat", "reorder_point",
)  # fmt: skip


def load_products(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Merge staged products and the components of kits; a fact that the file leaves out stays as it was."""
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, PRODUCT_KEY, (*PRODUCT_FACTS, "components"))]
    components, unreadable = parse_components(
        read(connection, select(rows.c.row_number, rows.c.components).where(rows.c.components.is_not(None)))
    )
    drop_rows(connection, rows, unreadable)
    refused.append(unreadable)
    while len(
        unknown := _refuse_unknown_components(connection, rows, components)
    ):  # a kit may have been made of another
        refused.append(unknown)
    statement = select(*(rows.c[name] for name in (*PRODUCT_KEY, *PRODUCT_FACTS))).order_by(rows.c.row_number)
    updated = update_changed(connection, products, statement.subquery("said"), PRODUCT_KEY, PRODUCT_FACTS)
    new = insert_new(connection, products, _new_products(rows))
    _load_components(connection, rows, components)
    note_everything(connection)
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(refused_rows), refused_rows)


def _new_products(rows: Table) -> Select[tuple[object, ...]]:
    """The staged products, with defaults for what a new one must have."""
    defaults = {"pack_quantity": literal(1), "is_final_sale": false(), "is_hazmat": false()}
    facts = [
        func.coalesce(rows.c[name], defaults[name]).label(name) if name in defaults else rows.c[name]
        for name in PRODUCT_FACTS
    ]
    return select(*(rows.c[name] for name in PRODUCT_KEY), *facts).order_by(rows.c.row_number)


def _refuse_unknown_components(connection: Connection, rows: Table, components: pd.DataFrame) -> pd.DataFrame:
    """Delete kits with unknown components: those neither received before nor in the same file. Returns them."""
    with staged(connection, components) as parts:
        kit, part = rows.alias("kit"), rows.alias("part")
        is_received = exists().where(products.c.merchant_id == kit.c.merchant_id, products.c.sku == parts.c.component)
        is_in_file = exists().where(part.c.merchant_id == kit.c.merchant_id, part.c.sku == parts.c.component)
        is_kit_itself = parts.c.component == kit.c.sku
        expected = literal("', expected a SKU that was received, other than the kit's own")
        reason = literal("components: found '") + parts.c.component + expected
        statement = (
            select(parts.c.row_number, func.min(reason).label("reason"))
            .join(kit, kit.c.row_number == parts.c.row_number)
            .where(or_(is_kit_itself, ~or_(is_received, is_in_file)))
            .group_by(parts.c.row_number)
        )
        unknown = read(connection, statement)
    drop_rows(connection, rows, unknown)
    return unknown


def _load_components(connection: Connection, rows: Table, components: pd.DataFrame) -> None:
    """Replace the components of the staged kits by those in the file."""
    if components.empty:
        return
    part = products.alias("part")
    with staged(connection, components) as parts:
        lines = (
            select(products.c.id.label("kit_id"), part.c.id.label("component_id"), parts.c.quantity)
            .join_from(parts, rows, rows.c.row_number == parts.c.row_number)
            .join(products, keys_match(products, rows, PRODUCT_KEY))
            .join(part, and_(part.c.merchant_id == rows.c.merchant_id, part.c.sku == parts.c.component))
        )
        components_of_file = lines.subquery("said")
        key = ("kit_id", "component_id", "quantity")
        statement = delete(kit_components).where(
            kit_components.c.kit_id.in_(select(components_of_file.c.kit_id)),
            ~exists().where(keys_match(kit_components, components_of_file, key)),
        )
        changed(connection, statement)
        insert_new(connection, kit_components, lines)
        kits = select(components_of_file.c.kit_id)
        changed(connection, update(products).where(products.c.id.in_(kits), ~products.c.is_kit).values(is_kit=True))
