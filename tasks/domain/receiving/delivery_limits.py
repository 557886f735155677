"""Judges a delivery as a whole: the measures of one file, their limits, and the verdict.

Single rows are checked by `tasks.domain.receiving.row_checks`; this decides whether the file may be loaded at all.
"""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

Profile = dict[str, float | int | str | None]

AT_LEAST = ("rows_min", "volume_min")
AT_MOST = ("quarantined_share_max", "bad_share_max", "duplicate_share_max", "volume_max", "ahead_h_max",
           "age_days_max")  # fmt: skip
_SHARES = ("quarantined_share_max", "bad_share_max", "duplicate_share_max")
_COLUMNS = ("measure", "value", "at_least", "at_most", "refuses", "reason")


@dataclass(frozen=True)
class Limit:
    """Beyond `warn` the file is loaded with a warning, beyond `refuse` it is not loaded; None means no limit."""

    warn: float | None = None
    refuse: float | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 0 for limit in (self.warn, self.refuse)):
            raise ValueError(f"a limit must not be negative: {self}")


@dataclass(frozen=True)
class GateRules:
    """The schema of config/rules/gates.yaml."""

    shares_from_rows: int
    volume_from_imports: int
    default: dict[str, Limit]
    kinds: dict[str, dict[str, Limit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.shares_from_rows < 1 or self.volume_from_imports < 1:
            raise ValueError("shares_from_rows and volume_from_imports must be at least 1")
        for name in (*self.default, *(name for limits in self.kinds.values() for name in limits)):
            if name not in AT_LEAST and name not in AT_MOST and "." not in name:
                measure_names = ", ".join((*AT_LEAST, *AT_MOST))
                raise ValueError(
                    f"{name!r} is not a measure; known are {measure_names}, or <field>.<check> for one rule"
                )

    def limit(self, kind: str, measure: str, otherwise: str = "") -> Limit:
        """The limit of `measure` for `kind`, otherwise its default, otherwise the limit of the measure `otherwise`."""
        kind_limits = self.kinds.get(kind, {})
        for name in (measure, otherwise):
            if name in kind_limits:
                return kind_limits[name]
            if name in self.default:
                return self.default[name]
        return Limit()


@dataclass(frozen=True)
class Verdict:
    """Whether a file is refused: the `reasons` for it, or the `warnings` with which it is loaded."""

    refused: bool
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def measures(kind: str, tally: pd.DataFrame, profile: Profile, rules: GateRules) -> pd.DataFrame:
    """The expectations of one file, one row per limit.

    `tally`: rule str, field str, check str, rows int64 (that the rule was applied to), bad int64; rules that were
    applied to no row are left out. `profile`: rows; and where known quarantined_share (0 to 1), duplicate_keys,
    recent_rows_median, last_at and as_of (ISO 8601 with an offset).
    Returns measure str, value float64, at_least and at_most float64 (missing: no limit), refuses bool, reason str (of
    a broken limit). In a file of fewer rows than `shares_from_rows` a share only warns.
    Raises ValueError when two rules have the same text.
    """
    expected: list[dict[str, object]] = []
    rows = int(profile.get("rows") or 0)
    for measure, name, value, words in [*_facts(profile, rows), *_rules(tally)]:
        otherwise = "" if measure in AT_LEAST or measure in AT_MOST else "bad_share_max"
        limit = rules.limit(kind, measure, otherwise)
        demoted = rows < rules.shares_from_rows and (otherwise or measure) in _SHARES
        for border, refuses in ((limit.warn, False), (limit.refuse, not demoted)):
            if border is not None:
                expected.append(_expected(measure, name, value, words, border, refuses=refuses))
    return pd.DataFrame(expected, columns=list(_COLUMNS)).astype({"value": "float64", "refuses": bool})


def verdict(broken: pd.DataFrame) -> Verdict:
    """The verdict on `broken`, rows of `measures` that do not hold; a measure that refuses gives no warning."""
    reasons = tuple(dict.fromkeys(broken.loc[broken["refuses"], "reason"]))
    refused = set(broken.loc[broken["refuses"], "measure"])
    milder = broken[~broken["refuses"] & ~broken["measure"].isin(refused)]
    return Verdict(bool(reasons), reasons, tuple(dict.fromkeys(milder["reason"])))


def columns_at_fault(tally: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """The fields with broken rules and the number of faults, most first. `tally`: columns as in `measures`."""
    bad = tally.groupby("field", sort=False)["bad"].sum().sort_values(ascending=False, kind="stable")
    return tuple((str(name), int(count)) for name, count in bad.items() if count)


def _expected(measure: str, name: str, value: float, words: str, border: float, *, refuses: bool) -> dict[str, object]:
    is_minimum = measure in AT_LEAST
    direction = "at least" if is_minimum else "at most"
    amount = f"{border:,.10g}" if measure in {"rows_min", "ahead_h_max", "age_days_max"} else f"{_percent(border)}"
    return {
        "measure": name,
        "value": value,
        "at_least": border if is_minimum else None,
        "at_most": None if is_minimum else border,
        "refuses": refuses,
        "reason": f"{words}; expected {direction} {amount}",
    }


def _facts(profile: Profile, rows: int) -> list[tuple[str, str, float, str]]:
    """The measures of the file as a whole: key, name, value and description of each."""
    facts = [("rows_min", "rows", float(rows), f"the file has {rows:,} rows")]
    share = profile.get("quarantined_share")
    if share is not None and rows:
        words = f"{round(float(share) * rows):,} of {rows:,} rows ({_percent(float(share))}) are bad"
        facts.append(("quarantined_share_max", "share of rows quarantined", float(share), words))
    duplicates = profile.get("duplicate_keys")
    if duplicates is not None and rows:
        part = float(duplicates) / rows
        words = f"{int(duplicates):,} of {rows:,} rows ({_percent(part)}) repeat a key"
        facts.append(("duplicate_share_max", "share of rows that repeat a key", part, words))
    return facts + _volume(profile, rows) + _age(profile)


def _volume(profile: Profile, rows: int) -> list[tuple[str, str, float, str]]:
    usual = float(profile.get("recent_rows_median") or 0)
    if not usual:
        return []
    words = f"the file has {rows:,} rows, {_percent(rows / usual)} of the usual {usual:,.0f}"
    name = "rows, as a part of the usual"
    return [("volume_min", name, rows / usual, words), ("volume_max", name, rows / usual, words)]


def _age(profile: Profile) -> list[tuple[str, str, float, str]]:
    last, as_of = profile.get("last_at"), profile.get("as_of")
    if not last or not as_of:
        return []
    hours = (datetime.fromisoformat(str(last)) - datetime.fromisoformat(str(as_of))).total_seconds() / 3600
    ahead, days = max(0.0, hours), max(0.0, -hours / 24)
    return [
        ("ahead_h_max", "hours the latest moment is ahead", ahead, f"the latest moment is {ahead:,.1f} hours ahead"),
        ("age_days_max", "days since the latest moment", days, f"the latest moment is {days:,.1f} days old"),
    ]


def _rules(tally: pd.DataFrame) -> list[tuple[str, str, float, str]]:
    """The measures of the rules that were applied to a row: key, name, value and description of each."""
    applied = tally[tally["rows"] > 0]
    if not applied["rule"].is_unique:
        raise ValueError(f"two rules have the same text: {applied.loc[applied['rule'].duplicated(), 'rule'].iloc[0]}")
    return [
        (
            f"{field_name}.{check}",
            f"{rule}: share of bad rows",
            bad / rows,
            f"{rule}: broken in {bad:,} of {rows:,} rows ({_percent(bad / rows)})",
        )
        for rule, field_name, check, rows, bad in zip(
            applied["rule"], applied["field"], applied["check"], applied["rows"], applied["bad"], strict=True
        )
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".rstrip("0").rstrip(".") + " %"
