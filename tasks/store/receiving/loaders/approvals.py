"""Loads the sheets with answers to count differences."""

import pandas as pd
from sqlalchemy import Connection, Table, select

from tasks.domain.counting.approvals import judge_answers
from tasks.store.counting.approvals import ANSWER, questions, write_answers
from tasks.store.database.frames import read
from tasks.store.database.upserts import drop_repeats, row_count
from tasks.store.receiving.loader import Intake, Loaded


def load_approvals(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store the answers of a sheet; later steps act on them.

    The first answer to a finding is final. A row without an answer, or with the same answer by the same person, is
    unchanged; another answer is refused, with a reason that names who answered when.
    """
    total = row_count(connection, rows)
    repeats = drop_repeats(connection, rows, ("finding",), ("answer",))
    names = ("row_number", "difference", *ANSWER)
    judged = judge_answers(read(connection, select(*(rows.c[name] for name in names))), questions(connection))
    written = write_answers(connection, judged.answers, intake.as_of)
    refused = pd.concat([repeats, judged.refused], ignore_index=True)
    return Loaded(written, total - written - len(refused), refused)
