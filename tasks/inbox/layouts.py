"""Which export is this, and which of its columns is which canonical field?

A foreign layout is data: config/exports/<name>.yaml. The canonical layout of a kind follows from its fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from tasks.domain.receiving.export_kinds import KINDS
from tasks.inbox.shapes import SHAPES

CANONICAL = "canonical"
CANONICAL_MIN = 3  # of its fields, where the most of a header is none of them
OTHERWISE = "*"  # every word that is not listed
Words = Mapping[str, tuple[str, ...]]


class UnknownLayout(ValueError):  # noqa: N818 - not a fault of ours: a finding about a file
    """No known layout has this header."""


@dataclass(frozen=True)
class Layout:
    """How one system writes one kind of export; names and words are compared without regard to case.

    `header`: the columns it is known by; `absent`: columns it never has.
    `skip`: column -> words; a row with one of them says nothing of this kind.
    `shape`, `options`: a function of `tasks.inbox.shapes` applied to the cells first, and what it is told.
    `columns`: canonical field -> its column, or several, of which the first that says something is taken.
    `words`: canonical field -> word of the export -> canonical word; an empty one says nothing, "*" is every other.
    `when`: canonical field -> column -> words; the field is taken only from rows with one of these words there.
    `times`: canonical field -> strptime formats of times that are written neither as ISO 8601 nor day first.
    `constants`: canonical field -> its text where the columns say nothing.
    `streams`: false when a row can only be understood beside rows far away: the file is then translated as a whole.
    """

    name: str
    kind: str
    header: tuple[str, ...]
    columns: Mapping[str, str | tuple[str, ...]]
    absent: tuple[str, ...] = ()
    skip: Words = field(default_factory=dict)
    shape: str | None = None
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    when: Mapping[str, Words] = field(default_factory=dict)
    times: Words = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    streams: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")
        known = {one.name for one in KINDS[self.kind].fields}
        if strange := sorted({*self.columns, *self.words, *self.when, *self.times, *self.constants} - known):
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
    if folded <= _names(kind) and canonical(kind).fits(folded):
        return canonical(kind)
    fitting = [one for one in layouts if one.kind == kind and one.fits(folded)]
    if fitting:
        return max(fitting, key=lambda one: len(one.header))
    if _canonical_kind(folded) == kind:
        return canonical(kind)
    raise UnknownLayout(_stranger(kind, folded, layouts))


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(one.name for one in KINDS[kind].fields)


def _canonical_kind(folded: frozenset[str]) -> str | None:
    """The kind whose fields are the most of the header: a stock file among the counts is not a count.

    A `sku` alone among foreign columns makes no canonical file.
    """
    fitting = [kind for kind in KINDS if canonical(kind).fits(folded) and _is_spoken(kind, folded)]
    return max(fitting, key=lambda kind: len(_names(kind) & folded), default=None)


def _is_spoken(kind: str, folded: frozenset[str]) -> bool:
    known = len(_names(kind) & folded)
    return known >= CANONICAL_MIN or 2 * known >= len(folded)


def _stranger(kind: str, folded: frozenset[str], layouts: Sequence[Layout]) -> str:
    """Why the header is refused: where it belongs, or which layout it comes nearest to."""
    elsewhere = {one.kind for one in layouts if one.kind != kind and one.fits(folded)}
    elsewhere = elsewhere or {other for other in [_canonical_kind(folded)] if other is not None}
    if elsewhere:
        return f"the header is not one of {kind}: the file seems meant for the folder {' or '.join(sorted(elsewhere))}"
    known = [canonical(kind), *(one for one in layouts if one.kind == kind)]
    nearest = min(known, key=lambda one: len(one.lacks(folded)) / len(one.header))
    unlike = f"the header is no known layout of {kind}: nearest is {nearest.name}"
    if lacking := nearest.lacks(folded):
        return f"{unlike}, but {', '.join(lacking)} is missing"
    if nearest.absent:
        return f"{unlike}, which has no {', '.join(name for name in nearest.absent if name.casefold() in folded)}"
    return f"{unlike}, of which it has only {', '.join(sorted(_names(kind) & folded))}"


# ── translation ──────────────────────────────────────────────────────────────────────────────────────────────────
def translate(layout: Layout, cells: pd.DataFrame) -> Translated:
    """Read `cells` (str columns, index: row number in the file) as canonical rows.

    A source row may become several records, or none where it says nothing of this kind.
    """
    shaped = _shaped(layout, _spelled(layout, cells))
    found: dict[str, pd.Series] = {}
    for name in {**layout.columns, **layout.constants}:
        text = _said(layout, name, shaped)
        if text is not None:
            found[name] = text
    numbers = shaped.index.to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"row_number": numbers, **{name: text.array for name, text in found.items()}}, copy=False)
    some_left_out = layout.shape is not None or layout.skip
    return Translated(rows, len(cells) - shaped.index.nunique() if some_left_out else 0)


def _spelled(layout: Layout, cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells, with the layout's own spelling of the column names."""
    named = [*layout.header, *layout.skip, *(column for test in layout.when.values() for column in test)]
    for sources in (*layout.columns.values(), *layout.options.values()):
        named += [sources] if isinstance(sources, str) else sources
    spelling = {name.casefold(): name for name in named}
    return cells.set_axis([spelling.get(name.strip().casefold(), name) for name in cells.columns], axis="columns")


