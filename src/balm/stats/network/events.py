"""Networks of counts with few events: Mantel-Haenszel and the conditional (non-central hypergeometric) likelihood.

Common effects on the log odds ratio. Efthimiou, Ruecker, Schwarzer et al. (2019) Stat Med 38:2992; Greenland (1989)
Biometrics 45:183 (covariances of Mantel-Haenszel estimates that share an arm); Stijnen et al. (2010) Stat Med 29:3046.
No 0.5 is added to any cell; designs in which a pair of arms has no events to compare are left out and named.
"conditional" is the exact likelihood given each study's events; "conditional-approximate" takes them as multinomial
with shares ``n exp(theta)``, close where events are rare; other software calls that one non-central hypergeometric.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from balm.stats.network.contrasts import Floats, names_of
from balm.stats.network.designs import QTest, q_test
from balm.vocabulary.problems import check_option, refuse
from balm.vocabulary.quick_dataclass import dataclass

METHODS = ("mantel-haenszel", "conditional", "conditional-approximate")
MAX_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class CountNetwork:
    """``effect`` (n, n): log odds ratio of row against column, with ``se``; ``inconsistency`` between designs."""

    method: str
    treatments: tuple[str, ...]
    k: int
    effect: Floats
    se: Floats
    inconsistency: QTest | None
    left_out: tuple[str, ...]
    residual: float


Study = dict[int, tuple[float, float]]


def count_network(
    *, study: Any, treatment: Any, events: Any, n: Any, data: Any = None, method: str = "mantel-haenszel"
) -> CountNetwork:
    """Log odds ratios of a network of arms. Studies in which nobody or everybody had an event are left out.

    >>> fit = count_network(study=list("1122"), treatment=list("ABAB"), events=[1, 2, 3, 5], n=[10, 10, 20, 20])
    >>> round(float(fit.effect[0, 1]), 4)
    -0.6849
    """
    from balm.stats.network.arms import read_arms

    check_option("method", method, METHODS)
    arms, names = names_of("treatment", treatment, data), names_of("study", study, data)
    contrasts, left_out = read_arms(
        "OR", data=data, study=study, treatment=treatment, add=0.5, columns={"events": events, "n": n}
    )
    from balm.stats.columns import numeric_column

    a, size = numeric_column("events", events, data).values, numeric_column("n", n, data).values
    studies: dict[str, dict[str, tuple[float, float]]] = {}
    for i, name in enumerate(names):
        if name not in left_out:
            studies.setdefault(name, {})[arms[i]] = (float(a[i]), float(size[i] - a[i]))
    usable = {name: one for name, one in studies.items() if _comparable(one, studies.values())}
    left_out += tuple(name for name in studies if name not in usable)
    kept = [t for t in contrasts.treatments if any(t in one for one in usable.values())]
    if not kept:
        refuse("too few events: no design has events to compare in every pair of its arms")
    number = {name: i for i, name in enumerate(kept)}
    coded = [{number[t]: cells for t, cells in one.items()} for one in usable.values()]
    if method == "mantel-haenszel":
        theta, spread, inconsistency, residual = _mantel_haenszel(coded, len(kept), tuple(kept))
    else:
        moments = _moments if method == "conditional" else _multinomial
        theta, spread, inconsistency, residual = _conditional(coded, len(kept), tuple(kept), moments)
    d = np.diag(spread)
    variance = np.maximum(d[:, None] + d[None, :] - 2.0 * spread, 0.0)
    return CountNetwork(
        method,
        tuple(kept),
        len(usable),
        theta[:, None] - theta[None, :],
        np.sqrt(variance),
        inconsistency,
        left_out,
        residual,
    )


def _comparable(one: dict[str, tuple[float, float]], studies: Any) -> bool:
    """Whether in this study's design every pair of arms with events has them on both sides of the odds ratio."""
    own = [[other[t] for t in sorted(one)] for other in studies if other.keys() == one.keys()]
    a, b = np.array(own, dtype=float).transpose(2, 0, 1)
    keep = (a.sum(axis=0) > 0.0) & (b.sum(axis=0) > 0.0)
    if keep.sum() < 2:
        return False
    c = np.einsum("kx,ky->xy", a[:, keep], b[:, keep])
    np.fill_diagonal(c, 1.0)
    return bool((c > 0.0).all())


