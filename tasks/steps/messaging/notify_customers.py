"""What the steps tell customers: into the outbox, in the transaction that decided it."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import merchants
from tasks.domain.notices import NoticeKind, NoticeRules, notices
from tasks.domain.sites.sites import silent_channels
from tasks.store.messaging.enqueue import enqueue


def tell(connection: Connection, kind: NoticeKind, rows: pd.DataFrame, as_of: datetime) -> int:
    """Put the notices of `kind` in the outbox; says how many are new.

    `rows` as `tasks.domain.notices.notices` takes them. Rules of the house and channels that forbid mail are kept to.
    """
    rules = read("rules/notices.yaml", NoticeRules)
    return enqueue(connection, notices(kind, rows, rules, silent_channels(merchants()), as_of))
