"""Recognises the layout of an export, and translates its columns to canonical fields.

A foreign layout is data: config/exports/<name>.yaml. The canonical layout of a kind is made from its fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from tasks.domain.receiving.export_kinds import KINDS
from tasks.inbox.shapes import SHAPES

CANONICAL = "canonical"
CANONICAL_MIN = 3  # fields that a header must have where most of its columns are not canonical
OTHERWISE = "*"  # stands for every word that is not listed
Words = Mapping[str, tuple[str, ...]]


class UnknownLayout(ValueError):  # noqa: N818 - a finding about a file, not an error of the program
    """No known layout has this header."""


@dataclass(frozen=True)
class Layout:
    """How one system writes one kind of export; names and words are compared without regard to case.

    `header`: the columns it is recognised by; `absent`: columns it never has.
    `skip`: column -> words; a row with one of them is not about this kind and is ignored.
    `shape`, `options`: a function of `tasks.inbox.shapes` that is applied to the cells first, and its options.
    `columns`: canonical field -> its column, or several, of which the first one with a text is taken.
    `words`: canonical field -> word of the export -> canonical word; an empty one means missing, "*" any other word.
    `when`: canonical field -> column -> words; the field is only taken from rows with one of these words there.
    `times`: canonical field -> strptime formats of times that are written neither as ISO 8601 nor day first.
    `constants`: canonical field -> its text where the columns have none.
    `streams`: false when rows depend on rows far away: the file is then translated as a whole.
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
        names = {one.name for one in KINDS[self.kind].fields}
        if strange := sorted({*self.columns, *self.words, *self.when, *self.times, *self.constants} - names):
            raise ValueError(f"{', '.join(strange)}: no field of {self.kind}")
        if self.shape is not None and self.shape not in SHAPES:
            raise ValueError(f"shape {self.shape!r} is not one of {', '.join(SHAPES)}")

    def lacks(self, header: frozenset[str]) -> list[str]:
        """The identifying columns that a case-folded header lacks."""
        return [name for name in self.header if name.casefold() not in header]

    def fits(self, header: frozenset[str]) -> bool:
        """Whether a case-folded header has this layout."""
        return not self.lacks(header) and not any(name.casefold() in header for name in self.absent)


@dataclass(frozen=True)
class Translated:
    """Canonical rows (row_number int64, then str columns), and the number of source rows about something else."""

    rows: pd.DataFrame
    ignored: int


@cache
def canonical(kind: str) -> Layout:
    """The layout whose columns are named like the fields."""
    fields = KINDS[kind].fields
    return Layout(
        CANONICAL,
        kind,
        tuple(field.name for field in fields if field.required),
        {field.name: field.name for field in fields},
    )


# ── recognition ──────────────────────────────────────────────────────────────────────────────────────────────────
def recognise(kind: str, header: Sequence[str], layouts: Sequence[Layout]) -> Layout:
    """The layout of `kind` with this header; of several, the one with the most identifying columns.

    Raises UnknownLayout with the nearest layout and the columns the header lacks, or with the inbox folder that the
    file seems to be meant for.
    """
    folded = frozenset(name.strip().casefold() for name in header)
    if folded <= _names(kind) and canonical(kind).fits(folded):
        return canonical(kind)
    fitting = [layout for layout in layouts if layout.kind == kind and layout.fits(folded)]
    if fitting:
        return max(fitting, key=lambda layout: len(layout.header))
    if _canonical_kind(folded) == kind:
        return canonical(kind)
    raise UnknownLayout(_unknown_reason(kind, folded, layouts))


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(field.name for field in KINDS[kind].fields)


def _canonical_kind(folded: frozenset[str]) -> str | None:
    """The kind with the most fields in the header, so that a stock file in the folder of counts is not read as a count.

    A `sku` alone among foreign columns does not make a canonical file.
    """
    fitting = [kind for kind in KINDS if canonical(kind).fits(folded) and _has_enough_fields(kind, folded)]
    return max(fitting, key=lambda kind: len(_names(kind) & folded), default=None)


