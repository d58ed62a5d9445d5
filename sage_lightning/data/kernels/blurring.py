"""Gaussian blur of one crop, whose standard deviation says how far it has to look."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code


@machine_code("void(float32[:, :, ::1], float32[::1], float32[:, ::1], float32[::1])", fused=True)
def blur(
    picture: NDArray[np.float32],
    weights: NDArray[np.float32],
    middle: NDArray[np.float32],
    line: NDArray[np.float32],
) -> None:
    """Blurs in place; at an edge those weights count that fall into the picture.

    Args:
        picture: (3, h, w).
        weights: (r + 1,), of a pixel itself, of its neighbours, of theirs …
        middle: (h, w), to work in.
        line: (w + 2·r,), to work in.
    """
    h, w = middle.shape
    reach = len(weights) - 1
    across, down = np.empty(w, float32), np.empty(h, float32)
    for share in (across, down):
        for x in range(share.size):
            total = weights[0]
            for k in range(1, reach + 1):
                total += weights[k] * ((x >= k) + (x + k < share.size))
            share[x] = 1 / total
    line[:] = 0
    for plane in picture:
        for y in range(h):
            into = middle[y]
            line[reach : reach + w] = plane[y]
            for x in range(w):
                into[x] = weights[0] * plane[y, x]
            for k in range(1, reach + 1):
                weight, left, right = weights[k], line[reach - k :], line[reach + k :]
                for x in range(w):
                    into[x] += weight * (left[x] + right[x])
            for x in range(w):
                into[x] *= across[x]
        for y in range(h):
            into = plane[y]
            for x in range(w):
                into[x] = weights[0] * middle[y, x]
            for k in range(1, reach + 1):
                weight, above, below = weights[k], middle[max(y - k, 0)], middle[min(y + k, h - 1)]
                if y >= k and y + k < h:
                    for x in range(w):
                        into[x] += weight * (above[x] + below[x])
                elif y >= k or y + k < h:
                    only = above if y >= k else below
                    for x in range(w):
                        into[x] += weight * only[x]
            for x in range(w):
                into[x] *= down[y]
