"""Whether a network is one: its connected components, by name."""

from __future__ import annotations

import numpy as np

from balm.stats.network.contrasts import Contrasts, Integers
from balm.vocabulary.problems import refuse


def components_of(contrasts: Contrasts) -> Integers:
    """(n,) the component of each treatment, numbered by their first treatment."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(contrasts.treatments)
    edges = coo_matrix((np.ones(len(contrasts.first)), (contrasts.first, contrasts.second)), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int64)


def check_connected(contrasts: Contrasts) -> None:
    """One error that names every component of a disconnected network, with its studies."""
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
