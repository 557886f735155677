"""Steps of send-messages: settle what was interrupted, leave out who cannot be reached, send."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from config.read import read
from config.settings import settings
from tasks.configured import merchants
from tasks.domain.notices import NoticeRules, grown_old
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
    """Say what became of messages whose sender died: on paper is written or queued again, else it is in doubt.

    Returns how many are in doubt.
    """
    paper = Paper(settings().folder("outgoing") / FOLDER)
    with outbox.only_sender(), engine().begin() as connection:
        left = outbox.interrupted(connection)
        claims = zip(left["id"].tolist(), left["provider_id"].fillna("").tolist(), strict=True)
        found = outcomes([(key, _after_the_crash(paper, reference)) for key, reference in claims])
        outbox.close(connection, found, MessageState.SENDING, as_of)
    return int((found["state"] == MessageState.IN_DOUBT).sum())


@step(task_run_name="release messages that were not sent")
def release_messages(keys: Sequence[str]) -> int:
    """Queue messages in doubt again, of which a person found out that they were not sent."""
    with engine().begin() as connection:
        return outbox.release(connection, keys)


@step(task_run_name="leave out messages nobody should get")
def leave_out(as_of: datetime) -> int:
    """Suppress what is not to be sent any more: addresses that cannot be reached, and old news. Says how many."""
    rules = read("rules/notices.yaml", NoticeRules)
    with engine().begin() as connection:
        unreachable = outbox.suppress_unreachable(connection)
        old = grown_old(outbox.queued(connection), rules, as_of).assign(
            state=str(MessageState.SUPPRESSED), provider_id=pd.Series(dtype="str")
        )
        return unreachable + outbox.close(connection, old, MessageState.QUEUED, as_of)


@step(task_run_name="send waiting messages")
def send_queued(as_of: datetime) -> dict[str, int]:
    """Send what is queued, batch after batch: claimed and committed, then sent, then closed.

    Stops after a batch in which the provider was in trouble; what is left waits for the next run. Returns how many
    messages ended in which state.
    """
    sender, merchants = configured_sender(), _merchants()
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
        outbox.close(connection, outcomes(unworded), MessageState.QUEUED, as_of)
        worded = {key: one for key, one in letters.items() if isinstance(one, Letter)}
        claimed = outbox.claim(connection, references(sender, worded))
    mine = [key for key in worded if key in claimed]
    sent = list(zip(mine, sender.send([worded[key] for key in mine]), strict=True))
    with engine().begin() as connection:
        outbox.close(connection, outcomes(sent), MessageState.SENDING, as_of)
    return [str(outcome.state) for _, outcome in [*unworded, *sent]]


def _after_the_crash(paper: Paper, reference: str) -> Outcome:
    if not paper.wrote(reference):
        return Outcome(MessageState.IN_DOUBT, reason="interrupted while sending: it may have been sent or not")
    return Outcome(MessageState.SENT, reference) if paper.is_written(reference) else Outcome(MessageState.QUEUED)


def _merchants() -> dict[str, Merchant]:
    return {one.code: one for one in merchants()}
