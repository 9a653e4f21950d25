"""What ``random=`` says: random intercepts, nested or crossed, and structured effects ``"inner | outer"``."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.blocks import Term
from balm.stats.multilevel.distances import places
from balm.stats.multilevel.grouping import Grouping, Integers, between_levels, column, crossed, grouping
from balm.stats.multilevel.structures import BY_DISTANCE, BY_LEVEL, STRUCTURES, Structure, variance
from balm.vocabulary.problems import InputError, check_option

#: The outer part that puts all effects together: ``"x + y | all"``.
EVERYTHING = "all"
#: Ranges of a correlation by distance that the search passes through: each so many times the one before.
STEP_IN_RANGE = 1.4
MOST_RANGES = 24
#: How a known matrix between levels is brought to scale before its variance is estimated.
SCALES = {
    "as-given": "a correlation matrix, ones on its diagonal",
    "correlation": "divided by its standard deviations",
    "from-zero": "divided by its standard deviations, then moved so that the least correlation is 0",
    "covariance": "a covariance matrix as it is; what is estimated multiplies it",
    "covariance-from-zero": "a covariance matrix, moved so that its least entry is 0",
}
#: What is left of a structure where no outer level has two inner ones.
UNCORRELATED = {"CS": "ID", "AR": "ID", "HCS": "DIAG", "HAR": "DIAG", "UN": "DIAG"}


@dataclass(frozen=True, slots=True, eq=False)
class RandomTerm:
    """One random term, with what identifies its levels.

    ``kind`` is "intercept" or the structure's name. ``groups`` (k,) are the levels whose effects are independent of
    each other; ``inner`` the levels within them (None for intercepts). ``level`` (k,)
    numbers the distinct random effects. ``note`` says where the data cannot tell what was asked for.
    """

    name: str
    kind: str
    groups: Grouping
    inner: Grouping | None
    level: Integers
    term: Term
    correlated: bool = False
    note: str = ""

    @property
    def structure(self) -> Structure:
        """Its parameters."""
        return self.term.structure


def random_terms(
    random: Any,
    structure: Any,
    correlation: Mapping[str, Any] | None,
    es: EffectSizes,
    data: Any,
    distance: Mapping[str, Any] | None = None,
    given: Collection[str] = (),
    scale: str = "as-given",
) -> list[RandomTerm]:
    """Read ``random=``, expand nesting, and refuse what cannot be estimated (``given``: names of what need not be)."""
    listed = [random] if isinstance(random, str) else list(random or ())
    names: list[str] = []
    for text in listed:
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"random must name groupings such as 'study/effect' or 'outcome | study'; got {text!r}")
        names.extend(n for n in _expanded(text) if n not in names)
    known, apart = dict(correlation or {}), dict(distance or {})
    check_option("correlation_scale", scale, list(SCALES))
    if scale != "as-given" and not known:
        raise InputError("correlation_scale has no effect without correlation=; leave it out")
    wanted = _structures(structure, sum("|" in n for n in names))
    cache: dict[str, Grouping] = {}
    terms = []
    for name in names:
        if "|" in name:
            inner, outer = (part.strip() for part in name.split("|"))
            terms.append(_structured(name, inner, outer, wanted.pop(0), es, data, cache, apart.pop(name, None), given))
        else:
            terms.append(_intercept(name, known.pop(name, None), es, data, cache, scale))
    if known:
        raise InputError(f"correlation names {sorted(known)}, but random has no intercept of that name: {names}")
    if apart:
        raise InputError(
            f"distance names {sorted(apart)}, but random has no term 'inner | outer' of that name: {names}"
        )
    _refuse_repeats(terms)
    return terms


def _expanded(text: str) -> list[str]:
    """``"a/b"`` is a and b within a; ``"a:b"`` only b within a; ``"inner | outer"`` stays."""
    if "|" in text:
        parts = [p.strip() for p in text.split("|")]
        if len(parts) != 2 or not all(parts):
            raise InputError(f"random {text!r}: a structured term reads 'inner | outer'")
        return [" | ".join(parts)]
    if ":" in text:
        return ["/".join(p.strip() for p in text.split(":"))]
    parts = [p.strip() for p in text.split("/")]
    if not all(parts):
        raise InputError(f"random {text!r}: a level between '/' has no name")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _structures(structure: Any, count: int) -> list[str]:
    if structure is None:
        if count:
            raise InputError(f"a term 'inner | outer' needs structure=, one of {list(STRUCTURES)}")
        return []
    if not count:
        raise InputError("structure= belongs to a term 'inner | outer'; random has none")
    given = [structure] * count if isinstance(structure, str) else list(structure)
    if len(given) != count:
        raise InputError(f"structure has {len(given)} entries for {count} terms 'inner | outer'")
    return [check_option("structure", s, list(STRUCTURES)) for s in given]


def _group(name: str, es: EffectSizes, data: Any, cache: dict[str, Grouping]) -> Grouping:
    if name not in cache:
        parts = name.split("/")
        for part in parts:
            if part not in cache:
                cache[part] = grouping(part, column(part, es, data))
        if len(parts) > 1:
            cache[name] = crossed([cache[p] for p in parts])
    return cache[name]


def _intercept(name: str, known: Any, es: EffectSizes, data: Any, cache: dict[str, Grouping], scale: str) -> RandomTerm:
    g = _group(name, es, data, cache)
    if g.count < 2:
        raise InputError(f"random {name!r} has one level only: its variance cannot be estimated; leave it out")
    codes = g.codes
    if known is None:

        def same(rows: Integers) -> Integers:
            c = codes[rows]
            out: Integers = (c[:, :, None] == c[:, None, :]).astype(np.int64)
            return out

        return RandomTerm(name, "intercept", g, None, codes, Term(variance(name), same))
    matrix = _known_correlation(name, known, g, scale)
    n = g.count

    def pair(rows: Integers) -> Integers:
        c = codes[rows]
        out: Integers = 1 + c[:, :, None] * n + c[:, None, :]
        return out

    linked = bool(np.any(matrix[~np.eye(n, dtype=bool)] != 0.0))
    return RandomTerm(name, "intercept", g, None, codes, Term(variance(name, matrix), pair), linked)


def _known_correlation(name: str, known: Any, g: Grouping, scale: str) -> Floats:
    """The known correlation matrix in the order of the levels: a labelled table, or ``(labels, matrix)``."""
    said = f"correlation[{name!r}]"
    chosen = between_levels(said, known, g)
    if scale == "as-given":
        try:
            check_correlation(said, chosen)
        except InputError as problem:
            if "ones on its diagonal" not in str(problem):
                raise
            raise InputError(f"{problem}; correlation_scale='correlation' divides by its standard deviations") from None
        return chosen
    sd = np.sqrt(np.maximum(np.diag(chosen), 0.0))
    if not np.all(np.isfinite(chosen)) or np.any(sd == 0.0):
        raise InputError(f"{said} must hold finite numbers, above 0 on its diagonal")
    check_correlation(said, chosen / np.outer(sd, sd))
    if scale in ("correlation", "from-zero"):
        chosen = chosen / np.outer(sd, sd)
    least = float(chosen.min())
    if scale in ("from-zero", "covariance-from-zero"):
        chosen = chosen - least
    return chosen / (1.0 - least) if scale == "from-zero" else chosen


def check_correlation(name: str, matrix: Floats) -> None:
    """Symmetric, ones on the diagonal, no negative eigenvalue."""
    if not np.all(np.isfinite(matrix)):
        raise InputError(f"{name} holds numbers that are missing or not finite")
    if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-10):
        raise InputError(f"{name} is not symmetric")
    if not np.allclose(np.diag(matrix), 1.0, rtol=0, atol=1e-10):
        raise InputError(f"{name} must have ones on its diagonal; got {np.diag(matrix).min():.6g}")
    least = float(np.linalg.eigvalsh(matrix)[0])
    if least < -1e-8:
        raise InputError(f"{name} is not a correlation matrix: its least eigenvalue is {least:.4g}")


def _structured(
    name: str,
    inner: str,
    outer: str,
    kind: str,
    es: EffectSizes,
    data: Any,
    cache: dict[str, Grouping],
    distance: Any,
    given: Collection[str],
) -> RandomTerm:
    if outer == EVERYTHING:
        groups = grouping(EVERYTHING, np.zeros(len(es), dtype=np.int64))
    else:
        groups = _group(outer, es, data, cache)
    if kind in BY_DISTANCE:
        return _by_distance(name, inner, groups, kind, es, data, distance)
    if distance is not None:
        raise InputError(f"distance[{name!r}] has no effect on structure {kind!r}; leave it out")
    if groups.count < 2:
        raise InputError(f"random {name!r}: {outer} has one level only, which cannot show how its effects vary")
    levels = _group(inner, es, data, cache)
    if levels.count < 2:
        raise InputError(f"random {name!r}: {inner} has one level only; structure {kind!r} needs at least two")
    pair = crossed([groups, levels])
    first = np.unique(pair.codes, return_index=True)[1]
    within = np.bincount(groups.codes[first])
    largest = int(within.max())
    told = any(one == name or one.startswith(f"{name}: rho") for one in given)
    note = ""
    if kind in UNCORRELATED and largest < 2 and not told:
        # the correlation stands nowhere in the covariance of these effects: without it the likelihood is the same
        note = (
            f"No {outer} has two levels of {inner}, so the correlation of {kind} cannot be estimated and nothing "
            f"depends on it: {name!r} is fitted as {UNCORRELATED[kind]}."
        )
        kind = UNCORRELATED[kind]
    if kind == "UN" and name not in given:
        seen = np.zeros((groups.count, levels.count))
        seen[groups.codes, levels.codes] = 1.0
        together = seen.T @ seen
        for i, j in np.argwhere(np.triu(together == 0.0, 1)).tolist():
            if f"{name}: rho[{i + 1},{j + 1}]" in given:
                continue
            a, b = levels.labels[i], levels.labels[j]
            raise InputError(
                f"random {name!r}: {a!r} and {b!r} never occur in the same {outer}, so their correlation cannot be "
                "estimated; choose structure='HCS' or 'DIAG'"
            )
    structure = BY_LEVEL[kind](levels.count, largest)
    o, inside, n = groups.codes, levels.codes, levels.count

    def slots(rows: Integers) -> Integers:
        a, c = o[rows], inside[rows]
        left, right = c[:, :, None], c[:, None, :]
        if kind in ("CS", "ID", "DIAG"):
            other: Any = 2 if kind == "CS" else 0
            entry = np.where(left == right, 1 + left if kind == "DIAG" else 1, other)
        elif kind == "AR":
            entry = 1 + np.abs(left - right)
        else:
            entry = 1 + left * n + right
        found: Integers = np.where(a[:, :, None] == a[:, None, :], entry, 0)
        return found

    return RandomTerm(name, kind, groups, levels, pair.codes, Term(structure, slots), note=note)


def _by_distance(
    name: str, inner: str, groups: Grouping, kind: str, es: EffectSizes, data: Any, distance: Any
) -> RandomTerm:
    """Correlation by distance (CAR: time) between the coordinates that ``inner`` names, joined by ``+``."""
    point, between = places(name, inner, kind, es, data, distance)
    level = np.unique(groups.codes * (int(point.max()) + 1) + point, return_inverse=True)[1]
    sites = np.arange(len(between))
    shared = np.zeros((groups.count, len(sites)), dtype=bool)
    shared[groups.codes, point] = True
    together = (shared.astype(np.float64).T @ shared.astype(np.float64)) > 0.0
    distances, index = np.unique(np.where(together, between, 0.0), return_inverse=True)
    if len(distances) < 2:
        raise InputError(f"random {name!r}: no {groups.name} has effects at two places of {inner}")
    index = index.reshape(between.shape)
    apart = between[together & (between > 0.0)]
    # The likelihood of a range has several maxima: start at ranges that reach few, some and most places.
    least, most = 0.1 * float(apart.min()), 3.0 * float(apart.max())
    count = min(MOST_RANGES, 2 + int(math.log(most / least) / math.log(STEP_IN_RANGE)))
    ranges = np.geomspace(least, most, count)
    if kind == "CAR":  # in units of the shortest time between, so that no unit of the user's puts rho near a bound
        unit = float(apart.min())
        walk = np.exp(-unit / ranges)
        structure = BY_DISTANCE[kind](distances / unit, 1.0, (0.5, 0.95), walk, unit)
    else:
        reach = np.quantile(apart, (0.0, 0.02, 0.1, 0.3, 0.7)) * 1.5
        structure = BY_DISTANCE[kind](distances, 100.0 * float(distances[-1]), np.unique(reach).tolist(), ranges)
    o = groups.codes

    def slots(rows: Integers) -> Integers:
        a, c = o[rows], point[rows]
        found: Integers = np.where(a[:, :, None] == a[:, None, :], 1 + index[c[:, :, None], c[:, None, :]], 0)
        return found

    return RandomTerm(name, kind, groups, None, level.astype(np.int64), Term(structure, slots))


def _refuse_repeats(terms: Sequence[RandomTerm]) -> None:
    plain = [t for t in terms if t.kind == "intercept" and not t.correlated]
    for i, a in enumerate(plain):
        for b in plain[i + 1 :]:
            if a.groups.count == b.groups.count:
                both = np.unique(a.level * b.groups.count + b.level).size
                if both == a.groups.count:
                    raise InputError(
                        f"random {a.name!r} and {b.name!r} group the effects in the same way (as many levels, "
                        f"{a.groups.count}, as each other), so their variances cannot be told apart; leave one out"
                    )
