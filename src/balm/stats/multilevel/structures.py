"""Covariance structures of random effects: what each assumes, its parameters, and its derivatives.

A structure turns parameters into the distinct entries ("slots") of a between-study covariance matrix. Parameters are
chosen so that every valid matrix lies inside a box of bounds; what a person reads (variances, correlations) comes
from :meth:`Structure.reported`. Derivatives accept complex parameters, so that the optimiser gets exact second
derivatives from a complex step (Squire & Trapp 1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Floats

Values = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The entries of a covariance matrix as functions of bounded parameters.

    powers  : (n,) how each follows the unit of the effects: 2 a variance, 1 a standard deviation, 0 a correlation.
    values  : parameters -> (slots,); slot 0 is always 0.  jacobian : parameters -> (n, slots).
    starts  : starting values for a total variance of 1.
    reported: parameters -> (variances, correlations).
    walk    : values of the last parameter that a search passes through, for a likelihood with several maxima in it.
    unit    : a correlation is reported as the parameter to the power 1 / unit (CAR: a unit of time inside).
    """

    names: tuple[str, ...]
    lower: Floats
    upper: Floats
    powers: Floats
    starts: tuple[Floats, ...]
    values: Callable[[Values], Values]
    jacobian: Callable[[Values], Values]
    reported: Callable[[Floats], tuple[Floats, Floats]]
    walk: Floats = field(default_factory=lambda: np.empty(0))
    unit: float = 1.0


def variance(name: str, correlations: Floats | None = None) -> Structure:
    """One variance, times known ``correlations`` (slots,) if any."""
    shape = np.array([0.0, 1.0]) if correlations is None else np.concatenate([[0.0], correlations.ravel()])
    return _linear((name,), shape[None, :], (np.array([1.0]),), lambda p: (p, np.empty(0)))


def _linear(
    names: tuple[str, ...],
    basis: Floats,
    starts: tuple[Floats, ...],
    reported: Callable[[Floats], tuple[Floats, Floats]],
) -> Structure:
    n = len(names)
    return Structure(
        names,
        np.zeros(n),
        np.full(n, math.inf),
        np.full(n, 2.0),
        starts,
        lambda p: p @ basis,
        lambda p: basis,
        reported,
    )


def identity(levels: int, largest: int) -> Structure:
    """Equal variances, no correlation. Slots: 1 same level."""
    return _linear(("tau2",), np.array([[0.0, 1.0]]), (np.array([1.0]),), lambda p: (p, np.zeros(1)))


def diagonal(levels: int, largest: int) -> Structure:
    """A variance for each level, no correlation. Slots: 1 + level."""
    names = tuple(f"tau2[{i + 1}]" for i in range(levels))
    basis = np.hstack([np.zeros((levels, 1)), np.eye(levels)])
    return _linear(names, basis, (np.ones(levels),), lambda p: (p, np.zeros(1)))


def compound_symmetry(levels: int, largest: int) -> Structure:
    """One variance, one correlation. Slots: 1 same level, 2 another level.

    Parameters are the two eigenvalues of the matrix of ``largest`` levels (the most that one outer level has), so that
    every valid pair is a non-negative pair: a = tau2 (1 - rho), b = tau2 (1 + (m - 1) rho).
    """
    m = max(largest, 2)
    basis = np.array([[0.0, (m - 1) / m, -1 / m], [0.0, 1 / m, 1 / m]])

    def reported(p: Floats) -> tuple[Floats, Floats]:
        tau2, off = ((m - 1) * p[0] + p[1]) / m, (p[1] - p[0]) / m
        return np.array([tau2]), np.array([off / tau2 if tau2 > 0.0 else math.nan])

    return _linear(("within", "between"), basis, (np.array([0.5, 0.5 * (m + 1)]), np.array([1.0, 1.0])), reported)


