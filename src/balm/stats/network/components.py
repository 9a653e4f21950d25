"""Component networks: the effect of a combination is the sum of its components, plus named interactions.

Welton et al. (2009) Am J Epidemiol 169:1158; Ruecker, Petropoulou & Schwarzer (2020) Biom J 62:808. Parts of a
network that no study joins are joined by the components they share, as far as those identify a component.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from balm.stats.network.contrasts import Contrasts, Floats, read_contrasts
from balm.stats.network.designs import QTest, q_test
from balm.stats.network.rows import Rows, rows_of
from balm.vocabulary.problems import refuse
from balm.vocabulary.quick_dataclass import dataclass

#: An eigenvalue below this share of the largest is none.
RANK = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class ComponentNetwork:
    """Effects of components on the analysis scale, against the inactive one (or none).

    Unidentified components are nan. ``q`` is of the additive model; less the Q of the network of whole treatments it
    tests additivity.
    """

    components: tuple[str, ...]
    treatments: tuple[str, ...]
    combination: Floats
    common: Floats
    common_se: Floats
    random: Floats
    random_se: Floats
    tau2: float
    q: QTest


def component_network(
    *, inactive: str | None = None, sep: str = "+", interactions: Sequence[str] = (), **columns: Any
) -> ComponentNetwork:
    """The additive model from contrasts (as :func:`balm.network` takes them); the network may be disconnected.

    >>> fit = component_network(study=["1", "2", "3"], treatment_1=["A", "B", "A + B"], treatment_2=["P"] * 3,
    ...                         effect=[1.0, 2.0, 3.0], se=[1.0] * 3, inactive="P")
    >>> fit.common.round(6).tolist()
    [1.0, 2.0]
    """
    return additive(read_contrasts(**columns), inactive=inactive, sep=sep, interactions=interactions)


def additive(
    contrasts: Contrasts, *, inactive: str | None = None, sep: str = "+", interactions: Sequence[str] = ()
) -> ComponentNetwork:
    """The additive model; an interaction ``"A*B"`` is an effect of its own where A and B are combined."""
    names, combination = combined(contrasts.treatments, inactive, sep, interactions)
    rows = rows_of(contrasts)
    beta, spread, q, weight, estimable = _fit(rows, combination, 0.0)
    rank = int(np.linalg.matrix_rank(_contrasted(rows, combination)))
    df = len(rows.value) - rank
    whole = combination @ spread @ combination.T
    c = 0.5 * float(weight.sum() - (whole * rows.laplacian(weight**2)).sum())
    tau2 = max(0.0, (q - df) / c) if df > 0 and c > 0.0 else 0.0
    random = _fit(rows_of(contrasts, tau2), combination, tau2)
    hidden = np.where(estimable, 1.0, math.nan)
    return ComponentNetwork(
        names,
        contrasts.treatments,
        combination,
        beta * hidden,
        np.sqrt(np.diag(spread)) * hidden,
        random[0] * hidden,
        np.sqrt(np.diag(random[1])) * hidden,
        tau2,
        q_test(q, df),
    )


def combined(
    treatments: Sequence[str], inactive: str | None, sep: str, interactions: Sequence[str]
) -> tuple[tuple[str, ...], Floats]:
    """The components, sorted, with the interactions after them, and (n, c) which treatment holds which."""
    if not sep:
        refuse("sep must be the sign between components, as '+'; got ''")
    parts = [[p.strip() for p in t.split(sep)] for t in treatments]
    known = set(chain.from_iterable(parts))
    if inactive is not None and inactive not in known:
        refuse(f"inactive must be one of the components {sorted(known)}; got {inactive!r}")
    names = sorted(known - {inactive}, key=lambda name: (str(name).casefold(), name))
    columns = [[float(name in part) for part in parts] for name in names]
    for interaction in interactions:
        members = [m.strip() for m in interaction.split("*")]
        if len(members) < 2 or not set(members) <= set(names):
            refuse(f"an interaction joins active components with *, as 'A*B', of {names}; got {interaction!r}")
        column = [float(set(members) <= set(part)) for part in parts]
        if not any(column):
            refuse(f"no treatment combines {' and '.join(members)}; leave the interaction {interaction!r} out")
        columns.append(column)
    return (*names, *interactions), np.array(columns).T.reshape(len(treatments), len(columns))


def _contrasted(rows: Rows, combination: Floats) -> Floats:
    return np.asarray(np.einsum("ep,epc->ec", rows.vector, combination[rows.places]))


def _fit(rows: Rows, combination: Floats, tau2: float) -> tuple[Floats, Floats, float, Floats, Any]:
    weight = 1.0 / (rows.variance + 0.5 * tau2)
    x = _contrasted(rows, combination)
    information = x.T @ (x * weight[:, None])
    values, vectors = np.linalg.eigh(information)
    kept = values > RANK * values[-1]
    spread = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    beta = spread @ (x.T @ (weight * rows.value))
    q = float((weight * (rows.value - x @ beta) ** 2).sum()) + rows.rest
    estimable = np.abs(vectors[:, ~kept]).max(axis=1, initial=0.0) < 1e-6
    return beta, spread, q, weight, estimable
