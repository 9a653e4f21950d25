"""Means over visits from people who missed some: a mixed model for repeated measures, by REML.

Every person's answers are normal around the mean of each visit; the answers of one person go together by a covariance
over the visits: ``unstructured`` (every visit its own variance, every pair its own covariance) or
``compound-symmetry`` (one variance, one covariance). People with missing visits count with what they have; the means
are unbiased where what is missing depends on answers that were given (missing at random), and not where it depends on
the missing answer itself. Standard errors and degrees of freedom are Kenward & Roger's.

Mallinckrodt CH et al. Drug Inf J 2008;42:303-19 (the model); Kenward MG, Roger JH. Biometrics 1997;53:983-97, whose
second derivatives vanish here because both structures are linear in their parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations_with_replacement

from balm.stats.arrays import Bools, Floats, Integers, np
from balm.stats.distributions import t_ppf, t_sf
from balm.vocabulary.problems import InputError, check_level, check_option
from balm.vocabulary.quick_dataclass import dataclass

STRUCTURES = ("unstructured", "compound-symmetry")
#: The scoring steps end when none moves a parameter by more than this part of the largest.
CLOSE = 1e-12
MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class Contrast:
    """An estimated mean or difference with Kenward-Roger's standard error and degrees of freedom."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float
    level: float


@dataclass(frozen=True, eq=False)
class RepeatedMeasures:
    """A fitted model: means by visit, their covariance (plain and adjusted), the covariance of a person's answers."""

    visits: tuple[str, ...]
    means: Floats  # (m,)
    covariance: Floats  # (m, m) within a person
    variance: Floats  # (m, m) of the means, as REML gives it
    adjusted: Floats  # (m, m) of the means, Kenward & Roger's
    log_likelihood: float  # restricted
    structure: str
    people: int
    observed: tuple[int, ...]  # answers by visit
    _p: Floats  # (q, m, m), P_k of Kenward & Roger
    _w: Floats  # (q, q), covariance of the parameters of the covariance

    def contrast(self, weights: Sequence[float], *, level: float = 0.95) -> Contrast:
        """The combination ``weights`` (m,) of the means, with its t interval."""
        c = np.asarray(weights, dtype=np.float64)
        if c.shape != self.means.shape:
            raise InputError(f"weights must have one number for each of the {len(self.visits)} visits; got {c.size}")
        check_level(level)
        left = self.variance @ c
        plain = float(c @ left)
        slopes = np.array([left @ p @ left for p in self._p]) / plain
        spread = float(slopes @ self._w @ slopes)
        df = 2.0 / spread if spread > 0 else math.inf
        estimate, se = float(c @ self.means), math.sqrt(float(c @ self.adjusted @ c))
        half = t_ppf(0.5 + level / 2, df) * se
        p = 2.0 * t_sf(abs(estimate / se), df) if se > 0 else math.nan
        return Contrast(estimate, se, df, estimate - half, estimate + half, p, level)

    def mean(self, visit: str, *, level: float = 0.95) -> Contrast:
        """The mean of a visit."""
        return self.contrast([float(v == self._known(visit)) for v in self.visits], level=level)

    def change(self, visit: str, since: str, *, level: float = 0.95) -> Contrast:
        """The mean of ``visit`` minus that of ``since``: below 0 where values fall."""
        one, two = self._known(visit), self._known(since)
        return self.contrast([float(v == one) - float(v == two) for v in self.visits], level=level)

    def _known(self, visit: str) -> str:
        return check_option("visit", visit, self.visits)


