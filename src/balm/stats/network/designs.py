"""Q of a network taken apart by design: heterogeneity within designs, inconsistency between them.

A design is the set of treatments a study compares. Krahn, Binder & Koenig (2013) BMC Med Res Methodol 13:35;
Higgins et al. (2012) Res Synth Methods 3:98 (design-by-treatment interaction).
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.network.connection import components_of
from balm.stats.network.contrasts import Bools, Contrasts
from balm.stats.network.rows import rows_of
from balm.stats.network.solved import solve
from balm.vocabulary.quick_dataclass import dataclass

#: A smaller drop of Q or of its degrees of freedom is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class QTest:
    """A Q statistic; ``p`` is nan without degrees of freedom."""

    q: float
    df: int
    p: float


def q_test(q: float, df: int) -> QTest:
    """Q with its chi-squared p value.

    >>> q_test(0.0, 0).q
    0.0
    """
    return QTest(max(q, 0.0), df, chi2_sf(max(q, 0.0), df) if df > 0 else math.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Designs:
    """``design`` names each design; ``within`` and ``detached`` carry a test for each.

    total, within_designs, between : the parts of Q under the common-effect model.
    interaction                    : the design-by-treatment test under random effects, with ``tau_within``.
    detached                       : what is left between designs when one design is fitted on its own; ``None`` where
                                     the design closes no loop.
    """

    design: tuple[str, ...]
    studies: tuple[int, ...]
    within: tuple[QTest, ...]
    detached: tuple[QTest | None, ...]
    total: QTest
    within_designs: QTest
    between: QTest
    interaction: QTest
    tau2_within: float


def design_of(contrasts: Contrasts) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The names of the designs, sorted, and (k,) the design of each study."""
    held: list[set[int]] = [set() for _ in contrasts.studies]
    for s, a, b in zip(contrasts.study.tolist(), contrasts.first.tolist(), contrasts.second.tolist(), strict=True):
        held[s] |= {a, b}
    names = [":".join(contrasts.treatments[t] for t in sorted(arms)) for arms in held]
    known = {name: i for i, name in enumerate(sorted(set(names)))}
    return tuple(known), np.array([known[name] for name in names], dtype=np.int64)


def independent_loops(contrasts: Contrasts) -> int:
    """In how many ways direct and indirect evidence can disagree in a connected network: the degrees of freedom
    between designs. Without any, indirect evidence of a comparison comes from the very studies of its direct evidence.

    >>> from balm.stats.network.contrasts import assembled
    >>> independent_loops(assembled(list("abc"), list("AAB"), list("BCC"), [1.0, 2.0, 3.0], [1.0] * 3))
    1
    >>> independent_loops(assembled(list("aaa"), list("AAB"), list("BCC"), [1.0, 2.0, 1.0], [1.0] * 3))
    0
    """
    held: dict[int, set[int]] = {}
    for s, a, b in zip(contrasts.study.tolist(), contrasts.first.tolist(), contrasts.second.tolist(), strict=True):
        held.setdefault(s, set()).update((a, b))
    designs = {frozenset(arms) for arms in held.values()}
    return sum(len(arms) - 1 for arms in designs) - (len(contrasts.treatments) - 1)


def by_design(contrasts: Contrasts) -> Designs:
    """The decomposition.

    >>> from balm.stats.network.contrasts import assembled
    >>> found = by_design(assembled(list("abc"), list("AAB"), list("BCC"), [1.0, 2.0, 3.0], [1.0] * 3))
    >>> round(found.between.q, 4), found.between.df
    (1.3333, 1)
    """
    names, design = design_of(contrasts)
    whole = rows_of(contrasts)
    total = solve(whole)
    df = len(whole.value) - whole.n + 1
    own = [contrasts.only(design == d) for d in range(len(names))]
    rows = [rows_of(c) for c in own]
    alone = [solve(r) for r in rows]
    within = [q_test(a.q, len(r.value) - r.n + 1) for a, r in zip(alone, rows, strict=True)]
    inside = q_test(sum(t.q for t in within), sum(t.df for t in within))
    between = q_test(total.q - inside.q, df - inside.df)
    c = 0.0
    for a, r in zip(alone, rows, strict=True):
        c += 0.5 * float(a.weight.sum() - (a.weight**2 * r.variances(a.upper)).sum())
    tau2 = max(0.0, (inside.q - inside.df) / c) if inside.df > 0 and c > 0.0 else 0.0
    random = solve(rows_of(contrasts, tau2), tau2)
    left = sum(solve(rows_of(o, tau2), tau2).q for o in own)
    detached = [_detached(contrasts, design == d, within[d], inside, between) for d in range(len(names))]
    return Designs(
        names,
        tuple(np.bincount(design).tolist()),
        tuple(within),
        tuple(detached),
        q_test(total.q, df),
        inside,
        between,
        q_test(random.q - left, between.df),
        tau2,
    )


def _detached(contrasts: Contrasts, of_design: Bools, own: QTest, inside: QTest, between: QTest) -> QTest | None:
    """Inconsistency of all other designs, which may fall into parts without this one."""
    if of_design.all():
        return None
    rest = contrasts.only(~of_design)
    q, df = 0.0, 0
    part = components_of(rest)
    for p in range(int(part.max()) + 1):
        piece = rest.only(part[rest.first[np.searchsorted(rest.study, np.arange(rest.k))]] == p)
        rows = rows_of(piece)
        q += solve(rows).q
        df += len(rows.value) - rows.n + 1
    test = q_test(q - (inside.q - own.q), df - (inside.df - own.df))
    return test if test.df < between.df else None
