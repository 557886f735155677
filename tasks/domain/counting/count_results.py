"""What a run decided, in the figures and rows that an analyst reads."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain import money
from tasks.domain.counting.count_states import CountDecision

_TABLE_COLUMNS = (
    "warehouse", "code", "location", "sku", "expected", "quantity", "difference", "finding", "decision", "role",
    "reason",
)  # fmt: skip
DECIDED_COLUMNS = (*_TABLE_COLUMNS, "value_minor", "currency")


@dataclass(frozen=True)
class Decided:
    """What was decided of the counted places; `findings` of all passes, columns as in `count_decisions.decide`."""

    findings: pd.DataFrame
    units_released: int
    refused: pd.DataFrame

    def number_of(self, decision: CountDecision) -> int:
        """The number of places with that decision."""
        return int((self.findings["decision"] == decision).sum())

    def units_adjusted(self) -> int:
        """The units posted, found and missing ones added up."""
        return int(self._posted()["difference"].abs().sum())

    def value_adjusted(self) -> str:
        """The net value posted, by currency, in words."""
        posted = self._posted()
        sums = posted[posted["value_minor"].notna()].groupby("currency")["value_minor"].sum()
        return (
            ", ".join(money.format_amount(int(value), str(currency)) for currency, value in sums.items()) or "nothing"
        )

    def table(self) -> pd.DataFrame:
        """The rows of the artifact: every place that differs from the book or whose lot has another expiry date."""
        findings = self.findings
        if len(findings):
            findings = findings[(findings["decision"] != CountDecision.MATCHED) | (findings["expiry"] != "")]
        refused = self.refused.rename(columns={"count": "code"}).assign(decision="refused")
        return pd.concat([findings, refused]).reindex(columns=list(_TABLE_COLUMNS))

    def _posted(self) -> pd.DataFrame:
        return self.findings[self.findings["decision"] == CountDecision.POSTED]
