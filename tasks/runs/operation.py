"""What every flow is: an operation. This is the one place that decides how a run ends and what it says of itself.

    nothing found               Completed                 what was done
    findings to be looked at    Completed with findings   what was found; config/rules/outcomes.yaml says which end so
    findings that make it red   Failed with findings      the same; everything else was done all the same
    an error of ours            Failed                    the error's own sentence
    an error nobody foresaw     Failed                    that it was one; the log has the traceback, once

The run that was clicked writes the artifact `outcome`; a run inside another hands its findings on to that one.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError

from tasks.domain.reporting.findings import Finding
from tasks.runs.log_lines import is_news
from tasks.runs.run_end import RedRunError, RunEnd

P = ParamSpec("P")
R = TypeVar("R")
NOTED: ContextVar[list[Finding] | None] = ContextVar("noted findings", default=None)


def operation(*, name: str, flow_run_name: str | Callable[[], str]) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Make a function the Prefect flow of its file."""
    for logger in ("prefect.flows", "prefect.flow_runs", "prefect.task_runs", "prefect.engine"):
        logging.getLogger(logger).addFilter(is_news)
    return lambda body: Operation(_ending(body), name=name, flow_run_name=flow_run_name)


class Operation(Flow[P, R]):
    """A flow that gives its counts to whoever calls it, however its run ended; an error is raised as it is."""

    def __call__(self, *arguments: Any, return_state: bool = False, **options: Any) -> Any:  # type: ignore[override]
        """Run it. `return_state`: the run's state instead of its counts."""
        state = super().__call__(*arguments, return_state=True, **options)
        if return_state:
            return state
        counts, error = result_of(state)
        if error:
            raise error
        return counts

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters in the types of the signature; where one is wrong all as they are: the run says so itself."""
        with suppress(ParameterTypeError):
            return super().validate_parameters(parameters)
        return parameters


def result_of(state: State[Any]) -> tuple[Any, BaseException | None]:
    """What a run counted, red or not; and the error that ended it, if one did."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, RedRunError):
        return result.counts, None
    return (None, result) if isinstance(result, BaseException) else (result, None)


def note(findings: Iterable[Finding]) -> None:
    """Keep what a person must look at for the end of the run."""
    if (noted := NOTED.get()) is not None:
        noted.extend(findings)


@contextmanager
def noting() -> Iterator[list[Finding]]:
    """What is noted inside, by a run and by the runs within it."""
    findings: list[Finding] = []
    before = NOTED.set(findings)
    try:
        yield findings
    finally:
        NOTED.reset(before)


def _ending(body: Callable[P, R]) -> Callable[P, R]:
    """The flow's function as Prefect runs it: it gives the state in which the run ends, and in it the counts."""

    @wraps(body)
    def run(*arguments: P.args, **options: P.kwargs) -> Any:
        with noting() as findings, RunEnd(findings) as end:
            end.do(partial(body, *arguments, **options))
        note(end.handed_on())
        return end.state()

    return run
