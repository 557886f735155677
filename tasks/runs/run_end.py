"""How one run ends: its state, its line in the log, and the artifact `outcome` of the run that was started."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from traceback import format_exception
from types import TracebackType
from typing import Any, Self

from prefect import Flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from prefect.utilities.urls import url_for

from config.read import read
from config.settings import settings
from tasks.domain.reporting.findings import Finding, OutcomeRules, sentence
from tasks.domain.reporting.outcome_pages import outcome_page
from tasks.domain.reporting.run_counts import in_a_sentence, in_words
from tasks.runs.log_lines import ENDS, LOGGED
from tasks.runs.plain_errors import explained, is_own, unexpected
from tasks.runs.run_names import rename
from tasks.service.launch import LOCKS, alive


class RedRunError(RuntimeError):
    """The result of a run that did all its work and is red because of its findings; `counts` are its counts."""

    def __init__(self, headline: str, counts: Any) -> None:
        super().__init__(headline)
        self.counts = counts
        setattr(self, LOGGED, True)


@dataclass
class RunEnd:
    """Around a flow's body: an error ends here and becomes the state of the run."""

    findings: Sequence[Finding]
    counts: Any = None
    error: Exception | None = None

    def __enter__(self) -> Self:
        self.run, self.flow, self.parameters = _running()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        """Keep an error; anything else, such as a suspended run, passes through."""
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None

    def do(self, body: Callable[[], Any]) -> None:
        """Do the flow's work, once its parameters and rules are valid."""
        self.rules = read("rules/outcomes.yaml", OutcomeRules)
        Flow.validate_parameters(self.flow, self.parameters)
        with self._lock():
            self.counts = body()

    def _lock(self) -> AbstractContextManager[None]:
        """The lock that shows that a run from a shell is alive; the worker or the run around it locks any other."""
        if self.run.deployment_id or self.run.parent_task_run_id:
            return nullcontext()
        return alive(settings().folder(".prefect") / LOCKS, str(self.run.id))

    def findings_to_hand_on(self) -> list[Finding]:
        """The findings for the run around this one, with the run that found them."""
        name, link = self.run.name, url_for(self.run) or ""
        return [one if one.link else replace(one, run=name, link=link) for one in self.findings]

    def state(self) -> State[Any]:
        """The final state of the run, after writing the log line and the artifact."""
        why = explained(self.error, self.parameters) if self.error else None
        headline = self._headline(why)
        self._log(headline, foreseen=why is not None)
        if self.run.parent_task_run_id is None:
            page = outcome_page(headline, self.findings, in_words(self.counts))
            create_markdown_artifact(page, key="outcome", description="What the run did and found")
            if self.error or self.findings:
                rename(self.run, headline)
        if self.error:
            return Failed(message=headline, data=self.error)
        if not self.findings:
            return Completed(message=headline, data=self.counts)
        if self.rules.failed(self.findings):
            return Failed(name="Failed with findings", message=headline, data=RedRunError(headline, self.counts))
        return Completed(name="Completed with findings", message=headline, data=self.counts)

    def _headline(self, why: str | None) -> str:
        if self.error:
            return why or unexpected(self.error)
        return sentence(self.findings) if self.findings else in_a_sentence(self.counts)

    def _log(self, headline: str, *, foreseen: bool) -> None:
        """One line first; the traceback below it, in the run in which the error occurred."""
        logger = get_run_logger()
        if self.error is None:
            red = bool(self.findings) and self.rules.failed(self.findings)
            level = logging.ERROR if red else logging.WARNING if self.findings else logging.INFO
            logger.log(level, headline, extra=ENDS)
            return
        logger.error(str(self.error) if is_own(self.error) else headline, extra=ENDS)
        if not getattr(self.error, LOGGED, False):
            logger.log(logging.DEBUG if foreseen else logging.ERROR, "".join(format_exception(self.error)))
            setattr(self.error, LOGGED, True)


def _running() -> tuple[FlowRun, Flow[..., Any], dict[str, Any]]:
    """The current run, its flow and its parameters."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow is None:
        raise RuntimeError("a flow runs under Prefect; `plain` of tests/support/plain_flows.py runs it without")
    return context.flow_run, context.flow, context.parameters or {}
