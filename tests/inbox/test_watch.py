"""The watch over the inbox, on real folders."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from tasks.inbox.watch import arrivals

SETTLE = 0.3
TICKS_MAX = 40


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An inbox with two kinds."""
    for kind in ("counts", "packs"):
        (tmp_path / kind).mkdir()
    return tmp_path


@pytest.fixture
def told(inbox: Path) -> Iterator[Iterator[list[str]]]:
    """What the watch says, tick by tick."""
    stop = Event()
    yield arrivals(inbox, stop, SETTLE)
    stop.set()


def _next(told: Iterator[list[str]]) -> list[str]:
    for _, kinds in zip(range(TICKS_MAX), told, strict=False):
        if kinds:
            return kinds
    return []


def _quiet(told: Iterator[list[str]], ticks: int = 4) -> bool:
    return not any(kinds for _, kinds in zip(range(ticks), told, strict=False))


def test_a_file_is_told_once_by_its_kind(inbox: Path, told: Iterator[list[str]]) -> None:
    """The folder says the kind; the same file is not told again."""
    assert _quiet(told, 2)
    (inbox / "counts" / "monday.csv").write_text("a")
    assert _next(told) == ["counts"]
    assert _quiet(told)


def test_a_file_below_a_merchant_is_of_the_kind_above(inbox: Path, told: Iterator[list[str]]) -> None:
    """inbox/packs/HEARTH/scans.csv is a pack scan."""
    assert _quiet(told, 1)
    (inbox / "packs" / "HEARTH").mkdir()
    (inbox / "packs" / "HEARTH" / "scans.csv").write_text("a")
    assert _next(told) == ["packs"]


def test_what_lies_there_at_the_start_is_told(inbox: Path, told: Iterator[list[str]]) -> None:
    """Files that came while nobody watched start their flow too."""
    (inbox / "counts" / "night.csv").write_text("a")
    assert _next(told) == ["counts"]


def test_a_growing_file_is_told_when_it_stops(inbox: Path, told: Iterator[list[str]]) -> None:
    """A file still being written is not an arrival yet."""
    path = inbox / "counts" / "long.csv"

    def write() -> None:
        for size in range(1, 12):
            path.write_text("a" * size)
            time.sleep(SETTLE / 3)

    writer = Thread(target=write)
    assert _quiet(told, 1)
    writer.start()
    assert _next(told) == ["counts"]
    assert path.stat().st_size == 11
    writer.join()


def test_a_changed_file_is_told_again(inbox: Path, told: Iterator[list[str]]) -> None:
    """A new file under an old name is a new arrival."""
    path = inbox / "counts" / "monday.csv"
    path.write_text("a")
    assert _next(told) == ["counts"]
    path.write_text("ab")
    assert _next(told) == ["counts"]


@pytest.mark.parametrize("name", [".hidden.csv", "~$open.xlsx", "half.csv.part", "half.crdownload"])
def test_unfinished_and_hidden_files_are_passed_over(name: str, inbox: Path, told: Iterator[list[str]]) -> None:
    """What a program is still writing under another name is left alone."""
    (inbox / "counts" / name).write_text("a")
    assert _quiet(told)


def test_a_file_outside_the_kinds_is_passed_over(inbox: Path, told: Iterator[list[str]]) -> None:
    """A file beside the folders of the kinds belongs to none of them."""
    (inbox / "readme.txt").write_text("a")
    assert _quiet(told)
