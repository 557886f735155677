"""How kernels are compiled with Numba: when first called, and kept on disk.

Numba is slow to import: it is loaded with the first kernel that is called. `kernel` is for functions that are always
compiled; `compiled` and `helper` for those that also run as they stand, where there is little to do.
"""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
_HELPERS: list[Callable[..., Any]] = []


class _Kernel:
    """A function that Numba compiles when it is first called, free of the interpreter's lock, for both cores."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @cached_property
    def compiled(self) -> Any:
        from numba import njit

        return _with_readable_cache(njit(cache=True, nogil=True)(self.function))

    @property
    def _numba_type_(self) -> Any:
        """The type Numba looks up where another kernel calls this one: that of the compiled function."""
        return self.compiled._numba_type_

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.compiled(*arguments, **named)


def _with_readable_cache(dispatcher: Any) -> Any:
    """Empty the cache of a function where it cannot be read.

    Numba reads the whole index before it compares its stamp with the source. An index kept by an earlier version of the
    project may name a class that no longer exists: the first call would raise AttributeError.
    """
    try:
        dispatcher._cache._cache_file._load_index()  # noqa: SLF001 - Numba offers no other way
    except (AttributeError, ImportError):
        dispatcher._cache.flush()  # noqa: SLF001
    return dispatcher


def kernel(function: Function) -> Function:
    """Compile `function` when it is first called."""
    return cast("Function", _Kernel(function))


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
    compiled_function: Callable[..., Any] = _with_readable_cache(njit(cache=True)(function))
    return compiled_function
