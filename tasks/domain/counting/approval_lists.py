"""The findings a person is asked about, and what was answered, in the rows and lines they read."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain import money

SHOWN = ("finding", "role", "warehouse", "location", "sku", "name", "lot", "expected", "counted", "difference", "value",
         "why", "other_place", "counter", "count", "asked_at")  # fmt: skip
TOLD = ("finding", "warehouse", "location", "sku", "difference", "decision", "answer", "answered_by", "answered_at",
        "comment", "why")  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """What waits for an answer, as `tasks.store.counting.approvals.waiting` gives it."""

    findings: pd.DataFrame

    def __len__(self) -> int:
        """How many findings."""
        return len(self.findings)

    def told(self) -> pd.DataFrame:
        """The table of the artifact."""
        return self.findings.assign(value=self._values())[list(SHOWN)]

    def lines(self) -> list[str]:
        """Each finding in one line."""
        told = self.findings.assign(value=self._values(), other_place=self.findings["other_place"].fillna(""))
        return [
            f"**{one.finding}**: {one.sku} at {one.warehouse} {one.location}: {one.counted} counted, {one.expected} "
            f"expected, **{one.difference:+d}**{', ' * bool(one.value)}{one.value}; {one.why}"
            f"{'; the other place is ' * bool(one.other_place)}{one.other_place}"
            for one in told.itertuples(index=False)
        ]

    def _values(self) -> list[str]:
        both = zip(self.findings["value_minor"], self.findings["currency"], strict=True)
        return [money.say(int(value), code) if pd.notna(value) and pd.notna(code) else "" for value, code in both]


@dataclass(frozen=True)
class Answered:
    """The findings of one asking, as `tasks.store.counting.approvals.of_asking` gives them."""

    findings: pd.DataFrame

    def lines(self, decision: str) -> int:
        """How many findings became that."""
        return int((self.findings["decision"] == decision).sum())

    def told(self) -> pd.DataFrame:
        """The table of the artifact: what was answered, by whom, when and why."""
        return self.findings[list(TOLD)]
