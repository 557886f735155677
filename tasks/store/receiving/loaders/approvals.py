"""Loads sheets that answer what counts asked."""

import pandas as pd
from sqlalchemy import Connection, Table, select

from tasks.domain.counting.approvals import judge_answers
from tasks.store.counting.approvals import ANSWER, answer, asked
from tasks.store.database.frames import read
from tasks.store.database.merging import count, drop_repeats
from tasks.store.receiving.loader import Intake, Loaded


def load_approvals(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Write down what a sheet answers; the steps that follow carry it out.

    The first answer to a finding stands. A row without an answer, or with the one that was given by the same person,
    says nothing new; another answer is refused, and told who answered when.
    """
    total = count(connection, rows)
    bad = drop_repeats(connection, rows, ("finding",), ("answer",))
    names = ("row_number", "difference", *ANSWER)
    judged = judge_answers(read(connection, select(*(rows.c[name] for name in names))), asked(connection))
    written = answer(connection, judged.answers, intake.as_of)
    refused = pd.concat([bad, judged.refused], ignore_index=True)
    return Loaded(written, total - written - len(refused), refused)