def repeated_measures(
    values: Sequence[Sequence[float]], visits: Sequence[str], *, structure: str = "unstructured"
) -> RepeatedMeasures:
    """Fit the model to ``values`` (people, visits), with ``nan`` where there is no answer.

    People without any answer are left out. Every visit needs two answers; for ``unstructured`` every pair of visits
    needs three people with both, or the covariance of the pair is not estimable.

    >>> fit = repeated_measures([[8, 4], [7, 5], [9, 3], [6, 2], [8, float("nan")]], ["baseline", "month"])
    >>> change = fit.change("month", "baseline")
    >>> f"{change.estimate:.2f} ({change.low:.2f} to {change.high:.2f})"
    '-4.08 (-6.44 to -1.72)'
    """
    check_option("structure", structure, STRUCTURES)
    y = np.asarray(values, dtype=np.float64)
    m = len(visits)
    if y.ndim != 2 or y.shape[1] != m or m < 2:
        raise InputError(f"values must be a table of people by {m} visits, two or more")
    if np.isinf(y).any():
        raise InputError("values must be finite, or nan where there is no answer")
    seen = ~np.isnan(y)
    y, seen = y[seen.any(axis=1)], seen[seen.any(axis=1)]
    for j, visit in enumerate(visits):
        if seen[:, j].sum() < 2:
            raise InputError(f"visit {visit!r} has {seen[:, j].sum()} answers; a mean with a variance needs two")
    if structure == "unstructured":
        for j, k in combinations_with_replacement(range(m), 2):
            both = int((seen[:, j] & seen[:, k]).sum())
            if both < 3:
                raise InputError(
                    f"visits {visits[j]!r} and {visits[k]!r} share {both} people; an unstructured covariance needs "
                    "three or more: use structure='compound-symmetry'"
                )
    shapes = _shapes(m, structure)
    groups = _patterns(y, seen, shapes)
    spread = np.array([np.nanvar(y[:, j], ddof=1) for j in range(m)])
    if not (spread > 0).all():
        visit = visits[int(np.argmin(spread))]
        raise InputError(f"all answers at visit {visit!r} are the same: its variance is not estimable")
    if structure == "unstructured":
        theta = np.array([spread[np.argmax(np.diag(s))] if np.trace(s) else 0.0 for s in shapes])
    else:
        theta = np.array([0.7, 0.3]) * float(spread.mean())
    state = _state(theta, shapes, groups, m)
    level = 0
    for _ in range(MAX_STEPS):
        information, slope = _scoring(state, shapes, groups)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            raise _not_estimable(structure) from None
        share, better = 1.0, None
        while share > 1e-10:
            better = _state(theta + share * step, shapes, groups, m)
            if better is not None and state is not None and better[0] >= state[0] - 1e-12 * abs(state[0]):
                break
            better, share = None, share / 2
        if better is None:
            break
        gain = better[0] - (better[0] if state is None else state[0])
        theta, state = theta + share * step, better
        if np.abs(share * step).max() <= CLOSE * np.abs(theta).max():
            break
        level = level + 1 if abs(gain) <= 1e-11 * abs(state[0]) else 0
        if level == 12:  # a step too long in one direction swings about the maximum for ever
            theta, state = _at_the_maximum(theta, state, shapes, groups, m)
            break
    else:
        raise _not_estimable(structure)
    if state is None:
        raise _not_estimable(structure)
    information, slope = _scoring(state, shapes, groups)
    if not np.abs(slope).max() * np.abs(theta).max() < 1e-5 * len(y):
        raise _not_estimable(structure)
    log_likelihood, beta, variance, _ = state
    p, q = _kenward_roger(state, shapes, groups)
    w = np.asarray(np.linalg.inv(information), dtype=np.float64)
    middle = sum(w[i, j] * (q[i, j] - p[i] @ variance @ p[j]) for i in range(len(shapes)) for j in range(len(shapes)))
    adjusted = variance + 2.0 * variance @ middle @ variance
    return RepeatedMeasures(
        visits=tuple(visits),
        means=beta,
        covariance=np.einsum("k,kij->ij", theta, np.array(shapes)),
        variance=variance,
        adjusted=(adjusted + adjusted.T) / 2,
        log_likelihood=float(log_likelihood),
        structure=structure,
        people=len(y),
        observed=tuple(int(n) for n in seen.sum(axis=0)),
        _p=p,
        _w=w,
    )


def _at_the_maximum(
    theta: Floats, state: _State, shapes: list[Floats], groups: list[_Group], m: int
) -> tuple[Floats, _State]:
    """Newton's steps with the observed information, by differences of the slope, from where scoring gains no more.

    Scoring takes the expected information, which with few people may be less than half the observed one in some
    direction: its steps then swing about the maximum without coming nearer.
    """
    _, slope = _scoring(state, shapes, groups)
    for _ in range(20):
        reach = 1e-5 * float(np.abs(theta).max())
        columns = []
        for unit in np.eye(len(theta)):
            ends = [_state(theta + sign * reach * unit, shapes, groups, m) for sign in (1.0, -1.0)]
            if ends[0] is None or ends[1] is None:
                return theta, state
            columns.append((_scoring(ends[0], shapes, groups)[1] - _scoring(ends[1], shapes, groups)[1]) / (2 * reach))
        try:
            step = np.linalg.solve(-np.array(columns).T, slope)
        except np.linalg.LinAlgError:
            return theta, state
        further = _state(theta + step, shapes, groups, m)
        if further is None:
            return theta, state
        steeper = _scoring(further, shapes, groups)[1]
        if np.abs(steeper).max() >= np.abs(slope).max():
            return theta, state
        theta, state, slope = theta + step, further, steeper
    return theta, state


def _not_estimable(structure: str) -> InputError:
    other = "; try structure='compound-symmetry'" if structure == "unstructured" else ""
    return InputError(f"the {structure} covariance cannot be estimated from so few answers{other}")


#: One pattern of missing visits: which are there, how many people, their mean, their sum of squares around it, and
#: the parts of the shapes that belong to it (q, visits there, visits there).
_Group = tuple[Integers, int, Floats, Floats, Floats]
#: Log likelihood, means, variance of the means, inverse covariance of each pattern; ``None`` where not positive.
_State = tuple[float, Floats, Floats, list[Floats]]


