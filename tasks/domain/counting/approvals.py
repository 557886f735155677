"""A person's answers to differences that may not be posted without one: in a form, or row by row in a sheet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from tasks.domain import money
from tasks.domain.counting.count_states import CountAnswer, CountDecision
from tasks.domain.first_reason import first_reason

RANGE_MAX = 10_000
TO_ANSWER = ("answer", "answered_by", "reason_code", "comment")
ANSWER_SHEET = (
    "finding", "asked_at", "role", "warehouse", "place", "sku", "name", "condition", "lot", "expected", "counted",
    "difference", "value_minor", "currency", "why", "other_place", *TO_ANSWER,
)  # fmt: skip


class OtherFindings(StrEnum):
    """The answer of a form to the findings it does not name."""

    WAIT = "wait"
    APPROVE = "approve"
    REJECT = "reject"
    RECOUNT = "recount"


_ANSWER = {
    OtherFindings.APPROVE: CountAnswer.APPROVED,
    OtherFindings.REJECT: CountAnswer.REJECTED,
    OtherFindings.RECOUNT: CountAnswer.RECOUNT,
}


@dataclass(frozen=True)
class JudgedAnswers:
    """Rows that answer a finding (`answers`), and rows that cannot (`refused`: row_number, reason)."""

    answers: pd.DataFrame
    refused: pd.DataFrame


def finding_numbers(text: str) -> list[int]:
    """The findings that a text names: `12, 15-18` is 12, 15, 16, 17, 18. Raises ValueError on anything else."""
    numbers: list[int] = []
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            continue
        match = re.fullmatch(r"#?(\d{1,12})(?:[-\u2013](\d{1,12}))?", word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= last - first < RANGE_MAX:
            raise ValueError(f"found '{word}', expected numbers of findings such as 12, 15-18")
        numbers += range(first, last + 1)
    return numbers


def form_answers(
    listed: Iterable[int], others: OtherFindings, texts: dict[CountAnswer, str]
) -> tuple[pd.DataFrame, list[str]]:
    """The answers that a form gives (finding int64, answer str), and what is wrong with the form.

    `listed`: the findings the form asked about. `texts`: the numbers of findings beside each answer. `others`: the
    answer to every finding that no text names. A finding with two answers, or one that was not listed, is reported as
    a problem and not answered.
    """
    answers: dict[int, str] = {}
    ambiguous: set[int] = set()
    for answer, text in texts.items():
        try:
            numbers = finding_numbers(text)
        except ValueError as error:
            return pd.DataFrame({"finding": [], "answer": []}), [f"{answer}: {error}"]
        ambiguous |= {number for number in numbers if answers.get(number, answer) != answer}
        answers |= dict.fromkeys(numbers, answer.value)
    open_findings = set(listed)
    problems = [f"finding {number}: named with two answers" for number in sorted(ambiguous)]
    problems += [f"finding {number}: not one of this list" for number in sorted(set(answers) - open_findings)]
    accepted = {number: answer for number, answer in answers.items() if number in open_findings - ambiguous}
    if others is not OtherFindings.WAIT:
        accepted |= dict.fromkeys(sorted(open_findings - set(answers)), _ANSWER[others].value)
    return pd.DataFrame({"finding": list(accepted), "answer": list(accepted.values())}), problems


def judge_answers(rows: pd.DataFrame, questions: pd.DataFrame) -> JudgedAnswers:
    """Which rows may be written, and why the others may not; a row that only repeats an answer is in neither.

    `rows`: row_number, finding int64, answer, answered_by, difference Int64 (what the person saw; may be missing), one
    row per finding. `questions`: finding, decision, difference, answer, answered_by, answered_at, as they are now. The
    first answer stands: the refusal of another one says who gave it and when.
    """
    both = rows.merge(questions, on="finding", how="left", suffixes=("", "_now"), indicator="origin")
    filled = both[both["answer"].notna()].reset_index(drop=True)
    reasons = _refusal_reasons(filled)
    is_refused = reasons.notna() & (reasons != "")
    refused = pd.DataFrame({"row_number": filled["row_number"], "reason": reasons})[is_refused]
    answers = filled[reasons.isna()][list(rows.columns)]
    return JudgedAnswers(answers.reset_index(drop=True), refused.reset_index(drop=True))


def _refusal_reasons(rows: pd.DataFrame) -> pd.Series:
    """Why each row is refused; empty where it repeats the answer already given, missing where it may be written."""
    number, is_answered = rows["finding"].astype("str"), rows["answer_now"].notna()
    when = rows["answered_at"].dt.strftime("%Y-%m-%d %H:%M UTC")
    earlier = number + " was answered already: " + rows["answer_now"] + " by " + rows["answered_by_now"] + " at " + when
    seen, now = (rows[name].astype("Int64").astype("str") for name in ("difference", "difference_now"))
    is_outdated = (rows["difference"] != rows["difference_now"]) & rows["difference"].notna()
    cases = [
        (rows["origin"] != "both", "finding: found '" + number + "', expected one that was asked about"),
        (is_answered & _repeats_answer(rows), ""),
        (is_answered, "finding: " + earlier),
        (
            rows["decision"] != CountDecision.REVIEW,
            "finding: " + number + " waits for no answer: it is " + rows["decision"],
        ),
        (rows["answered_by"].fillna("").str.strip() == "", "answered_by: found '', expected the name of who answers"),
        (is_outdated, "difference: found '" + seen + "', expected '" + now + "': it changed; answer the newer list"),
    ]
    return first_reason(cases, rows.index)


def _repeats_answer(rows: pd.DataFrame) -> pd.Series:
    """Whether the row repeats the answer that was given, by the person who gave it."""
    people = [rows[name].fillna("").str.strip().str.casefold() for name in ("answered_by", "answered_by_now")]
    return (rows["answer"] == rows["answer_now"]) & (people[0] == people[1])


def changed_findings(lines: pd.DataFrame) -> pd.DataFrame:
    """Findings in review whose difference has changed, or that nobody was asked about yet.

    An answer still stands where it posts nothing: rejected, to be counted again, or approved and no longer off.
    `lines`: finding, quantity, expected (now) and expected_then int64, unit_minor Int64, asked_at, answer, answered_by.
    Returns finding, line_id, expected and difference int64, value_minor Int64 and the reason to be shown.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    is_changed = lines["expected"] != lines["expected_then"]
    posts_nothing = (lines["answer"] != CountAnswer.APPROVED) | (difference == 0)
    answer_stands = lines["answer"].notna() & posts_nothing
    before = "asked again: expected was " + lines["expected_then"].astype("str") + ", by later facts it is "
    after = (", after " + lines["answered_by"] + " had answered").where(lines["answer"].notna(), "")
    reason = (before + lines["expected"].astype("str") + after).where(is_changed)
    lines = lines.assign(
        difference=difference, reason=reason.astype("str"),
        value_minor=difference.astype("Int64") * lines["unit_minor"].astype("Int64"),
    )  # fmt: skip
    columns = ["finding", "line_id", "expected", "difference", "value_minor", "reason"]
    return lines[(is_changed & ~answer_stands) | lines["asked_at"].isna()][columns].reset_index(drop=True)


