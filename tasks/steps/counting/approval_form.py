"""The form in which Prefect's UI asks a person about count differences."""

from prefect.input import RunInput
from pydantic import Field

from tasks.domain.counting.approvals import OtherFindings
from tasks.domain.counting.count_states import CountAnswer

LISTED_MAX = 25


class Answers(RunInput):
    """Answers to the findings listed above, by their numbers."""

    answered_by: str = Field(
        title="Your name", min_length=1, description="Kept with every answer and shown in the report."
    )
    comment: str = Field(default="", title="Why", description="Kept with every answer.")
    rest: OtherFindings = Field(
        default=OtherFindings.WAIT,
        title="All findings not named below",
        description="approve: post the difference. reject: leave the book as it is and close the line. "
        "recount: another person counts. wait: leave them on the list.",
    )
    approve: str = Field(default="", title="Approve these", description="Numbers of findings, such as 12, 15-18.")
    reject: str = Field(default="", title="Reject these", description="Numbers of findings.")
    recount: str = Field(default="", title="Count these again", description="Numbers of findings.")

    def named(self) -> dict[CountAnswer, str]:
        """The numbers of findings beside each answer, as they were written."""
        return {
            CountAnswer.APPROVED: self.approve, CountAnswer.REJECTED: self.reject, CountAnswer.RECOUNT: self.recount,
        }  # fmt: skip


def form(lines: list[str], problems: list[str]) -> type[Answers]:
    """The form. The text above it lists what waits and, first, what was wrong with the answer before."""
    wrong = ["**Not taken from the answer before:**", *(f"- {problem}" for problem in problems), ""] if problems else []
    more = [f"- … and {len(lines) - LISTED_MAX} more"] if len(lines) > LISTED_MAX else []
    summary = (
        f"**{len(lines)} count differences wait for an answer.** All of them are in the artifact "
        "`approvals` of this run and in approvals.xlsx."
    )
    description = [*wrong, summary, "", *(f"- {line}" for line in lines[:LISTED_MAX]), *more]
    return Answers.with_initial_data(description="\n".join(description))
