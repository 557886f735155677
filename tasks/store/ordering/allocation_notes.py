"""What the next allocation must look at again, noted by whoever changed it.

Stock that arrives needs no note, as the ledger has it; triggers of the schema note orders and lines that change. All
else is noted here, set-based, in the transaction of the change.
"""

from typing import Any

from sqlalchemy import BigInteger, Connection, Select, insert, literal, select

from tasks.store.schema import allocation_notes

ORDER, PRODUCT, EVERYTHING = "order", "product", "everything"


def note(connection: Connection, kind: str, subjects: Select[Any]) -> None:
    """Note the orders or products whose ids `subjects` selects."""
    ids = subjects.distinct().subquery("subjects")
    rows = select(literal(kind).label("kind"), *ids.c)
    connection.execute(insert(allocation_notes).from_select(["kind", "subject_id"], rows))


def note_everything(connection: Connection) -> None:
    """Note that every open order must be looked at: what products are called, made of or fit for has changed."""
    note(connection, EVERYTHING, select(literal(0, BigInteger)))
