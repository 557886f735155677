"""Names of flow runs in words, with the parameters that differ from their defaults."""

from collections.abc import Callable
from datetime import datetime
from inspect import signature
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from tasks.clock import clock_time

NAME_MAX = 160


def named(words: str, **parts: str) -> Callable[[], str]:
    """A name for `flow_run_name`: `words`, and a part such as ` in {}` for each parameter that is not the default."""

    def name() -> str:
        run = FlowRunContext.get()
        if run is None or run.flow is None:
            return words
        values, defaults = run.parameters or {}, signature(run.flow.fn).parameters
        chosen = {key: value for key in parts if (value := values.get(key)) and value != defaults[key].default}
        warehouse = values.get("warehouse", "")
        return words + "".join(parts[key].format(_plain(value, warehouse)) for key, value in chosen.items())

    return name


def rename(run: FlowRun, headline: str) -> None:
    """Append the headline to the run's name, so that the list of runs and the run's page show it."""
    name = f"{run.name}: {headline}"
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, name=name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…")


def _plain(value: Any, warehouse: str) -> str:
    """A list with commas, a moment in the warehouse's time zone, the name of a kind without underscores."""
    if isinstance(value, list | tuple):
        return ", ".join(str(one).replace("_", " ") for one in value)
    return clock_time(value, warehouse) if isinstance(value, datetime) else str(value)