def _multinomial(one: Study, theta: Floats) -> tuple[Floats, Floats]:
    """Mean and covariance of the events of the arms, taken as multinomial given their total."""
    total = sum(a for a, _ in one.values())
    share = np.array([(a + b) * math.exp(float(theta[t])) for t, (a, b) in one.items()])
    p = share / share.sum()
    return total * p, total * (np.diag(p) - np.outer(p, p))


def _mantel_haenszel(
    studies: list[Study], n: int, names: tuple[str, ...]
) -> tuple[Floats, Floats, QTest | None, float]:
    """Mantel-Haenszel within each design, then generalised least squares over designs."""
    by_design: dict[tuple[int, ...], list[Study]] = {}
    for one in studies:
        by_design.setdefault(tuple(sorted(one)), []).append(one)
    information, right, total, rows = np.zeros((n, n)), np.zeros(n), 0.0, 0
    for design, own in by_design.items():
        found = _of_design(design, own)
        if found is None:
            continue
        arms, y, v = found
        x = np.zeros((len(y), n))
        x[:, arms[0]] = 1.0
        x[np.arange(len(y)), list(arms[1:])] = -1.0
        w = np.linalg.inv(v)
        information += x.T @ w @ x
        right += x.T @ w @ y
        total += float(y @ w @ y)
        rows += len(y)
    _check_reached(information, names)
    spread = np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64)
    theta = spread @ right
    df = rows - (n - 1)
    return theta, spread, q_test(total - float(right @ theta), df), 0.0


def _check_reached(information: Floats, names: tuple[str, ...]) -> None:
    values = np.linalg.eigvalsh(information)
    if len(values) > 1 and values[1] <= 1e-12 * values[-1]:
        refuse(
            f"too few events: the treatments {', '.join(names)} are not connected by comparisons with events in both "
            "arms"
        )


def _of_design(design: tuple[int, ...], studies: list[Study]) -> tuple[tuple[int, ...], Floats, Floats] | None:
    """Log odds ratios of the first arm against the others, and their covariance; arms without events drop out."""
    a = np.array([[one[t][0] for t in design] for one in studies])
    b = np.array([[one[t][1] for t in design] for one in studies])
    keep = (a.sum(axis=0) > 0.0) & (b.sum(axis=0) > 0.0)
    if keep.sum() < 2:
        return None
    a, b = a[:, keep], b[:, keep]
    arms = tuple(t for t, k in zip(design, keep.tolist(), strict=True) if k)
    size = (a + b).sum(axis=1)
    m = a + b
    p = len(arms)
    c = np.einsum("kx,ky,k->xy", a, b, 1.0 / size)
    np.fill_diagonal(c, 1.0)
    if (c <= 0.0).any():
        return None
    log_or = np.log(c) - np.log(c.T)
    two = 1.0 / size**2
    u = np.zeros((p, p, p))  # cov(L_xy, L_xz)
    for x in range(p):
        for y in range(p):
            for z in range(p):
                if x in (y, z):
                    continue
                if y == z:
                    s, t = a[:, x] * b[:, y], b[:, x] * a[:, y]
                    f, g = a[:, x] + b[:, y], b[:, x] + a[:, y]
                    terms = f * s / c[x, y] ** 2 + (f * t + g * s) / (c[x, y] * c[y, x]) + g * t / c[y, x] ** 2
                    u[x, y, y] = 0.5 * float((terms * two).sum())
                else:
                    terms = a[:, x] * b[:, y] * b[:, z] / (c[x, y] * c[x, z])
                    terms = terms + m[:, x] * b[:, y] * a[:, z] / (c[x, y] * c[z, x])
                    terms = terms + m[:, x] * a[:, y] * b[:, z] / (c[y, x] * c[x, z])
                    terms = terms + b[:, x] * a[:, y] * a[:, z] / (c[y, x] * c[z, x])
                    u[x, y, z] = float((terms * two).sum()) / 3.0
    # the estimates made consistent: each arm's mean log odds ratio against all (Mickey & Elashoff 1985)
    plus = np.zeros((p, p))  # cov(L_x+, L_z+)
    for x in range(p):
        for z in range(p):
            if x == z:
                plus[x, x] = u[x].sum()
            else:
                # pairs (x y), (z w): a shared arm carries the covariance
                total = -u[x, z, z]
                total += sum(u[y, x, z] for y in range(p) if y not in (x, z))
                total -= sum(u[x, y, z] for y in range(p) if y not in (x, z))
                total -= sum(u[z, x, y] for y in range(p) if y not in (x, z))
                plus[x, z] = total
    level = log_or.sum(axis=1) / p
    plus = plus / p**2
    y_ = level[0] - level[1:]
    v = plus[0, 0] - plus[0, 1:][None, :] - plus[1:, 0][:, None] + plus[1:, 1:]
    return arms, y_, v


