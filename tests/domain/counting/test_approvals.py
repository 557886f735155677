"""Answers of people, in forms and sheets; small tables."""

import pandas as pd
import pytest

from tasks.domain.counting.approvals import (
    OtherFindings,
    changed_findings,
    finding_numbers,
    form_answers,
    judge_answers,
)
from tasks.domain.counting.count_states import CountAnswer

NOTHING = dict.fromkeys(CountAnswer, "")
NOON = pd.Timestamp("2026-03-06 12:00", tz="UTC")


@pytest.mark.parametrize(
    ("said", "expected"),
    [("", []), ("12", [12]), ("12, 15-17;20", [12, 15, 16, 17, 20]), (" #3\n4–5 ", [3, 4, 5])],
)
def test_findings_are_named_by_number_and_range(said: str, expected: list[int]) -> None:
    """Commas, semicolons, blanks and line breaks; a hyphen or a dash makes a range."""
    assert finding_numbers(said) == expected


@pytest.mark.parametrize("said", ["all", "9-3", "1-99999999", "1.5", "-4"])
def test_anything_else_is_refused(said: str) -> None:
    """A range that runs backwards or names a million findings is a slip of the hand."""
    with pytest.raises(ValueError, match="expected numbers of findings"):
        finding_numbers(said)


def test_what_a_form_does_not_name_gets_the_answer_of_the_rest() -> None:
    """Reject one, approve the others."""
    rows, problems = form_answers([1, 2, 3], OtherFindings.APPROVE, NOTHING | {CountAnswer.REJECTED: "2"})
    assert dict(zip(rows["finding"], rows["answer"], strict=True)) == {1: "approved", 2: "rejected", 3: "approved"}
    assert problems == []


def test_a_finding_with_two_answers_gets_neither() -> None:
    """Nor does one of another list; the others are answered."""
    named = NOTHING | {CountAnswer.APPROVED: "1-2, 9", CountAnswer.RECOUNT: "2"}
    rows, problems = form_answers([1, 2, 3], OtherFindings.APPROVE, named)
    assert dict(zip(rows["finding"], rows["answer"], strict=True)) == {1: "approved", 3: "approved"}
    assert problems == ["finding 2: named with two answers", "finding 9: not one of this list"]


def test_a_form_that_cannot_be_read_answers_nothing() -> None:
    """`everything` is no number: nobody's differences are posted by guessing."""
    rows, problems = form_answers([1], OtherFindings.APPROVE, NOTHING | {CountAnswer.REJECTED: "everything"})
    assert rows.empty
    assert problems == ["rejected: found 'everything', expected numbers of findings such as 12, 15-18"]


@pytest.mark.parametrize(
    ("answer", "by", "saw", "known", "reason"),
    [
        ("approved", "Ann", -5, ("review", -5, None, None), "written"),
        ("approved", "Ann", None, ("review", -5, None, None), "written"),
        (None, "Ann", -5, ("review", -5, None, None), "nothing new"),
        ("approved", " ", -5, ("review", -5, None, None), "answered_by: found ''"),
        ("approved", "Ann", -5, ("review", -8, None, None), "difference: found '-5', expected '-8'"),
        ("approved", " ann", -5, ("posted", -5, "approved", "Ann"), "nothing new"),
        ("approved", "Bob", -5, ("posted", -5, "approved", "Ann"), "1 was answered already: approved by Ann at 2026"),
        ("rejected", "Ann", -5, ("posted", -5, "approved", "Ann"), "1 was answered already: approved by Ann at 2026"),
        ("approved", "Ann", -5, ("superseded", -5, None, None), "1 waits for no answer: it is superseded"),
        ("approved", "Ann", -5, None, "finding: found '1', expected one that was asked about"),
    ],
)  # fmt: skip
def test_the_first_answer_stands(
    answer: str | None, by: str, saw: int | None, known: tuple[str, int, str | None, str | None] | None, reason: str
) -> None:
    """Each row is written, refused with a reason, or says nothing new."""
    rows = pd.DataFrame(
        {"row_number": [7], "finding": [1], "answer": pd.Series([answer], dtype="str"), "answered_by": by,
         "difference": pd.Series([saw], dtype="Int64")}
    )  # fmt: skip
    decision, difference, given, giver = known or ("review", 0, None, None)
    when = pd.Series([NOON if given else pd.NaT], dtype="datetime64[s, UTC]")
    people = {"answer": pd.Series([given], dtype="str"), "answered_by": pd.Series([giver], dtype="str")}
    asked = pd.DataFrame(
        {"finding": [1], "decision": decision, "difference": difference, **people, "answered_at": when}
    )
    judged = judge_answers(rows, asked if known else asked[:0])
    told = list(judged.refused["reason"]) or (["written"] if len(judged.answers) else ["nothing new"])
    assert reason in told[0]


def _asked(quantity: list[int], answers: list[str | None]) -> pd.DataFrame:
    """Findings for which ten units were expected when people were asked, and seven are now; the last one still ten."""
    now = [7] * (len(answers) - 1) + [10]
    return pd.DataFrame(
        {"finding": range(1, len(answers) + 1), "line_id": range(11, len(answers) + 11), "quantity": quantity,
         "expected": now, "expected_then": 10, "unit_minor": pd.Series([500] * len(answers), dtype="Int64"),
         "asked_at": NOON, "answer": pd.Series(answers, dtype="str"), "answered_by": "Ann"}
    )  # fmt: skip


def test_a_difference_that_changed_is_asked_again() -> None:
    """Three units shipped before the count became known: expected 10 then, 7 now; what did not change is left alone."""
    (again,) = changed_findings(_asked([5, 4], ["approved", None])).to_dict("records")
    assert (again["finding"], again["expected"], again["difference"], again["value_minor"]) == (1, 7, -2, -1000)
    assert again["reason"] == "asked again: expected was 10, by later facts it is 7, after Ann had answered"


def test_an_answer_that_posts_nothing_stands() -> None:
    """Rejected, to be counted again, or approved and no longer off: nobody is asked a second time."""
    assert changed_findings(_asked([5, 5, 7, 4], ["rejected", "recount", "approved", None])).empty
