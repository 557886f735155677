"""Watches the inbox for files that have arrived completely, which means that they have stopped growing."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch

Stamp = tuple[int, int]  # size in bytes, time of the last change in nanoseconds
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


def arrivals(inbox: Path, stop: Event, settle_seconds: float = 1.0) -> Iterator[list[str]]:
    """Yield the kinds of which files have arrived, about once per `settle_seconds`; an empty list when none has.

    A file has arrived when its size and time have stayed the same for `settle_seconds`; it is announced once, and again
    when it changes. Files that are there at the start are announced too. Hidden and unfinished files are skipped.
    """
    growing = _growing({}, _files(inbox.rglob("*"), inbox))
    announced: dict[Path, Stamp] = {}
    ticks = watch(
        inbox,
        watch_filter=None,
        stop_event=stop,
        debounce=int(settle_seconds * 1000),
        rust_timeout=int(settle_seconds * 1000),
        yield_on_timeout=True,
    )
    for changes in ticks:
        seen = _files([*growing, *_below(Path(path) for _, path in changes)], inbox)
        growing = _growing(growing, {path: stamp for path, stamp in seen.items() if announced.get(path) != stamp})
        settled = {path for path, (_, since) in growing.items() if time.monotonic() - since >= settle_seconds}
        announced = {path: stamp for path, stamp in announced.items() if path.exists()}
        announced |= {path: growing.pop(path)[0] for path in settled}
        yield sorted({path.relative_to(inbox).parts[0] for path in settled})


def _growing(before: dict[Path, tuple[Stamp, float]], now: dict[Path, Stamp]) -> dict[Path, tuple[Stamp, float]]:
    """The stamp of each file, and since when it has had it."""
    return {
        path: before[path] if path in before and before[path][0] == stamp else (stamp, time.monotonic())
        for path, stamp in now.items()
    }


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths, and the files in the folders among them: a new folder is reported before its files."""
    for path in paths:
        yield from path.rglob("*") if path.is_dir() else [path]


def _files(paths: Iterable[Path], inbox: Path) -> dict[Path, Stamp]:
    """The stamps of the finished files among `paths` that lie in the folder of a kind."""
    stamps = {}
    for path in paths:
        names = path.relative_to(inbox).parts
        unfinished = path.name.startswith((".", "~$")) or path.suffix.lower() in _UNFINISHED
        if len(names) > 1 and not unfinished and path.is_file():
            status = path.stat()
            stamps[path] = (status.st_size, status.st_mtime_ns)
    return stamps
