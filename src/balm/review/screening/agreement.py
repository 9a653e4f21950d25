"""How far two people agreed, from their first independent votes: several coefficients side by side, none alone.

With few inclusions kappa can be low though nearly every record was agreed on; prevalence and bias index, PABAK, AC1 and
the agreement on each category show why. What cannot be computed is "not estimable", never 0 or 1.
Cohen (1960), Educ Psychol Meas 20:37; Fleiss, Cohen and Everitt (1969), Psychol Bull 72:323; Byrt, Bishop and Carlin
(1993), J Clin Epidemiol 46:423; Gwet (2008), Br J Math Stat Psychol 61:29; Cicchetti and Feinstein (1990).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from balm.review.records.labels import as_decision
from balm.review.screening.several_raters import fleiss_kappa, krippendorff_alpha
from balm.stats.distributions import norm_ppf
from balm.stats.proportions import proportion_interval
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, Problem, check_option

NOT_ESTIMABLE = "not estimable"
#: What becomes of "maybe": counted as an inclusion (Cochrane), or a category between the two others.
MAYBE = ("include", "separate")
#: Distance of two categories for weighted kappa.
WEIGHTS = ("quadratic", "linear")

#: Below this the large-sample standard errors of kappa and AC1 are only rough.
FEW = 50

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """An estimate with its standard error and interval; ``None`` and the ``reason`` where one is not estimable."""

    estimate: float | None
    se: float | None = None
    interval: Interval | None = None
    reason: str = ""

    def __str__(self) -> str:
        if self.estimate is None:
            return f"{NOT_ESTIMABLE} ({self.reason})"
        if self.interval is None:
            return f"{self.estimate:.3f}" + (f" (interval {NOT_ESTIMABLE}: {self.reason})" if self.reason else "")
        return f"{self.estimate:.3f} ({self.interval.low:.3f} to {self.interval.high:.3f})"

    def to_dict(self) -> dict[str, object]:
        """For machines."""
        ends = [None, None] if self.interval is None else [self.interval.low, self.interval.high]
        return {"estimate": self.estimate, "se": self.se, "low": ends[0], "high": ends[1], "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two raters on ``n`` records that both rated. ``table[i][j]``: the first said category i, the second j.

    ``positive`` and ``negative`` agreement, ``prevalence`` and ``bias`` index are of two categories only, the first of
    them the positive one; with more they are not estimable, and ``weighted_kappa`` is given.
    """

    n: int
    categories: tuple[str, ...]
    table: Table
    observed: Coefficient
    kappa: Coefficient
    pabak: Coefficient
    ac1: Coefficient
    positive: Coefficient
    negative: Coefficient
    prevalence: Coefficient
    bias: Coefficient
    weighted_kappa: Coefficient
    level: float

    def rows(self) -> tuple[tuple[str, Coefficient], ...]:
        """Every coefficient with its name, in the order they are shown."""
        shown = [
            ("observed agreement", self.observed),
            ("Cohen's kappa", self.kappa),
            ("PABAK", self.pabak),
            ("Gwet's AC1", self.ac1),
        ]
        if len(self.categories) > 2:
            return (*shown, ("weighted kappa", self.weighted_kappa))
        shown += [
            ("positive agreement", self.positive),
            ("negative agreement", self.negative),
            ("prevalence index", self.prevalence),
            ("bias index", self.bias),
        ]
        return tuple(shown)

    def to_dict(self) -> dict[str, object]:
        """For machines."""
        rows = {name: value.to_dict() for name, value in self.rows()}
        return {"n": self.n, "categories": list(self.categories), "table": self.table.tolist(), **rows}

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.rows())
        lines = [f"Agreement on {self.n:,} records ({self.level * 100:g}% intervals)"]
        if 0 < self.n < FEW:
            lines.append(f"  with fewer than {FEW} records the intervals of kappa and AC1 are rough")
        return "\n".join(lines + [f"  {name:<{width}}  {value}" for name, value in self.rows()])


@dataclass(frozen=True, eq=False)
class GroupAgreement:
    """Three or more raters: Fleiss' kappa on records that all rated, Krippendorff's alpha on all that two rated."""

    n: int
    raters: int
    categories: tuple[str, ...]
    fleiss_kappa: Coefficient
    krippendorff_alpha: Coefficient
    pairs: tuple[tuple[int, int, Agreement], ...]

    def __repr__(self) -> str:
        return (
            f"Agreement of {self.raters} raters on {self.n:,} records\n"
            f"  Fleiss' kappa         {self.fleiss_kappa}\n  Krippendorff's alpha  {self.krippendorff_alpha}"
        )


