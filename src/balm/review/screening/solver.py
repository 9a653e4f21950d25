"""The linear support vector machine behind the order, solved as a sequence of weighted ridge regressions.

The objective is LinearSVC's: half the squared length of the weights (the intercept among them) plus ``C`` times the
weighted squared hinge, ``max(0, 1 - y f)**2``. With a small ``C`` nearly every labelled record lies inside the margin,
and on these, the active set A, the solution is that of a ridge regression in the dual,

    (K_AA + diag(1 / (2 C w_A))) b_A = y_A,     f = K b,     b = 0 outside A,

where ``K`` is the kernel plus 1 (for the intercept). The active set settles after a few rounds, and from a good start
each round takes two or three steps of conjugate gradients preconditioned by the diagonal.
Keerthi and DeCoste (2005), J Mach Learn Res 6:341-361.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

#: The regularisation and the balance of ASReview 3's default model, ELAS u4.
C = 0.11
BALANCE = 9.8
#: Rounds of the active set and steps of conjugate gradients: far above what any labelled set has needed.
MOST_ROUNDS, MOST_STEPS = 100, 1000

Array = npt.NDArray[Any]
#: From the active set and the ridge to an approximate inverse of the kernel plus ridge.
Nearby = Callable[[npt.NDArray[np.bool_], Array], Callable[[Array], Array]]


def balanced_weights(included: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """A weight a label: all inclusions together weigh 9.8 times all exclusions, and the weights add up to their number.

    >>> balanced_weights(np.array([True, False, False])).round(3).tolist()
    [2.722, 0.139, 0.139]
    """
    n = len(included)
    positive = int(included.sum())
    share = np.where(included, 1.0, positive / (BALANCE * max(1, n - positive)))
    return np.asarray(share * (n / share.sum()))


def solve(
    times: Callable[[Array], Array],
    diagonal: Array,
    included: npt.NDArray[np.bool_],
    *,
    start: Array | None = None,
    fitted: Array | None = None,
    tolerance: float = 1e-10,
    nearby: Nearby | None = None,
) -> tuple[Array, Array]:
    """``(b, f)``: the dual coefficients and the scores of the labelled records.

    ``times(v)`` is the kernel (plus 1) of the labelled records times ``v``, ``diagonal`` its diagonal. ``start`` and
    ``fitted`` are coefficients near the solution and their scores. Ends when the active set repeats itself and the
    residual is below ``tolerance`` times the square root of the number of labels, in the norm of the preconditioner:
    the diagonal, or what ``nearby`` makes of the active set and the ridge.
    """
    kind = diagonal.dtype
    y = np.where(included, 1.0, -1.0).astype(kind)
    ridge = (1.0 / (2.0 * C * balanced_weights(included))).astype(kind)
    scale = 1.0 / (diagonal + ridge)
    b = np.zeros(len(y), kind) if start is None else start.copy()
    f = times(b) if fitted is None else fitted.copy()
    limit = (tolerance**2) * len(y)
    active = y * f < 1.0
    for _ in range(MOST_ROUNDS):
        if not active.all():
            leaving = np.where(active, 0.0, b).astype(kind)
            if leaving.any():
                b -= leaving
                f -= times(leaving)
        inverse = scale.__mul__ if nearby is None else nearby(active, ridge)
        residual = np.where(active, y - f - ridge * b, 0.0).astype(kind)
        z = inverse(residual)
        size = float(residual @ z)
        first = size
        direction = z
        for _ in range(MOST_STEPS):
            if size <= limit:
                break
            image = times(direction)
            step = size / float(direction @ (np.where(active, image, 0.0) + ridge * direction))
            step = kind.type(step)
            b += step * direction
            f += step * image
            residual = np.where(active, y - f - ridge * b, 0.0).astype(kind)
            z = inverse(residual)
            before, size = size, float(residual @ z)
            direction = z + kind.type(size / before) * direction
        now = y * f < 1.0
        if bool((now == active).all()) and (size <= limit or size >= first):
            break
        active = now
    return b, f
