"""The form in which Prefect's UI asks a person about count differences."""

from prefect.input import RunInput
from pydantic import Field

from tasks.domain.counting.approvals import Rest
from tasks.domain.counting.count_states import CountAnswer

LISTED_MAX = 25


class Answers(RunInput):
    """Answers to the findings listed above, by their numbers."""

    answered_by: str = Field(
        title="Your name", min_length=1, description="Kept with every answer and shown in the report."
    )
    comment: str = Field(default="", title="Why", description="Kept with every answer.")
    rest: Rest = Field(
        default=Rest.WAIT,
        title="All findings not named below",
        description="approve: post the difference. reject: leave the book as it is and close the line. "
        "recount: another person counts. wait: leave them on the list.",
    )
    approve: str = Field(default="", title="Approve these", description="Numbers of findings, such as 12, 15-18.")
    reject: str = Field(default="", title="Reject these", description="Numbers of findings.")
    recount: str = Field(default="", title="Count these again", description="Numbers of findings.")

    def named(self) -> dict[CountAnswer, str]:
        """The text of findings beside each answer."""
        return {
            CountAnswer.APPROVED: self.approve, CountAnswer.REJECTED: self.reject, CountAnswer.RECOUNT: self.recount,
        }  # fmt: skip


def form(lines: list[str], problems: list[str]) -> type[Answers]:
    """The form, with what waits and what was wrong with the answer before in the words above it."""
    wrong = ["**Not taken from the answer before:**", *(f"- {one}" for one in problems), ""] if problems else []
    rest = [f"- … and {len(lines) - LISTED_MAX} more"] if len(lines) > LISTED_MAX else []
    words = (
        f"**{len(lines)} count differences wait for an answer.** All of them are in the artifact "
        "`approvals` of this run and in approvals.xlsx."
    )
    about = [*wrong, words, "", *(f"- {one}" for one in lines[:LISTED_MAX]), *rest]
    return Answers.with_initial_data(description="\n".join(about))
