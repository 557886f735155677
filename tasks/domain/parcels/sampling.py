"""Which parcels of a lot are opened by hand: acceptance sampling by ISO 2859-1, single plan, normal inspection.

The numbers are those of ISO 2859-1 (ANSI/ASQ Z1.4) tables 1 and 2-A, also published as MIL-STD-105E. Rows of table 2-A
repeat one sequence of acceptance numbers along the diagonal. The table is kept as that sequence and, for each AQL, the
letter at which it begins. Switching to tightened or reduced inspection is not supported.
"""

import hashlib
from bisect import bisect_left
from dataclasses import dataclass

import pandas as pd

LETTERS = "ABCDEFGHJKLMNPQR"
SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
LOTS_TO = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
LEVELS = {  # table 1: the code letter of each bracket of lot sizes
    "S-1": "AAAABBBBCCCCDDD",
    "S-2": "AAABBBCCCDDDEEE",
    "S-3": "AABBCCDDEEFFGGH",
    "S-4": "AABCCDEEFGGHJJK",
    "I": "AABCCDEFGHJKLMN",
    "II": "ABCDEFGHJKLMNPQ",
    "III": "BCDEFGHJKLMNPQR",
}
ZERO_AT = {  # table 2-A: the row in which an AQL accepts on zero; for 10 that row would lie before A
    0.065: 10, 0.1: 9, 0.15: 8, 0.25: 7, 0.4: 6, 0.65: 5, 1.0: 4, 1.5: 3, 2.5: 2, 4.0: 1, 6.5: 0, 10.0: -1,
}  # fmt: skip
AQLS = tuple(ZERO_AT)
ACCEPT = (1, 2, 3, 5, 7, 10, 14, 21)  # three rows further on, one row each
_ONE, _LAST = 3, 10


@dataclass(frozen=True)
class SamplingRules:
    """The sampling plan: inspection level and acceptance quality limit (AQL)."""

    level: str = "II"
    aql: float = 2.5
    draw: str = "first"

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level: found {self.level!r}, expected one of {', '.join(LEVELS)}")
        if self.aql not in ZERO_AT:
            raise ValueError(f"aql: found {self.aql}, expected one of {', '.join(map(str, ZERO_AT))}")


@dataclass(frozen=True)
class SamplingPlan:
    """A single sampling plan: the lot passes with up to `accept` nonconforming units and fails from `reject` on."""

    code_letter: str
    sample_size: int
    accept: int
    reject: int


def sampling_plan(lot_size: int, rules: SamplingRules) -> SamplingPlan:
    """The plan for a lot (tables 1 and 2-A); a sample of the size of the lot or larger is the whole lot."""
    if lot_size < 1:
        raise ValueError(f"a lot holds at least one unit, found {lot_size}")
    letter = LEVELS[rules.level][bisect_left(LOTS_TO, lot_size)]
    zero = ZERO_AT[rules.aql]
    row = zero + _along_the_arrows(LETTERS.index(letter) - zero, zero_row=zero >= 0)
    accept = 0 if row == zero else ACCEPT[row - zero - _ONE]
    return SamplingPlan(LETTERS[row], min(SIZES[row], lot_size), accept, accept + 1)


def _along_the_arrows(offset: int, *, zero_row: bool) -> int:
    """The row an arrow of table 2-A points to: down above the zero row, up just below it, then down, up at the end."""
    if offset <= 1:
        return 0 if zero_row else _ONE
    return min(max(offset, _ONE), _LAST)


def seed_of(lot: str, rules: SamplingRules) -> int:
    """The seed of a lot, 63 bits: the same lot and rules draw the same units on any machine."""
    return _hash(f"{rules.draw}|{lot}") >> 1


def is_drawn(members: pd.Series, seed: int, size: int) -> pd.Series:
    """Whether each of `members` (str, distinct) is drawn: the `size` of them with the smallest hash of seed and name.

    An auditor can repeat the draw with the seed and the names alone.
    """
    ranked = sorted(members, key=lambda member: _hash(f"{seed}|{member}"))
    return members.isin(ranked[:size])


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def sampled_units(units: pd.DataFrame, others: pd.DataFrame, rules: SamplingRules) -> pd.DataFrame:
    """The plan of each unit's lot, and whether the unit is drawn: plan (str), seed int64, by_hand (bool).

    `units`: lot, unit (str). `others`: lot, unit of the other members of these lots; they count toward the size of the
    lot and may be drawn. Returns one row per row of `units`, with its index.
    """
    everyone = pd.concat([units[["lot", "unit"]], others[["lot", "unit"]]]).drop_duplicates()
    lots = [(str(lot), everyone.loc[everyone["lot"] == lot, "unit"]) for lot in units["lot"].unique()]
    by_lot = [_sample_of_lot(units[units["lot"] == lot], lot, members, rules) for lot, members in lots]
    columns = {"plan": "str", "seed": "int64", "by_hand": "bool"}
    samples = pd.concat(by_lot) if by_lot else pd.DataFrame(columns=list(columns))
    return samples.reindex(units.index).astype(columns)


def _sample_of_lot(units: pd.DataFrame, lot: str, members: pd.Series, rules: SamplingRules) -> pd.DataFrame:
    plan, seed = sampling_plan(len(members), rules), seed_of(lot, rules)
    sample = members[is_drawn(members, seed, plan.sample_size)]
    description = (
        f"ISO 2859-1 single normal, level {rules.level}, AQL {rules.aql}; lot {lot} of {len(members)}; "
        f"letter {plan.code_letter}: open {plan.sample_size}, accept {plan.accept}, reject {plan.reject}"
    )
    return pd.DataFrame({"plan": description, "seed": seed, "by_hand": units["unit"].isin(sample)}, index=units.index)
