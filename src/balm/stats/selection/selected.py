"""What a selection does to the normal density of an effect: weights along the line of z, and the mass that is left.

Both kinds divide the line of effects into pieces on which the weight is known: a step function into its intervals,
whose normal probabilities are closed, a smooth function into the nodes of a Gauss-Legendre rule on panels of z, with
closed tails beyond. The mass is ``A = sum of weight x K`` over the pieces, and the derivatives of ``K`` in the mean
are Hermite polynomials; those in the variance follow from ``dK/dvariance = d2K/dmean2 / 2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from balm.stats.arrays import Bools
from balm.stats.distributions import norm_isf
from balm.stats.effect_sizes import Floats
from balm.stats.selection.weight_functions import Terms, WeightFunction

_ROOT_2PI = math.sqrt(2.0 * math.pi)
#: Beyond this many standard errors 1 - p (or p) is 1 to the last digit.
EDGE = 8.3
#: Beyond this p itself is 0 in double precision.
FAR_EDGE = 38.0
#: Nodes a panel to begin with; the fit doubles them until its likelihood stands still.
NODES = 40
#: A weight below exp(LOWEST) (or above its inverse) ends the search: the weights leave every bound.
LOWEST = math.log(1e-8)
#: An upper tail is the lower one of the mirrored argument: derivatives of odd order change sign.
_MIRRORED = np.array([1.0, -1.0, 1.0, -1.0, 1.0])[:, None, None]


@dataclass(frozen=True, eq=False)
class Mass:
    """(5, k) mass and its mean derivatives; (3, m, k) in the parameters; (m, m, k) twice in the parameters."""

    mean: Floats
    slope: Floats
    curvature: Floats


class Selected:
    """A selection on ``k`` effects turned so that large ones are sought: see :class:`Steps` and :class:`Smooth`."""

    #: Number of estimated parameters and which they are; their start without selection, other starts, and bounds, in
    #: working coordinates (logarithms where a parameter is above 0, of 1 + delta where it may be 0).
    size: int
    #: Number of parameters that were asked for: those that lie at 0 because no study has them count too.
    wanted: int
    free: NDArray[np.int64]
    neutral: Floats
    starts: list[Floats]
    lower: Floats
    upper: Floats

    def in_units(self, unit: float) -> Selected:
        """The same with effects counted in ``unit``."""
        raise NotImplementedError

    def kernel(self, mean: Floats, sd: Floats) -> Floats:
        """(5, k, pieces): probability of each piece and its first four derivatives in the mean."""
        raise NotImplementedError

    def weights(self, at: Floats) -> Terms:
        """Weights of the pieces, (pieces,) or (k, pieces), with slopes and curvatures in front."""
        raise NotImplementedError

    def observed(self, at: Floats) -> Terms:
        """(k,) log weight of each study, with slopes (m, k) and curvatures (m, m, k)."""
        raise NotImplementedError

    def delta(self, at: Floats) -> Floats:
        """All weights or parameters as a reader knows them."""
        raise NotImplementedError

    def jacobian(self, at: Floats) -> Floats:
        """(len(delta), m)."""
        raise NotImplementedError

    def mass(self, mean: Floats, sd: Floats, at: Floats) -> Mass:
        """The mass left of each study's density, with derivatives."""
        k = self.kernel(mean, sd)
        value, slope, curvature = self.weights(at)
        if value.ndim == 1:
            return Mass(k @ value, np.einsum("nkq,mq->nmk", k[:3], slope), np.einsum("kq,abq->abk", k[0], curvature))
        return Mass(
            np.einsum("nkq,kq->nk", k, value),
            np.einsum("nkq,mkq->nmk", k[:3], slope),
            np.einsum("kq,abkq->abk", k[0], curvature),
        )


def normal_tails(b: Floats, sd: Floats) -> Floats:
    """(5, ...): ``Phi(b)`` and its derivatives in the mean, for ``b = (edge - mean) / sd``."""
    from scipy.special import ndtr

    found = np.empty((5, *b.shape))
    square = b * b
    found[0] = ndtr(b)
    density = np.exp(-0.5 * square) / (-_ROOT_2PI * sd)
    found[1] = density
    scaled = b / sd
    found[2] = density * scaled
    over = density / (sd * sd)
    found[3] = (square - 1.0) * over
    found[4] = (square - 3.0) * scaled * over
    return found


