"""Alerts of files that were refused and of rows in quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KINDS = (
    "'low_stock', 'oversell', 'late', 'drift', 'cancelled_after_pick', 'unknown_sku', 'parcel', 'volume', "
    "'paid_after_expiry'"
)
_NAME = "alerts_kind_is_known"


def upgrade() -> None:
    """Bring the database to this revision."""
    _reword(f"kind IN ({_KINDS}, 'refused_file', 'quarantined_rows')")


def downgrade() -> None:
    """Take the database back to the revision before: what no older word can say is lost."""
    op.execute("DELETE FROM alerts WHERE kind IN ('refused_file', 'quarantined_rows')")
    _reword(f"kind IN ({_KINDS})")


def _reword(condition: str) -> None:
    """Put another condition in the place of the CHECK: `kind IN (…)`."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE alerts DROP CONSTRAINT {_NAME}")
        op.execute(f"ALTER TABLE alerts ADD CONSTRAINT {_NAME} CHECK ({condition})")
        return
    before, _, after = _definition("alerts").partition(f"CONSTRAINT {_NAME} CHECK (")
    _make_anew("alerts", f"{before}CONSTRAINT {_NAME} CHECK ({condition})" + after[after.index("))") + 2 :])


def _definition(table: str) -> str:
    asked = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().scalar(asked, {"table": table}))


def _make_anew(table: str, definition: str) -> None:
    """SQLite changes no constraint of a table that is there: its rows wait while it is made again as `definition`.

    Its indexes and triggers, whoever made them, are made again as they were; references to its rows hold, because
    they are asked for only when all of this is committed.
    """
    asked = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type <> 'table' AND sql IS NOT NULL")
    others = list(op.get_bind().scalars(asked, {"table": table}))
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {table}")
    op.drop_table(table)
    op.execute(sa.text(definition.replace(":", "\\:")))
    op.execute(f"INSERT INTO {table} SELECT * FROM kept")
    op.execute("DROP TABLE kept")
    for statement in others:
        op.execute(sa.text(statement.replace(":", "\\:")))