def _conditional(
    studies: list[Study],
    n: int,
    names: tuple[str, ...],
    moments: Callable[[Study, Floats], tuple[Floats, Floats]],
) -> tuple[Floats, Floats, QTest | None, float]:
    """Newton's method on the likelihood given each study's total of events."""
    theta = np.zeros(n)
    spread: Floats = np.zeros((n, n))
    residual = math.inf
    for _ in range(MAX_STEPS):
        score, information = np.zeros(n), np.zeros((n, n))
        for one in studies:
            arms = list(one)
            mean, covariance = moments(one, theta)
            score[arms] += [one[t][0] for t in arms] - mean
            information[np.ix_(arms, arms)] += covariance
        _check_reached(information, names)
        spread = np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64)
        step = spread @ score
        residual = math.sqrt(max(0.0, float(score @ step)))
        theta = theta + step * min(1.0, 2.0 / max(1e-300, float(np.abs(step).max())))
        if residual < 1e-10:
            return theta, spread, None, residual
    refuse(f"the conditional likelihood has no maximum within reach (residual {residual:.2g} standard errors)")


def _moments(one: Study, theta: Floats) -> tuple[Floats, Floats]:
    """Mean and covariance of the events of the arms given their total."""
    arms = list(one)
    total = int(sum(a for a, _ in one.values()))
    sizes = [int(a + b) for a, b in one.values()]
    # any common shift of the logits leaves the conditional distribution as it is: centre it on the total
    logits = np.array([theta[t] for t in arms])
    shift = _shift(logits, np.array(sizes, dtype=float), total)
    mass = [_binomial(size, float(x + shift), total) for size, x in zip(sizes, logits, strict=True)]
    k = np.arange(total + 1, dtype=float)

    def joined(parts: list[Floats]) -> Floats:
        found = parts[0]
        for part in parts[1:]:
            found = np.convolve(found, part)[: total + 1]
        return found

    p = len(arms)
    rest = [joined([m for j, m in enumerate(mass) if j != i])[::-1] for i in range(p)]
    mean, second = np.zeros(p), np.zeros((p, p))
    norm = float(mass[0] @ rest[0])
    for i in range(p):
        mean[i] = float((k * mass[i]) @ rest[i]) / norm
        second[i, i] = float((k * k * mass[i]) @ rest[i]) / norm
        for j in range(i):
            both = [m for q, m in enumerate(mass) if q not in (i, j)]
            pair = joined([k * mass[i], k * mass[j], *both])
            second[i, j] = second[j, i] = float(pair[total]) / norm
    return mean, second - np.outer(mean, mean)


def _shift(logits: Floats, sizes: Floats, total: int) -> float:
    low, high = -60.0 - float(logits.max()), 60.0 - float(logits.min())
    for _ in range(60):
        middle = 0.5 * (low + high)
        expected = float((sizes / (1.0 + np.exp(-np.clip(logits + middle, -700.0, 700.0)))).sum())
        low, high = (middle, high) if expected < total else (low, middle)
    return 0.5 * (low + high)


def _binomial(size: int, logit: float, total: int) -> Floats:
    """Probabilities of 0 .. total events."""
    from scipy.special import gammaln

    top = min(size, total)
    k = np.arange(top + 1, dtype=float)
    log_p, log_q = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
    found = np.zeros(total + 1)
    terms = gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1) + k * log_p + (size - k) * log_q
    found[: top + 1] = np.exp(terms)
    return found
