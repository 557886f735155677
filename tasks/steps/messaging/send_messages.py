"""Steps of send-messages: settle interrupted messages, suppress those that must not be sent, send the rest."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from config.read import read
from config.settings import settings
from tasks.configured import merchants
from tasks.domain.notices import NoticeRules, stale_messages
from tasks.domain.sites.sites import Merchant
from tasks.domain.states import MessageState
from tasks.messages.configured_sender import configured_sender
from tasks.messages.letters import letter, outcomes, references
from tasks.messages.paper import Paper
from tasks.messages.senders import Letter, Outcome, Sender
from tasks.runs.step import step
from tasks.store.database.engine import engine
from tasks.store.messaging import outbox

FOLDER = "send-messages"


@step(task_run_name="settle interrupted messages")
def settle_interrupted(as_of: datetime) -> int:
    """Settle messages whose sender died: one on paper is sent or queued again, any other is in doubt.

    Returns the number in doubt.
    """
    paper = Paper(settings().folder("outgoing") / FOLDER)
    with outbox.only_sender(), engine().begin() as connection:
        claimed = outbox.interrupted_messages(connection)
        claims = zip(claimed["id"].tolist(), claimed["provider_id"].fillna("").tolist(), strict=True)
        rows = outcomes([(key, _outcome_after_crash(paper, reference)) for key, reference in claims])
        outbox.close_messages(connection, rows, MessageState.SENDING, as_of)
    return int((rows["state"] == MessageState.IN_DOUBT).sum())


@step(task_run_name="release messages that were not sent")
def release_messages(keys: Sequence[str]) -> int:
    """Queue messages in doubt again after a person found that they were not sent. Returns their number."""
    with engine().begin() as connection:
        return outbox.requeue_messages(connection, keys)


@step(task_run_name="suppress messages that must not be sent")
def suppress_messages(as_of: datetime) -> int:
    """Suppress messages to addresses that cannot be reached, and old news. Returns their number."""
    rules = read("rules/notices.yaml", NoticeRules)
    with engine().begin() as connection:
        unreachable = outbox.suppress_unreachable(connection)
        old = stale_messages(outbox.queued_messages(connection), rules, as_of).assign(
            state=str(MessageState.SUPPRESSED), provider_id=pd.Series(dtype="str")
        )
        return unreachable + outbox.close_messages(connection, old, MessageState.QUEUED, as_of)


@step(task_run_name="send waiting messages")
def send_queued(as_of: datetime) -> dict[str, int]:
    """Send what is queued, batch after batch: claimed and committed, then sent, then closed.

    Stops after a batch in which the provider was in trouble; the rest waits for the next run. Returns the number of
    messages by the state they ended in.
    """
    sender, merchants = configured_sender(), _merchants_by_code()
    states: Counter[str] = Counter()
    with outbox.only_sender():
        while not {MessageState.QUEUED, MessageState.IN_DOUBT} & states.keys():
            ended = _send_batch(sender, merchants, as_of)
            if not ended:
                break
            states.update(ended)
    return dict(states)


def _send_batch(sender: Sender, merchants: dict[str, Merchant], as_of: datetime) -> list[str]:
    """The states in which the messages of the next batch ended; none when nothing is queued."""
    wording = settings().config / "messages"
    with engine().begin() as connection:
        rows: list[Any] = list(outbox.next_queued(connection, sender.batch).itertuples())
        letters = {row.id: letter(wording, row, merchants) for row in rows}
        unworded = [(key, one) for key, one in letters.items() if isinstance(one, Outcome)]
        outbox.close_messages(connection, outcomes(unworded), MessageState.QUEUED, as_of)
        worded = {key: one for key, one in letters.items() if isinstance(one, Letter)}
        claimed = outbox.claim_messages(connection, references(sender, worded))
    to_send = [key for key in worded if key in claimed]
    sent = list(zip(to_send, sender.send([worded[key] for key in to_send]), strict=True))
    with engine().begin() as connection:
        outbox.close_messages(connection, outcomes(sent), MessageState.SENDING, as_of)
    return [str(outcome.state) for _, outcome in [*unworded, *sent]]


def _outcome_after_crash(paper: Paper, reference: str) -> Outcome:
    if not paper.is_own(reference):
        return Outcome(MessageState.IN_DOUBT, reason="interrupted while sending: it may or may not have been sent")
    return Outcome(MessageState.SENT, reference) if paper.is_written(reference) else Outcome(MessageState.QUEUED)


def _merchants_by_code() -> dict[str, Merchant]:
    return {one.code: one for one in merchants()}
