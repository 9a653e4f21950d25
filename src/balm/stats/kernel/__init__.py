"""The optional compiled kernel: the same sums and roots as :mod:`balm.stats.heterogeneity`, eight groups at a time.

`lanes.h` holds the equations, `block.c` solves eight analyses and `conclusions.h` has what follows from their sums;
`groups.c` fills them with many groups, `one.c` with one, `subsets.c` with parts of one; `regression.c` has lines on one
moderator, `mixtures.c` posteriors, `network.c` networks (called in :mod:`balm.stats.network.compiled`). Plain C without
Python headers, built with the package where a compiler is found and called through ctypes, which releases the
lock of the interpreter. Where it is missing, or switched off with ``BALM_KERNEL=off``, all runs in NumPy and gives the
same numbers to 1e-10; the tests compare the two.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from balm.stats.arrays import NDArray, np
from balm.stats.effect_sizes import Floats
from balm.stats.groups import Integers

#: Estimators the kernel solves; the number is its own name for them.
METHODS = {"DL": 0, "REML": 1, "ML": 2, "PM": 3, "EB": 3}

#: Columns of the kernel's table, one row a group.
COLUMNS = 16

#: Where the fields of :class:`Solved` stand in that table.
PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 11, 12, 13, 15]

#: Beyond this ratio of largest to smallest variance in a group the kernel's plain sums lose digits that the NumPy
#: path, which counts from the most precise study, keeps.
LARGEST_RATIO = 1e9

#: Up to this ratio they keep thirteen digits, and one analysis may take them too.
ALL_DIGITS = 1e3

#: A root whose last step was larger than this is looked for again in NumPy, with smaller steps.
LARGEST_RESIDUAL = 1e-12


class Solved(NamedTuple):
    """Columns (G,) or, of one group, numbers: the root, the sums at it (no suffix) and at zero (``_0``), and the ends
    of the Q-profile interval.

    With weights ``w = 1/(v + tau2)``: ``w1, w2, w3`` are sums of ``w``, ``w**2``, ``w**3``; ``q`` is the weighted
    residual sum of squares; ``residual`` the last Newton step relative to tau2 plus the typical variance; ``span`` the
    largest over the smallest variance.
    """

    tau2: Any
    mean: Any
    w1: Any
    q: Any
    mean_0: Any
    w1_0: Any
    w2_0: Any
    q_0: Any
    w2: Any
    w3: Any
    w3_0: Any
    residual: Any
    low: Any
    high: Any
    span: Any


@lru_cache(maxsize=1)
def library() -> Any:
    """The loaded kernel, or ``None``."""
    if os.environ.get("BALM_KERNEL", "").lower() in ("off", "0", "no"):
        return None
    for path in sorted(Path(__file__).parent.glob("_groups*.so")):
        try:
            found = ctypes.CDLL(str(path))
        except OSError:
            continue
        pointer, count, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
        for name, arguments in (
            ("groups", (count, *(pointer,) * 3, number, ctypes.c_double, number, *(pointer,) * 3)),
            ("concluded", (count, *(pointer,) * 3, number, pointer, number, count, pointer, count, pointer)),
            ("one", (count, *(pointer,) * 2, number, *(pointer,) * 2)),
            ("subsets", (count, pointer, pointer, count, count, pointer, number, pointer, pointer)),
            ("left_out", (count, *(pointer,) * 3, number, pointer)),
            ("lines", (count, count, pointer, number, pointer, number, pointer, number, pointer)),
            ("at_nodes", (count, count, count, *(pointer,) * 5)),
            ("mixture_quantiles", (count, count, *(pointer,) * 5, count, *(pointer,) * 2, count, *(pointer,) * 3)),
            ("node_quantiles", (count, count, *(pointer,) * 5, count, *(pointer,) * 2)),
            ("numbered", (count, ctypes.c_char_p, count, *(pointer,) * 2)),
            ("network_arms", (*(count,) * 3, *(pointer,) * 4)),
            ("network_parts", (*(count,) * 2, *(pointer,) * 2)),
            ("network_rows", (*(count,) * 4, *(pointer,) * 5, ctypes.c_double, *(pointer,) * 7)),
            ("network_laplacian", (*(count,) * 4, *(pointer,) * 7)),
            ("network_residuals", (*(count,) * 4, *(pointer,) * 5, ctypes.c_double, *(pointer,) * 3)),
            ("network_variances", (*(count,) * 4, *(pointer,) * 4)),
            ("network_resistances", (count, *(pointer,) * 2)),
        ):
            function = getattr(found, f"balm_{name}", None)
            if function is None:  # built from other sources than these: do without
                return None
            function.argtypes, function.restype = arguments, number
        for tail in (found.balm_t_two_sided, found.balm_chi2_upper):
            tail.argtypes, tail.restype = [ctypes.c_int64, pointer, pointer, pointer], None
        return found
    return None


def available() -> bool:
    """True when the compiled kernel is in use."""
    return library() is not None


def tail(kind: str, df: Floats, value: Floats) -> Floats | None:
    """Tail probabilities at ``value``: ``kind`` is "t_two_sided" or "chi2_upper"; ``None`` without the kernel.

    -1 where the kernel leaves it to the caller: degrees of freedom that are not whole or above 400, far tails.
    """
    kernel = library()
    if kernel is None:
        return None
    df, value = np.ascontiguousarray(df, dtype=np.float64), np.ascontiguousarray(value, dtype=np.float64)
    out = np.empty(len(value))
    getattr(kernel, f"balm_{kind}")(len(value), df.ctypes.data, value.ctypes.data, out.ctypes.data)
    return out


def tail_of_one(kind: str, df: float, value: float) -> float:
    """:func:`tail` of one number; -1 without the kernel too."""
    kernel = library()
    if kernel is None:
        return -1.0
    out = ctypes.c_double()
    given = ctypes.byref(ctypes.c_double(df)), ctypes.byref(ctypes.c_double(value))
    getattr(kernel, f"balm_{kind}")(1, *given, ctypes.byref(out))
    return out.value


def solve(effect: Floats, variance: Floats, offsets: Integers, estimator: str) -> Solved | None:
    """Solve every group, or ``None`` where the kernel cannot (not built, or not one of :data:`METHODS`).

    effect, variance, offsets : the CSR layout, contiguous float64 and int64; every group has at least two studies.
    """
    kernel = library()
    if kernel is None or estimator not in METHODS:
        return None
    groups = len(offsets) - 1
    effect, variance = np.ascontiguousarray(effect), np.ascontiguousarray(variance)
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    out = np.empty((groups, COLUMNS))
    places = [a.ctypes.data for a in (offsets, effect, variance)]
    check(kernel.balm_groups(groups, *places, METHODS[estimator], 0.0, 0, None, None, out.ctypes.data))
    return _solved(out)


def conclude(
    effect: Floats,
    variance: Floats,
    offsets: Integers,
    estimator: str,
    kinds: tuple[int, int, int],
    tables: Floats,
    out: Floats,
    *,
    profile: bool,
) -> None:
    """Solve every group and write all that follows for the plain intervals; the kernel must be there.

    effect, variance, offsets : as for :func:`solve`.
    kinds   : which standard error the interval has, whether I2 is from Q, which one the prediction interval has: the
              numbers of `conclusions.h`.
    tables  : (5, width) by degrees of freedom k - 1: those of the interval, its critical value, the prediction
              interval's, and the lower and upper chi-square quantiles of the Q-profile ends (``profile``).
    out     : (19, G), each row contiguous: the columns of a batch, the Q-profile ends, and the largest over the
              smallest variance. p-values that the kernel leaves to the caller are -1 (see :func:`tail`).
    """
    effect, variance = np.ascontiguousarray(effect), np.ascontiguousarray(variance)
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    status = library().balm_concluded(
        len(offsets) - 1,
        *(a.ctypes.data for a in (offsets, effect, variance)),
        METHODS[estimator],
        (ctypes.c_int64 * 3)(*kinds),
        int(profile),
        tables.shape[1],
        tables.ctypes.data,
        out.strides[0] // out.itemsize,
        out.ctypes.data,
    )
    check(status)


def solve_one(
    effect: Floats, variance: Floats, estimator: str, *, quantiles: tuple[float, float] | None = None
) -> Solved | None:
    """One group as plain floats, or ``None`` where the kernel cannot, or not with all digits.

    effect, variance : (k,) contiguous float64, k at least 2.
    quantiles        : (lower, upper) chi-square quantiles with k - 1 degrees of freedom, for ``low`` and ``high``.
    """
    kernel = library()
    if kernel is None or estimator not in METHODS:
        return None
    k = len(effect)
    offsets, out = (ctypes.c_int64 * 2)(0, k), (ctypes.c_double * COLUMNS)()
    ends: list[Any] = [None, None]
    if quantiles is not None:
        ends = [(ctypes.c_double * k)(), (ctypes.c_double * k)()]
        ends[0][k - 1], ends[1][k - 1] = quantiles
    status = kernel.balm_groups(
        1,
        offsets,
        effect.__array_interface__["data"][0],
        variance.__array_interface__["data"][0],
        METHODS[estimator],
        0.0,
        0 if quantiles is None else 1,
        *ends,
        out,
    )
    check(status)
    found = Solved(*[out[i] for i in PLACES])
    return found if found.span <= ALL_DIGITS and found.residual <= LARGEST_RESIDUAL else None


@dataclass(frozen=True, eq=False, slots=True)
class Subsets:
    """(n,) columns of subsets: how many studies, mean, tau2, Q and the typical within-study variance.

    Subsets of one study have its effect as the mean and ``nan`` elsewhere.
    """

    size: Integers
    mean: Floats
    tau2: Floats
    q: Floats
    typical: Floats


def solve_subsets(effect: Floats, variance: Floats, bits: NDArray[np.uint8], estimator: str) -> Subsets | None:
    """Solve subsets of one group, or ``None`` where the kernel cannot.

    effect, variance : (k,). Variances further apart than :data:`LARGEST_RATIO` are left to NumPy.
    bits             : (n, bytes), no subset empty: study ``j`` is bit ``j % 8`` of byte ``j // 8``.
    """
    kernel = library()
    if kernel is None or estimator not in METHODS or variance.max() > LARGEST_RATIO * variance.min():
        return None
    effect, variance = np.ascontiguousarray(effect), np.ascontiguousarray(variance)
    bits = np.ascontiguousarray(bits)
    size, out = np.empty(len(bits), dtype=np.int64), np.empty((4, len(bits)))
    status = kernel.balm_subsets(
        len(effect),
        effect.ctypes.data,
        variance.ctypes.data,
        len(bits),
        bits.shape[1],
        bits.ctypes.data,
        METHODS[estimator],
        size.ctypes.data,
        out.ctypes.data,
    )
    check(status)
    return Subsets(size, *out)


def solve_left_out(effect: Floats, variance: Floats, offsets: Integers, estimator: str) -> Solved | None:
    """Solve every group once without each of its studies: (n,) columns, or ``None`` where the kernel cannot.

    Rows of groups with fewer than three studies are ``nan`` in ``tau2`` and not set elsewhere.
    """
    kernel = library()
    if kernel is None or estimator not in METHODS:
        return None
    effect, variance = np.ascontiguousarray(effect), np.ascontiguousarray(variance)
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    out = np.empty((len(effect), COLUMNS))
    out[:, 0] = np.nan
    status = kernel.balm_left_out(
        len(offsets) - 1,
        offsets.ctypes.data,
        effect.ctypes.data,
        variance.ctypes.data,
        METHODS[estimator],
        out.ctypes.data,
    )
    check(status)
    return _solved(out)


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """(B,) columns of regressions on one moderator.

    The weighted means of effect and moderator, the slope, the sum of weights, and the weighted sums of squares of the
    moderator about its mean (``spread``) and of the residuals.
    """

    tau2: Floats
    effect: Floats
    moderator: Floats
    slope: Floats
    weight: Floats
    spread: Floats
    rss: Floats


def solve_lines(effect: Floats, moderator: Floats, variance: Floats, count: int, estimator: str) -> Lines | None:
    """Fit ``count`` regressions with an intercept and one moderator, or ``None`` where the kernel cannot.

    effect, moderator : (k, count), or (k, 1) where all regressions share them.
    variance          : (k, 1), shared. Variances further apart than :data:`LARGEST_RATIO` are left to NumPy.
    """
    kernel = library()
    if kernel is None or estimator not in METHODS or variance.max() > LARGEST_RATIO * variance.min():
        return None
    effect, moderator, variance = (np.ascontiguousarray(a, dtype=np.float64) for a in (effect, moderator, variance))
    out = np.empty((7, count))
    status = kernel.balm_lines(
        len(variance),
        count,
        effect.ctypes.data,
        int(effect.shape[1] == 1),
        moderator.ctypes.data,
        int(moderator.shape[1] == 1),
        variance.ctypes.data,
        METHODS[estimator],
        out.ctypes.data,
    )
    check(status)
    return Lines(*out)


def at_nodes(weight: Floats, sums: Floats, tau2: Floats) -> tuple[Floats, Floats] | None:
    """Sums over the studies of many groups (G, K) at nodes (G, M) of tau2, or ``None`` without the kernel.

    With factors ``1 + weight * tau2``: (G, 3, M) the sums of ``sums`` (G, 3, K) over them, and (G, M) the sum of their
    logarithms. Studies of weight 0 fill up groups; up to 16 factors must not overflow when they are multiplied.
    """
    kernel = library()
    if kernel is None:
        return None
    weight, sums, tau2 = (np.ascontiguousarray(a, dtype=np.float64) for a in (weight, sums, tau2))
    (groups, studies), nodes = weight.shape, tau2.shape[1]
    found, logs = np.empty((groups, 3, nodes)), np.empty((groups, nodes))
    places = [a.ctypes.data for a in (weight, sums, tau2, found, logs)]
    check(kernel.balm_at_nodes(groups, studies, nodes, *places))
    return found, logs


def mixture_quantiles(
    share: Floats,
    mean: Floats,
    sd: Floats,
    centre: Floats,
    spread: Floats,
    levels: Floats,
    normal: Floats,
    last: Floats,
) -> tuple[Floats, Floats] | None:
    """:func:`balm.stats.bayes.many_quantiles.mixture_quantiles`, with normal quantiles of ``levels``; or ``None``."""
    kernel = library()
    if kernel is None:
        return None
    given = [np.ascontiguousarray(a, dtype=np.float64) for a in (share, mean, sd, centre, spread, levels, normal, last)]
    places = [a.ctypes.data for a in given]
    (groups, nodes), count, width = share.shape, len(levels), last.shape[1]
    found, rough = np.empty((count, groups)), np.empty(groups)
    status = kernel.balm_mixture_quantiles(
        groups, nodes, *places[:5], count, *places[5:7], width, places[7], found.ctypes.data, rough.ctypes.data
    )
    check(status)
    return found, rough


def node_quantiles(
    nodes: Floats, density: Floats, known: Floats, series: Floats, integral: Floats, levels: Floats
) -> Floats | None:
    """(G, P) where the integral of each density reaches ``levels``, or ``None`` without the kernel.

    density, known   : (G, M) the density, and its integral from 0, at the nodes (M,) on (0, 1).
    series, integral : (G, M) and (G, M + 1) coefficients of both in Chebyshev polynomials.
    """
    kernel = library()
    if kernel is None:
        return None
    given = [np.ascontiguousarray(a, dtype=np.float64) for a in (nodes, density, known, series, integral, levels)]
    places = [a.ctypes.data for a in given]
    found = np.empty((len(density), len(levels)))
    kernel.balm_node_quantiles(*density.shape, *places[:5], len(levels), places[5], found.ctypes.data)
    return found


def check(status: int) -> None:
    """Refuse what a call of the kernel returned when it had no memory."""
    if status != 0:
        raise MemoryError("the compiled kernel ran out of memory")


def _solved(out: Floats) -> Solved:
    return Solved(*out.T[PLACES])