def agreement(
    *given: Any, maybe: str = "include", weights: str = "quadratic", level: float = 0.95
) -> Agreement | GroupAgreement:
    """Agreement of a table, of two lists of votes, or of three and more lists.

    A table is square, ``[[both include, only the first], [only the second, both exclude]]`` or of more categories.
    Lists hold one vote a record, ``None`` where there is none; two raters are compared on the records both rated.
    Votes are ``include``, ``exclude``, ``maybe`` (or 1 and 0), or any other words (judgements of bias, say).
    ``maybe="include"`` counts it as an inclusion; ``"separate"`` keeps it as a category of its own.

    >>> done = agreement([[40, 5], [3, 952]])
    >>> print(done.kappa, "|", done.pabak.estimate, round(done.ac1.estimate, 6))
    0.905 (0.840 to 0.970) | 0.984 0.991265
    >>> agreement(["include", "include"], ["include", "include"]).kappa.reason
    'both raters used one and the same category throughout'
    """
    check_option("maybe", maybe, MAYBE)
    check_option("weights", weights, WEIGHTS)
    if not 0 < level < 1:
        raise InputError(Problem(f"level must be between 0 and 1; got {level!r}"))
    if not given:
        raise InputError(Problem("agreement needs a table, or the votes of two raters or more"))
    if len(given) == 1:
        table = _table(given[0])
        names = ("include", "exclude") if len(table) == 2 else tuple(str(i + 1) for i in range(len(table)))
        return _of_table(table, names, weights, level)
    words: dict[str, str | None] = {}  # 20,000 records know few words: each is read once
    votes = [[_word(v, maybe, words) for v in rater] for rater in given]
    if len({len(v) for v in votes}) > 1:
        raise InputError(Problem(f"every rater needs one vote (or None) a record; got {[len(v) for v in votes]}"))
    names = _categories(votes, maybe)
    if len(votes) == 2:
        return _of_votes(votes[0], votes[1], names, weights, level)
    codes = np.array([[-1 if v is None else names.index(v) for v in rater] for rater in votes], dtype=np.int64)
    full = codes[:, (codes >= 0).all(axis=0)]
    pairs = tuple(
        (i, j, _of_votes(votes[i], votes[j], names, weights, level))
        for i in range(len(votes))
        for j in range(i + 1, len(votes))
    )
    kappa, why = fleiss_kappa(full, len(names))
    alpha, why_alpha = krippendorff_alpha(codes, len(names))
    return GroupAgreement(
        codes.shape[1],
        len(votes),
        names,
        Coefficient(kappa, reason=why),
        Coefficient(alpha, reason=why_alpha),
        pairs,
    )


def _vote(value: object, maybe: str) -> str | None:
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return "include" if value else "exclude"
    text = str(value.item() if isinstance(value, np.generic) else value).strip()
    word = as_decision(text) or text
    return "include" if word == "maybe" and maybe == "include" else word


def _word(value: object, maybe: str, words: dict[str, str | None]) -> str | None:
    if type(value) is not str:
        return _vote(value, maybe)
    if value not in words:
        words[value] = _vote(value, maybe)
    return words[value]


def _categories(votes: Sequence[Sequence[str | None]], maybe: str) -> tuple[str, ...]:
    used = {v for rater in votes for v in rater if v is not None}
    screening = ("include", "maybe", "exclude") if maybe == "separate" else ("include", "exclude")
    return screening if used <= set(screening) else tuple(sorted(used))


def _table(given: object) -> Table:
    try:
        table = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(Problem("one argument must be a square table of counts; for votes, give two lists")) from None
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2:
        reason = f"one argument must be a square table of counts; got shape {table.shape}. For votes, give two lists"
        raise InputError(Problem(reason))
    if not np.isfinite(table).all() or (table < 0).any():
        raise InputError(Problem("a table of agreement holds counts: finite numbers that are not negative"))
    return table


def _of_votes(
    one: Sequence[str | None], two: Sequence[str | None], names: tuple[str, ...], weights: str, level: float
) -> Agreement:
    table = np.zeros((len(names), len(names)))
    for (a, b), n in Counter(zip(one, two, strict=True)).items():
        if a is not None and b is not None:
            table[names.index(a), names.index(b)] = n
    return _of_table(table, names, weights, level)


