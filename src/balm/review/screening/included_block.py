"""A start nearer to the solution's inverse: the block of the included records, inverted exactly.

With the balance of the model the few included records weigh much more than the many others, so their ridge is small and
the kernel among them is what conjugate gradients are slow to resolve. Its inverse halves their steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from balm.review.screening.solver import Array, Nearby

#: With more included records the weights are more even and the block costs more than the steps it saves.
MOST = 600


def included_block(matrix: Any, diagonal: Array, included: npt.NDArray[np.bool_]) -> Nearby | None:
    """For :func:`balm.review.screening.solver.solve`, or ``None`` where the block would be too large.

    ``matrix``: sparse (labelled records, terms that several records have); ``diagonal``: of the kernel plus 1.
    """
    at = np.flatnonzero(included)
    if len(at) > MOST:
        return None
    rows = matrix[at]
    kernel = (rows @ rows.T).toarray() + 1.0
    np.fill_diagonal(kernel, diagonal[at])

    def nearby(active: npt.NDArray[np.bool_], ridge: Array) -> Callable[[Array], Array]:
        used = active[at]
        block = at[used]
        scale = 1.0 / (diagonal + ridge)
        inverse = np.linalg.inv(kernel[np.ix_(used, used)] + np.diag(ridge[block]))

        def apply(residual: Array) -> Array:
            z = scale * residual
            z[block] = inverse @ residual[block]
            return z

        return apply

    return nearby
