"""Functions that run as they stand, or compiled with Numba where there is much to do.

Numba is slow to import: it is loaded when the first of them is compiled.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
_HELPERS: list[Callable[..., Any]] = []


def helper(function: Function) -> Function:
    """A function that compiled ones call; it stays an ordinary one for everybody else."""
    _HELPERS.append(function)
    return function


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` compiled, with all helpers; kept on disk."""
    from numba import njit
    from numba.extending import register_jitable

    while _HELPERS:
        register_jitable(_HELPERS.pop())
    compiled_function: Callable[..., Any] = njit(cache=True)(function)
    return compiled_function
