"""One process at a time, on one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is inside with the same `path`; a process that dies lets go."""
    with filelock.FileLock(path):
        yield
