"""The covariance of the sampling errors of effects that share people: outcomes, times, control groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.columns import numeric_column
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.grouping import Grouping, column, grouping
from balm.vocabulary.problems import InputError

Bools = NDArray[np.bool_]


def sampling_covariance(
    es: EffectSizes,
    cluster: Any = "study",
    *,
    data: Any = None,
    correlation: float | None = None,
    outcome: Any = None,
    outcome_correlation: Any = None,
    time: Any = None,
    time_2: Any = None,
    autocorrelation: float | None = None,
    group_1: Any = None,
    group_2: Any = None,
    n_1: Any = None,
    n_2: Any = None,
) -> Floats:
    """V (k, k) for :func:`balm.multilevel`: ``r_ij sqrt(v_i v_j)`` within clusters, 0 between them.

    cluster : labels (k,) or a column of ``data``: effects of different clusters share no people.

    The correlation of two effects of a cluster is the product of what is known about the pair:

    - ``outcome`` (k,): 1 for the same outcome, else ``outcome_correlation``: one number, or ``(labels, matrix)``;
    - ``time`` (k,): ``autocorrelation ** |time_i - time_j|``;
    - ``group_1, group_2, n_1, n_2`` (k,): the compared groups and their sizes. Two contrasts that share a group have
      ``r = (1 / n shared) / sqrt((1/n_1 + 1/n_2)_i (1/n_1 + 1/n_2)_j)``, minus where the shared group is group 1 of one
      and group 2 of the other (Gleser & Olkin 2009, equal variances); contrasts that share none have 0;
    - ``time_2`` beside ``time`` and the groups: when group 2 was measured, where that is another time (a change within
      one group has the same group twice). Each mean has its own time, and two means of one group correlate by
      ``autocorrelation ** |gap|``;
    - ``correlation``: pairs that nothing above tells apart (all pairs, when nothing else is given).

    Sources: Gleser & Olkin (2009), The Handbook of Research Synthesis, chapter 19; Pustejovsky & Tipton (2022) for a
    constant correlation as a working model; Ishak et al. (2007) for times.

    >>> es = EffectSizes(effect=[0.2, 0.3, 0.1], variance=[0.04, 0.09, 0.05], study=["a", "a", "b"])
    >>> sampling_covariance(es, correlation=0.5).round(4).tolist()
    [[0.04, 0.03, 0.0], [0.03, 0.09, 0.0], [0.0, 0.0, 0.05]]

    Two doses against one control group:

    >>> es = EffectSizes(effect=[0.2, 0.3], variance=[0.04, 0.04], study=["a", "a"])
    >>> arms = {"group_1": ["low", "high"], "group_2": ["control"] * 2, "n_1": [50, 50], "n_2": [50, 50]}
    >>> sampling_covariance(es, **arms).round(4).tolist()
    [[0.04, 0.02], [0.02, 0.04]]
    """
    k = len(es)
    held = _labels("cluster", cluster, es, data)
    same = held.codes[:, None] == held.codes[None, :]
    factors: list[Floats] = []
    alike: Bools = np.ones((k, k), dtype=bool)
    if outcome is not None:
        o = _labels("outcome", outcome, es, data)
        factors.append(_between_outcomes(o, outcome_correlation))
        alike &= o.codes[:, None] == o.codes[None, :]
    elif outcome_correlation is not None:
        raise InputError("outcome_correlation needs outcome=, the outcome of each effect")
    rho, t, t_2 = 1.0, np.zeros(k), np.zeros(k)
    if time is not None:
        if autocorrelation is None:
            raise InputError("time needs autocorrelation=, the correlation one unit of time apart")
        t = t_2 = _numbers("time", time, es, data)
        rho = _number("autocorrelation", autocorrelation, 0.0)
        if time_2 is None:
            gap = np.abs(t[:, None] - t[None, :])
            factors.append(np.asarray(rho**gap, dtype=np.float64))
            alike &= gap == 0.0
        else:
            t_2 = _numbers("time_2", time_2, es, data)
    elif autocorrelation is not None:
        raise InputError("autocorrelation needs time=, the time of each effect")
    elif time_2 is not None:
        raise InputError("time_2 needs time=, the time of group 1")
    arms = {"group_1": group_1, "group_2": group_2, "n_1": n_1, "n_2": n_2}
    lacking = [name for name, value in arms.items() if value is None]
    if len(lacking) < len(arms):
        if lacking:
            raise InputError(f"shared groups need group_1, group_2, n_1 and n_2; {lacking[0]} is missing")
        shared = _shared_groups(group_1, group_2, n_1, n_2, es, data, (t, t_2, rho if time_2 is not None else 1.0))
        factors.append(shared)
        alike &= np.abs(shared) > 1.0 - 1e-12
    elif time_2 is not None:
        raise InputError("time_2 is the time of group 2: it needs group_1, group_2, n_1 and n_2")
    r = np.ones((k, k))
    for factor in factors:
        r = r * factor
    off = same & ~np.eye(k, dtype=bool)
    pairs = off & alike
    if correlation is not None:
        if not pairs.any() and off.any():
            raise InputError("correlation= has no effect: the other arguments tell all effects of a cluster apart")
        r = np.where(pairs, r * _number("correlation", correlation, -1.0), r)
    elif pairs.any():
        i, j = (int(a) for a in np.argwhere(pairs)[0])
        how = "say how they correlate with correlation=" if factors else "give correlation=, or outcome=, time=, groups"
        raise InputError(f"{held.name} {held.labels[held.codes[i]]!r}: rows {i + 1} and {j + 1} are alike; {how}")
    r = np.where(same, r, 0.0)
    np.fill_diagonal(r, 1.0)
    _refuse_impossible(r, held)
    sd = np.sqrt(es.variance)
    return np.asarray(r * np.outer(sd, sd), dtype=np.float64)


def _labels(argument: str, given: Any, es: EffectSizes, data: Any) -> Grouping:
    name = given if isinstance(given, str) else argument
    found = grouping(name, column(given, es, data) if isinstance(given, str) else given)
    if len(found.codes) != len(es):
        raise InputError(f"{argument} has {len(found.codes)} labels; there are {len(es)} effects")
    return found


def _numbers(argument: str, given: Any, es: EffectSizes, data: Any) -> Floats:
    found = numeric_column(argument, given, data)
    values = np.broadcast_to(found.values, (len(es),)) if found.constant else found.values
    if len(values) != len(es):
        raise InputError(f"{argument} has {len(values)} numbers; there are {len(es)} effects")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(f"{found.label} must be a number in every row; row {int(bad[0]) + 1} has none")
    return np.asarray(values, dtype=np.float64)


def _number(name: str, value: Any, least: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number between {least:g} and 1; got {value!r}") from None
    if not least <= number < 1.0:
        raise InputError(f"{name} must lie between {least:g} and 1 (below 1); got {value!r}")
    return number


def _between_outcomes(o: Grouping, given: Any) -> Floats:
    if given is None:
        raise InputError("outcome needs outcome_correlation=: one number, or (labels, matrix)")
    same = o.codes[:, None] == o.codes[None, :]
    if not isinstance(given, tuple):
        return np.asarray(np.where(same, 1.0, _number("outcome_correlation", given, -1.0)), dtype=np.float64)
    labels, matrix = list(given[0]), np.asarray(given[1], dtype=np.float64)
    if matrix.shape != (len(labels), len(labels)) or not np.allclose(matrix, matrix.T):
        raise InputError(f"outcome_correlation must be a symmetric matrix over {labels}; got shape {matrix.shape}")
    if not np.allclose(np.diag(matrix), 1.0):
        raise InputError("outcome_correlation must have ones on its diagonal")
    lacking = [x for x in o.labels if x not in labels]
    if lacking:
        raise InputError(f"outcome_correlation lacks the outcome {lacking[0]!r}; it has {labels}")
    at = np.array([labels.index(x) for x in o.labels])[o.codes]
    return np.asarray(matrix[np.ix_(at, at)], dtype=np.float64)


def _shared_groups(
    group_1: Any,
    group_2: Any,
    n_1: Any,
    n_2: Any,
    es: EffectSizes,
    data: Any,
    times: tuple[Floats, Floats, float],
) -> Floats:
    """Correlation of two differences of group means, from the groups that they share and the times of these means."""
    one, two = (_labels(n, g, es, data) for n, g in (("group_1", group_1), ("group_2", group_2)))
    names = {label: i for i, label in enumerate(dict.fromkeys((*one.labels, *two.labels)))}
    a = np.array([names[x] for x in one.labels])[one.codes]
    b = np.array([names[x] for x in two.labels])[two.codes]
    t, t_2, rho = times
    itself = (a == b) & (t == t_2) if rho < 1.0 else a == b
    if np.any(itself):
        i = int(np.argmax(itself))
        more = "" if rho == 1.0 else " at one time"
        raise InputError(f"row {i + 1} compares a group with itself{more}: {one.labels[one.codes[i]]!r}")
    sizes = [_numbers(n, g, es, data) for n, g in (("n_1", n_1), ("n_2", n_2))]
    for name, size in zip(("n_1", "n_2"), sizes, strict=True):
        if np.any(size <= 0.0):
            raise InputError(f"{name} must be above 0; row {int(np.argmax(size <= 0.0)) + 1} has {size.min():g}")
    u, v = 1.0 / sizes[0], 1.0 / sizes[1]

    means = ((a, u, t, 1.0), (b, v, t_2, -1.0))
    cov = np.zeros((len(es), len(es)))
    for x, p, s, sign in means:
        for y, q, r, other in means:
            apart = np.abs(s[:, None] - r[None, :])
            cov += sign * other * np.where(x[:, None] == y[None, :], np.sqrt(np.outer(p, q)) * rho**apart, 0.0)
    own = np.sqrt(np.diag(cov))
    return np.asarray(cov / np.outer(own, own), dtype=np.float64)


def _refuse_impossible(r: Floats, held: Grouping) -> None:
    """Each cluster's correlations must be possible together."""
    counts = np.bincount(held.codes)
    order = np.argsort(held.codes, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    for m in np.unique(counts[counts > 1]):
        which = np.flatnonzero(counts == m)
        rows = order[first[which][:, None] + np.arange(m)]
        least = np.linalg.eigvalsh(r[rows[:, :, None], rows[:, None, :]])[:, 0]
        if np.any(least <= 1e-12):
            i = int(np.argmin(least))
            raise InputError(
                f"{held.name} {held.labels[int(which[i])]!r}: its correlations are not possible together (least "
                f"eigenvalue {least[i]:.3g}); lower them, or check the rows for repeats"
            )