def answer_sheet(waiting: pd.DataFrame) -> pd.DataFrame:
    """The rows of a sheet to answer in: each waiting finding, with empty cells for its answer; columns ANSWER_SHEET."""
    empty = pd.Series("", index=waiting.index, dtype="str")
    return waiting.rename(columns={"location": "place"}).assign(**dict.fromkeys(TO_ANSWER, empty))[list(ANSWER_SHEET)]


WAITING_COLUMNS = (
    "finding", "role", "warehouse", "location", "sku", "name", "lot", "expected", "counted", "difference", "value",
    "why", "other_place", "counter", "count", "asked_at",
)  # fmt: skip
ANSWERED_COLUMNS = (
    "finding", "warehouse", "location", "sku", "difference", "decision", "answer", "answered_by", "answered_at",
    "comment", "why",
)  # fmt: skip


@dataclass(frozen=True)
class WaitingFindings:
    """Findings that wait for an answer, columns as in `tasks.store.counting.count_reports.findings_at`."""

    findings: pd.DataFrame

    def __len__(self) -> int:
        """The number of findings."""
        return len(self.findings)

    def table(self) -> pd.DataFrame:
        """The rows of the artifact, columns WAITING_COLUMNS."""
        return self.findings.assign(value=self._values())[list(WAITING_COLUMNS)]

    def sentences(self) -> list[str]:
        """Each finding in one line of Markdown."""
        shown = self.findings.assign(value=self._values(), other_place=self.findings["other_place"].fillna(""))
        return [
            f"**{one.finding}**: {one.sku} at {one.warehouse} {one.location}: {one.counted} counted, {one.expected} "
            f"expected, **{one.difference:+d}**{', ' * bool(one.value)}{one.value}; {one.why}"
            f"{'; the other place is ' * bool(one.other_place)}{one.other_place}"
            for one in shown.itertuples(index=False)
        ]

    def _values(self) -> list[str]:
        both = zip(self.findings["value_minor"], self.findings["currency"], strict=True)
        return [
            money.format_amount(int(value), code) if pd.notna(value) and pd.notna(code) else "" for value, code in both
        ]


@dataclass(frozen=True)
class AnsweredFindings:
    """The findings of one asking, columns as in `tasks.store.counting.count_reports.findings_at`."""

    findings: pd.DataFrame

    def number_of(self, decision: CountDecision) -> int:
        """The number of findings with that decision."""
        return int((self.findings["decision"] == decision).sum())

    def table(self) -> pd.DataFrame:
        """The rows of the artifact, columns ANSWERED_COLUMNS: what was answered, by whom, when and why."""
        return self.findings[list(ANSWERED_COLUMNS)]