def _shaped(layout: Layout, cells: pd.DataFrame) -> pd.DataFrame:
    shaped = cells if layout.shape is None else SHAPES[layout.shape](cells, layout.options)
    for column, words in layout.skip.items():
        if column in shaped:
            shaped = shaped[~_is_one_of(shaped[column], words)]
    return shaped


def _said(layout: Layout, name: str, cells: pd.DataFrame) -> pd.Series | None:
    """What the cells say of one field; None when they have no column for it and nothing is said for all."""
    text = _first_said(cells, layout.columns.get(name, ()), layout.words.get(name))
    for column, words in layout.when.get(name, {}).items():
        if text is not None and column in cells:
            text = text.where(_is_one_of(cells[column], words))
    if text is not None and name in layout.times:
        text = _iso(text, layout.times[name])
    constant = layout.constants.get(name)
    if constant is None:
        return text
    return _repeated(constant, cells.index) if text is None else text.fillna(constant)


def _first_said(cells: pd.DataFrame, sources: str | Sequence[str], words: Mapping[str, str] | None) -> pd.Series | None:
    """The first source that says something, row by row."""
    text: pd.Series | None = None
    for source in [sources] if isinstance(sources, str) else sources:
        if source in cells:
            said = cells[source] if words is None else _reworded(cells[source], words)
            text = said if text is None else text.where(text.notna() & (text != ""), said)
    return text


def _repeated(text: str, index: pd.Index) -> pd.Series:
    return pd.Series([text], dtype="str").take([0] * len(index)).set_axis(index)


def _by_word(text: pd.Series, means: Callable[[str], str | None]) -> pd.Series:
    """Read each distinct text once."""
    codes, distinct = pd.factorize(text)
    read = pd.array([means(word) for word in distinct], dtype="str")
    return pd.Series(read.take(codes, allow_fill=True), index=text.index)


def _reworded(text: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """The canonical word for each word of the export."""
    table = {word.casefold(): means for word, means in words.items()}
    return _by_word(text, lambda word: table.get(word.strip().casefold(), table.get(OTHERWISE, word)) or None)


def _is_one_of(text: pd.Series, words: Sequence[str]) -> pd.Series:
    return text.str.strip().str.casefold().isin([word.casefold() for word in words])


def _iso(text: pd.Series, formats: Sequence[str]) -> pd.Series:
    """Times in one of `formats` as ISO 8601; other texts stay as they are, to be judged as such."""
    for form in formats:
        moments = pd.to_datetime(text, format=form, errors="coerce")
        text = moments.dt.strftime("%Y-%m-%d %H:%M:%S").astype("str").where(moments.notna(), text)
    return text