class Steps(Selected):
    """Weights that are constant on intervals of the effect.

    edges  : (k, J - 1) rising edges of the J pieces of each study.  group : (J,) which weight each piece has.
    member : (k,) which weight each study has.  fixed : (c,) weights that are given, ``nan`` where they are estimated.

    A weight is a share of the first one that a study has. Weights that no study has are 0: the likelihood falls with
    them wherever the rest is.
    """

    def __init__(self, edges: Floats, group: list[int], member: list[int], fixed: list[float]) -> None:
        self.edges, self.group, self.member = edges, np.array(group), np.array(member, dtype=np.int64)
        self._fixed = fixed
        counts = np.bincount(self.member, minlength=len(fixed))
        given = np.array(fixed, dtype=np.float64)
        free = np.isnan(given)
        self.asked = free
        self.wanted = int(free.sum()) - int(free.all())
        self.given = np.where(free & (counts == 0), 0.0, given)
        if free.all():
            first = int(np.flatnonzero(counts)[0])
            self.given[first] = 1.0
        self.counts = counts
        self.free = np.flatnonzero(np.isnan(self.given))
        self.size = len(self.free)
        self.neutral = np.zeros(self.size)
        self.starts = [np.full(self.size, math.log(0.2))] if self.size else []
        self.lower = np.full(self.size, LOWEST)
        self.upper = np.full(self.size, -LOWEST)
        self._where = (self.group[None, :] == self.free[:, None]).astype(np.float64)
        self._mine = (self.member[None, :] == self.free[:, None]).astype(np.float64)
        self._none = np.zeros((self.size, self.size, len(self.member)))
        self._eye = np.eye(self.size)[:, :, None]

    def in_units(self, unit: float) -> Steps:
        """The same with effects counted in ``unit``."""
        return Steps(self.edges / unit, self.group.tolist(), self.member.tolist(), self._fixed)

    def kernel(self, mean: Floats, sd: Floats) -> Floats:
        from scipy.special import ndtr

        wide = sd[:, None]
        tails = normal_tails((self.edges - mean[:, None]) / wide, wide)
        pieces = len(self.group)
        found = np.empty((5, len(mean), pieces))
        found[:, :, : pieces - 1] = tails
        if pieces > 2:
            found[:, :, 1 : pieces - 1] -= tails[:, :, :-1]
        found[1:, :, -1] = -tails[1:, :, -1]
        found[0, :, -1] = ndtr((mean - self.edges[:, -1]) / sd)  # not 1 - Phi, which loses digits
        return found

    def all_weights(self, at: Floats) -> Floats:
        """Given and estimated ones."""
        weights = self.given.copy()
        weights[self.free] = np.exp(at)
        return weights

    def weights(self, at: Floats) -> Terms:
        weights = self.all_weights(at)[self.group]
        slope = self._where * weights
        return weights, slope, self._eye * slope

    def observed(self, at: Floats) -> Terms:
        return np.log(self.all_weights(at)[self.member]), self._mine, self._none

    def delta(self, at: Floats) -> Floats:
        return self.all_weights(at)

    def jacobian(self, at: Floats) -> Floats:
        found = np.zeros((len(self.given), self.size))
        found[self.free, np.arange(self.size)] = np.exp(at)
        return found


@lru_cache(maxsize=16)
def _rule(nodes: int) -> tuple[Floats, Floats]:
    found: tuple[Floats, Floats] = np.polynomial.legendre.leggauss(nodes)
    return found