def _scaled(levels: int, correlation: Callable[[Any], Values], slope: Callable[[Any], Values], low: float) -> Structure:
    """``G = D C(rho) D`` with standard deviations in D. Slots: 1 + i * levels + j."""
    names = (*(f"tau[{i + 1}]" for i in range(levels)), "rho")

    def values(p: Values) -> Values:
        d, c = p[:-1], correlation(p[-1])
        return np.concatenate([[0.0], (d[:, None] * c * d[None, :]).ravel()])

    def jacobian(p: Values) -> Values:
        d, c = p[:-1], correlation(p[-1])
        out = np.zeros((levels + 1, levels, levels), dtype=p.dtype)
        for i in range(levels):
            out[i, i, :] += c[i] * d
            out[i, :, i] += c[:, i] * d
        out[-1] = d[:, None] * slope(p[-1]) * d[None, :]
        return np.hstack([np.zeros((levels + 1, 1)), out.reshape(levels + 1, -1)])

    def start(rho: float) -> Floats:
        return np.array([1.0] * levels + [rho])

    return Structure(
        names,
        np.array([0.0] * levels + [low]),
        np.array([math.inf] * levels + [1.0]),
        np.array([1.0] * levels + [0.0]),
        (start(0.3), start(0.8)),
        values,
        jacobian,
        lambda p: (p[:-1] ** 2, p[-1:].copy()),
    )


def heterogeneous_compound_symmetry(levels: int, largest: int) -> Structure:
    """A variance for each level, one correlation."""
    eye = np.eye(levels)
    off = np.ones((levels, levels)) - eye
    return _scaled(levels, lambda r: eye + r * off, lambda r: off, -1.0 / (max(largest, 2) - 1))


def _lags(levels: int) -> NDArray[Any]:
    i = np.arange(levels)
    lags: NDArray[Any] = np.abs(i[:, None] - i[None, :])
    return lags


def _power_slope(r: Any, lag: NDArray[Any]) -> Values:
    slope: Values = np.where(lag > 0, lag * np.power(r + 0.0, np.maximum(lag - 1, 0)), 0.0)
    return slope


def heterogeneous_autoregressive(levels: int, largest: int) -> Structure:
    """A variance for each level; correlation rho to the power of the lag between levels in their order."""
    lag = _lags(levels)
    return _scaled(levels, lambda r: np.asarray(np.power(r + 0.0, lag)), lambda r: _power_slope(r, lag), -1.0)


def autoregressive(levels: int, largest: int) -> Structure:
    """One variance; correlation rho to the power of the lag. Slots: 1 + lag."""
    lag = np.arange(levels)

    def values(p: Values) -> Values:
        return np.concatenate([[0.0], p[0] * np.power(p[1] + 0.0, lag)])

    def jacobian(p: Values) -> Values:
        rows = np.stack([np.power(p[1] + 0.0, lag), p[0] * _power_slope(p[1], lag)])
        return np.hstack([np.zeros((2, 1)), rows])

    return Structure(
        ("tau2", "rho"),
        np.array([0.0, -1.0]),
        np.array([math.inf, 1.0]),
        np.array([2.0, 0.0]),
        (np.array([1.0, 0.3]), np.array([1.0, 0.9])),
        values,
        jacobian,
        _tau2_and_rho,
    )


def _tau2_and_rho(p: Floats) -> tuple[Floats, Floats]:
    """As they are; a correlation of effects that do not vary is not defined."""
    return p[:1].copy(), p[1:].copy() if p[0] > 0.0 else np.array([math.nan])


def unstructured(levels: int, largest: int) -> Structure:
    """Any covariance matrix, through its Cholesky factor, row by row. Slots: 1 + i * levels + j."""
    rows, columns = np.tril_indices(levels)
    n = len(rows)

    def factor(p: Values) -> Values:
        out = np.zeros((levels, levels), dtype=p.dtype)
        out[rows, columns] = p
        return out

    def values(p: Values) -> Values:
        f = factor(p)
        return np.concatenate([[0.0], (f @ f.T).ravel()])

    def jacobian(p: Values) -> Values:
        f = factor(p)
        out = np.zeros((n, levels, levels), dtype=p.dtype)
        for a, (i, j) in enumerate(zip(rows, columns, strict=True)):
            out[a, i, :] += f[:, j]
            out[a, :, i] += f[:, j]
        return np.hstack([np.zeros((n, 1)), out.reshape(n, -1)])

    def reported(p: Floats) -> tuple[Floats, Floats]:
        f = factor(p)
        g = f @ f.T
        sd = np.sqrt(np.diag(g))
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.where(np.outer(sd, sd) > 0.0, g / np.outer(sd, sd), math.nan)
        return np.diag(g).copy(), np.array([r[i, j] for j in range(levels) for i in range(j + 1, levels)])

    def start(rho: float) -> Floats:
        matrix = np.full((levels, levels), rho) + (1 - rho) * np.eye(levels)
        return np.asarray(np.linalg.cholesky(matrix)[rows, columns])

    free = np.full(n, math.inf)
    names = tuple(f"root[{i + 1},{j + 1}]" for i, j in zip(rows, columns, strict=True))
    return Structure(names, -free, free, np.ones(n), (start(0.3), start(0.8)), values, jacobian, reported)


