"""Findings of a run that a person must look at, how such a run ends, and their wording."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """Kinds of findings; config/rules/outcomes.yaml decides for each how the run ends."""

    REFUSED_FILE = "refused_file"
    QUARANTINED_ROWS = "quarantined_rows"
    DRIFT = "drift"
    BROKEN_RECORDS = "broken_records"


class Ending(StrEnum):
    """How a run with findings ends."""

    FINDINGS = "findings"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One finding: the number of its kind in `what` (a file), why, and what to do about it.

    `why` names columns and shares, never the content of a cell. `run` and `link`: the nested run that found it.
    """

    kind: FindingKind
    count: int
    what: str
    why: str
    what_to_do: str
    run: str = ""
    link: str = ""


@dataclass(frozen=True)
class OutcomeRules:
    """The schema of config/rules/outcomes.yaml: one key per kind of finding."""

    refused_file: Ending
    quarantined_rows: Ending
    drift: Ending
    broken_records: Ending = Ending.FINDINGS  # where a file of before it says nothing of it

    def failed(self, findings: Sequence[Finding]) -> bool:
        """Whether a run with these findings ends red."""
        return any(getattr(self, one.kind) == Ending.FAILED for one in findings)


_SINGULAR_AND_PLURAL = {
    FindingKind.REFUSED_FILE: ("{} file was refused", "{} files were refused"),
    FindingKind.QUARANTINED_ROWS: ("{} row waits in quarantine", "{} rows wait in quarantine"),
    FindingKind.DRIFT: ("shop and ledger disagree at {} place", "shop and ledger disagree at {} places"),
    FindingKind.BROKEN_RECORDS: ("{} record does not add up", "{} records do not add up"),
}


def sentence(findings: Sequence[Finding]) -> str:
    """All findings in one sentence, such as: 2 files were refused, 25 rows wait in quarantine."""
    counts = {kind: sum(one.count for one in findings if one.kind == kind) for kind in FindingKind}
    parts = [_counted(kind, count) for kind, count in counts.items() if count]
    return ", ".join(parts)[:1].upper() + ", ".join(parts)[1:] + "."


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """One line per finding, for a shell: what, how many, why, what to do."""
    return [f"  {one.what}: {_counted(one.kind, one.count)} ({one.why}). {one.what_to_do}" for one in findings]


def _counted(kind: FindingKind, count: int) -> str:
    return _SINGULAR_AND_PLURAL[kind][count != 1].format(f"{count:,}")