def _of_table(table: Table, names: tuple[str, ...], weights: str, level: float) -> Agreement:
    n, k = float(table.sum()), len(table)
    z = norm_ppf(0.5 + level / 2)
    if n == 0:
        none = Coefficient(None, reason="no record was rated by both")
        return Agreement(0, names, table, none, none, none, none, none, none, none, none, none, level)
    p = table / n
    agreed = float(np.trace(p))
    whole = proportion_interval(np.trace(table), n, level=level)
    low, high = float(whole.low[0]), float(whole.high[0])
    observed = Coefficient(agreed, sqrt(agreed * (1 - agreed) / n), Interval(low, high, level))
    ends = Interval(_chance_free(low, k), _chance_free(high, k), level)
    pabak = Coefficient(_chance_free(agreed, k), (observed.se or 0.0) * k / (k - 1), ends)
    away = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    distance = 1.0 - (away**2 if weights == "quadratic" else away)
    two_only = Coefficient(None, reason="defined for two categories")
    positive = negative = prevalence = bias = two_only
    if k == 2:
        (a, b), (c, d) = table.tolist()
        positive, negative = _category(a, b, c, "include"), _category(d, b, c, "exclude")
        prevalence, bias = Coefficient((a - d) / n), Coefficient((b - c) / n)
    return Agreement(
        round(n),
        names,
        table,
        observed,
        _kappa(p, np.eye(k), n, z, level),
        pabak,
        _ac1(p, n, z, level),
        positive,
        negative,
        prevalence,
        bias,
        _kappa(p, distance, n, z, level),
        level,
    )


def _chance_free(agreed: float, k: int) -> float:
    return (k * agreed - 1) / (k - 1)


def _category(both: float, one: float, other: float, name: str) -> Coefficient:
    total = 2 * both + one + other
    return Coefficient(2 * both / total) if total else Coefficient(None, reason=f"nobody voted {name}")


def _kappa(p: Table, w: Table, n: float, z: float, level: float) -> Coefficient:
    """Cohen's kappa with agreement weights ``w``, and its large-sample standard error (Fleiss, Cohen and Everitt)."""
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    agreed, chance = float((w * p).sum()), float((w * np.outer(rows, columns)).sum())
    if 1 - chance < 1e-12:
        return Coefficient(None, reason="both raters used one and the same category throughout")
    kappa = (agreed - chance) / (1 - chance)
    means = np.add.outer(w @ columns, w.T @ rows)
    spread = float((p * (w * (1 - chance) - means * (1 - agreed)) ** 2).sum())
    spread -= (agreed * chance - 2 * chance + agreed) ** 2
    return _with_interval(kappa, spread / n / (1 - chance) ** 4, p, z, level)


def _ac1(p: Table, n: float, z: float, level: float) -> Coefficient:
    """Gwet's first coefficient with the variance of his two-rater formula (2008, section 5)."""
    k = len(p)
    share = (p.sum(axis=0) + p.sum(axis=1)) / 2
    agreed, chance = float(np.trace(p)), float((share * (1 - share)).sum()) / (k - 1)
    ac1 = (agreed - chance) / (1 - chance)
    one = float((np.diag(p) * (1 - share)).sum()) / (k - 1) - agreed * chance
    two = float((p * (1 - np.add.outer(share, share) / 2) ** 2).sum()) / (k - 1) ** 2 - chance**2
    variance = (agreed * (1 - agreed) - 4 * (1 - ac1) * one + 4 * (1 - ac1) ** 2 * two) / (n * (1 - chance) ** 2)
    return _with_interval(ac1, variance, p, z, level)


def _with_interval(estimate: float, variance: float, p: Table, z: float, level: float) -> Coefficient:
    """The large-sample interval; none where the records do not vary, as one of no width would say too much."""
    agreed = float(np.trace(p))
    if agreed > 1 - 1e-12 or agreed < 1e-12:
        what = "agreed" if agreed > 0.5 else "disagreed"
        return Coefficient(estimate, reason=f"both {what} on every record; see the interval of observed agreement")
    se = sqrt(max(0.0, variance))
    return Coefficient(estimate, se, Interval(max(-1.0, estimate - z * se), min(1.0, estimate + z * se), level))


def first_votes(votes: Iterable[Any]) -> dict[str, dict[str, str]]:
    """``{reviewer: {record: decision}}`` of the first independent votes of one stage.

    ``votes``: rows of ``screening.csv`` in their order; adjudications and second thoughts are no part of agreement.
    """
    found: dict[str, dict[str, str]] = {}
    for vote in votes:
        if vote.kind == "vote":
            found.setdefault(vote.reviewer, {}).setdefault(vote.record, vote.decision)
    return found


def agreement_of_pairs(votes: Iterable[Any]) -> tuple[tuple[str, str, Agreement], ...]:
    """Each pair of people who read the same records, by name, from their first independent votes of one stage."""
    by = first_votes(votes)
    people = sorted(by)
    pairs = []
    for i, one in enumerate(people):
        for two in people[i + 1 :]:
            both = [r for r in by[one] if r in by[two]]
            if both:
                found = agreement([by[one][r] for r in both], [by[two][r] for r in both])
                assert isinstance(found, Agreement)
                pairs.append((one, two, found))
    return tuple(pairs)
