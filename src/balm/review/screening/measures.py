"""How good an order of reading was, once every label is known.

All take ``found``: for each record in the order it was read, whether it is included. Records known beforehand are not
part of it.
Results are fractions, never per cent; without any included record there is nothing to estimate, and they are ``nan``.
"""

from __future__ import annotations

from math import ceil, nan

import numpy as np
import numpy.typing as npt

Found = npt.ArrayLike


def _ranks(found: Found) -> tuple[npt.NDArray[np.int64], int]:
    array = np.asarray(found, dtype=bool)
    return np.flatnonzero(array) + 1, len(array)


def work_saved(found: Found, recall: float = 0.95) -> float:
    """WSS: the share of reading saved at ``recall``, over what a random order would have saved (1 - recall).

    ``(n - k) / n - (1 - recall)``, where k records had to be read for ``ceil(recall * included)`` of the included.
    Cohen et al. (2006), J Am Med Inform Assoc 13:206-219.

    >>> work_saved([True, True, False, False], recall=1.0)
    0.5
    """
    ranks, n = _ranks(found)
    if not len(ranks):
        return nan
    return recall - float(ranks[ceil(recall * len(ranks) - 1e-9) - 1]) / n


def recall_after(found: Found, share: float = 0.10) -> float:
    """The share of the included records found once ``share`` of all records are read (rounded down, at least one).

    >>> recall_after([True, False, False, True] + 16 * [False])
    0.5
    """
    ranks, n = _ranks(found)
    return float((ranks <= max(1, int(share * n + 1e-9))).mean()) if len(ranks) else nan


def mean_position(found: Found) -> float:
    """ATD, the average time to discovery: the mean position of the included records, as a share of all.

    >>> mean_position([True, False, True, False])
    0.5
    """
    ranks, n = _ranks(found)
    return float(ranks.mean()) / n if len(ranks) else nan


def loss(found: Found) -> float:
    """The area between the best possible recall curve and this one, over its largest value: 0 perfect, 1 worst.

    As ASReview prints it. Not defined when all records are included.

    >>> loss([True, False, False]), loss([False, False, True])
    (0.0, 1.0)
    """
    ranks, n = _ranks(found)
    r = len(ranks)
    if r in (0, n):
        return nan
    return float(ranks.sum() - r * (r + 1) / 2) / (r * (n - r))


def ndcg(found: Found) -> float:
    """Normalised discounted cumulative gain with the logarithm to base 2, as ASReview prints it.

    >>> ndcg([True, True, False])
    1.0
    """
    ranks, _ = _ranks(found)
    if not len(ranks):
        return nan
    return float((1 / np.log2(ranks + 1)).sum() / (1 / np.log2(np.arange(2, len(ranks) + 2))).sum())
