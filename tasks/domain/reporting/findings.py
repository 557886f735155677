"""What a run found that a person must look at, how such a run ends, and what is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What may be found; config/rules/outcomes.yaml says of each how the run ends."""

    REFUSED_FILE = "refused_file"
    QUARANTINED_ROWS = "quarantined_rows"
    DRIFT = "drift"
    BROKEN_RECORDS = "broken_records"


class Ending(StrEnum):
    """How a run ends that did its work and found something."""

    FINDINGS = "findings"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing for a person: how many of its kind `what` (a file) has, why, and what to do about it.

    `why` speaks of columns and shares, never of what a cell says. `run` and `link`: the nested run that found it.
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
    """The schema of config/rules/outcomes.yaml: a key for each kind of finding."""

    refused_file: Ending
    quarantined_rows: Ending
    drift: Ending
    broken_records: Ending

    def failed(self, findings: Sequence[Finding]) -> bool:
        """Whether a run with these findings is to be red."""
        return any(getattr(self, one.kind) == Ending.FAILED for one in findings)


WORDS = {  # of one, of several
    FindingKind.REFUSED_FILE: ("{} file was refused", "{} files were refused"),
    FindingKind.QUARANTINED_ROWS: ("{} row waits in quarantine", "{} rows wait in quarantine"),
    FindingKind.DRIFT: ("shop and ledger disagree at {} place", "shop and ledger disagree at {} places"),
    FindingKind.BROKEN_RECORDS: ("{} record does not add up", "{} records do not add up"),
}


def sentence(findings: Sequence[Finding]) -> str:
    """All findings in one sentence: 2 files were refused, 25 rows wait in quarantine."""
    counts = {kind: sum(one.count for one in findings if one.kind == kind) for kind in FindingKind}
    parts = [WORDS[kind][count != 1].format(f"{count:,}") for kind, count in counts.items() if count]
    return ", ".join(parts)[:1].upper() + ", ".join(parts)[1:] + "."


def lines(findings: Sequence[Finding]) -> list[str]:
    """A line a finding, for a shell: what, how many, why, what to do."""
    return [f"  {one.what}: {WORDS[one.kind][one.count != 1].format(f'{one.count:,}')} ({one.why}). {one.what_to_do}"
            for one in findings]  # fmt: skip
