"""``balm.dose_response``: the trend of an effect over the dose, from studies that report it at several doses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.distributions import chi2_sf, norm_ppf, norm_sf
from balm.stats.dose_response.covariance import COVARIANCES
from balm.stats.dose_response.levels import StudyDoses, read_levels
from balm.stats.dose_response.second_stage import METHODS, Sums, pool
from balm.stats.dose_response.trends import TRENDS, Trend, spline_knots
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option
from balm.vocabulary.quick_dataclass import dataclass

#: What the ratios may be: measures that are analysed as logarithms.
RATIOS = ("RR", "OR", "HR", "IRR")
#: A study whose trend hangs on less than this share of its information has no trend of its own.
RANK = 1e-12


@dataclass(frozen=True, slots=True)
class WaldTest:
    """``b' V⁻¹ b`` of some coefficients against chi-squared with ``df`` degrees of freedom."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """How the mean trend fits all log ratios, once their covariance is taken out.

    deviance with its degrees of freedom and p (small: the trend or a common trend does not describe the data);
    r2 : share of the weighted sum of squares that the trend explains (no constant term), and adjusted; below 0 where
    the mean of very different trends describes the log ratios worse than none.
    """

    deviance: float
    df: int
    p: float
    r2: float
    r2_adjusted: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Log ratios of ``dose`` against ``reference``: estimate, se and interval, (d,) each; ``ratio`` etc. as shown."""

    dose: Floats
    reference: float
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float

    @property
    def ratio(self) -> Floats:
        """The ratio, ``exp(estimate)``."""
        return np.asarray(np.exp(self.estimate))

    def to_frame(self) -> Any:
        """One row a dose, as ratios."""
        return frame({"dose": self.dose, "ratio": self.ratio, "low": np.exp(self.low), "high": np.exp(self.high)})


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """A pooled trend, on the scale of log ratios per unit of dose.

    coefficients, covariance : of the trend's columns (``names``).     psi : covariance of trends between studies.
    q, q_df, q_p             : Cochran's Q of the studies' trends.    i2  : (Q - df)/Q in per cent, at least 0.
    study_coefficients       : (k, p), nan where a study has too few doses (one stage only).
    log_likelihood           : of the trends (two stages) or of the log ratios (one); nan by moments.
    residual                 : the Newton step that remains, in standard errors.
    """

    trend: Trend
    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    psi: Floats
    log_likelihood: float
    q: float
    q_df: int
    q_p: float
    i2: float
    studies: tuple[StudyDoses, ...]
    study_coefficients: Floats
    method: str
    stages: int
    covariances: str
    measure: str
    level: float
    residual: float

    @property
    def k(self) -> int:
        """The number of studies."""
        return len(self.studies)

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def overall(self) -> WaldTest:
        """The test that there is no trend at all."""
        return self._wald(0)

    @property
    def nonlinearity(self) -> WaldTest:
        """The test that every coefficient but that of the dose is 0."""
        if len(self.names) == 1:
            raise InputError("a linear trend has no test of non-linearity; use trend='quadratic' or 'spline'")
        return self._wald(1)

    @property
    def goodness_of_fit(self) -> GoodnessOfFit:
        """Deviance and R2 of the mean trend. Discacciati, Crippa & Orsini (2017) Res Synth Methods 8:149."""
        left = whole = 0.0
        n = 0
        for s in self.studies:
            columns = self.trend.columns(s.dose)
            gap = s.log_ratio - (columns[1:] - columns[0]) @ self.coefficients
            left += float(gap @ np.linalg.solve(s.variance, gap))
            whole += float(s.log_ratio @ np.linalg.solve(s.variance, s.log_ratio))
            n += len(gap)
        df = n - len(self.names)
        r2 = 1.0 - left / whole if whole > 0.0 else math.nan
        adjusted = 1.0 - n / df * (1.0 - r2) if df > 0 else math.nan
        return GoodnessOfFit(left, df, chi2_sf(left, df) if df > 0 else math.nan, r2, adjusted)

    def predict(self, dose: Any = None, *, reference: float | None = None, level: float | None = None) -> Curve:
        """The log ratio of each dose against ``reference``.

        dose      : numbers (default: 101 from the lowest to the highest dose reported).
        reference : default the lowest dose reported. There the ratio is 1 and has no error.
        """
        level = self.level if level is None else _checked_level(level)
        every = np.concatenate([s.dose for s in self.studies])
        low, high = float(every.min()), float(every.max())
        at = np.linspace(low, high, 101) if dose is None else np.atleast_1d(np.asarray(dose, dtype=np.float64))
        reference = low if reference is None else float(reference)
        if at.ndim != 1 or not np.all(np.isfinite(at)) or not math.isfinite(reference):
            raise InputError("dose and reference must be finite numbers")
        columns = self.trend.columns(at) - self.trend.columns(np.array([reference]))
        estimate = columns @ self.coefficients
        se = np.sqrt(np.maximum(np.einsum("di,ij,dj->d", columns, self.covariance, columns), 0.0))
        z = norm_ppf(0.5 + level / 2.0)
        return Curve(at, reference, estimate, se, estimate - z * se, estimate + z * se, level)

    def to_dict(self) -> dict[str, Any]:
        """Every number, nested as in the fields."""
        z = norm_ppf(0.5 + self.level / 2.0)
        rows = {
            name: {"estimate": b, "se": se, "low": b - z * se, "high": b + z * se, "p": 2.0 * norm_sf(abs(b / se))}
            for name, b, se in zip(self.names, self.coefficients.tolist(), self.se.tolist(), strict=True)
        }
        fit = self.goodness_of_fit
        return {"k": self.k, "measure": self.measure, "trend": self.trend.kind, "knots": list(self.trend.knots),
                "method": self.method, "stages": self.stages, "covariances": self.covariances, "level": self.level,
                "coefficients": rows, "covariance": self.covariance.tolist(), "psi": self.psi.tolist(),
                "log_likelihood": self.log_likelihood, "q": self.q, "q_df": self.q_df, "q_p": self.q_p, "i2": self.i2,
                "deviance": fit.deviance, "deviance_df": fit.df, "deviance_p": fit.p, "r2": fit.r2,
                "r2_adjusted": fit.r2_adjusted, "residual": self.residual}  # fmt: skip

    def to_frame(self) -> Any:
        """One row a study: its name, its number of doses and its own coefficients."""
        own = {name: self.study_coefficients[:, j] for j, name in enumerate(self.names)}
        return frame({"study": [s.study for s in self.studies], "doses": [len(s.dose) for s in self.studies], **own})

    def sentence(self, **options: Any) -> str:
        """The result in words."""
        return str(presenter("dose_response_sentence")(self, **options))

    def methods(self) -> str:
        """The methods paragraph."""
        return str(presenter("dose_response_methods")(self))

    def curve(self, path: Any = None, **options: Any) -> Any:
        """The ratio over the dose, with its band and what the studies reported."""
        return presenter("dose_response")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("dose_response_text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("dose_response_html")(self))

    def _wald(self, first: int) -> WaldTest:
        b = self.coefficients[first:]
        statistic = float(b @ np.linalg.solve(self.covariance[first:, first:], b))
        return WaldTest(statistic, len(b), chi2_sf(statistic, len(b)))


def dose_response(
    trend: str = "linear",
    *,
    data: Any = None,
    study: Any = None,
    dose: Any,
    log_ratio: Any,
    se: Any,
    cases: Any = None,
    n: Any = None,
    design: Any = None,
    covariance: str = "greenland-longnecker",
    method: str = "REML",
    stages: int = 2,
    knots: Any = None,
    knot_shares: Any = None,
    measure: str = "RR",
    level: float = 0.95,
) -> DoseResponse:
    """Dose-response meta-analysis of log ratios against a reference dose.

    One row a dose of a study, as arrays or columns of ``data``; the reference of each study is the row with se 0 (or
    missing) and log_ratio 0, and need not be dose 0 nor the same in every study.

    trend      : "linear", "quadratic", or "spline" (restricted cubic; ``knots``, or quantiles ``knot_shares`` of all
                 doses, by default 0.1, 0.5 and 0.9).
    cases, n   : events of each dose, and people (cases included) or person-time ("incidence-rate").
    design     : "case-control", "incidence-rate" or "cumulative-incidence", for all or for each row.
    covariance : of log ratios that share a reference: "greenland-longnecker", "hamling" (both need cases, n, design),
                 "hamling-dosresmeta" (as that R package computes it), or "independent".
    method     : "REML", "ML", "MM" (moments, two stages), "common" (no variation between studies).
    stages     : 2 fits each study and pools the trends; 1 fits all log ratios at once, so that studies with fewer
                 doses than the trend has coefficients take part. The likelihoods differ by a constant.

    Greenland & Longnecker (1992) Am J Epidemiol 135:1301; Hamling et al. (2008) Stat Med 27:954; Orsini et al. (2012)
    Am J Epidemiol 175:66; Crippa et al. (2019) Stat Methods Med Res 28:1579.

    Raises :class:`balm.InputError` with study and row where data contradict each other, and where a fit does not
    converge.

    >>> import balm
    >>> fit = balm.dose_response(study=["A"] * 3 + ["B"] * 3 + ["C"] * 3, dose=[0, 10, 20] * 3,
    ...     log_ratio=[0, 0.1, 0.3, 0, 0.2, 0.25, 0, 0.05, 0.2], se=[0, 0.1, 0.1, 0, 0.12, 0.1, 0, 0.1, 0.15],
    ...     covariance="independent", method="common")
    >>> round(float(fit.coefficients[0]), 4), [round(float(x), 2) for x in fit.predict([10, 20]).ratio]
    (0.0126, [1.13, 1.29])
    """
    check_option("trend", trend, list(TRENDS))
    check_option("covariance", covariance, list(COVARIANCES))
    check_option("method", method, list(METHODS))
    check_option("measure", measure, RATIOS)
    if stages not in (1, 2):
        raise InputError(f"stages must be 1 or 2; got {stages!r}")
    if method == "MM" and stages == 1:
        raise InputError("method='MM' pools the trends of studies: it needs stages=2")
    if trend != "spline" and (knots is not None or knot_shares is not None):
        raise InputError(f"knots belong to trend='spline'; got trend={trend!r}")
    level = _checked_level(level)
    studies = read_levels(data, study, dose, log_ratio, se, cases, n, design, covariance)
    every = np.concatenate([s.dose for s in studies])
    form = Trend(trend, spline_knots(knots, knot_shares, every) if trend == "spline" else ())
    sums = _sums(studies, form)
    own = _own_trends(sums)
    q = len(form.names)
    missing = [s.study for s, b in zip(studies, own, strict=True) if math.isnan(b[0])]
    if stages == 2 and missing:
        raise InputError(
            f"{', '.join(missing)}: the doses do not determine {_many(q)}; "
            + ("use stages=1, or a simpler trend" if q > 1 else "a trend needs a dose besides the reference")
        )
    if len(studies) == 1 and method != "common":
        raise InputError(
            f"one study says nothing about variation between studies; got method={method!r}: use method='common'"
        )
    _determined(sums.p.sum(axis=0), form)
    pooled = pool(sums, method, stages=stages)
    common = pool(sums, "common", stages=stages).coefficients if method != "common" else pooled.coefficients
    statistic, df = _cochran(sums, own, common, stages)
    return DoseResponse(
        form, form.names, pooled.coefficients, pooled.covariance, pooled.psi, pooled.log_likelihood, statistic, df,
        chi2_sf(statistic, df) if df > 0 else math.nan,
        max(0.0, 100.0 * (statistic - df) / statistic) if df > 0 and statistic > 0.0 else 0.0 if df > 0 else math.nan,
        tuple(studies), own, method, stages, covariance, measure, level, pooled.residual,
    )  # fmt: skip


def _checked_level(level: float) -> float:
    check_level(level)
    return float(level)


def _sums(studies: list[StudyDoses], form: Trend) -> Sums:
    rows = []
    for s in studies:
        columns = form.columns(s.dose)
        x = columns[1:] - columns[0]
        half = np.linalg.solve(np.linalg.cholesky(s.variance), np.column_stack((x, s.log_ratio)))
        x, y = half[:, :-1], half[:, -1]
        rows.append((x.T @ x, x.T @ y, float(y @ y), float(np.linalg.slogdet(s.variance)[1]), float(len(y))))
    return Sums(*(np.array(part) for part in zip(*rows, strict=True)))


def _own_trends(sums: Sums) -> Floats:
    """Each study's coefficients; nan where its doses do not determine them."""
    found = np.full_like(sums.u, math.nan)
    scale = np.sqrt(np.einsum("kii->ki", sums.p))
    known = (scale > 0.0).all(axis=1)
    scale = np.where(known[:, None], scale, 1.0)
    known &= np.linalg.eigvalsh(sums.p / (scale[:, :, None] * scale[:, None, :]))[:, 0] > RANK
    found[known] = np.linalg.solve(sums.p[known], sums.u[known][:, :, None])[:, :, 0]
    return found


def _many(coefficients: int) -> str:
    return "1 coefficient" if coefficients == 1 else f"{coefficients} coefficients"


def _determined(total: Floats, form: Trend) -> None:
    scale = np.sqrt(np.diag(total))
    if not np.all(scale > 0.0) or float(np.linalg.eigvalsh(total / np.outer(scale, scale))[0]) <= RANK:
        raise InputError(
            f"the doses do not determine {_many(len(form.names))} ({', '.join(form.names)}); use a simpler trend"
        )


def _cochran(sums: Sums, own: Floats, common: Floats, stages: int) -> tuple[float, int]:
    """Q of the studies' trends about the common one; in one stage of all log ratios about it."""
    if stages == 2:
        gap = own - common
        return float(np.einsum("ki,kij,kj->", gap, sums.p, gap)), (len(own) - 1) * len(common)
    left = float(sums.c.sum() - common @ sums.u.sum(axis=0))
    return left, int(sums.m.sum()) - len(common)
