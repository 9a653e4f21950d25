"""Whether enough has been found: a test of the hypothesis that the target recall is missed, and the bound it gives.

The records not yet screened, together with the last u screened, form an urn from which those u were drawn. If too few
of all included records were found so far, the urn held at least a certain number of them; the hypergeometric
probability of drawing as few as were drawn is a p value. Its smallest value over all u is the one reported, as in the
authors' package buscarpy. Callaghan and Mueller-Hansen (2020), Syst Rev 9:273; with a bias other than 1 the urn favours
included records (Wallenius), as prioritised screening does.

The smallest value is always that of an urn which begins right after an included record, or of the urn of everything:
one more excluded record at the beginning only makes few inclusions less likely. So only those urns are computed.

A test never stops a review: it informs the people who decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, isfinite

import numpy as np
import numpy.typing as npt

from balm.review.screening.labels import inclusions
from balm.vocabulary.problems import InputError, Problem

#: With fewer inclusions than this no rule is valid (p value and bound rest on next to nothing).
FEWEST = 5
#: Live tests: the first after so many records, then every so many.
FIRST, EVERY = 50, 10

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoppingTest:
    """The test after ``screened`` of ``n`` records, with ``included`` of them included.

    ``p``: probability of so few recent inclusions if less than the ``target`` recall were reached. ``recall_bound``:
    the recall is at least this with confidence 1 - ``alpha``. ``reached``: p is below alpha, and at least five
    inclusions were found. ``untested`` says why no conclusion is drawn, where none is.
    """

    n: int
    screened: int
    included: int
    target: float
    alpha: float
    bias: float
    p: float
    recall_bound: float | None
    untested: str = ""

    @property
    def reached(self) -> bool:
        """Whether the target is reached with the confidence asked for. It never stops anything by itself."""
        return not self.untested and self.p < self.alpha

    def sentence(self) -> str:
        """What the test says, in one sentence."""
        head = f"{self.included:,} included among {self.screened:,} of {self.n:,} records screened"
        if self.untested:
            return f"{head}: {self.untested}."
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        # Rounded down: a bound must not be shown higher than it is.
        share = floor((self.recall_bound or 0.0) * 1000 + 1e-9) / 10
        bound = "" if self.recall_bound is None else f"; recall is at least {share:.1f}%"
        verdict = "is reached" if self.reached else "is not yet shown to be reached"
        return (
            f"{head}: the target recall of {self.target * 100:g}% {verdict} ({p}, alpha {self.alpha:g}{bound} with "
            f"{(1 - self.alpha) * 100:g}% confidence)."
        )

    def to_dict(self) -> dict[str, object]:
        """For machines."""
        names = ("n", "screened", "included", "target", "alpha", "bias", "p", "recall_bound", "untested", "reached")
        return {name: getattr(self, name) for name in names} | {"sentence": self.sentence()}


def stopping_test(
    found: Iterable[object], n: int, *, target: float = 0.95, alpha: float = 0.05, bias: float = 1.0
) -> StoppingTest:
    """Test, after the decisions ``found`` in the order of screening, whether ``target`` recall of ``n`` is reached.

    ``target`` and ``alpha`` belong into the protocol, before screening. ``bias``: how many times likelier an included
    record is to come next than another; 1, the default, is conservative.

    >>> test = stopping_test([1] * 20 + [0] * 800, 1000)
    >>> test.reached, round(test.p, 4), round(test.recall_bound, 3)
    (True, 0.0336, 0.952)
    """
    labels, n = _checked(found, n, target, alpha, bias)
    included = int(labels.sum())
    if included < FEWEST:
        reason = f"with fewer than {FEWEST} inclusions no stopping rule is valid"
        return StoppingTest(n, len(labels), included, target, alpha, bias, _p(labels, n, target, bias), None, reason)
    return StoppingTest(
        n,
        len(labels),
        included,
        target,
        alpha,
        bias,
        _p(labels, n, target, bias),
        _bound(labels, n, alpha, bias),
    )


def stopping_history(
    found: Iterable[object],
    n: int,
    *,
    target: float = 0.95,
    alpha: float = 0.05,
    bias: float = 1.0,
    every: int = EVERY,
    first: int = FIRST,
) -> tuple[StoppingTest, ...]:
    """The tests a team would have seen: after ``first`` records, and then after each ``every``."""
    if every < 1 or first < 1:
        raise InputError(Problem(f"every and first must be 1 or more; got {every!r} and {first!r}"))
    labels, n = _checked(found, n, target, alpha, bias)
    return tuple(
        stopping_test(labels[:k], n, target=target, alpha=alpha, bias=bias)
        for k in range(first, len(labels) + 1, every)
    )


def _checked(found: Iterable[object], n: int, target: float, alpha: float, bias: float) -> tuple[Bools, int]:
    if isinstance(found, np.ndarray) and found.dtype == np.bool_:
        labels: Bools = found
    else:
        given = list(found)
        labels = inclusions(given, len(given))
    for name, value in (("target", target), ("alpha", alpha)):
        if not 0 < value < 1:
            raise InputError(Problem(f"{name} must be between 0 and 1; got {value!r}"))
    if not (isfinite(bias) and bias > 0):
        raise InputError(Problem(f"bias must be a number above 0; got {bias!r}"))
    if n < len(labels):
        raise InputError(Problem(f"n must be the number of all records: {len(labels)} are screened, but n is {n}"))
    return labels, int(n)


def _urns(labels: Bools) -> tuple[Ints, Ints]:
    """``(sizes, inclusions)`` of the urns that can hold the smallest p value."""
    starts = np.append(0, np.flatnonzero(labels) + 1)
    starts = starts[starts < len(labels)]
    sums = np.append(0, np.cumsum(labels))
    return len(labels) - starts, sums[-1] - sums[starts]


def _smallest(labels: Bools, n: int, missing: Ints | int, bias: float) -> float:
    """The smallest probability over the urns, were ``missing`` included records not yet screened."""
    left = n - len(labels)
    sizes, drawn = _urns(labels)
    if not len(sizes):
        return 1.0
    there = drawn + missing
    if np.any(there > sizes + left) or int(np.max(missing)) > left:
        return 0.0
    from scipy import stats

    population = left + sizes
    if bias == 1.0:
        near = _nearly_smallest(drawn, population, there, sizes)
        return float(np.min(stats.hypergeom.cdf(drawn[near], population[near], there[near], sizes[near])))
    return float(np.min(stats.nchypergeom_wallenius.cdf(drawn, population, there, sizes, bias)))


def _nearly_smallest(k: Ints, population: Ints, there: Ints, sizes: Ints) -> Bools:
    """The urns among which the smallest probability ``P(X <= k)`` is, so that few of them are computed in full.

    The tail is summed downwards from k, beside its first term, from logarithms that are good to eight digits or better;
    what is kept differs from the smallest in the sixth. An urn with k a standard deviation above the mean is left out
    where another lies below 1/2: no median is further than that from its mean, so that its probability is 1/2 or more.
    """
    from scipy.special import gammaln

    def log_choose(n: Ints, r: Ints) -> npt.NDArray[np.float64]:
        return np.asarray(gammaln(n + 1.0) - gammaln(r + 1.0) - gammaln(n - r + 1.0))

    share = there / population
    mean = sizes * share
    spread = np.sqrt(mean * (1 - share) * (population - sizes) / np.maximum(population - 1, 1))
    low = np.flatnonzero(k < mean + spread)
    if not len(low):
        return np.ones(len(k), dtype=bool)
    x, m, w, n = (a[low].astype(float) for a in (k, population, there, sizes))
    first = log_choose(w, x) + log_choose(m - w, n - x) - log_choose(m, n)
    total, term = np.ones(len(low)), np.ones(len(low))
    while True:
        term = term * np.maximum(x * (m - w - n + x) / ((w - x + 1) * (n - x + 1)), 0.0)
        if np.all(term <= 1e-10 * total):
            break
        total += term
        x = np.maximum(x - 1, 0.0)
    p = first + np.log(total)
    if p.min() > np.log(0.49):
        return np.ones(len(k), dtype=bool)
    near = np.zeros(len(k), dtype=bool)
    near[low[p < p.min() + 1e-6]] = True
    return near


def _p(labels: Bools, n: int, target: float, bias: float) -> float:
    """buscarpy's ``calculate_h0``: the least number of included records with which the target would be missed."""
    included = int(labels.sum())
    _, drawn = _urns(labels)
    if not len(drawn):
        return 1.0
    there = np.floor(included / target + 1 - (included - drawn)).astype(np.int64)
    return _smallest(labels, n, there - drawn, bias)


def _bound(labels: Bools, n: int, alpha: float, bias: float) -> float:
    """The lower bound of recall: found over the largest total that the test does not reject."""
    included = int(labels.sum())
    low, high = 0, n - len(labels)  # `low` missing records cannot be rejected; the least rejected number is above it
    while low < high:
        middle = (low + high + 1) // 2
        if _smallest(labels, n, middle, bias) < alpha:
            high = middle - 1
        else:
            low = middle
    return included / (included + low)
