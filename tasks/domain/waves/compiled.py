"""How kernels are compiled: once, kept on disk, and free of the interpreter's lock, so that both cores can work."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile `function` when it is first called."""
    return cast("Function", njit(cache=True, nogil=True)(function))
