"""Errors as an analyst reads them, in one sentence."""

from collections.abc import Iterator, Mapping
from typing import Any

from prefect.exceptions import ParameterTypeError

OWN = ("config", "flows", "tasks")  # errors of these packages are worded for the people who run them


def is_own(error: BaseException) -> bool:
    """Whether the error is one of ours, whose message says all an analyst needs."""
    return type(error).__module__.partition(".")[0] in OWN


def explained(error: BaseException, parameters: Mapping[str, Any]) -> str | None:
    """What went wrong, in one sentence; None for an unexpected error.

    An error that quotes one of the run's `parameters` is attributed to it.
    """
    if is_own(error):
        return _in_a_sentence(str(error).splitlines())
    if isinstance(error, ParameterTypeError):
        return _in_a_sentence(list(_parameter_problems(error, parameters)))
    blamed = [name for name, value in parameters.items() if value and str(value) in str(error)]
    if isinstance(error, ValueError | LookupError) and blamed:
        return f"{blamed[0]}: found {str(parameters[blamed[0]])!r}, expected a known one"
    return None


def unexpected(error: BaseException) -> str:
    """The sentence for an unexpected error; its own message is not shown because it may quote customer data."""
    return f"The run stopped on an unexpected error ({type(error).__name__}). The log shows where."


def _in_a_sentence(problems: list[str]) -> str:
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more: see the log)" if more > 0 else "") if problems else "no reason was given"


def _parameter_problems(error: ParameterTypeError, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Prefect's list of wrong parameters, one sentence each; an item of a list is named by its parameter."""
    for line in str(error).splitlines():
        place, colon, problem = line.removeprefix(" - ").partition(": ")
        if not line.startswith(" - ") or not colon:
            continue
        name = place.partition(".")[0]
        if problem.startswith("found "):  # one of ours, see `form_fields.refusal`
            yield f"{name}: {problem}"
        else:
            expected = problem.partition(", unable to")[0].removeprefix("Input should be ")
            yield f"{name}: found {str(parameters.get(name))!r}, expected {expected}"
