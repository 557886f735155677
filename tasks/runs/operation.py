"""Every flow is an operation. This is the one place that decides how a run ends and what it reports.

    what happened                state                     message
    no findings                  Completed                 what was done
    findings to look at          Completed with findings   the findings; config/rules/outcomes.yaml decides which end so
    findings that make it red    Failed with findings      the findings; all other work was done
    an error of ours             Failed                    the sentence of the error
    an unexpected error          Failed                    its type; the log has the traceback, once

The run that was started writes the artifact `outcome`; a run within it hands its findings on to it.
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
    """A flow that returns its counts to the caller, however its run ended; an error is raised as it is."""

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
        """The parameters in the types of the signature; unchanged if one is wrong: the run reports it itself."""
        with suppress(ParameterTypeError):
            return super().validate_parameters(parameters)
        return parameters


def result_of(state: State[Any]) -> tuple[Any, BaseException | None]:
    """The counts of a run, red or not, and the error that ended it, if one did."""
    result = state.result(raise_on_failure=False)
    if isinstance(result, RedRunError):
        return result.counts, None
    return (None, result) if isinstance(result, BaseException) else (result, None)


def note(findings: Iterable[Finding]) -> None:
    """Keep findings for the end of the run."""
    if (noted := NOTED.get()) is not None:
        noted.extend(findings)


@contextmanager
def noting() -> Iterator[list[Finding]]:
    """The findings noted inside, by a run and by the runs within it."""
    findings: list[Finding] = []
    before = NOTED.set(findings)
    try:
        yield findings
    finally:
        NOTED.reset(before)


def _ending(body: Callable[P, R]) -> Callable[P, R]:
    """The flow's function as Prefect runs it: it returns the final state, which holds the counts."""

    @wraps(body)
    def run(*arguments: P.args, **options: P.kwargs) -> Any:
        with noting() as findings, RunEnd(findings) as end:
            end.do(partial(body, *arguments, **options))
        note(end.findings_to_hand_on())
        return end.state()

    return run
