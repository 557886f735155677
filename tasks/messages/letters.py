"""From a row of the outbox to a letter, and from what became of letters to rows of the outbox."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.domain.sites.sites import Merchant
from tasks.domain.states import MessageState
from tasks.messages.rendering import WordingError, render
from tasks.messages.senders import Letter, Outcome, Sender


def letter(folder: Path, row: Any, merchants: Mapping[str, Merchant]) -> Letter | Outcome:
    """The letter of one message (a row of `next_queued`), worded from `folder`; or why there is none."""
    merchant = merchants.get(row.merchant)
    if merchant is None:
        return Outcome(MessageState.FAILED, reason=f"merchant {row.merchant} is not configured")
    try:
        wording = render(folder, row.kind, row.language, merchant, row.facts)
    except WordingError as error:
        return Outcome(MessageState.FAILED, reason=f"no wording: {error}")
    return Letter(
        row.dedupe_key, row.kind, merchant.sender_email, merchant.sender_name, row.recipient,
        wording.subject, wording.text, wording.html,
    )  # fmt: skip


def references(sender: Sender, letters: Mapping[int, Letter]) -> pd.DataFrame:
    """What each letter will be found by: id int64, provider_id str."""
    known = [sender.reference(one.dedupe_key) for one in letters.values()]
    return pd.DataFrame({"id": pd.Series(list(letters), dtype="int64"), "provider_id": pd.Series(known, dtype="str")})


def outcomes(ended: Sequence[tuple[int, Outcome]]) -> pd.DataFrame:
    """What became of messages, as `tasks.store.messaging.outbox.close` takes it: id, state, provider_id, reason."""
    return pd.DataFrame(
        {
            "id": pd.Series([key for key, _ in ended], dtype="int64"),
            "state": pd.Series([str(one.state) for _, one in ended], dtype="str"),
            "provider_id": pd.Series([one.provider_id for _, one in ended], dtype="str"),
            "reason": pd.Series([one.reason for _, one in ended], dtype="str"),
        }
    )
