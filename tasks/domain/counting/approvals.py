"""What a person answers to differences that may not be posted without one: in a form, or row by row in a sheet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from tasks.domain import money
from tasks.domain.counting.count_states import CountAnswer
from tasks.domain.first_reason import first_reason

RANGE_MAX = 10_000
SHEET = ("finding", "asked_at", "role", "warehouse", "place", "sku", "name", "condition", "lot", "expected", "counted",
         "difference", "value_minor", "currency", "why", "other_place", "answer", "answered_by", "reason_code",
         "comment")  # fmt: skip
TO_ANSWER = ("answer", "answered_by", "reason_code", "comment")


class Rest(StrEnum):
    """What a form says of the findings it does not name."""

    WAIT = "wait"
    APPROVE = "approve"
    REJECT = "reject"
    RECOUNT = "recount"


_ANSWER = {Rest.APPROVE: CountAnswer.APPROVED, Rest.REJECT: CountAnswer.REJECTED, Rest.RECOUNT: CountAnswer.RECOUNT}


@dataclass(frozen=True)
class Judged:
    """Rows that answer a finding, and those that cannot: refused has row_number and reason."""

    answers: pd.DataFrame
    refused: pd.DataFrame


def numbers(said: str) -> list[int]:
    """The findings a text names: `12, 15-18` is 12, 15, 16, 17, 18. Raises ValueError on anything else."""
    found: list[int] = []
    for word in re.split(r"[\s,;]+", said.strip()):
        if not word:
            continue
        match = re.fullmatch(r"#?(\d{1,12})(?:[-\u2013](\d{1,12}))?", word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= last - first < RANGE_MAX:
            raise ValueError(f"found '{word}', expected numbers of findings such as 12, 15-18")
        found += range(first, last + 1)
    return found


def of_form(listed: Iterable[int], rest: Rest, named: dict[CountAnswer, str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows a form stands for, finding int64 and answer str, and what is wrong with it.

    `listed`: the findings the form asked about; `named`: the text of findings beside each answer. A finding with two
    answers, or one that was not listed, is told and not answered; `rest` is the answer of all others.
    """
    problems: list[str] = []
    answers: dict[int, str] = {}
    twice: set[int] = set()
    for answer, text in named.items():
        try:
            told = numbers(text)
        except ValueError as error:
            problems.append(f"{answer}: {error}")
            return pd.DataFrame({"finding": [], "answer": []}), problems
        twice |= {number for number in told if answers.get(number, answer) != answer}
        answers |= dict.fromkeys(told, answer.value)
    known = set(listed)
    problems += [f"finding {number}: named with two answers" for number in sorted(twice)]
    problems += [f"finding {number}: not one of this list" for number in sorted(set(answers) - known)]
    good = {number: answer for number, answer in answers.items() if number in known - twice}
    if rest is not Rest.WAIT:
        good |= dict.fromkeys(sorted(known - set(answers)), _ANSWER[rest].value)
    return pd.DataFrame({"finding": list(good), "answer": list(good.values())}), problems


def judge_answers(rows: pd.DataFrame, asked: pd.DataFrame) -> Judged:
    """Which rows may be written down, and why the others may not; a row that says nothing new is in neither.

    `rows`: row_number, finding int64, answer, answered_by, difference Int64 (what the person saw; may be missing), one
    row a finding. `asked`: finding, decision, difference, answer, answered_by, answered_at, as known now. The first
    answer stands: another one is told by whom and when it was given.
    """
    both = rows.merge(asked, on="finding", how="left", suffixes=("", "_now"), indicator="known")
    told = both[both["answer"].notna()].reset_index(drop=True)
    number, before = told["finding"].astype("str"), told["answer_now"].notna()
    when = told["answered_at"].dt.strftime("%Y-%m-%d %H:%M UTC")
    earlier = number + " was answered already: " + told["answer_now"] + " by " + told["answered_by_now"] + " at " + when
    seen, now = (told[name].astype("Int64").astype("str") for name in ("difference", "difference_now"))
    otherwise = (told["difference"] != told["difference_now"]) & told["difference"].notna()
    cases = [
        (told["known"] != "both", "finding: found '" + number + "', expected one that was asked about"),
        (before & _same(told), ""),
        (before, "finding: " + earlier),
        (told["decision"] != "review", "finding: " + number + " waits for no answer: it is " + told["decision"]),
        (told["answered_by"].fillna("").str.strip() == "", "answered_by: found '', expected the name of who answers"),
        (otherwise, "difference: found '" + seen + "', expected '" + now + "': it changed; answer the newer list"),
    ]
    why = first_reason(cases, told.index)
    refused = pd.DataFrame({"row_number": told["row_number"], "reason": why})[why.notna() & (why != "")]
    return Judged(told[why.isna()][list(rows.columns)].reset_index(drop=True), refused.reset_index(drop=True))


