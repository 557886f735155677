"""The counts of a run in words: 3 files loaded, 120 rows loaded."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

NOTHING = "nothing to do"


def in_words(counts: Any) -> list[str]:
    """A count object as lines: one per count, or one per flow where it holds the counts of several."""
    if not is_dataclass(counts):
        return [] if counts is None else [str(counts)]
    lines = []
    for field in fields(counts):
        value = getattr(counts, field.name)
        pairs = value.items() if isinstance(value, Mapping) else [(field.name.replace("_", " "), value)]
        lines += [f"{name}: {in_a_line(one)}" for name, one in pairs]
    return lines


def in_a_line(value: Any) -> str:
    """A number with thousands separators; of a count object all counts that are not zero."""
    if not is_dataclass(value):
        return f"{value:,}" if isinstance(value, int | float) else str(value)
    counted = [(getattr(value, field.name), field.name.replace("_", " ")) for field in fields(value)]
    return ", ".join(_counted(one, words) for one, words in counted if _is_shown(one)) or NOTHING


def in_a_sentence(counts: Any) -> str:
    """What a run did, in one sentence."""
    parts = next((part for part in _values(counts) if isinstance(part, Mapping)), None)
    if parts is not None:
        return f"All {len(parts)} parts are done."
    words = in_a_line(counts) if is_dataclass(counts) else NOTHING
    return "Nothing new." if words == NOTHING else f"{words[0].upper()}{words[1:]}."


def _values(counts: Any) -> list[Any]:
    return [getattr(counts, field.name) for field in fields(counts)] if is_dataclass(counts) else []


def _is_shown(value: Any) -> bool:
    """Whether a line of counts shows the value: not zero, empty or the path of a document."""
    return bool(value) and not (isinstance(value, str) and (value == "nothing" or "/" in value))


def _counted(value: Any, words: str) -> str:
    """A count with its name: 3 files loaded, 1 file loaded."""
    first, _, rest = words.partition(" ")
    one = value == 1 and first.endswith("s")
    return f"{in_a_line(value)} {first.removesuffix('s') if one else first} {rest}".rstrip()