def _patterns(y: Floats, seen: Bools, shapes: list[Floats]) -> list[_Group]:
    """People by pattern: all that the likelihood needs of them is their number, mean and sum of squares."""
    found: list[_Group] = []
    stacked = np.array(shapes)
    for pattern in np.unique(seen, axis=0):
        at = np.asarray(np.flatnonzero(pattern), dtype=np.int64)
        own = y[(seen == pattern).all(axis=1)][:, at]
        centre = own.mean(axis=0)
        parts = np.ascontiguousarray(stacked[:, at][:, :, at])
        found.append((at, len(own), centre, (own - centre).T @ (own - centre), parts))
    return found


def _shapes(m: int, structure: str) -> list[Floats]:
    """The matrices whose sum, weighted by the parameters, is the covariance."""
    if structure == "compound-symmetry":
        return [np.eye(m), np.ones((m, m))]
    shapes = []
    for j, k in combinations_with_replacement(range(m), 2):
        shape = np.zeros((m, m))
        shape[j, k] = shape[k, j] = 1.0
        shapes.append(shape)
    return shapes


def _state(theta: Floats, shapes: list[Floats], groups: list[_Group], m: int) -> _State | None:
    """Likelihood and means at ``theta``, or ``None`` where the covariance is not positive definite."""
    covariance = np.einsum("k,kij->ij", theta, np.array(shapes))
    if np.linalg.eigvalsh(covariance)[0] <= 0:
        return None
    precision, right, logs = np.zeros((m, m)), np.zeros(m), 0.0
    inverses: list[Floats] = []
    for at, n, centre, _, _ in groups:
        part = covariance[np.ix_(at, at)]
        inverse = np.linalg.inv(part)
        inverses.append(inverse)
        precision[np.ix_(at, at)] += n * inverse
        right[at] += n * (inverse @ centre)
        logs += n * float(np.linalg.slogdet(part)[1])
    variance = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    beta = variance @ right
    fit, answers = 0.0, 0
    for (at, n, centre, squares, _), inverse in zip(groups, inverses, strict=True):
        off = centre - beta[at]
        fit += float((inverse * (squares + n * np.outer(off, off))).sum())
        answers += n * len(at)
    constant = (answers - m) * math.log(2 * math.pi)
    log_likelihood = -0.5 * (logs + np.linalg.slogdet(precision)[1] + fit + constant)
    return float(log_likelihood), beta, variance, inverses


def _scoring(state: _State | None, shapes: list[Floats], groups: list[_Group]) -> tuple[Floats, Floats]:
    """Expected information of the parameters and the slope of the restricted log likelihood."""
    assert state is not None
    _, beta, variance, inverses = state
    count, m = len(shapes), len(beta)
    traces, slope, p = np.zeros((count, count)), np.zeros(count), np.zeros((count, m, m))
    for (at, n, centre, squares, parts), inverse in zip(groups, inverses, strict=True):
        own = inverse @ parts
        off = centre - beta[at]
        total = inverse @ (squares + n * np.outer(off, off))
        flat = own.reshape(count, -1)
        here = np.ix_(at, at)
        # tr(V^-1 Vk V^-1 Vl) - 2 tr(Phi Q_kl), both as sums over the cells of two matrices.
        bread = np.eye(len(at)) - 2.0 * (inverse @ variance[here])
        traces += n * flat @ (own @ bread).transpose(0, 2, 1).reshape(count, -1).T
        slope += 0.5 * (flat @ total.T.ravel() - n * np.trace(own, axis1=1, axis2=2))
        p[:, here[0], here[1]] -= n * (own @ inverse)
    slope -= 0.5 * (p.reshape(count, -1) @ variance.ravel())
    vp = variance @ p
    information = 0.5 * (traces + vp.reshape(count, -1) @ vp.transpose(0, 2, 1).reshape(count, -1).T)
    return (information + information.T) / 2, slope


def _kenward_roger(state: _State | None, shapes: list[Floats], groups: list[_Group]) -> tuple[Floats, Floats]:
    """P_k = -sum X'V^-1 V_k V^-1 X and Q_kl = sum X'V^-1 V_k V^-1 V_l V^-1 X, X choosing the visits that are there."""
    assert state is not None
    m, count = len(state[1]), len(shapes)
    p, q = np.zeros((count, m, m)), np.zeros((count, count, m, m))
    for (at, n, _, _, parts), inverse in zip(groups, state[3], strict=True):
        here = np.ix_(at, at)
        own = inverse @ parts
        p[:, here[0], here[1]] -= n * (own @ inverse)
        q[:, :, here[0], here[1]] += n * (own[:, None] @ (own @ inverse)[None])
    return p, q
