"""`python -m tasks.store.migrations.draft WHAT CHANGED` writes the missing migration (docs/change/adding.md)."""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import renderers
from alembic.operations import ops
from alembic.script import ScriptDirectory

from tasks.store.database.engine import engine_of
from tasks.store.migrate import configuration, migrate
from tasks.store.schema import APPEND_ONLY


class GuardLedger(ops.MigrateOperation):
    """The triggers that keep the ledger append-only; autogenerate does not see triggers."""


@renderers.dispatch_for(GuardLedger)
def _guard(_context: Any, _operation: GuardLedger) -> list[str | None]:
    lines: list[str | None] = ["dialect = op.get_bind().dialect.name"]
    for dialect, statements in APPEND_ONLY.items():
        lines.append(f'if dialect == "{dialect}":')
        lines.extend(f"op.execute({statement!r})" for statement in statements)
        lines.append(None)  # the printer ends the block
    return lines


def _complete(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Guard the ledger where its table is made."""
    upgrades = directives[0].upgrade_ops.ops
    if any(isinstance(one, ops.CreateTableOp) and one.table_name == "stock_moves" for one in upgrades):
        upgrades.append(GuardLedger())


def draft(message: str) -> Path:
    """Write the next migration by comparing schema.py with the newest one; it is read and edited before use."""
    number = len(list(ScriptDirectory.from_config(configuration()).walk_revisions())) + 1
    with tempfile.TemporaryDirectory() as folder:
        database = engine_of(f"sqlite:///{folder}/draft.db")
        if number > 1:
            migrate(database)
        with database.begin() as connection:
            script = command.revision(
                configuration(connection),
                message=message,
                autogenerate=True,
                rev_id=f"{number:04}",
                process_revision_directives=_complete,
            )
        database.dispose()
    path = Path(script.path)  # type: ignore[union-attr]
    path.write_text(re.sub(r" +# ###.*\n", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{draft(' '.join(sys.argv[1:]))}\n")
