"""Clusters of the GOSH cloud, and the studies whose presence separates them.

A study that pulls the result splits the cloud in two: the subsets with it and those without. Hartigan & Wong's aim
(k-means, Lloyd's iteration from k-means++ seeds: Arthur & Vassilvitskii 2007) or a mixture of normal distributions
fitted by the EM algorithm (Dempster, Laird & Rubin 1977; McLachlan & Peel 2000, ch. 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.diagnostics.printed import text_table
from balm.stats.diagnostics.subsets import includes
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.vocabulary.problems import InputError, check_option

if TYPE_CHECKING:
    from balm.stats.diagnostics.gosh import Gosh

METHODS = ("gaussian-mixture", "k-means")
AGAINST = ("i2", "tau2", "q", "h2")
#: Points that the clusters are fitted to; a larger cloud is thinned evenly, and all its points are assigned.
FITTED = 20_000
STARTS = 5
STEPS = 200
#: Share of the total variance added to each cluster's, so that none shrinks to a point.
RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of the subsets, numbered from the one with the smallest mean estimate.

    label      : (n,) cluster of each subset; -1 where its heterogeneity is ``nan``.

    centre     : (clusters, 2) mean estimate and mean heterogeneity.
    size       : (clusters,) number of subsets.
    share      : (clusters, k) how often each study belongs to the subsets of a cluster.
    separation : (k,) largest difference of that share between clusters: near 1, the study makes the cluster.
    """

    study: tuple[str, ...]
    label: NDArray[np.int64]
    centre: Floats
    size: NDArray[np.int64]
    share: Floats
    method: str
    against: str

    @property
    def separation(self) -> Floats:
        """(k,) the largest difference between clusters in how often the study is present."""
        return np.asarray(self.share.max(axis=0) - self.share.min(axis=0))

    @property
    def separating(self) -> tuple[str, ...]:
        """Studies that separate the clusters by half or more, strongest first."""
        by = self.separation
        return tuple(self.study[i] for i in np.argsort(-by, kind="stable").tolist() if by[i] >= 0.5)

    def to_frame(self) -> Any:
        """A row a study: its share in each cluster and its separation."""
        table: dict[str, Any] = {"study": list(self.study)}
        table |= {f"share_{i + 1}": self.share[i] for i in range(len(self.share))}
        return frame(table | {"separation": self.separation})

    def __repr__(self) -> str:
        table: dict[str, Any] = {"study": self.study}
        table |= {f"cluster {i + 1}": self.share[i] for i in range(len(self.share))}
        table["separation"] = self.separation
        notes = [
            f"cluster {i + 1}: {n} subsets, mean estimate {c[0]:.3f}, mean {self.against} {c[1]:.3f}"
            for i, (n, c) in enumerate(zip(self.size.tolist(), self.centre.tolist(), strict=True))
        ]
        notes.append(f"separating studies: {', '.join(self.separating) or 'none'}")
        return text_table(f"How often each study is in the subsets of a cluster ({self.method})", table, notes)


