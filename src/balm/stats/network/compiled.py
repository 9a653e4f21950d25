"""Networks through the compiled kernel, with :mod:`.contrasts`, :mod:`.rows` and :mod:`.solved` as its NumPy twins.

Every function is ``None`` where the kernel is missing, or where it leaves what it was given to the twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.kernel import check, library

if TYPE_CHECKING:
    from balm.stats.network.contrasts import Contrasts, Floats, Integers
    from balm.stats.network.rows import Rows

#: What the kernel returns besides 0 and memory that ran out: the twin must look; names that must be stripped.
LEFT, UNPLAIN = 1, -2


def numbered(names: Sequence[Any]) -> tuple[Integers, Integers] | None:
    """The number of each name in order of appearance, and where each stands first; names need no stripping."""
    kernel = library()
    if kernel is None or not names:
        return None
    try:
        text = "\0".join(names).encode("utf-8", "surrogatepass")
    except TypeError:  # numbers among them
        return None
    code, first = np.empty((2, len(names)), dtype=np.int64)
    count = kernel.balm_numbered(len(names), text, len(text), _at(code), _at(first))
    if count == UNPLAIN:
        return None
    check(min(count, 0))
    return code, first[:count]


def arms_of(n: int, k: int, study: Integers, first: Integers, second: Integers) -> Integers | None:
    """(k,) how many arms each study has; its contrasts stand together, and each is there once."""
    kernel = library()
    if kernel is None:
        return None
    study, first, second = (np.ascontiguousarray(a, dtype=np.int64) for a in (study, first, second))
    arms = np.empty(k, dtype=np.int64)
    status = kernel.balm_network_arms(len(study), n, k, *map(_at, (study, first, second, arms)))
    return arms if _done(status) else None


def parts_of(contrasts: Contrasts) -> int | None:
    """Into how many parts the network falls."""
    kernel = library()
    if kernel is None:
        return None
    first, second = (np.ascontiguousarray(a, dtype=np.int64) for a in (contrasts.first, contrasts.second))
    parts = int(kernel.balm_network_parts(len(first), len(contrasts.treatments), _at(first), _at(second)))
    check(min(parts, 0))
    return parts


def rows_of(contrasts: Contrasts, tau2: float, limits: tuple[float, float]) -> tuple[Any, ...] | None:
    """study, places, vector, value, variance and rest of :class:`.rows.Rows`, with its limits FLAT and CLOSURE."""
    kernel = library()
    if kernel is None:
        return None
    ends = [np.ascontiguousarray(a, dtype=np.int64) for a in (contrasts.first, contrasts.second)]
    numbers = [np.ascontiguousarray(a, dtype=np.float64) for a in (contrasts.effect, contrasts.variance)]
    arms, m, k = contrasts.arms, len(contrasts.first), contrasts.k
    width, rows = int(arms.max()), int(arms.sum()) - k
    study, places = np.empty(rows, dtype=np.int64), np.zeros((rows, width), dtype=np.int64)
    vector, (value, variance), rest = np.zeros((rows, width)), np.empty((2, rows)), np.zeros(1)
    given = [_at(a) for a in (*ends, *numbers, arms)]
    found = (study, places, vector, value, variance, rest)
    shape = m, len(contrasts.treatments), k, width
    status = kernel.balm_network_rows(*shape, *given, tau2, _at(np.array(limits)), *map(_at, found))
    return (*found[:-1], float(rest[0])) if _done(status) else None


def solved(rows: Rows, weight: Floats) -> tuple[Floats, Floats, float, Floats, float] | None:
    """theta, upper, Q, residual and log-determinant of :class:`.solved.Solved`."""
    kernel = library()
    if kernel is None:
        return None
    from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

    n, shape, given = rows.n, _shape(rows), [*map(_at, (rows.places, rows.vector, rows.value)), _at(weight)]
    above, theta, residual, out = np.empty((n, n)), np.empty(n), np.empty(len(weight)), np.empty(2)
    level = out[1:]
    kernel.balm_network_laplacian(*shape, *given, _at(above), _at(theta), _at(level))
    # the transpose lies in memory as LAPACK wants it; the other triangle is 0 and stays so
    factor, failed = dpotrf(above.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        return None
    theta = dpotrs(factor, theta, lower=1, overwrite_b=1)[0]
    kernel.balm_network_residuals(*shape, *given, _at(factor), float(level[0]), *map(_at, (theta, residual, out)))
    return theta, dpotri(factor, lower=1, overwrite_c=1)[0].T, float(out[0]), residual, float(out[1])


def variances(rows: Rows, upper: Floats) -> Floats | None:
    """(E,) of each row's combination of treatments, under a generalised inverse."""
    kernel = library()
    if kernel is None or not upper.flags.c_contiguous:
        return None
    out = np.empty(len(rows.value))
    kernel.balm_network_variances(*_shape(rows), *map(_at, (rows.places, rows.vector, upper, out)))
    return out


def resistances(upper: Floats) -> Floats | None:
    """(n, n) the variance of every contrast."""
    kernel = library()
    if kernel is None or not upper.flags.c_contiguous:
        return None
    out = np.empty(upper.shape)
    check(kernel.balm_network_resistances(len(upper), _at(upper), _at(out)))
    return out


def _shape(rows: Rows) -> tuple[int, int, int, int]:
    return len(rows.value), rows.narrow, rows.places.shape[1], rows.n


def _done(status: int) -> bool:
    check(min(status, 0))
    return status != LEFT


def _at(array: NDArray[Any]) -> int:
    found: int = array.__array_interface__["data"][0]
    return found