def _has_enough_fields(kind: str, folded: frozenset[str]) -> bool:
    matching = len(_names(kind) & folded)
    return matching >= CANONICAL_MIN or 2 * matching >= len(folded)


def _unknown_reason(kind: str, folded: frozenset[str], layouts: Sequence[Layout]) -> str:
    """Why the header is refused: the folder it belongs to, or the layout it is nearest to."""
    elsewhere = {layout.kind for layout in layouts if layout.kind != kind and layout.fits(folded)}
    elsewhere = elsewhere or {other for other in [_canonical_kind(folded)] if other is not None}
    if elsewhere:
        return f"the header is not one of {kind}: the file seems meant for the folder {' or '.join(sorted(elsewhere))}"
    candidates = [canonical(kind), *(layout for layout in layouts if layout.kind == kind)]
    nearest = min(candidates, key=lambda layout: len(layout.lacks(folded)) / len(layout.header))
    reason = f"the header is no known layout of {kind}: nearest is {nearest.name}"
    if lacking := nearest.lacks(folded):
        return f"{reason}, but {', '.join(lacking)} is missing"
    if nearest.absent:
        return f"{reason}, which has no {', '.join(name for name in nearest.absent if name.casefold() in folded)}"
    return f"{reason}, of which it has only {', '.join(sorted(_names(kind) & folded))}"


# ── translation ──────────────────────────────────────────────────────────────────────────────────────────────────
def translate(layout: Layout, cells: pd.DataFrame) -> Translated:
    """Translate `cells` (str columns, index: row number in the file) to canonical rows.

    A source row may become several records, or none where it is not about this kind.
    """
    shaped = _shaped(layout, _with_layout_names(layout, cells))
    columns: dict[str, pd.Series] = {}
    for name in {**layout.columns, **layout.constants}:
        text = _field_text(layout, name, shaped)
        if text is not None:
            columns[name] = text
    numbers = shaped.index.to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"row_number": numbers, **{name: text.array for name, text in columns.items()}}, copy=False)
    some_left_out = layout.shape is not None or layout.skip
    return Translated(rows, len(cells) - shaped.index.nunique() if some_left_out else 0)


def _with_layout_names(layout: Layout, cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells, with column names as the layout spells them."""
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


def _field_text(layout: Layout, name: str, cells: pd.DataFrame) -> pd.Series | None:
    """The texts of one field; None when there is neither a column nor a constant for it."""
    text = _first_text(cells, layout.columns.get(name, ()), layout.words.get(name))
    for column, words in layout.when.get(name, {}).items():
        if text is not None and column in cells:
            text = text.where(_is_one_of(cells[column], words))
    if text is not None and name in layout.times:
        text = _iso(text, layout.times[name])
    constant = layout.constants.get(name)
    if constant is None:
        return text
    return _repeated(constant, cells.index) if text is None else text.fillna(constant)


def _first_text(cells: pd.DataFrame, sources: str | Sequence[str], words: Mapping[str, str] | None) -> pd.Series | None:
    """The text of the first source column that has one, row by row."""
    text: pd.Series | None = None
    for source in [sources] if isinstance(sources, str) else sources:
        if source in cells:
            source_text = cells[source] if words is None else _reworded(cells[source], words)
            text = source_text if text is None else text.where(text.notna() & (text != ""), source_text)
    return text


def _repeated(text: str, index: pd.Index) -> pd.Series:
    return pd.Series([text], dtype="str").take([0] * len(index)).set_axis(index)


def _by_word(text: pd.Series, means: Callable[[str], str | None]) -> pd.Series:
    """`means` applied to each distinct text once."""
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
    """Times in one of `formats` as ISO 8601; other texts stay as they are, to be checked later."""
    for form in formats:
        moments = pd.to_datetime(text, format=form, errors="coerce")
        text = moments.dt.strftime("%Y-%m-%d %H:%M:%S").astype("str").where(moments.notna(), text)
    return text
