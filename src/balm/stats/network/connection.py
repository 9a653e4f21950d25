"""Whether a network is one: its connected components, by name."""

from __future__ import annotations

import numpy as np

from balm.stats.network import compiled
from balm.stats.network.contrasts import Contrasts, Integers
from balm.vocabulary.problems import refuse

#: Up to so many treatments a square of yes and no is quicker than the sparse graph that names the parts.
DENSE = 2000


def components_of(contrasts: Contrasts) -> Integers:
    """(n,) the component of each treatment, numbered by their first treatment."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(contrasts.treatments)
    edges = coo_matrix((np.ones(len(contrasts.first)), (contrasts.first, contrasts.second)), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int64)


def _reached(contrasts: Contrasts) -> bool:
    """Whether every treatment is reached from the first."""
    n = len(contrasts.treatments)
    beside = np.zeros((n, n), dtype=bool)
    beside[contrasts.first, contrasts.second] = beside[contrasts.second, contrasts.first] = True
    seen = beside[0] | (np.arange(n) == 0)
    new = seen
    while new.any():
        reached = beside[new].any(axis=0) & ~seen
        seen, new = seen | reached, reached
    return bool(seen.all())


def check_connected(contrasts: Contrasts) -> None:
    """One error that names every component of a disconnected network, with its studies."""
    parts = compiled.parts_of(contrasts)
    if parts == 1 or (parts is None and len(contrasts.treatments) <= DENSE and _reached(contrasts)):
        return
    part = components_of(contrasts)
    count = int(part.max()) + 1
    if count == 1:
        return
    lines = []
    for p in range(count):
        names = [t for t, q in zip(contrasts.treatments, part.tolist(), strict=True) if q == p]
        studies = len(set(contrasts.study[part[contrasts.first] == p].tolist()))
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        lines.append(f"({p + 1}) {shown}: {studies} {'study' if studies == 1 else 'studies'}")
    refuse(
        f"the network falls into {count} parts that no study connects: {'; '.join(lines)}. "
        "Analyse each part on its own, or add studies that join them"
    )
