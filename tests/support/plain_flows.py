"""A flow's own code without Prefect: for scenarios of many days, where a thousand recorded runs would be the cost.

The same function bodies run in the same order; only what they call is unwrapped. That the flows run under Prefect is
shown where Prefect is what is tested.
"""

from collections.abc import Callable
from functools import cache
from inspect import unwrap
from types import FunctionType, SimpleNamespace
from typing import Any

from prefect import Flow, Task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

_ARTIFACTS = (create_markdown_artifact, create_table_artifact)


@cache
def plain(flow: Any, without: frozenset[str] = frozenset()) -> Callable[..., Any]:
    """The function of `flow`, calling the functions of its flows and tasks, and making no artifacts.

    `without`: calls that are passed over, such as those that only draw pages: plan_waves.write_pick_lists is the call
    of write_pick_lists in plan_waves.
    """
    body = unwrap(flow.fn)  # without what makes an operation of it
    named = {name: body.__globals__[name] for name in body.__code__.co_names if name in body.__globals__}
    passed_over = {name for name in named if f"{body.__name__}.{name}" in without}
    called = {name: _nothing if name in passed_over else _plain(one, without) for name, one in named.items()}
    made = FunctionType(body.__code__, body.__globals__ | called, body.__name__, body.__defaults__, body.__closure__)
    made.__kwdefaults__ = body.__kwdefaults__
    return made


def _plain(value: Any, without: frozenset[str]) -> Any:
    if isinstance(value, Flow):
        return plain(value, without)
    if isinstance(value, Task):
        return value.fn
    return _nothing if any(value is one for one in _ARTIFACTS) else value


def _nothing(*_arguments: object, **_options: object) -> Any:
    return SimpleNamespace(page="none was drawn")
