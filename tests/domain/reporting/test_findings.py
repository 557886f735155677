"""What was found, in words: the sentence of a run, its lines in a shell, its page in Prefect's UI."""

from dataclasses import dataclass, replace

import pytest

from config.read import read
from tasks.domain.reporting.findings import Ending, Finding, FindingKind, OutcomeRules, finding_lines, sentence
from tasks.domain.reporting.outcome_pages import SHOWN_MAX, outcome_page
from tasks.domain.reporting.run_counts import in_a_sentence

REFUSED = Finding(FindingKind.REFUSED_FILE, 1, "a.csv", "the file is empty", "Send it again.")
ROWS = Finding(
    FindingKind.QUARANTINED_ROWS, 1200, "b.csv", "by column: sku 1,200", "Correct them.", "receive", "http://x/1"
)
DRIFT = Finding(FindingKind.DRIFT, 1, "c.csv", "3 units apart", "Count it.")


@dataclass(frozen=True)
class Counts:
    """What a run counted."""

    files_loaded: int = 0
    rows_loaded: int = 0


@dataclass(frozen=True)
class Day:
    """What the parts of a run counted."""

    done: dict[str, Counts]


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([REFUSED], "1 file was refused."),
        ([ROWS, REFUSED, REFUSED], "2 files were refused, 1,200 rows wait in quarantine."),
        ([DRIFT], "Shop and ledger disagree at 1 place."),
    ],
)
def test_findings_are_one_sentence(findings: list[Finding], said: str) -> None:
    """The worst first, however many there are of a kind."""
    assert sentence(findings) == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(), "Nothing new."),
        (Counts(3, 120), "3 files loaded, 120 rows loaded."),
        (Day({"morning": Counts(), "noon": Counts(1)}), "All 2 parts are done."),
        (None, "Nothing new."),
    ],
)
def test_a_good_run_says_what_it_did(counts: object, said: str) -> None:
    """In one sentence; nothing is nothing new."""
    assert in_a_sentence(counts) == said


def test_a_rule_says_what_is_red() -> None:
    """The house's own: a refused file is, rows in quarantine are not."""
    rules = read("rules/outcomes.yaml", OutcomeRules)
    assert rules.failed([ROWS, REFUSED])
    assert not rules.failed([ROWS, DRIFT])
    assert replace(rules, quarantined_rows=Ending.FAILED).failed([ROWS])


def test_a_line_says_what_how_many_why_and_what_to_do() -> None:
    """For whoever runs it from a shell."""
    assert finding_lines([REFUSED]) == ["  a.csv: 1 file was refused (the file is empty). Send it again."]


def test_the_page_has_a_row_and_a_task_for_each_finding() -> None:
    """What happened first, then the table, then what to do, with a link where another run found it."""
    assert outcome_page("Two things.", [REFUSED, ROWS], ["files loaded: 3"]) == (
        "**Two things.**\n\n"
        "| file | what | how many | why |\n|---|---|---:|---|\n"
        "| a.csv | refused file | 1 | the file is empty |\n"
        "| b.csv | quarantined rows | 1,200 | by column: sku 1,200 |\n\n"
        "### What to do\n\n- a.csv: Send it again.\n- b.csv: Correct them. ([receive](http://x/1))\n\n"
        "### What was done\n\n- files loaded: 3"
    )


def test_whatever_a_file_is_called_is_no_markup() -> None:
    """A name may break neither the table nor the page."""
    odd = Finding(FindingKind.REFUSED_FILE, 1, "<b>|[x](y)\n# `n`", "", "")
    assert r"| &lt;b&gt;\|\[x\](y) \# \`n\` | refused file | 1 |" in outcome_page("x", [odd], [])


def test_a_long_list_ends_with_how_many_more() -> None:
    """The quarantine folder has them all."""
    assert "| and 2 more | | | |" in outcome_page("x", [REFUSED] * (SHOWN_MAX + 2), [])
