"""How many parcels of a lot are opened by hand, and which: ISO 2859-1, single sampling, normal inspection.

The facts are those of ISO 2859-1 (ANSI/ASQ Z1.4) tables 1 and 2-A, also published as MIL-STD-105E. Rows of table 2-A
repeat one sequence of acceptance numbers along the diagonal, so it is kept as that sequence and, for each AQL, the
letter at which it begins. Inspection is always normal: switching to tightened or reduced is not built.
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
    """Which plan lots are sampled by."""

    level: str = "II"
    aql: float = 2.5
    draw: str = "first"

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level: found {self.level!r}, expected one of {', '.join(LEVELS)}")
        if self.aql not in ZERO_AT:
            raise ValueError(f"aql: found {self.aql}, expected one of {', '.join(map(str, ZERO_AT))}")


@dataclass(frozen=True)
class Plan:
    """How many of a lot are looked at, up to how many nonconforming ones it passes, from how many it fails."""

    code_letter: str
    sample_size: int
    accept: int
    reject: int


def plan(lot_size: int, rules: SamplingRules) -> Plan:
    """The plan for a lot; a sample as large as the lot is the whole lot."""
    if lot_size < 1:
        raise ValueError(f"a lot holds at least one unit, found {lot_size}")
    letter = LEVELS[rules.level][bisect_left(LOTS_TO, lot_size)]
    zero = ZERO_AT[rules.aql]
    row = zero + _along_the_arrows(LETTERS.index(letter) - zero, zero_row=zero >= 0)
    accept = 0 if row == zero else ACCEPT[row - zero - _ONE]
    return Plan(LETTERS[row], min(SIZES[row], lot_size), accept, accept + 1)


def _along_the_arrows(offset: int, *, zero_row: bool) -> int:
    """Where an arrow of table 2-A points to: above zero down, just below it up, then down; at the end up."""
    if offset <= 1:
        return 0 if zero_row else _ONE
    return min(max(offset, _ONE), _LAST)


def seed_of(lot: str, rules: SamplingRules) -> int:
    """The seed of a lot, 63 bits: the same lot and rules draw the same units on any machine."""
    return _number(f"{rules.draw}|{lot}") >> 1


def draw(members: pd.Series, seed: int, size: int) -> pd.Series:
    """Which of `members` (str, distinct) are drawn (bool): the `size` of them with the smallest hash beside the seed.

    An auditor draws again with nothing but the seed and the names.
    """
    ranked = sorted(members, key=lambda member: _number(f"{seed}|{member}"))
    return members.isin(ranked[:size])


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def draw_lots(units: pd.DataFrame, others: pd.DataFrame, rules: SamplingRules) -> pd.DataFrame:
    """The plan of each unit's lot, and whether the unit is drawn.

    `units`: lot, unit (str). `others`: lot, unit of the same lots that are not at hand; they count, and may be drawn.
    Gives, by the index of `units`: plan (str), seed int64, by_hand (bool).
    """
    every = pd.concat([units[["lot", "unit"]], others[["lot", "unit"]]]).drop_duplicates()
    drawn = [_draw_lot(units[units["lot"] == lot], lot, members, rules) for lot, members in _lots(every, units)]
    columns = {"plan": "str", "seed": "int64", "by_hand": "bool"}
    made = pd.concat(drawn) if drawn else pd.DataFrame(columns=list(columns))
    return made.reindex(units.index).astype(columns)


def _lots(every: pd.DataFrame, units: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    return [(str(lot), every.loc[every["lot"] == lot, "unit"]) for lot in units["lot"].unique()]


def _draw_lot(units: pd.DataFrame, lot: str, members: pd.Series, rules: SamplingRules) -> pd.DataFrame:
    chosen, seed = plan(len(members), rules), seed_of(lot, rules)
    drawn = members[draw(members, seed, chosen.sample_size)]
    words = (
        f"ISO 2859-1 single normal, level {rules.level}, AQL {rules.aql}; lot {lot} of {len(members)}; "
        f"letter {chosen.code_letter}: open {chosen.sample_size}, accept {chosen.accept}, reject {chosen.reject}"
    )
    return pd.DataFrame({"plan": words, "seed": seed, "by_hand": units["unit"].isin(drawn)}, index=units.index)