def cluster(gosh: Gosh, count: int, *, method: str, against: str, seed: int) -> Clusters:
    """Cluster the standardised (estimate, heterogeneity) of all subsets of two or more studies."""
    check_option("method", method, METHODS)
    check_option("against", against, AGAINST)
    points = np.column_stack([gosh.estimate, getattr(gosh, against)])
    use = np.isfinite(points).all(axis=1)
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 1 <= count <= 20:
        raise InputError(f"count must be a number of clusters from 1 to 20; got {count!r}")
    if np.count_nonzero(use) < 10 * count:
        raise InputError(
            f"{count} clusters need at least {10 * count} subsets with heterogeneity; there are {np.count_nonzero(use)}"
        )
    chosen = points[use]
    spread = chosen.std(axis=0)
    scaled = (chosen - chosen.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    random = np.random.default_rng(seed)
    some = scaled if len(scaled) <= FITTED else scaled[random.choice(len(scaled), FITTED, replace=False)]
    centres = min((_k_means(some, int(count), random) for _ in range(STARTS)), key=lambda found: found[1])[0]
    nearest = _nearest(scaled, centres) if method == "k-means" else _most_likely(scaled, *_mixture(some, centres))
    present = np.unique(nearest)
    order = present[np.argsort([chosen[nearest == i, 0].mean() for i in present], kind="stable")]
    label = np.full(len(points), -1, dtype=np.int64)
    rank = np.zeros(int(count), dtype=np.int64)
    rank[order] = np.arange(len(order))
    label[use] = rank[nearest]
    share = np.array(
        [[includes(gosh.bits, j)[label == i].mean() for j in range(len(gosh.study))] for i in range(len(order))]
    )
    centre = np.array([points[label == i].mean(axis=0) for i in range(len(order))])
    size = np.array([np.count_nonzero(label == i) for i in range(len(order))])
    return Clusters(gosh.study, label, centre, size, share, method, against)


def _distances(points: Floats, centres: Floats) -> Floats:
    return np.stack([((points - c) ** 2).sum(axis=1) for c in centres], axis=1)


def _nearest(points: Floats, centres: Floats) -> NDArray[np.int64]:
    return np.asarray(_distances(points, centres).argmin(axis=1), dtype=np.int64)


def _k_means(points: Floats, count: int, random: np.random.Generator) -> tuple[Floats, float]:
    """Centres and within-cluster sum of squares, from k-means++ seeds."""
    centres = points[random.integers(len(points))][None, :]
    while len(centres) < count:
        far = _distances(points, centres).min(axis=1)
        total = float(far.sum())
        pick = random.integers(len(points)) if total == 0.0 else random.choice(len(points), p=far / total)
        centres = np.vstack([centres, points[pick]])
    for _ in range(STEPS):
        label = _nearest(points, centres)
        moved = np.array([points[label == i].mean(axis=0) if (label == i).any() else centres[i] for i in range(count)])
        settled = np.allclose(moved, centres, rtol=0.0, atol=1e-9)
        centres = moved
        if settled:
            break
    return centres, float(_distances(points, centres).min(axis=1).sum())


def _log_densities(points: Floats, share: Floats, centres: Floats, covariances: Floats) -> Floats:
    """(n, clusters) log of share times bivariate normal density."""
    out = np.empty((len(points), len(centres)))
    for i, (weight, centre, covariance) in enumerate(zip(share, centres, covariances, strict=True)):
        gap = np.linalg.solve(np.linalg.cholesky(covariance), (points - centre).T)
        log_det = math.log(float(np.linalg.det(covariance)))
        out[:, i] = (
            math.log(max(float(weight), 1e-300)) - math.log(2.0 * math.pi) - 0.5 * (log_det + (gap * gap).sum(axis=0))
        )
    return out


def _mixture(points: Floats, centres: Floats) -> tuple[Floats, Floats, Floats]:
    """Shares, centres and covariances by EM, from the k-means clusters."""
    n, count = len(points), len(centres)
    belongs = np.eye(count)[_nearest(points, centres)]
    before = -math.inf
    share, covariances = np.full(count, 1.0 / count), np.stack([np.eye(2)] * count)
    for _ in range(STEPS):
        weight = belongs.sum(axis=0) + 1e-12
        share = weight / n
        centres = belongs.T @ points / weight[:, None]
        for i in range(count):
            away = points - centres[i]
            covariances[i] = (belongs[:, i, None] * away).T @ away / weight[i] + RIDGE * np.eye(2)
        logs = _log_densities(points, share, centres, covariances)
        top = logs.max(axis=1, keepdims=True)
        dense = np.exp(logs - top)
        total = dense.sum(axis=1, keepdims=True)
        belongs = dense / total
        height = float((np.log(total) + top).sum())
        if height - before <= 1e-7 * n:
            break
        before = height
    return share, centres, covariances


def _most_likely(points: Floats, share: Floats, centres: Floats, covariances: Floats) -> NDArray[np.int64]:
    return np.asarray(_log_densities(points, share, centres, covariances).argmax(axis=1), dtype=np.int64)
