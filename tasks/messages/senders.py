"""Senders of messages: a folder on paper, or the mail provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.domain.states import MessageState


@dataclass(frozen=True)
class Letter:
    """One message, worded and addressed."""

    dedupe_key: str
    kind: str
    sender_email: str
    sender_name: str
    recipient: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of one letter.

    sent: accepted, with the provider's id. failed: refused for good. queued: certainly not accepted, to be tried again.
    in_doubt: perhaps accepted; not sent again until a person has looked.
    """

    state: MessageState
    provider_id: str | None = None
    reason: str | None = None


class Sender(Protocol):
    """A way to send letters."""

    batch: int  # letters claimed and sent together; at most so many are in doubt after a crash

    def reference(self, dedupe_key: str) -> str | None:
        """The reference the letter will be found by, if it is known before sending."""

    def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Send each letter once. Returns an outcome for each."""
