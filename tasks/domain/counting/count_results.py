"""What a run decided, in the figures and rows an analyst reads."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain import money

SHOWN = ("warehouse", "code", "location", "sku", "expected", "quantity", "difference", "finding", "decision", "role",
         "reason", "value_minor", "currency")  # fmt: skip


@dataclass(frozen=True)
class Decided:
    """What became of the counted places; `findings` of all passes, as `count_decisions.with_expiry` gives them."""

    findings: pd.DataFrame
    units_released: int
    refused: pd.DataFrame

    def lines(self, decision: str) -> int:
        """How many places were decided so."""
        return int((self.findings["decision"] == decision).sum())

    def units_adjusted(self) -> int:
        """Units posted, found and missing added up."""
        return int(self.findings.loc[self.findings["decision"] == "posted", "difference"].abs().sum())

    def value_adjusted(self) -> str:
        """The net value posted, per currency, in words."""
        posted = self.findings[(self.findings["decision"] == "posted") & self.findings["value_minor"].notna()]
        sums = posted.groupby("currency")["value_minor"].sum()
        return (
            ", ".join(money.format_amount(int(value), str(currency)) for currency, value in sums.items()) or "nothing"
        )

    def told(self) -> pd.DataFrame:
        """What an analyst must see first: everything that is not as the book says, or as is known of a lot."""
        told = self.findings
        if len(told):
            told = told[(told["decision"] != "matched") | (told["expiry"] != "")]
        lost = self.refused.rename(columns={"count": "code"}).assign(decision="refused")
        both = pd.concat([told, lost])
        return both.reindex(columns=list(SHOWN[:-2]))
