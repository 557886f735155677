"""Notices to customers: into the outbox, in the transaction that decided them."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import merchants
from tasks.domain.notices import NoticeKind, NoticeRules, notice_messages
from tasks.domain.sites.sites import silent_channels
from tasks.store.messaging.enqueue import enqueue


def notify_customers(connection: Connection, kind: NoticeKind, rows: pd.DataFrame, as_of: datetime) -> int:
    """Put the notices of `kind` in the outbox. Returns the number of new ones.

    `rows`: columns as in `tasks.domain.notices.notice_messages`. The rules of config/rules/notices.yaml apply, and
    channels that forbid own mail are respected.
    """
    rules = read("rules/notices.yaml", NoticeRules)
    return enqueue(connection, notice_messages(kind, rows, rules, silent_channels(merchants()), as_of))
