"""What receive-exports tells the analyst."""

from collections.abc import Sequence

from tasks.intaking import Outcome


def artifact_rows(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """A row a file: what became of it and of its rows, and why; refused files first."""
    order = {"refused": 0, "loaded": 1, "seen": 2}
    told = sorted(outcomes, key=lambda one: (order[one.state], one.kind, one.file_name))
    return [
        {
            "kind": one.kind,
            "file": one.file_name,
            "state": one.state,
            "layout": one.layout,
            "rows": one.rows_in,
            "loaded": one.rows_loaded,
            "unchanged": one.rows_unchanged,
            "quarantined": one.rows_quarantined,
            "ignored": one.rows_ignored,
            "why": "; ".join([*([one.reason] if one.reason else []), *one.warnings]),
        }
        for one in told
    ]
