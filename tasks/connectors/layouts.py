"""Which export is this, and which of its columns is which canonical field?

A foreign layout is data: config/exports/<name>.yaml. The canonical layout of a kind follows from its fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from tasks.connectors.shapes import SHAPES
from tasks.domain.exports import KINDS

CANONICAL = "canonical"
OTHERWISE = "*"  # in a value map: every word that is not listed


class UnknownLayout(ValueError):
    """No known layout has this header."""


@dataclass(frozen=True)
class Layout:
    """How one system writes one kind of export.

    `header`: the columns it is known by, `absent`: columns it never has. `columns`: canonical field -> its column,
    or several, of which the first that says something is taken. `constants`: canonical field -> the one text of every
    row. `words`: canonical field -> word of the export -> canonical word; an empty word means nothing is said, "*"
    stands for every other word. `shape` names a function of `tasks.connectors.shapes` that is applied to the cells
    first, with `options`. A layout that does not stream needs the whole file at once. Names and words are compared
    without regard to case.
    """

    name: str
    kind: str
    header: tuple[str, ...]
    columns: Mapping[str, str | tuple[str, ...]]
    absent: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shape: str | None = None
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    streams: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")
        known = {one.name for one in KINDS[self.kind].fields}
        if strange := sorted({*self.columns, *self.constants, *self.words} - known):
            raise ValueError(f"{', '.join(strange)}: no field of {self.kind}")
        if self.shape is not None and self.shape not in SHAPES:
            raise ValueError(f"shape {self.shape!r} is not one of {', '.join(SHAPES)}")

    def lacks(self, header: frozenset[str]) -> list[str]:
        """Which identifying columns a (folded) header does not have."""
        return [name for name in self.header if name.casefold() not in header]

    def fits(self, header: frozenset[str]) -> bool:
        """Whether a (folded) header is one of this layout."""
        return not self.lacks(header) and not any(name.casefold() in header for name in self.absent)


@dataclass(frozen=True)
class Translated:
    """Canonical rows: row_number int64, then str columns; and how many source rows say nothing of this kind."""

    rows: pd.DataFrame
    ignored: int


@cache
def canonical(kind: str) -> Layout:
    """The layout whose columns are called as the fields are."""
    fields = KINDS[kind].fields
    return Layout(
        CANONICAL, kind, tuple(one.name for one in fields if one.required), {one.name: one.name for one in fields}
    )


# ── recognition ──────────────────────────────────────────────────────────────────────────────────────────────────
def recognise(kind: str, header: Sequence[str], layouts: Sequence[Layout]) -> Layout:
    """The layout of `kind` that has this header; of several, the one known by the most columns.

    Raises UnknownLayout, naming the nearest layout and what the header lacks of it, or the inbox folder the file
    seems to be meant for.
    """
    folded = frozenset(name.strip().casefold() for name in header)
    if _is_canonical(kind, folded) and folded <= _names(kind):
        return canonical(kind)
    mine = [one for one in layouts if one.kind == kind]
    fitting = [one for one in mine if one.fits(folded)]
    if fitting:
        return max(fitting, key=lambda one: len(one.header))
    if _is_canonical(kind, folded) and kind == _best_canonical(folded):
        return canonical(kind)
    raise UnknownLayout(_stranger(kind, folded, layouts))


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(one.name for one in KINDS[kind].fields)


def _is_canonical(kind: str, folded: frozenset[str]) -> bool:
    return canonical(kind).fits(folded)


def _best_canonical(folded: frozenset[str]) -> str | None:
    """The kind whose canonical layout knows the most of the header: extra columns do not make a stock file a count."""
    fitting = [kind for kind in KINDS if _is_canonical(kind, folded)]
    return max(fitting, key=lambda kind: len(_names(kind) & folded), default=None)


def _stranger(kind: str, folded: frozenset[str], layouts: Sequence[Layout]) -> str:
    elsewhere = sorted({one.kind for one in layouts if one.kind != kind and one.fits(folded)})
    if not elsewhere and (other := _best_canonical(folded)) not in {None, kind}:
        elsewhere = [str(other)]
    if elsewhere:
        return f"the header is not one of {kind}: the file seems meant for the folder {' or '.join(elsewhere)}"
    known = [canonical(kind), *(one for one in layouts if one.kind == kind)]
    nearest = min(known, key=lambda one: len(one.lacks(folded)) / len(one.header))
    if lacking := nearest.lacks(folded):
        return (
            f"the header is no known layout of {kind}: nearest is {nearest.name}, but {', '.join(lacking)} is missing"
        )
    return (
        f"the header is no known layout of {kind}: nearest is {nearest.name}, which has no {', '.join(nearest.absent)}"
    )


# ── translation ──────────────────────────────────────────────────────────────────────────────────────────────────
def translate(layout: Layout, cells: pd.DataFrame) -> Translated:
    """Read `cells` (str columns, index: row number in the file) as canonical rows.

    A source row may become several records, or none where it says nothing of this kind.
    """
    shaped = _spelled(layout, cells)
    if layout.shape is not None:
        shaped = SHAPES[layout.shape](shaped, layout.options)
    found = {name: text for name, sources in layout.columns.items() if (text := _text(shaped, sources)) is not None}
    found |= {name: _constant(text, len(shaped)) for name, text in layout.constants.items()}
    for name, words in layout.words.items():
        if name in found:
            found[name] = _reworded(found[name], words)
    numbers = shaped.index.to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"row_number": numbers, **{name: text.array for name, text in found.items()}}, copy=False)
    return Translated(rows, 0 if layout.shape is None else len(cells) - shaped.index.nunique())


def _spelled(layout: Layout, cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells, with the layout's own spelling of the column names."""
    named = [*layout.header]
    for sources in (*layout.columns.values(), *layout.options.values()):
        named += [sources] if isinstance(sources, str) else sources
    spelling = {name.casefold(): name for name in named}
    return cells.set_axis([spelling.get(name.strip().casefold(), name) for name in cells.columns], axis="columns")


def _text(cells: pd.DataFrame, sources: str | Sequence[str]) -> pd.Series | None:
    """The first column that says something, row by row; None when no such column is there."""
    names = [name for name in ([sources] if isinstance(sources, str) else sources) if name in cells]
    if not names:
        return None
    text = cells[names[0]]
    for name in names[1:]:
        blank = text.isna() | (text == "")
        text = text.where(~blank, cells[name])
    return text


def _constant(text: str, count: int) -> pd.Series:
    return pd.Series([text], dtype="str").take([0] * count)


def _reworded(text: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """The canonical word for each word of the export."""
    table = {word.casefold(): means for word, means in words.items()}
    codes, distinct = pd.factorize(text)
    means = [table.get(word.strip().casefold(), table.get(OTHERWISE, word)) or None for word in distinct]
    return pd.Series(pd.array(means, dtype="str").take(codes, allow_fill=True), index=text.index)
