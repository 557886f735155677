"""The kinds of exports are a table: a new one is an entry, not a branch in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from project import ROOT

from tasks.domain.receiving.export_kinds import KINDS, Type

FOLDERS = ("tasks/domain/receiving", "tasks/steps/receiving", "tasks/inbox", "tasks/gates")


def _kinds_compared(path: Path) -> Iterator[str]:
    """Names of kinds that the module compares something with."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            constants = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
            yield from (part.value for part in constants if isinstance(part, ast.Constant) and part.value in KINDS)


def test_no_step_branches_on_the_name_of_a_kind() -> None:
    """Behaviour follows from the fields of a kind: its clock, its default location, its numbering of orders."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 20
    assert [(path.name, kind) for path in files for kind in _kinds_compared(path)] == []


def test_the_fields_that_a_kind_names_exist() -> None:
    """A key, a sequence of moments and the day of a moment name fields of the kind, of the right type."""
    for kind in KINDS.values():
        types = {field.name: field.type for field in kind.fields}
        assert set(kind.key) <= set(types), kind.name
        assert {types[name] for name in kind.sequence} <= {Type.INSTANT}, kind.name
        days = {types[field.name]: types[field.day_field] for field in kind.fields if field.day_field}
        assert days in ({}, {Type.INSTANT: Type.DATE}), kind.name
