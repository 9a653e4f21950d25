"""The covariance of the sampling errors, read and checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.vocabulary.problems import InputError


def sampling_errors(given: Any, es: EffectSizes) -> Floats | None:
    """``V`` as a (k, k) matrix, or None when errors are independent with the variances of ``es``."""
    if given is None:
        return None
    k = len(es)
    if isinstance(given, (list, tuple)) and len(given) and np.ndim(given[0]) == 2:
        given = _stacked(given, k)
    try:
        v = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("V must be a (k, k) matrix of numbers, or a list of blocks in row order") from None
    if v.shape == (k,):
        v = np.diag(v)
    if v.shape != (k, k):
        raise InputError(f"V must have shape ({k}, {k}), one row an effect; got {v.shape}")
    if not np.all(np.isfinite(v)):
        i, j = (int(a) for a in np.argwhere(~np.isfinite(v))[0])
        raise InputError(f"V is missing or not finite in row {i + 1}, column {j + 1}")
    scale = np.sqrt(np.outer(es.variance, es.variance))
    if np.any(np.abs(v - v.T) > 1e-8 * scale):
        i, j = (int(a) for a in np.argwhere(np.abs(v - v.T) > 1e-8 * scale)[0])
        raise InputError(f"V is not symmetric: row {i + 1}, column {j + 1} is {v[i, j]:.6g}, turned {v[j, i]:.6g}")
    wrong = np.abs(np.diag(v) - es.variance) > 1e-6 * es.variance
    if wrong.any():
        i = int(np.argmax(wrong))
        raise InputError(
            f"V's diagonal in row {i + 1} is {v[i, i]:.6g}, but the variance of {es.study[i]} is "
            f"{es.variance[i]:.6g}: put V in the order of the effects"
        )
    v = 0.5 * (v + v.T)
    try:
        np.linalg.cholesky(v / scale)
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(v / scale)[0])
        raise InputError(
            f"V is not positive definite (least eigenvalue of its correlations {least:.3g}): correlations are too high "
            "or contradict each other"
        ) from None
    return None if np.count_nonzero(v) == k else v


def _stacked(blocks: Any, k: int) -> Floats:
    out = np.zeros((k, k))
    at = 0
    for i, block in enumerate(blocks):
        b = np.asarray(block, dtype=np.float64)
        if b.ndim != 2 or b.shape[0] != b.shape[1] or at + len(b) > k:
            raise InputError(f"V's block {i + 1} has shape {b.shape}; blocks must be square and fill {k} rows")
        out[at : at + len(b), at : at + len(b)] = b
        at += len(b)
    if at != k:
        raise InputError(f"V's blocks fill {at} rows; there are {k} effects")
    return out
