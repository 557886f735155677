"""A wrong value in a YAML file: the file, the key, what was found, what was expected, one line each."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest

from config.read import ConfigError, read


class Speed(StrEnum):
    """A choice."""

    CALM = "calm"
    HASTY = "hasty"


@dataclass(frozen=True)
class Limit:
    """A part with a rule of its own."""

    warn: float
    refuse: float = 1

    def __post_init__(self) -> None:
        if self.warn < 0:
            raise ValueError("a limit must not be negative")


@dataclass(frozen=True)
class Door:
    """A part that names itself."""

    name: str
    side: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Rules:
    """Every kind of value a file of decisions has."""

    days: int
    limit: Limit
    speed: Speed = Speed.CALM
    open: bool = True
    doors: tuple[Door, ...] = ()
    columns: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    either: Limit | Door | None = None


GOOD = "days: 1\nlimit: {warn: 1}\n"


def told(folder: Path, text: str | bytes) -> list[str]:
    """What is said of a file, a line a problem, without the file's name."""
    file = folder / "rules.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as error:
        read(file, Rules)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("limit: {warn: 1}", ["days: found nothing, expected a whole number"]),
        ("days: 1", ["limit: found nothing, expected a mapping with warn"]),
        ("days: 1\nlimit: {refuse: 2}", ["limit.warn: found nothing, expected a number"]),
        (GOOD + "dayz: 3", ["dayz: found a key that is not known, expected days"]),
        (GOOD + "doors: [{name: A, colour: red}]",
         ["doors.0.colour: found a key that is not known, expected one of name, side"]),
        ("days: soon\nlimit: {warn: 1}", ["days: found 'soon', expected a whole number"]),
        (GOOD + "open: perhaps", ["open: found 'perhaps', expected true or false"]),
        (GOOD + "speed: slow", ["speed: found 'slow', expected 'calm' or 'hasty'"]),
        (GOOD + "doors: [{name: A, side: up}]", ["doors.0.side: found 'up', expected 'left' or 'right'"]),
        (GOOD + "doors: [{name: {first: A}}]", ["doors.0.name: found a mapping with first, expected a text"]),
        ("days: 1\nlimit: 3", ["limit: found 3, expected a mapping with warn"]),
        (GOOD + "doors: {name: A}", ["doors: found a mapping with name, expected a list"]),
        (GOOD + "columns: [a]", ["columns: found a list of 1, expected a mapping"]),
        ("days: 1\nlimit: {warn: -1}", ["limit: a limit must not be negative"]),
        ("", ["the whole file: found nothing, expected a mapping with days, limit"]),
        ("- days", ["the whole file: found a list of 1, expected a mapping with days, limit"]),
        ("days: many\nlimit: {}\nhours: 2",
         ["days: found 'many', expected a whole number", "limit.warn: found nothing, expected a number",
          "hours: found a key that is not known, expected one of days, limit, speed, open, doors, columns, either"]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_in_one_sentence(tmp_path: Path, text: str, sentences: list[str]) -> None:
    """Missing, misspelt, of another type, no mapping, against a rule: every problem of the file, each in a line."""
    assert told(tmp_path, text) == sentences


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("columns: {sku: 3}", "columns.sku: found 3, expected a text or a list"),
        ("either: {warn: x}", "either.warn: found 'x', expected a number"),
        ("either: {nam: A, side: left}", "either.name: found nothing, expected a text"),
    ],
)
def test_where_several_types_will_do_the_nearest_is_spoken_of(tmp_path: Path, text: str, sentence: str) -> None:
    """A plain value is told every type; a mapping what the type it comes nearest to finds wrong."""
    assert told(tmp_path, GOOD + text)[0] == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# a comment\ndays: [\nlimit: 3\n", "line 4, column 1: found no YAML, expected YAML: did not find"),
        ("days: 1\n\tlimit: 2\n", "line 2, column 1: found no YAML, expected YAML: "),
        ("days: 1\nname: Käse".encode("latin-1"), "byte 16: found no UTF-8, expected the file saved as UTF-8"),
    ],
)
def test_a_file_that_is_no_yaml_says_in_which_line(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    """The line and column an editor shows; in one line."""
    [said] = told(tmp_path, text)
    assert said.startswith(sentence)


def test_no_value_is_poured_out(tmp_path: Path) -> None:
    """What stands in the file beside the wrong key is not repeated."""
    lines = told(tmp_path, "limit: {refuse: 7654321}\neither: {secret: 7654321, other: 7654321}")
    assert "7654321" not in "".join(lines)
