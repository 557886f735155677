"""How kernels are compiled: when first called, kept on disk, and free of the interpreter's lock, for both cores."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class _Kernel:
    """A function that Numba compiles; Numba itself, slow to import, is loaded with the first kernel that is called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @cached_property
    def compiled(self) -> Any:
        from numba import njit

        return njit(cache=True, nogil=True)(self.function)

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks of a name that it meets in another kernel: it takes ours for its own."""
        return self.compiled._numba_type_

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.compiled(*arguments, **named)


def kernel(function: Function) -> Function:
    """Compile `function` when it is first called."""
    return cast("Function", _Kernel(function))
