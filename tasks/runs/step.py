"""Every step that writes is a task whose transaction is retried when it lost a race against another."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.client.schemas import TaskRun
from prefect.client.schemas.objects import State

from tasks.store.database.engine import lost_a_race

WAITS_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # with jitter up to twice as long, so that two do not collide again
P = ParamSpec("P")
R = TypeVar("R")


def step(*, task_run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task of that name: one transaction in which every write has a unique cause, so that a retry is safe."""
    return task(
        task_run_name=task_run_name,
        retries=len(WAITS_S),
        retry_delay_seconds=list(WAITS_S),
        retry_jitter_factor=1,
        retry_condition_fn=_lost_a_race,
    )


def _lost_a_race(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and lost_a_race(error)
