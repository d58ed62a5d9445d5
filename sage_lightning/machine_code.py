"""Loops over single numbers, compiled by Numba: whole-array arithmetic would pass over memory too often."""

import logging
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

log = logging.getLogger("sage_lightning")


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

            compile = partial(numba.njit, signature, nogil=True, fastmath={"contract"} if fused else False)
            try:
                return compile(cache=True)(function)
            except Exception as error:
                # No folder to write to, a full disk, a damaged file, whatever that unpickles to. If it is the
                # function that is wrong, so it is without the kept.
                code = compile()(function)
                _tell(type(error), str(error).partition("\n")[0])
                return code

        @wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return compiled()(*args, **kwargs)

        return call

    return decorate


_TOLD: set[type[Exception]] = set()


def _tell(kind: type[Exception], why: str) -> None:
    """Once a process and kind of trouble, which all functions share."""
    if kind not in _TOLD:
        _TOLD.add(kind)
        log.warning(
            "Compiled for this process alone, what Numba keeps cannot be used: %s", why or kind.__name__
        )
