"""The return policy as data: who may send what back, decided product by product, with the rule that decided.

The return window counts from the day after the delivery of the order's last parcel to its last day inclusive, on the
merchant's calendar. Where no delivery is known, a stand-in date is used, and the decision says so.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

from tasks.domain.states import Disposition, ReturnState

EU = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
)
EU_FLOOR_DAYS = 14  # Directive 2011/83/EU, article 9


class Answer(StrEnum):
    """The answer a rule gives to a request."""

    APPROVE = "approve"
    REJECT = "reject"
    MANUAL = "manual"


class OrderMatch(StrEnum):
    """Whether a request could be matched to one order."""

    ONE = "one"
    UNKNOWN = "unknown"
    SEVERAL = "several"


STATE_OF_ANSWER = {
    Answer.APPROVE: ReturnState.APPROVED,
    Answer.REJECT: ReturnState.REJECTED,
    Answer.MANUAL: ReturnState.MANUAL,
}


@dataclass(frozen=True)
class PolicyRule:
    """One rule; a condition that is not set always holds."""

    id: str
    answer: Answer
    order: tuple[OrderMatch, ...] = ()
    on_order: bool | None = None
    too_many: bool | None = None
    final_sale: bool | None = None
    reasons: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    within_days: int | None = None
    refund_shipping: bool = False
    tell: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.answer is Answer.REJECT and "en" not in self.tell:
            raise ValueError(f"rule {self.id} rejects: expected a text for the customer under tell, at least in en")
        if self.within_days is not None and self.within_days < 0:
            raise ValueError(f"rule {self.id}: within_days must not be negative, found {self.within_days}")


@dataclass(frozen=True)
class Grade:
    """What happens to goods of this grade."""

    disposition: Disposition
    deduct_percent: int = 0
    by_hand: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.deduct_percent <= 100:
            raise ValueError(f"deduct_percent must be 0 to 100, found {self.deduct_percent}")


@dataclass(frozen=True)
class ReturnPolicy:
    """The schema of config/rules/returns.yaml."""

    version: str
    warehouse: str
    shipped_plus_days: int
    paid_plus_days: int
    rules: tuple[PolicyRule, ...]
    grades: dict[str, Grade]
    instructions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [one.id for one in self.rules]
        if len(set(names)) < len(names):
            raise ValueError(f"every rule needs its own id, found {names}")
        if not self.rules or _conditions(self.rules[-1]):
            raise ValueError("the last rule must always apply: expected one without conditions")
        short = [one.id for one in self.rules if _cuts_the_eu_short(one)]
        if short and not any(_is_eu_floor(one) for one in self.rules[: names.index(short[0])]):
            raise ValueError(
                f"rule {short[0]} may reject within {EU_FLOOR_DAYS} days in the EU: expected a rule before it "
                f"that approves countries [EU] within_days {EU_FLOOR_DAYS} or more"
            )

    def rule(self, rule_id: str) -> PolicyRule:
        """The rule with that id."""
        return next(one for one in self.rules if one.id == rule_id)


def _conditions(rule: PolicyRule) -> list[str]:
    names = ("order", "reasons", "countries", "merchants", "channels")
    flags = ("on_order", "too_many", "final_sale", "within_days")
    lists = [name for name in names if getattr(rule, name)]
    return lists + [name for name in flags if getattr(rule, name) is not None]


def _cuts_the_eu_short(rule: PolicyRule) -> bool:
    elsewhere = rule.countries and not ({"EU"} | EU) & set(rule.countries)
    return rule.answer is Answer.REJECT and not elsewhere


def _is_eu_floor(rule: PolicyRule) -> bool:
    enough = rule.within_days is not None and rule.within_days >= EU_FLOOR_DAYS
    return (
        rule.answer is Answer.APPROVE
        and _conditions(rule) == ["countries", "within_days"]
        and ("EU" in rule.countries and enough)
    )


def decided_products(lines: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """`lines` with rule, answer and why (str): the first rule that matches decides each requested product.

    `lines`: merchant, channel, country, zone, found (`OrderMatch`), reason str (may be missing); on_order, final_sale
    bool; quantity, left int64 (units shipped that are neither back nor announced by another return); anchored_at,
    requested_at datetime64[s, UTC]; anchor str (the event the days count from).
    """
    facts = lines.assign(
        days=_days_after(lines), reason=_plain(lines["reason"]), too_many=lines["quantity"] > lines["left"]
    )
    rule = pd.Series(pd.NA, index=lines.index, dtype="str")
    for one in policy.rules:
        rule = rule.mask(rule.isna() & _matches(one, facts), one.id)
    answers = {one.id: str(one.answer) for one in policy.rules}
    spans = {one.id: "" if one.within_days is None else f", {one.within_days} days" for one in policy.rules}
    dated = rule + ": counted from " + lines["anchor"] + " on " + _local(lines, "anchored_at").dt.strftime("%Y-%m-%d")
    why = (dated + rule.map(spans)).where(lines["anchored_at"].notna() & lines["on_order"], rule)
    return lines.assign(rule=rule, answer=rule.map(answers).astype("str"), why=why.astype("str"))


def decided_returns(decided: pd.DataFrame, policy: ReturnPolicy) -> pd.DataFrame:
    """One row per return: the answer its products agree on; where they differ, a person decides.

    `decided`: columns as in `decided_products`, and return_id. Returns return_id, state, rule (ids, in the order of the
    policy), why.
    """
    rank = {one.id: number for number, one in enumerate(policy.rules)}
    ranked = decided.assign(rank=decided["rule"].map(rank)).sort_values(["return_id", "rank"], kind="stable")
    unique = ranked.drop_duplicates(["return_id", "rule"]).groupby("return_id")
    one = unique.agg(answers=("answer", "nunique"), answer=("answer", "first"), rule=("rule", ", ".join),
                     why=("why", "; ".join)).reset_index()  # fmt: skip
    answer = one["answer"].mask(one["answers"] > 1, str(Answer.MANUAL))
    state = answer.map({str(key): str(value) for key, value in STATE_OF_ANSWER.items()}).astype("str")
    return pd.DataFrame({"return_id": one["return_id"], "state": state, "rule": one["rule"], "why": one["why"]})


def _matches(rule: PolicyRule, facts: pd.DataFrame) -> pd.Series:
    matches = pd.Series(data=True, index=facts.index)
    allowed = {
        "found": [str(one) for one in rule.order],
        "reason": _plain(pd.Series(rule.reasons, dtype="str")).tolist(),
        "country": sorted(set(rule.countries) | (EU if "EU" in rule.countries else set())),
        "merchant": list(rule.merchants),
        "channel": list(rule.channels),
    }
    for column, values in allowed.items():
        if values:
            matches &= facts[column].isin(values)
    for column in ("on_order", "too_many", "final_sale"):
        if getattr(rule, column) is not None:
            matches &= facts[column] == getattr(rule, column)
    if rule.within_days is not None:
        matches &= (facts["days"] <= rule.within_days).fillna(value=False).astype(bool)
    return matches


def _days_after(lines: pd.DataFrame) -> pd.Series:
    """Whole days of the merchant's calendar between the anchor and the request (Int64, missing without an anchor)."""
    between = _local(lines, "requested_at") - _local(lines, "anchored_at")
    return between.dt.days.astype("Int64")


def _local(lines: pd.DataFrame, column: str) -> pd.Series:
    """The day of a moment on the merchant's calendar, as a midnight without a zone."""
    days = pd.Series(pd.NaT, index=lines.index, dtype="datetime64[s]")
    for zone, rows in lines.groupby("zone"):
        days[rows.index] = rows[column].dt.tz_convert(str(zone)).dt.tz_localize(None).dt.normalize()
    return days


def _plain(reason: pd.Series) -> pd.Series:
    return reason.str.casefold().str.strip().str.replace(r"[\s_-]+", "_", regex=True)
