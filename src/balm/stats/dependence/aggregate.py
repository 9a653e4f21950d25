"""One effect a study from several: the average of dependent effects with an assumed correlation between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from balm.vocabulary.problems import InputError, refuse

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Aggregated:
    """One ``effect`` and ``variance`` a ``study``, in first-seen order, with the ``count`` of effects behind each."""

    study: tuple[Any, ...]
    effect: Floats
    variance: Floats
    count: NDArray[np.int64]
    correlation: float | None
    weighted: bool


def _finite(name: str, values: ArrayLike) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers; got {values!r}") from None
    if array.ndim != 1 or array.size == 0:
        refuse(f"{name} must be a list of at least one number")
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        refuse(f"{name}[{bad[0]}] must be a finite number; got {array[bad[0]]}: leave out what is missing")
    return array


def aggregate(
    *,
    effect: ArrayLike,
    variance: ArrayLike,
    study: Sequence[Any],
    correlation: float | None = None,
    V: ArrayLike | None = None,
    weighted: bool = True,
) -> Aggregated:
    """Average the effects of each study, given the correlation of their sampling errors.

    effect, variance, study : (m,), rows in any order. ``correlation``: the same between any two effects of a study (0:
    independent). ``V``: instead, the whole covariance of the sampling errors, (m, m), as
    :func:`balm.sampling_covariance` builds it from outcomes, times and shared groups. With V the covariance within a
    study and 1 a vector of ones, the weighted average is
    1'V⁻¹y / 1'V⁻¹1 with variance 1 / 1'V⁻¹1; unweighted it is the plain mean with variance 1'V1 / k². Weighted averages
    can leave the range of the effects when variances differ much and the correlation is high; then prefer unweighted.

    Gleser & Olkin (2009), The Handbook of Research Synthesis, chapter 19; Borenstein et al. (2009), chapter 24
    (unweighted).

    >>> found = aggregate(effect=[0.2, 0.4, 0.5], variance=[0.04, 0.04, 0.09], study=["a", "a", "b"], correlation=0.5)
    >>> found.study, found.effect.round(3).tolist(), found.variance.round(3).tolist()
    (('a', 'b'), [0.3, 0.5], [0.03, 0.09])
    """
    y, v, labels = _finite("effect", effect), _finite("variance", variance), list(study)
    if not y.size == v.size == len(labels):
        refuse(f"effect, variance and study must be of one length; got {y.size}, {v.size} and {len(labels)}")
    if np.any(v <= 0):
        i = int(np.flatnonzero(v <= 0)[0])
        refuse(f"variance[{i}] must be above 0; got {v[i]}")
    for i, label in enumerate(labels):
        if label is None or label != label:
            refuse(f"study[{i}] is missing: every effect needs the label of its study")
    index = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    group = np.array([index[label] for label in labels])
    k = np.bincount(group)
    if (V is None) == (correlation is None):
        refuse("give correlation=, the same between any two effects of a study, or V=, their covariance")
    if correlation is None:
        return _by_matrix(y, v, np.asarray(V, dtype=np.float64), tuple(index), group, k, weighted)
    rho = float(_finite("correlation", [correlation])[0])
    least = -1 / (int(k.max()) - 1) if k.max() > 1 else -1.0
    if not least < rho < 1:
        said = f"between {least:.3g} and 1, both excluded, with {k.max()} effects in a study"
        refuse(f"correlation must lie {said}; got {rho}")

    def total(x: Floats) -> Floats:
        return np.asarray(np.bincount(group, weights=x), dtype=np.float64)

    if weighted:
        # V = D((1 − ρ)I + ρ11')D with D the standard errors, inverted in closed form (Sherman and Morrison).
        u = 1 / np.sqrt(v)
        shrink = rho / (1 + (k - 1) * rho)
        precision = (total(u * u) - shrink * total(u) ** 2) / (1 - rho)
        middle = (total(u * u * y) - shrink * total(u) * total(u * y)) / (1 - rho) / precision
        return Aggregated(tuple(index), middle, 1 / precision, k, rho, weighted)
    spread = ((1 - rho) * total(v) + rho * total(np.sqrt(v)) ** 2) / k**2
    return Aggregated(tuple(index), total(y) / k, spread, k, rho, weighted)


def _by_matrix(
    y: Floats, v: Floats, matrix: Floats, study: tuple[Any, ...], group: Any, k: Any, weighted: bool
) -> Aggregated:
    if matrix.shape != (y.size, y.size) or not np.array_equal(matrix, matrix.T):
        refuse(f"V must be a symmetric matrix of {y.size} rows, one an effect; got shape {matrix.shape}")
    if not np.allclose(np.diag(matrix), v, rtol=1e-8, atol=0.0):
        i = int(np.argmax(np.abs(np.diag(matrix) / v - 1.0)))
        refuse(f"V's diagonal in row {i + 1} is {matrix[i, i]:g}, but variance[{i}] is {v[i]:g}")
    middle, spread = np.empty(len(study)), np.empty(len(study))
    for i, label in enumerate(study):
        rows = np.flatnonzero(group == i)
        within = matrix[np.ix_(rows, rows)]
        if not np.linalg.eigvalsh(within)[0] > 0.0:
            refuse(f"study {label!r}: V is not positive definite; lower its correlations, or check for repeated rows")
        weight = np.linalg.solve(within, np.ones(len(rows))) if weighted else np.ones(len(rows))
        weight /= weight.sum()
        middle[i], spread[i] = weight @ y[rows], weight @ within @ weight
    return Aggregated(study, middle, spread, k, None, weighted)