def _same(told: pd.DataFrame) -> pd.Series:
    """Whether the row is the answer that was given, by the person who gave it."""
    people = [told[name].fillna("").str.strip().str.casefold() for name in ("answered_by", "answered_by_now")]
    return (told["answer"] == told["answer_now"]) & (people[0] == people[1])


def changed(lines: pd.DataFrame) -> pd.DataFrame:
    """Findings in review whose difference is another one by now, or that nobody was asked about yet.

    An answer stands all the same where it posts nothing: rejected, to be counted again, or approved and no longer off.
    `lines`: finding, quantity, expected (now) and expected_then int64, unit_minor Int64, asked_at, answer, answered_by.
    Gives finding, line_id, expected and difference int64, value_minor Int64 and the reason to be shown.
    """
    difference = (lines["quantity"] - lines["expected"]).astype("int64")
    moved = lines["expected"] != lines["expected_then"]
    stands = lines["answer"].notna() & ((lines["answer"] != CountAnswer.APPROVED.value) | (difference == 0))
    was = "asked again: expected was " + lines["expected_then"].astype("str") + ", by later facts it is "
    after = (", after " + lines["answered_by"] + " had answered").where(lines["answer"].notna(), "")
    reason = (was + lines["expected"].astype("str") + after).where(moved)
    told = lines.assign(
        difference=difference, reason=reason.astype("str"),
        value_minor=difference.astype("Int64") * lines["unit_minor"].astype("Int64"),
    )  # fmt: skip
    names = ["finding", "line_id", "expected", "difference", "value_minor", "reason"]
    return told[(moved & ~stands) | lines["asked_at"].isna()][names].reset_index(drop=True)


def answer_sheet(waiting: pd.DataFrame) -> pd.DataFrame:
    """The rows of a sheet to answer in, columns SHEET: what waits, and cells for the answer."""
    empty = pd.Series("", index=waiting.index, dtype="str")
    return waiting.rename(columns={"location": "place"}).assign(**dict.fromkeys(TO_ANSWER, empty))[list(SHEET)]


SHOWN = ("finding", "role", "warehouse", "location", "sku", "name", "lot", "expected", "counted", "difference", "value",
         "why", "other_place", "counter", "count", "asked_at")  # fmt: skip


TOLD = ("finding", "warehouse", "location", "sku", "difference", "decision", "answer", "answered_by", "answered_at",
        "comment", "why")  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """What waits for an answer, as `tasks.store.counting.approvals.waiting` gives it."""

    findings: pd.DataFrame

    def __len__(self) -> int:
        """How many findings."""
        return len(self.findings)

    def told(self) -> pd.DataFrame:
        """The table of the artifact."""
        return self.findings.assign(value=self._values())[list(SHOWN)]

    def lines(self) -> list[str]:
        """Each finding in one line."""
        told = self.findings.assign(value=self._values(), other_place=self.findings["other_place"].fillna(""))
        return [
            f"**{one.finding}**: {one.sku} at {one.warehouse} {one.location}: {one.counted} counted, {one.expected} "
            f"expected, **{one.difference:+d}**{', ' * bool(one.value)}{one.value}; {one.why}"
            f"{'; the other place is ' * bool(one.other_place)}{one.other_place}"
            for one in told.itertuples(index=False)
        ]

    def _values(self) -> list[str]:
        both = zip(self.findings["value_minor"], self.findings["currency"], strict=True)
        return [
            money.format_amount(int(value), code) if pd.notna(value) and pd.notna(code) else "" for value, code in both
        ]


@dataclass(frozen=True)
class Answered:
    """The findings of one asking, as `tasks.store.counting.approvals.of_asking` gives them."""

    findings: pd.DataFrame

    def lines(self, decision: str) -> int:
        """How many findings became that."""
        return int((self.findings["decision"] == decision).sum())

    def told(self) -> pd.DataFrame:
        """The table of the artifact: what was answered, by whom, when and why."""
        return self.findings[list(TOLD)]
