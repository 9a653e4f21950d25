"""Where a network disagrees with itself: what each design adds to Q between designs, and which design explains it.

The estimate of a design leaves a distance to the network, and these distances add up to Q between designs. Detach one
design (fit it on its own) and the distances of the others change: what falls was explained by the detached one, what
rises was supported by it. Krahn, Binder & Koenig (2013) BMC Med Res Methodol 13:35. A design of several arms stands
here as one row and one column, so that nothing depends on which of its contrasts are named; in the paper it has a row
for each of its contrasts to one arm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.frame import frame
from balm.stats.network.contrasts import Bools, Contrasts, Floats, Integers
from balm.stats.network.designs import design_of
from balm.stats.network.evidence_flow import taken
from balm.stats.network.rows import Rows, rows_of
from balm.stats.network.solved import solve
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

#: A distance below this share of Q is rounding: the design closes no loop.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class NetHeat:
    """Designs that close a loop, those that go together next to each other.

    designs, studies : names, and how many studies each has.     tau2 : heterogeneity in the weights, 0 by default.
    q        : (d,) what each design adds to Q between designs; ``total`` is their sum.
    left     : (d, d) what the design of the row adds once the design of the column is detached.
    evidence : (d, d) how much of the network estimate of the row's design flows through the column's, 0 to 1 (of the
               comparisons of a design with several arms, the one for which it is most).
    """

    designs: tuple[str, ...]
    studies: tuple[int, ...]
    tau2: float
    q: Floats
    left: Floats
    evidence: Floats

    @property
    def total(self) -> float:
        """Q between designs."""
        return float(self.q.sum())

    @property
    def change(self) -> Floats:
        """(d, d) above 0: disagreement of the row that detaching the column takes away; below 0: that it brings."""
        return np.asarray(self.q[:, None] - self.left)

    def to_frame(self) -> Any:
        """One row a pair of designs: pandas where it is installed, else a dict of columns."""
        d = len(self.designs)
        return frame(
            {
                "design": [name for name in self.designs for _ in range(d)],
                "detached": list(self.designs) * d,
                "q": np.repeat(self.q, d).tolist(),
                "left": self.left.ravel().tolist(),
                "change": self.change.ravel().tolist(),
                "evidence": self.evidence.ravel().tolist(),
            }
        )


def net_heat(contrasts: Contrasts, tau2: float = 0.0) -> NetHeat:
    """The distances, with each design detached in turn.

    >>> from balm.stats.network.contrasts import assembled
    >>> heat = net_heat(assembled(list("abc"), list("AAB"), list("BCC"), [1.0, 2.0, 3.0], [1.0] * 3))
    >>> sorted(heat.designs), round(heat.total, 4), bool(np.abs(heat.left).max() < 1e-12)
    (['A:B', 'A:C', 'B:C'], 1.3333, True)
    """
    names, design = design_of(contrasts)
    rows = rows_of(contrasts, tau2)
    weight = 1.0 / (rows.variance + 0.5 * tau2)
    of_row = design[rows.study]
    count = len(names)
    parts = [_part(rows, weight, of_row == d) for d in range(count)]
    information, score = (np.array([part[side] for part in parts]) for side in (0, 1))
    own = np.array([_potential(m) @ s for m, s in zip(information, score, strict=True)])
    whole = _potential(information.sum(axis=0)) @ score.sum(axis=0)
    q = _distances(information, own - whole)
    left = np.zeros((count, count))
    for d in range(count):
        others = _potential(information.sum(axis=0) - information[d]) @ (score.sum(axis=0) - score[d])
        left[:, d] = _distances(information, own - others)
        left[d, d] = 0.0
    total = float(q.sum())
    closes = total - left.sum(axis=0) > _NOTHING * max(total, float(np.finfo(float).tiny))
    if total <= 1e-12 * float((weight * rows.value**2).sum()) or not closes.any():
        raise InputError(
            "no two designs of this network can disagree (there is no loop of designs, or they agree exactly): "
            "a net heat plot has nothing to show"
        )
    order = np.flatnonzero(closes)
    order = order[_neighbours((q[:, None] - left)[np.ix_(order, order)])]
    evidence = _evidence(rows, tau2, of_row, information, count)
    return NetHeat(
        tuple(names[i] for i in order.tolist()),
        tuple(np.bincount(design, minlength=count)[order].tolist()),
        tau2,
        q[order],
        left[np.ix_(order, order)],
        evidence[np.ix_(order, order)],
    )


def _part(rows: Rows, weight: Floats, of_design: Bools) -> tuple[Floats, Floats]:
    """Information (n, n) and score (n,) of one design."""
    own = np.where(of_design, weight, 0.0)
    return rows.laplacian(own), rows.current(own)


def _potential(information: Floats) -> Floats:
    """The pseudo-inverse, of a network that may fall into parts."""
    values, vectors = np.linalg.eigh(information)
    use = values > 1e-11 * max(float(values[-1]), 0.0)
    return np.asarray((vectors[:, use] / values[use]) @ vectors[:, use].T)


def _distances(information: Floats, gap: Floats) -> Floats:
    """(d,): each design's quadratic distance. ``gap`` (d, n) is its estimate less the network's."""
    return np.asarray(np.maximum(np.einsum("di,dij,dj->d", gap, information, gap), 0.0))


def _evidence(rows: Rows, tau2: float, of_row: Integers, information: Floats, count: int) -> Floats:
    """(d, d): the flow through each design of each design's own comparisons, the largest of them."""
    solved = solve(rows, tau2)
    found = np.zeros((count, count))
    for d in range(count):
        arms = np.flatnonzero(np.abs(np.diag(information[d])) > 0.0)
        i, j = (arms[side] for side in np.triu_indices(len(arms), 1))
        left = solved.inverse[i] - solved.inverse[j]
        flow = (left[:, rows.places] * rows.vector).sum(axis=2) * solved.weight
        found[d] = taken(flow, rows, of_row).max(axis=0)
    return found


def _neighbours(change: Floats) -> Integers:
    """An order that puts designs with like columns and rows together: complete linkage of absolute differences."""
    if len(change) < 3:
        return np.arange(len(change))
    from scipy.cluster.hierarchy import leaves_list, linkage

    # rounded, so that the last bits of a machine decide nothing; the hottest design stands in the first half
    both = np.round(np.concatenate([change, change.T], axis=1) / np.abs(change).max(), 9)
    order = np.asarray(leaves_list(linkage(both, "complete", metric="cityblock", optimal_ordering=True)), np.int64)
    hottest = int(np.argmax(np.round(np.diag(both), 9)[order]))
    return order if 2 * hottest < len(order) else order[::-1]
