"""The likelihood of the Copas selection model for one chance of selection, and its highest maximum.

An effect is seen when ``u + d > 0``, with ``u = gamma0 + gamma1 / s`` and a normal ``d`` whose correlation with the
study's sampling error is ``rho``. Given that it is seen, the log-density of effect y is (Copas & Shi, Biostatistics
2000;1:247; Stat Methods Med Res 2001;10:251)::

    -log(V) / 2 - e² / (2 V) - log Phi(u) + log Phi(w),     e = y - theta - beta s,    V = tau² + S,
    S = s² / (1 - c² rho²),    c² = L(u) (u + L(u)),    r = rho sqrt(S / V),    w = (u + r e / sqrt(V)) / sqrt(1 - r²)

with ``L = phi / Phi``. ``S`` is the sampling variance before selection: what a study prints is that of what was seen.
For each ``(tau, rho)`` the rest is concave in ``theta`` and ``beta``, so that a grid of the two finds every hill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.effect_sizes import Bools, Floats

#: At 1 the likelihood degenerates; this bound is that of Carpenter, Rücker & Schwarzer (2009, R J 1(2):31).
MOST_RHO = 0.9999
#: Correlations at which hills are looked for; they crowd where the likelihood bends most.
RHO = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94, 0.98, 0.995, MOST_RHO])
#: Standard deviations of the true effects at which hills are looked for, as shares of the spread of the effects.
TAU = np.array([0.0, 0.04, 0.1, 0.17, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5])
#: Hills that are climbed to the top: further ones on the grid are lower by then.
MOST_HILLS = 5
#: Steps of Newton's method, and the shares of one that are tried.
STEPS = 40
SHARES = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 1e-3, 1e-4)
#: Of the log-likelihood, by a step of Newton's method on the grid: below it the grid is known well enough.
SMALL_GAIN = 1e-6
#: tau² below this share of a typical sampling variance is 0.
NOTHING = 1e-9
#: A step this small, in standard errors, ends the climb; the second where a picture is made of it.
STILL, NEARLY = 1e-9, 1e-4


@dataclass(frozen=True, eq=False)
class Top:
    """The highest maximum: coefficients (theta, or theta and beta), tau², rho, log-likelihood, error of theta.

    residual : what is left of Newton's step, in standard errors.
    """

    beta: Floats
    tau2: float
    rho: float
    log_likelihood: float
    se: float
    residual: float


def mills(u: Floats) -> Floats:
    """``phi(u) / Phi(u)``, without loss in either tail."""
    from scipy.special import log_ndtr

    found: Floats = np.exp(-0.5 * u * u - 0.5 * math.log(2.0 * math.pi) - log_ndtr(u))
    return found


class CopasLikelihood:
    """Effects ``y`` (turned so that large ones are sought), standard errors ``s``, and ``u``, all (k,)."""

    def __init__(self, y: Floats, s: Floats, u: Floats, *, residual: bool = False) -> None:
        from scipy.special import log_ndtr

        self.y, self.s, self.u = y, s, u
        self.x = np.column_stack([np.ones(len(y)), s]) if residual else np.ones((len(y), 1))
        ratio = mills(u)
        self.c2 = ratio * (u + ratio)
        self.seen = float(np.sum(log_ndtr(u))) + 0.5 * len(y) * math.log(2.0 * math.pi)
        self.q = self.x.shape[1]

    def highest(self) -> Top:
        """Every hill of the grid climbed; the highest top."""
        starts = self._hills(TAU, RHO)[:MOST_HILLS]
        return max((self._climb(at) for at in starts), key=lambda one: one.log_likelihood)

    def estimate(self) -> float:
        """The mean alone, from a coarser grid and not to the last digit: for surfaces of many points."""
        tops = [self._climb(at, still=NEARLY) for at in self._hills(TAU[::2], RHO[[0, 2, 4, 6, 8, 10, 11]])[:3]]
        return float(max(tops, key=lambda one: one.log_likelihood).beta[0])

    def _hills(self, tau: Floats, rho: Floats) -> list[Floats]:
        """Points of a grid that no neighbour exceeds, the highest first."""
        spread = max(float(np.std(self.y)), float(np.median(self.s)))
        tau2_at, rho_at = np.repeat((spread * tau) ** 2, len(rho)), np.tile(rho, len(tau))
        beta, height = self._concave(tau2_at, rho_at)
        table = height.reshape(len(tau), len(rho))
        around = np.full((len(tau) + 2, len(rho) + 2), -math.inf)
        around[1:-1, 1:-1] = table
        hill = np.ones_like(table, dtype=bool)
        for i in range(3):
            for j in range(3):
                hill &= table >= around[i : i + len(tau), j : j + len(rho)]
        places = np.flatnonzero(hill)
        places = places[np.argsort(-height[places], kind="stable")]
        return [np.array([*beta[i], tau2_at[i], rho_at[i]]) for i in places.tolist()]

    def profile(self, theta: float) -> float:
        """The highest log-likelihood with the mean held at ``theta`` (no residual term)."""
        from scipy.special import log_ndtr

        spread = max(float(np.std(self.y)), float(np.median(self.s)), float(np.max(np.abs(self.y - theta))) / 3.0)
        tau2, rho = np.repeat((spread * TAU) ** 2, len(RHO)), np.tile(RHO, len(TAU))
        v, _, _, root, slope = self._parts(tau2[:, None], rho[:, None])
        e = self.y - theta
        height = np.sum(-0.5 * np.log(v) - 0.5 * e * e / v + log_ndtr(self.u / root + slope * e), axis=1)
        places = np.argsort(-height, kind="stable")[[0, 6]].tolist()
        return max(self._climb(np.array([theta, tau2[i], rho[i]]), held=True).log_likelihood for i in places)

    def _concave(self, tau2: Floats, rho: Floats) -> tuple[Floats, Floats]:
        """(m, q) best coefficients and (m,) log-likelihoods for ``m`` pairs of tau² and rho, by Newton's method."""
        from scipy.special import log_ndtr

        v, _, _, root, slope = self._parts(tau2[:, None], rho[:, None])
        log_v, base = np.log(v), self.u / root
        beta = self._solved(1.0 / v, self.y / v)

        def value(at: Floats) -> tuple[Floats, Floats, Floats]:
            e = self.y - at[:, :1] if self.q == 1 else self.y - at[:, :1] - at[:, 1:] * self.s
            z = base + slope * e
            return np.sum(log_ndtr(z) - 0.5 * (log_v + e * e / v), axis=1), e, z

        height, e, z = value(beta)
        for _ in range(STEPS):
            ratio = mills(z)
            rise = e / v - ratio * slope
            step = self._solved(1.0 / v + slope**2 * ratio * (z + ratio), rise)
            gain = np.sum(rise, axis=1) * step[:, 0]
            if self.q == 2:
                gain += np.sum(rise * self.s, axis=1) * step[:, 1]
            share = np.ones((len(beta), 1))
            for _ in range(8):
                ahead, far, there = value(beta + share * step)
                worse = ahead < height - 1e-12 * (1.0 + np.abs(height))
                if not worse.any():
                    break
                share = np.where(worse[:, None], 0.5 * share, share)
            beta, height, e, z = beta + share * step, ahead, far, there
            if float(np.max(np.abs(gain))) < SMALL_GAIN:
                break
        return beta, height - self.seen

    def _solved(self, w: Floats, b: Floats) -> Floats:
        """(m, q) solutions of the normal equations with weights ``w`` and right sides that sum ``b``, each (m, k)."""
        a00, b0 = np.sum(w, axis=1), np.sum(b, axis=1)
        if self.q == 1:
            one: Floats = (b0 / a00)[:, None]
            return one
        a01, a11, b1 = np.sum(w * self.s, axis=1), np.sum(w * self.s**2, axis=1), np.sum(b * self.s, axis=1)
        whole = a00 * a11 - a01 * a01
        found: Floats = np.column_stack([(a11 * b0 - a01 * b1) / whole, (a00 * b1 - a01 * b0) / whole])
        return found

    def _parts(self, tau2: Floats | float, rho: Floats | float) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """V, S, r, sqrt(1 - r²) and the slope of w along e."""
        s = self.s**2 / (1.0 - self.c2 * rho**2)
        v = tau2 + s
        r = rho * np.sqrt(s / v)
        root = np.sqrt(1.0 - r * r)
        return v, s, r, root, r / np.sqrt(v) / root

    def value(self, at: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its slopes at (coefficients, tau², rho)."""
        from scipy.special import log_ndtr

        tau2, rho = float(at[-2]), float(at[-1])
        v, s, r, root, slope = self._parts(tau2, rho)
        e = self.y - self.x @ at[:-2]
        z = self.u / root + slope * e
        ratio = mills(z)
        bent = s**2 / self.s**2 * 2.0 * self.c2 * rho  # dS / d rho
        along_v = -0.5 / v + 0.5 * e * e / v**2 - 0.5 * ratio * slope * e / v
        along_r = ratio * (e / np.sqrt(v) + r * self.u) / root**3
        r_rho = np.sqrt(s / v) + 0.5 * rho * np.sqrt(v / s) * bent * tau2 / v**2
        slopes = np.empty(self.q + 2)
        slopes[:-2] = (e / v - ratio * slope) @ self.x
        slopes[-2] = float(np.sum(along_v - 0.5 * along_r * r / v))
        slopes[-1] = float(np.sum(along_v * bent + along_r * r_rho))
        height = float(np.sum(-0.5 * np.log(v) - 0.5 * e * e / v + log_ndtr(z))) - self.seen
        return height, slopes

    @property
    def _unit(self) -> Floats:
        """What the coefficients, tau² and rho are counted in."""
        typical = float(np.median(self.s))
        unit = np.ones(self.q + 2)
        unit[0], unit[-2] = typical, typical**2
        return unit

    def _climb(self, start: Floats, *, held: bool = False, still: float = STILL) -> Top:
        """The top above ``start``: Newton's steps in what is off its bounds, turned uphill; ``held`` keeps theta."""
        unit = self._unit
        at = start / unit
        height, slopes = self.value(at * unit)
        residual, variance = math.nan, math.nan
        for _ in range(STEPS):
            slopes = slopes * unit
            free = np.ones(self.q + 2, dtype=bool)
            free[0] = not held
            free[-2] = at[-2] > NOTHING or slopes[-2] > 0.0
            free[-1] = not ((at[-1] >= MOST_RHO and slopes[-1] >= 0.0) or (at[-1] <= 0.0 and slopes[-1] <= 0.0))
            if not free[-2]:
                at[-2] = 0.0
            if not free.any():
                residual = 0.0
                break
            values, vectors = np.linalg.eigh(self._curvature(at, unit, free))
            uphill = np.maximum(np.abs(values), 1e-8 * float(np.max(np.abs(values))) + 1e-300)
            step = np.zeros(self.q + 2)
            step[free] = np.sum(vectors * (np.sum(vectors * slopes[free][:, None], axis=0) / uphill), axis=1)
            residual = math.sqrt(float(step @ slopes))
            if residual < still:
                variance = float(np.sum(vectors[0] ** 2 / values)) if not held and values[0] > 0.0 else math.nan
                break
            for share in SHARES:
                ahead = at + share * step
                ahead[-2], ahead[-1] = max(ahead[-2], 0.0), min(max(ahead[-1], 0.0), MOST_RHO)
                higher, there = self.value(ahead * unit)
                if higher >= height - 1e-13 * abs(height):
                    break
            else:
                break
            at, height, slopes = ahead, higher, there
        at = at * unit
        return Top(
            at[:-2],
            float(at[-2]),
            float(at[-1]),
            height,
            math.sqrt(variance) * float(unit[0]) if variance > 0.0 else math.nan,
            residual,
        )

    def _curvature(self, at: Floats, unit: Floats, free: Bools) -> Floats:
        """Minus the second derivatives in what is free, by differences of the exact slopes that stay within bounds."""
        rows = []
        for j in np.flatnonzero(free).tolist():
            h = 1e-5 * max(1.0, abs(float(at[j])))
            ends = []
            for sign in (-1.0, 1.0):
                to = at.copy()
                to[j] += sign * h
                to[-2], to[-1] = max(to[-2], 0.0), min(max(to[-1], 0.0), MOST_RHO)
                ends.append((to[j], self.value(to * unit)[1] * unit))
            rows.append(-(ends[1][1] - ends[0][1])[free] / (ends[1][0] - ends[0][0]))
        found: Floats = np.array(rows)
        return 0.5 * (found + found.T)
