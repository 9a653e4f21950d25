"""Trends: what a dose becomes in the columns of a design."""

from __future__ import annotations

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

#: Harrell (2015), Regression Modeling Strategies, table 2.3, for three knots.
SHARES = (0.1, 0.5, 0.9)

TRENDS = {
    "linear": "a straight line of the log ratio over the dose",
    "quadratic": "dose and dose squared",
    "spline": "a restricted cubic spline",
}


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """A kind of trend with the knots of a spline; ``columns(dose)`` is (k, p), ``names`` its p columns."""

    kind: str
    knots: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """One name a coefficient."""
        if self.kind == "linear":
            return ("dose",)
        if self.kind == "quadratic":
            return ("dose", "dose^2")
        return ("dose", *(f"spline {i}" for i in range(2, len(self.knots))))

    def columns(self, dose: Floats) -> Floats:
        """The columns of a design, (k, p).

        The spline is Harrell's basis, its cubes divided by the squared range of the knots, so that every column has the
        unit of the dose.
        """
        x = np.asarray(dose, dtype=np.float64)
        if self.kind == "linear":
            return x[:, None]
        if self.kind == "quadratic":
            return np.stack((x, x * x), axis=1)
        t = np.array(self.knots)
        cube = np.maximum(x[:, None] - t, 0.0) ** 3
        last = t[-1] - t[-2]
        parts = [
            cube[:, j] - cube[:, -2] * (t[-1] - t[j]) / last + cube[:, -1] * (t[-2] - t[j]) / last
            for j in range(len(t) - 2)
        ]
        return np.stack((x, *(part / (t[-1] - t[0]) ** 2 for part in parts)), axis=1)


def spline_knots(given: object, shares: object, dose: Floats) -> tuple[float, ...]:
    """The knots given, or the quantiles of all reported doses at ``shares``; three or more, each above the last."""
    if given is not None and shares is not None:
        raise InputError("knots and knot_shares are two ways to say the same: give one")
    if given is not None:
        t = np.asarray(given, dtype=np.float64)
        way = ""
    else:
        s = np.asarray(SHARES if shares is None else shares, dtype=np.float64)
        if s.ndim != 1 or not np.all((s >= 0.0) & (s <= 1.0)):
            raise InputError(f"knot_shares must lie between 0 and 1; got {shares!r}")
        t = np.quantile(dose, s)
        way = ": these doses repeat too often for quantiles: give knots="
    if t.ndim != 1 or len(t) < 3 or not np.all(np.isfinite(t)) or not np.all(np.diff(t) > 0.0):
        raise InputError(f"knots must be three or more rising numbers; got {np.atleast_1d(t).tolist()}{way}")
    return tuple(t.tolist())