class Smooth(Selected):
    """Weights by a smooth function of p, on a Gauss-Legendre rule in z with closed tails.

    z, se       : (k,) of the studies.  imprecision : (k,) multiplies the first parameter, or ``None``.
    threshold   : p values up to it have weight 1, or ``None``.  fixed : given parameters, ``nan`` for estimated ones.
    """

    def __init__(
        self,
        function: WeightFunction,
        z: Floats,
        se: Floats,
        *,
        two_sided: bool,
        imprecision: Floats | None,
        threshold: float | None,
        fixed: list[float],
        censored_at: float,
        nodes: int = NODES,
    ) -> None:
        self.function, self.z, self.se, self.two_sided = function, z, se, two_sided
        self.imprecision, self.threshold, self.censored_at, self.nodes = imprecision, threshold, censored_at, nodes
        self.given = np.array(fixed, dtype=np.float64)
        self.free = np.flatnonzero(np.isnan(self.given))
        self.size = self.wanted = len(self.free)
        self._positive = np.array(function.positive)[self.free]
        self.neutral = self._working(np.array(function.neutral)[self.free])
        self.starts = [self._working(np.array(one)[self.free]) for one in function.strong] if self.size else []
        self.lower = np.where(self._positive, LOWEST, 0.0)
        self.upper = np.full(self.size, -LOWEST)

    def finer(self) -> Smooth:
        """The same with twice as many nodes."""
        return self._with(self.se, 2 * self.nodes)

    def in_units(self, unit: float) -> Smooth:
        """The same with effects counted in ``unit``."""
        return self._with(self.se / unit, self.nodes)

    def _with(self, se: Floats, nodes: int) -> Smooth:
        return Smooth(
            self.function, self.z, se, two_sided=self.two_sided, imprecision=self.imprecision,
            threshold=self.threshold, fixed=self.given.tolist(), censored_at=self.censored_at, nodes=nodes,
        )  # fmt: skip

    def _working(self, delta: Floats) -> Floats:
        return np.where(self._positive, np.log(np.maximum(delta, 1e-300)), np.log1p(delta))

    def delta(self, at: Floats) -> Floats:
        found = self.given.copy()
        found[self.free] = np.where(self._positive, np.exp(at), np.expm1(at))
        return found

    def jacobian(self, at: Floats) -> Floats:
        found = np.zeros((len(self.given), self.size))
        found[self.free, np.arange(self.size)] = np.exp(at)
        return found

    def _breaks(self) -> list[float]:
        censored = not self.function.bounded
        tail = self.censored_at / 2.0 if self.two_sided else self.censored_at
        edge = norm_isf(tail) if censored else FAR_EDGE if self.function.far else EDGE
        found = {0.0, edge, min(EDGE, edge)}
        if self.threshold is not None:
            cut = norm_isf(self.threshold / 2.0 if self.two_sided else self.threshold)
            if -edge < cut < edge:
                found.add(cut)
        if self.two_sided:
            if censored:  # p nears 1 at z = 0: panels that shrink towards it
                least = norm_isf(0.5 * (1.0 - self.censored_at))
                found |= {least * 10.0**j for j in range(1, 6) if least * 10.0**j < edge} | {least}
            return sorted({sign * x for x in found for sign in (-1.0, 1.0)})
        found.add(-min(EDGE, edge))
        return sorted(found)

    @cached_property
    def _grid(self) -> tuple[Floats, Floats, float, float]:
        x, h = _rule(self.nodes)
        breaks = self._breaks()
        nodes, weights = [], []
        for low, high in pairwise(breaks):
            nodes.append(0.5 * (low + high) + 0.5 * (high - low) * x)
            weights.append(0.5 * (high - low) * h)
        return np.concatenate(nodes), np.concatenate(weights), breaks[0], breaks[-1]

    def _logs(self, z: Floats) -> tuple[Floats, Floats, Bools]:
        """log p, log(1 - p), and where the weight is a function of p at all."""
        from scipy.special import erf, log_ndtr

        if self.two_sided:
            size = np.abs(z)
            log_p = math.log(2.0) + log_ndtr(-size)
            with np.errstate(divide="ignore"):
                log_q = np.where(size < 1.0, np.log(erf(size / math.sqrt(2.0))), np.log1p(-np.exp(log_p)))
        else:
            log_p, log_q = log_ndtr(-z), log_ndtr(z)
        return self._censored(log_p, log_q)

    def _censored(self, log_p: Floats, log_q: Floats) -> tuple[Floats, Floats, Bools]:
        inside = np.ones(len(log_p), dtype=bool) if self.threshold is None else log_p > math.log(self.threshold)
        if not self.function.bounded:
            least, most = math.log(self.censored_at), math.log1p(-self.censored_at)
            log_p, log_q = np.clip(log_p, least, most), np.clip(log_q, least, most)
        return log_p, log_q, inside

    def log_weight_at(self, log_p: Floats, log_q: Floats, at: Floats) -> Floats:
        """At p values of one's own, for the least precise study."""
        return self._terms(self._censored(log_p, log_q), at, None)[0]

    def _terms(self, logs: tuple[Floats, Floats, Bools], at: Floats, imprecision: Floats | None) -> Terms:
        """log weight with derivatives in working coordinates."""
        log_p, log_q, inside = logs
        delta = self.delta(at)
        scale = np.ones(()) if imprecision is None else imprecision
        parameters = [delta[0] * scale, *(np.asarray(d) for d in delta[1:])]
        value, slope, curvature = self.function.log_weight(log_p, log_q, parameters)
        if self.threshold is not None:  # the function goes on from 1 at the threshold, without a jump
            edge = np.array([math.log(self.threshold)]), np.array([math.log1p(-self.threshold)])
            there = self.function.log_weight(*edge, parameters)
            value, slope, curvature = value - there[0], slope - there[1], curvature - there[2]
        shape = np.broadcast_shapes(value.shape, slope.shape[1:])
        slope, curvature = (
            np.broadcast_to(slope, (len(delta), *shape)).copy(),
            np.broadcast_to(curvature, (len(delta), len(delta), *shape)).copy(),
        )
        slope[0] *= scale
        curvature[0] *= scale
        curvature[:, 0] *= scale
        rate = np.exp(at).reshape(-1, *[1] * len(shape))  # d delta / d working, for both coordinates
        slope = slope[self.free] * rate
        curvature = curvature[np.ix_(self.free, self.free)] * rate[:, None] * rate[None, :]
        for j in range(self.size):
            curvature[j, j] += slope[j]
        return np.where(inside, value, 0.0), np.where(inside, slope, 0.0), np.where(inside, curvature, 0.0)

    @cached_property
    def _node_logs(self) -> tuple[Floats, Floats, Bools]:
        nodes, _, low, high = self._grid
        return self._logs(np.concatenate(([low], nodes, [high])))

    @cached_property
    def _study_logs(self) -> tuple[Floats, Floats, Bools]:
        return self._logs(self.z)

    def weights(self, at: Floats) -> Terms:
        imprecision = None if self.imprecision is None else self.imprecision[:, None]
        value, slope, curvature = self._terms(self._node_logs, at, imprecision)
        weight = np.exp(value)
        return weight, weight * slope, weight * (curvature + slope[:, None] * slope[None, :])

    def observed(self, at: Floats) -> Terms:
        return self._terms(self._study_logs, at, self.imprecision)

    def kernel(self, mean: Floats, sd: Floats) -> Floats:
        nodes, weights, low, high = self._grid
        wide, se = sd[:, None], self.se[:, None]
        b = (nodes * se - mean[:, None]) / wide
        density = np.exp(-0.5 * b * b) * (weights * se / (_ROOT_2PI * wide))
        found = np.empty((5, len(mean), len(nodes) + 2))
        inner = found[:, :, 1:-1]
        square = b * b
        inner[0] = density
        density = density / wide
        inner[1] = b * density
        density = density / wide
        inner[2] = (square - 1.0) * density
        density = density / wide
        inner[3] = (square - 3.0) * b * density
        inner[4] = ((square - 6.0) * square + 3.0) * density / wide
        found[:, :, :1] = normal_tails((low * se - mean[:, None]) / wide, wide)
        mirrored = normal_tails((mean[:, None] - high * se) / wide, wide)
        found[:, :, -1:] = mirrored * _MIRRORED
        return found
