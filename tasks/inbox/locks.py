"""A lock between the processes of one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock `path`; when a process dies, its lock is released."""
    with filelock.FileLock(path):
        yield
