"""Tests, contrasts and intervals of coefficients whose degrees of freedom may differ from one to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from balm.stats.distributions import chi2_sf, f_sf
from balm.stats.effect_sizes import Floats
from balm.stats.regression.design import Design
from balm.stats.regression.meta_regression import Coefficient, Contrast, OmnibusTest
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError


class Coefficients:
    """What a result with ``design, beta, covariance, df (p,), level`` can say about its coefficients."""

    design: Design
    beta: Floats
    covariance: Floats
    df: Floats
    level: float

    @property
    def se(self) -> Floats:
        """(p,) standard errors."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def statistic(self) -> Floats:
        """(p,) coefficient over standard error."""
        return self.beta / self.se

    @property
    def p(self) -> Floats:
        """(p,) two-sided p values."""
        pairs = zip(self.statistic.tolist(), self.df.tolist(), strict=True)
        return np.array([OneTail.two_sided(z, df) if df > 0.0 else math.nan for z, df in pairs])

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """One row a coefficient."""
        return tuple(
            Coefficient(name, b, s, b / s, df, p, self._interval(b, s, df))
            for name, b, s, df, p in zip(
                self.design.names,
                self.beta.tolist(),
                self.se.tolist(),
                self.df.tolist(),
                self.p.tolist(),
                strict=True,
            )
        )

    def _interval(self, estimate: float, se: float, df: float, level: float | None = None) -> Interval:
        level = self.level if level is None else level
        if not df > 0.0:
            return Interval(math.nan, math.nan, level)
        half = t_critical(level, df) * se
        return Interval(estimate - half, estimate + half, level)

    def __getitem__(self, name: str) -> Coefficient:
        for c in self.coefficients:
            if c.name == name:
                return c
        raise InputError(f"no coefficient {name!r}; the model has {list(self.design.names)}")

    @property
    def estimate(self) -> float:
        """The mean effect of a model without moderators."""
        return self._only().estimate

    @property
    def interval(self) -> Interval:
        """Its interval."""
        return self._only().interval

    def _only(self) -> Coefficient:
        if len(self.beta) != 1:
            raise InputError(
                f"the model has {len(self.beta)} coefficients {list(self.design.names)}; ask for one by name"
            )
        return self.coefficients[0]

    def chosen(self, names: Sequence[str]) -> list[int]:
        """Positions of the named coefficients, or of all coefficients of the named terms."""
        found: set[int] = set()
        for name in names:
            if name in self.design.names:
                found.add(self.design.names.index(name))
            elif name in self.design.terms:
                found.update(self.design.terms[name])
            else:
                allowed = [*self.design.names, *(t for t in self.design.terms if t not in self.design.names)]
                raise InputError(f"no coefficient or term {name!r}; the model has {allowed}")
        if not found:
            raise InputError("name at least one coefficient or term to test")
        return sorted(found)

    @property
    def omnibus(self) -> OmnibusTest:
        """That no moderator matters: every coefficient but the intercept (or all of them without one)."""
        skip = 1 if self.design.intercept and len(self.beta) > 1 else 0
        return self.test(*self.design.names[skip:])

    def test(self, *names: str) -> OmnibusTest:
        """That the named coefficients are zero together: chi-square, or F with the least degrees of freedom of them."""
        rows = self.chosen(names)
        return self.joint(np.eye(len(self.beta))[rows], tuple(self.design.names[i] for i in rows))

    def joint(self, contrasts: object, tested: tuple[str, ...] = ()) -> OmnibusTest:
        """That every row of ``contrasts`` (m, p) times the coefficients is zero."""
        rows = self._rows(contrasts)
        value, used = rows @ self.beta, np.any(rows != 0.0, axis=0)
        inside = rows[:, used] @ self.covariance[np.ix_(used, used)] @ rows[:, used].T
        q, m = float(value @ np.linalg.solve(inside, value)), len(rows)
        df = float(np.min(self.df[used]))
        if math.isinf(df):
            return OmnibusTest(q, m, math.inf, chi2_sf(q, m), tested)
        return OmnibusTest(q / m, m, df, f_sf(q / m, m, df) if df > 0.0 else math.nan, tested)

    def _rows(self, contrasts: object) -> Floats:
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        if rows.shape[1] != len(self.beta):
            raise InputError(f"a contrast holds {len(self.beta)} numbers, one a coefficient; got {rows.shape[1]}")
        return rows

    def contrast(self, weights: Sequence[float]) -> Contrast:
        """``weights @ beta`` with its standard error, test and interval."""
        row = self._rows(weights)[0]
        value, se = float(row @ self.beta), math.sqrt(float(row @ self.covariance @ row))
        df = self._contrast_df(row)
        p = OneTail.two_sided(value / se, df) if df > 0.0 else math.nan
        return Contrast(tuple(row.tolist()), value, se, value / se, df, p, self._interval(value, se, df))

    def sentence(self) -> str:
        """The result in words."""
        return str(presenter("sentence")(self))

    def methods(self) -> str:
        """A methods paragraph that names every choice."""
        return str(presenter("methods")(self))

    def __repr__(self) -> str:
        return str(presenter("text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("html")(self))

    def _contrast_df(self, row: Floats) -> float:
        return float(np.min(self.df[row != 0.0]))
