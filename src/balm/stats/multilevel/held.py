"""Variances and correlations that are given instead of estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.entries import (
    compound_symmetry_as_read,
    name_in_parts,
    unstructured_in_parts,
    unstructured_names,
)
from balm.stats.multilevel.random_terms import RandomTerm
from balm.vocabulary.problems import InputError, unknown_option


def hold(terms: Sequence[RandomTerm], fixed: Mapping[str, Any]) -> tuple[list[RandomTerm], dict[int, float]]:
    """The terms, CS in the parameters that are read where one is given, and position -> parameter of those given.

    ``fixed`` names them as ``.parameter_names`` does, variances as variances. Of a UN term the whole matrix is given
    under the name of the term, or variances and correlations that close no circle of levels.
    """
    held: dict[int, float] = {}
    out: list[RandomTerm] = []
    offered: list[str] = []
    left, start = dict(fixed), 0
    for one in terms:
        term = one
        if term.kind == "UN":
            offered.append(term.name)
            entries = entries_of(term)
            offered += entries
            given = {name: left.pop(name) for name in entries if name in left}
            if term.name in left:
                if given:
                    raise InputError(f"fixed gives {term.name!r} whole and {next(iter(given))!r} too: leave one out")
                held |= _whole(term, left.pop(term.name), start)
            elif given:
                term = _in_parts(term, list(given))
                held |= {start + i: value for i, value in _parts(term, given)}
        else:
            shown = ("tau2", "rho") if term.kind == "CS" else term.structure.names
            names = [term.name] if term.kind == "intercept" else [f"{term.name}: {name}" for name in shown]
            offered += names
            wanted = {i: left.pop(name) for i, name in enumerate(names) if name in left}
            if wanted and term.kind == "CS":
                assert term.inner is not None
                within = np.bincount(term.groups.codes[np.unique(term.level, return_index=True)[1]])
                twin = compound_symmetry_as_read(term.inner.count, int(within.max()))
                term = replace(term, term=replace(term.term, structure=twin))
            held |= {start + i: _parameter(term, i, names[i], value) for i, value in wanted.items()}
        out.append(term)
        start += len(term.structure.names)
    for name in left:
        raise unknown_option("fixed", name, offered)
    return out, held


def _parameter(term: RandomTerm, i: int, name: str, value: Any) -> float:
    """The solver's parameter of a variance or correlation as it is read."""
    structure = term.structure
    power = structure.powers[i]
    number = _number(name, value)
    if power and not 0.0 <= number < math.inf:
        raise InputError(f"fixed[{name!r}] is a variance: it must be finite and not negative; got {number:g}")
    inside = math.sqrt(number) if power == 1.0 else number
    if not power:
        if structure.unit != 1.0 and 0.0 <= number <= 1.0:
            inside = number**structure.unit
        low, high = float(structure.lower[i]), float(structure.upper[i])
        if not low <= inside <= high:
            raise InputError(f"fixed[{name!r}] must lie between {low:.4g} and {high:.4g}; got {number:g}")
    return inside


def entries_of(term: RandomTerm) -> list[str]:
    """The names of the variances and correlations of a UN term, as they are read."""
    assert term.inner is not None
    return [f"{term.name}: {name}" for name in unstructured_names(term.inner.count)]


def _in_parts(term: RandomTerm, given: Sequence[str]) -> RandomTerm:
    """The term in parameters among which those of ``given`` are."""
    assert term.inner is not None
    pairs = [(i - 1, j - 1) for i, j in (_places(name) for name in given if "rho[" in name)]
    if _closes_a_circle(term.inner.count, pairs):
        named = ", ".join(repr(name) for name in given if "rho[" in name)
        raise InputError(
            f"fixed gives correlations that close a circle ({named}), so that not every value of the others is "
            f"possible: give fewer of them, or {term.name!r} whole, as a matrix"
        )
    return replace(term, term=replace(term.term, structure=unstructured_in_parts(term.inner.count, pairs)))


def _closes_a_circle(levels: int, pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether some pair joins two levels that the pairs before it have joined."""
    joined = list(range(levels))
    for i, j in pairs:
        if joined[i] == joined[j]:
            return True
        old = joined[j]
        joined = [joined[i] if one == old else one for one in joined]
    return False


def _places(name: str) -> tuple[int, int]:
    """The levels that an entry's name counts, from 1."""
    i, j = name[name.rindex("[") + 1 : -1].split(",")
    return int(i), int(j)


def _parts(term: RandomTerm, given: Mapping[str, Any]) -> list[tuple[int, float]]:
    """Which parameter of :func:`unstructured_in_parts` each given entry is, and its value."""
    out = []
    for name, value in given.items():
        i = term.structure.names.index(name_in_parts(name.removeprefix(f"{term.name}: ")))
        if "rho[" in name:
            number = _number(name, value)
            if not -1.0 <= number <= 1.0:
                raise InputError(f"fixed[{name!r}] must lie between -1 and 1; got {number:g}")
            out.append((i, math.asin(number)))
        else:
            out.append((i, _parameter(term, i, name, value)))
    return out


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"fixed[{name!r}] must be a number; got {value!r}") from None


def _whole(term: RandomTerm, value: Any, start: int) -> dict[int, float]:
    """The Cholesky factor of a given covariance matrix, singular or not, row by row."""
    assert term.inner is not None
    n = term.inner.count
    try:
        matrix: Floats = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (n, n) or not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T, rtol=1e-12):
        raise InputError(
            f"fixed[{term.name!r}] must be the whole symmetric covariance matrix of {list(term.inner.labels)}, "
            f"{n} by {n}"
        )
    roots, basis = np.linalg.eigh(matrix)
    if roots[0] < -1e-12 * max(roots[-1], 0.0) or roots[-1] < 0.0:
        raise InputError(f"fixed[{term.name!r}] is no covariance matrix: it has the eigenvalue {roots[0]:.3g}")
    root = basis * np.sqrt(np.maximum(roots, 0.0))
    factor = np.linalg.qr(root.T)[1].T
    return {start + i: float(x) for i, x in enumerate(factor[np.tril_indices(n)])}
