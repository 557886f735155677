"""From a row of the outbox to a letter, and from the outcomes of letters to rows of the outbox."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.domain.sites.sites import Merchant
from tasks.domain.states import MessageState
from tasks.messages.rendering import WordingError, render
from tasks.messages.senders import Letter, Outcome, Sender


def letter(folder: Path, row: Any, merchants: Mapping[str, Merchant]) -> Letter | Outcome:
    """The letter of one message (a row of `next_queued`), worded from `folder`; its outcome if it has no wording."""
    merchant = merchants.get(row.merchant)
    if merchant is None:
        return Outcome(MessageState.FAILED, reason=f"merchant {row.merchant} is not configured")
    try:
        wording = render(folder, row.kind, row.language, merchant, row.facts)
    except WordingError as error:
        return Outcome(MessageState.FAILED, reason=f"no wording: {error}")
    return Letter(
        dedupe_key=row.dedupe_key,
        kind=row.kind,
        sender_email=merchant.sender_email,
        sender_name=merchant.sender_name,
        recipient=row.recipient,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
    )


def references(sender: Sender, letters: Mapping[int, Letter]) -> pd.DataFrame:
    """The reference each letter will be found by: id int64, provider_id str."""
    names = [sender.reference(letter.dedupe_key) for letter in letters.values()]
    return pd.DataFrame({"id": pd.Series(list(letters), dtype="int64"), "provider_id": pd.Series(names, dtype="str")})


def outcomes(pairs: Sequence[tuple[int, Outcome]]) -> pd.DataFrame:
    """The outcomes of messages as a frame: id int64, state, provider_id, reason str."""
    return pd.DataFrame(
        {
            "id": pd.Series([key for key, _ in pairs], dtype="int64"),
            "state": pd.Series([str(outcome.state) for _, outcome in pairs], dtype="str"),
            "provider_id": pd.Series([outcome.provider_id for _, outcome in pairs], dtype="str"),
            "reason": pd.Series([outcome.reason for _, outcome in pairs], dtype="str"),
        }
    )
