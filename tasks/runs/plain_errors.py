"""What an error says to an analyst, in one sentence."""

from collections.abc import Iterator, Mapping
from typing import Any

from prefect.exceptions import ParameterTypeError

OWN = ("config", "flows", "tasks")  # errors of these packages are worded for the people who run them


def is_own(error: BaseException) -> bool:
    """Whether the error is one of ours, whose message says all an analyst needs."""
    return type(error).__module__.partition(".")[0] in OWN


def explained(error: BaseException, parameters: Mapping[str, Any]) -> str | None:
    """What went wrong, in one sentence; nothing when nobody foresaw the error.

    An error that quotes one of the run's `parameters` is put down to it.
    """
    if is_own(error):
        return _in_a_sentence(str(error).splitlines())
    if isinstance(error, ParameterTypeError):
        return _in_a_sentence(list(_of_parameters(error, parameters)))
    blamed = [name for name, value in parameters.items() if value and str(value) in str(error)]
    if isinstance(error, ValueError | LookupError) and blamed:
        return f"{blamed[0]}: found {str(parameters[blamed[0]])!r}, expected one that is known"
    return None


def unexpected(error: BaseException) -> str:
    """What is said of an error nobody foresaw; its own message may quote what is nobody's business."""
    return f"The run was stopped by an error nobody foresaw ({type(error).__name__}): the log shows where."


def _in_a_sentence(problems: list[str]) -> str:
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more: see the log)" if more > 0 else "") if problems else "no reason was given"


def _of_parameters(error: ParameterTypeError, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Prefect's list of wrong parameters, a sentence each."""
    for line in str(error).splitlines():
        place, known, words = line.removeprefix(" - ").partition(": ")
        if line.startswith(" - ") and words.startswith("found "):  # one of ours, see `form_fields.refusal`
            yield f"{place}: {words}"
        elif line.startswith(" - ") and known:
            value = parameters.get(place.partition(".")[0])
            expected = words.partition(", unable to")[0].removeprefix("Input should be ")
            yield f"{place}: found {str(value)!r}, expected {expected}"
