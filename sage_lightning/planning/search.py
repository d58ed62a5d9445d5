"""The largest batch that fits, among those that divide."""

from collections.abc import Callable


def largest(unit: int, most: int, fits: Callable[[int], bool], least: int = 1) -> int | None:
    """The largest multiple of a unit that fits, by doubling and then by halves; None if none does.

    What is larger than what does not fit is never tried.

    Args:
        unit: ranks × accumulation steps.
        most: no more than this.
        fits: whether a batch does.
        least: no less than this.
    """
    first, last = -(-least // unit), most // unit
    if last < first or not fits(first * unit):
        return None
    fitting, beyond = first, last + 1
    while fitting < last:
        tried = min(2 * fitting, last)
        if not fits(tried * unit):
            beyond = tried
            break
        fitting = tried
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        if fits(middle * unit):
            fitting = middle
        else:
            beyond = middle
    return fitting * unit
