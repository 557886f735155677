"""Products and the kits made of them."""

import pandas as pd
from sqlalchemy import Connection, Select, Table, and_, delete, exists, false, func, literal, or_, select, update

from tasks.domain.receiving.kits import parse_components
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.merging import count, drop, drop_repeats, insert_new, same_key, update_changed
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import kit_components, products

KEY = ("merchant_id", "sku")
FACTS = (
    "name", "barcode", "pack_quantity", "weight_g", "volume_ml", "abc_class", "unit_cost_minor", "unit_price_minor",
    "currency", "category", "country_of_origin", "is_final_sale", "is_hazmat", "reorder_point",
)  # fmt: skip


def load_products(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Merge staged products and the components of kits; what a file does not say of a product stays as it was."""
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, KEY, (*FACTS, "components"))]
    components, unread = parse_components(
        read(connection, select(rows.c.row_number, rows.c.components).where(rows.c.components.is_not(None)))
    )
    drop(connection, rows, unread)
    refused.append(unread)
    while len(unknown := _unknown_components(connection, rows, components)):  # a kit may have been made of another
        refused.append(unknown)
    said = select(*(rows.c[name] for name in (*KEY, *FACTS))).order_by(rows.c.row_number)
    updated = update_changed(connection, products, said.subquery("said"), KEY, FACTS)
    new = insert_new(connection, products, _completed(rows))
    _load_components(connection, rows, components)
    note_everything(connection)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(bad), bad)


def _completed(rows: Table) -> Select[tuple[object, ...]]:
    """The staged products, with what a new one must have where the file does not say it."""
    otherwise = {"pack_quantity": literal(1), "is_final_sale": false(), "is_hazmat": false()}
    facts = [
        func.coalesce(rows.c[name], otherwise[name]).label(name) if name in otherwise else rows.c[name]
        for name in FACTS
    ]
    return select(*(rows.c[name] for name in KEY), *facts).order_by(rows.c.row_number)


def _unknown_components(connection: Connection, rows: Table, components: pd.DataFrame) -> pd.DataFrame:
    """A kit may be made of products received before or in the same file."""
    with staged(connection, components) as parts:
        kit, part = rows.alias("kit"), rows.alias("part")
        known = exists().where(products.c.merchant_id == kit.c.merchant_id, products.c.sku == parts.c.component)
        beside = exists().where(part.c.merchant_id == kit.c.merchant_id, part.c.sku == parts.c.component)
        itself = parts.c.component == kit.c.sku
        expected = literal("', expected a SKU that was received, other than the kit's own")
        reason = literal("components: found '") + parts.c.component + expected
        unknown = (
            select(parts.c.row_number, func.min(reason).label("reason"))
            .join(kit, kit.c.row_number == parts.c.row_number)
            .where(or_(itself, ~or_(known, beside)))
            .group_by(parts.c.row_number)
        )
        found = read(connection, unknown)
    drop(connection, rows, found)
    return found


def _load_components(connection: Connection, rows: Table, components: pd.DataFrame) -> None:
    """The components of the staged kits become exactly what the file says."""
    if components.empty:
        return
    part = products.alias("part")
    with staged(connection, components) as parts:
        wanted = (
            select(products.c.id.label("kit_id"), part.c.id.label("component_id"), parts.c.quantity)
            .join_from(parts, rows, rows.c.row_number == parts.c.row_number)
            .join(products, same_key(products, rows, KEY))
            .join(part, and_(part.c.merchant_id == rows.c.merchant_id, part.c.sku == parts.c.component))
        )
        said = wanted.subquery("said")
        key = ("kit_id", "component_id", "quantity")
        gone = delete(kit_components).where(
            kit_components.c.kit_id.in_(select(said.c.kit_id)), ~exists().where(same_key(kit_components, said, key))
        )
        changed(connection, gone)
        insert_new(connection, kit_components, wanted)
        kits = select(said.c.kit_id)
        changed(connection, update(products).where(products.c.id.in_(kits), ~products.c.is_kit).values(is_kit=True))
