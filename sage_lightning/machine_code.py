"""Loops over single numbers, compiled by Numba: whole-array arithmetic would pass over memory too often."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def machine_code(signature: str, *, fused: bool = False) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Compiles a function at its first call, for arguments of these types alone; it runs without the GIL.

    What was compiled is kept beside the source, or in the user's cache folder, for the next process. Numba
    looks at that one file to see whether it is still right: a constant from elsewhere must be an argument.

    Args:
        signature: the types of result and arguments in Numba's words, `int64(uint8[::1], float32[:, ::1])`.
        fused: whether a product and a sum may be rounded once, together. NaN and the order of sums stay as
            written either way.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @cache
        def compiled() -> Callable[_P, _R]:
            import numba  # takes most of a second, which only those who call should pay

            flags = {"contract"} if fused else False
            try:
                return numba.njit(signature, nogil=True, fastmath=flags, cache=True)(function)
            except RuntimeError as error:
                if "no locator available" not in str(error):
                    raise
                return numba.njit(signature, nogil=True, fastmath=flags)(function)  # no folder to write to

        @wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return compiled()(*args, **kwargs)

        return call

    return decorate