def _distance(correlation: Callable[[Any, Floats], Values], slope: Callable[[Any, Floats], Values]) -> Any:
    """One variance, and a correlation that falls with distance. Slots: 1 + place among the distinct distances."""

    def build(distances: Floats, upper: float, starts: Sequence[float], walk: Floats, unit: float = 1.0) -> Structure:
        def values(p: Values) -> Values:
            return np.concatenate([[0.0], p[0] * correlation(p[1], distances)])

        def jacobian(p: Values) -> Values:
            rows = np.stack([correlation(p[1], distances), p[0] * slope(p[1], distances)])
            return np.hstack([np.zeros((2, 1)), rows])

        return Structure(
            ("tau2", "rho"),
            np.array([0.0, 1e-10 * upper]),
            np.array([math.inf, upper]),
            np.array([2.0, 0.0]),
            tuple(np.array([1.0, rho]) for rho in starts),
            values,
            jacobian,
            lambda p: _tau2_and_rho(np.array([p[0], p[1] ** (1.0 / unit)])),
            walk,
            unit,
        )

    return build


def _near(inside: Any, value: Any) -> Values:
    return np.where(inside, value, 0.0)


#: Correlation as a function of distance d, and its slope in rho. CAR: rho^d, rho in (0, 1]. The spatial ones take a
#: range rho > 0 in the unit of the distance (Cressie 1993, section 2.3.1).
BY_DISTANCE: dict[str, Any] = {
    "CAR": _distance(lambda r, d: np.exp(d * np.log(r)), lambda r, d: d * np.exp((d - 1) * np.log(r))),
    "SPEXP": _distance(lambda r, d: np.exp(-d / r), lambda r, d: np.exp(-d / r) * d / r**2),
    "SPGAU": _distance(lambda r, d: np.exp(-((d / r) ** 2)), lambda r, d: np.exp(-((d / r) ** 2)) * 2 * d**2 / r**3),
    "SPLIN": _distance(lambda r, d: _near(d < np.real(r), 1 - d / r), lambda r, d: _near(d < np.real(r), d / r**2)),
    "SPRAT": _distance(lambda r, d: 1 / ((d / r) ** 2 + 1), lambda r, d: 2 * d**2 / r**3 / ((d / r) ** 2 + 1) ** 2),
    "SPSPH": _distance(
        lambda r, d: _near(d < np.real(r), 1 - 1.5 * d / r + 0.5 * (d / r) ** 3),
        lambda r, d: _near(d < np.real(r), 1.5 * d / r**2 - 1.5 * d**3 / r**4),
    ),
}

#: Structures over the levels of a factor: ``(levels, most levels within one outer level) -> Structure``.
BY_LEVEL: dict[str, Callable[[int, int], Structure]] = {
    "CS": compound_symmetry,
    "HCS": heterogeneous_compound_symmetry,
    "UN": unstructured,
    "DIAG": diagonal,
    "ID": identity,
    "AR": autoregressive,
    "HAR": heterogeneous_autoregressive,
}

#: Every structure, and what it says in words.
STRUCTURES: dict[str, str] = {
    "CS": "compound symmetry: one variance, one correlation",
    "HCS": "a variance for each level, one correlation",
    "UN": "unstructured: any variances and correlations",
    "DIAG": "a variance for each level, no correlation",
    "ID": "one variance, no correlation",
    "AR": "first-order autoregressive over the order of the levels",
    "HAR": "autoregressive with a variance for each level",
    "CAR": "continuous-time autoregressive: rho to the power of the time between",
    "SPEXP": "spatial, exponential",
    "SPGAU": "spatial, Gaussian",
    "SPLIN": "spatial, linear",
    "SPRAT": "spatial, rational quadratic",
    "SPSPH": "spatial, spherical",
}
