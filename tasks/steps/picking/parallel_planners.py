"""Who plans the parts of a large release: the cores of this machine, or a Dask cluster where one is configured."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from config.settings import settings

Run = Callable[..., Iterable[Any]]


@contextmanager
def planners() -> Iterator[Run]:
    """A function like `map` that maps in parallel and returns the results in order.

    `FULFILMENT_DASK` chooses: nothing for threads of this process (the search is compiled and needs no interpreter),
    `local` for a Dask cluster of processes that ends with the run, otherwise the address of a scheduler.
    """
    if settings().dask is None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            yield threads.map
    else:
        with _on_dask(settings().dask) as run:
            yield run


@contextmanager
def _on_dask(where: str | None) -> Iterator[Run]:
    from prefect_dask.task_runners import DaskTaskRunner

    own = {"cluster_kwargs": {"threads_per_worker": 1, "dashboard_address": None}}
    with DaskTaskRunner(**(own if where == "local" else {"address": where})) as runner:
        yield lambda function, *parts: runner.client.gather(runner.client.map(function, *parts, pure=False))
