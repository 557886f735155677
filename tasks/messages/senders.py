"""What sends messages: the folder on paper, or the mail provider."""

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
    """What became of one letter.

    sent: taken, with the provider's id. failed: refused for good. queued: certainly not taken, to be tried again.
    in_doubt: perhaps taken; nobody sends it again without looking.
    """

    state: MessageState
    provider_id: str | None = None
    reason: str | None = None


class Sender(Protocol):
    """A way to send letters."""

    batch: int  # letters claimed and sent together: as many may be in doubt after a crash

    def reference(self, dedupe_key: str) -> str | None:
        """What the letter will be found by, where that is known before it is sent."""

    def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Send each letter once; an outcome for each."""
