"""Names of flow runs in words: what a run was told, without a word of what it was not told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from prefect.runtime import flow_run


def named(words: str, **parts: str) -> Callable[[], str]:
    """A name for `flow_run_name`: `words`, and for each parameter that is given its part, such as ` in {}`."""

    def name() -> str:
        given = flow_run.parameters
        return words + "".join(part.format(_plain(given[key])) for key, part in parts.items() if given.get(key))

    return name


def _plain(value: Any) -> str:
    """A list with commas, a moment to the minute, a kind's name without its underscores."""
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
