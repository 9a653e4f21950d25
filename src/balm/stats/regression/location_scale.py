"""Location-scale meta-regression: what moves the mean effect, and what moves the heterogeneity about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.multilevel.coefficients import Coefficients
from balm.stats.multilevel.multilevel import read_design
from balm.stats.regression.design import Design, check
from balm.stats.regression.meta_regression import (
    Coefficient,
    LikelihoodRatio,
    Prediction,
    coefficient_columns,
)
from balm.stats.regression.projection import Projection
from balm.stats.regression.scale_likelihood import Peak, ScaleLikelihood
from balm.stats.tails import t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option

LINKS = ("log", "identity")
METHODS = ("REML", "ML")
INFERENCES = ("t", "wald")
SOURCE = "Viechtbauer & López-López (2022), Res Synth Methods 13:697"


@dataclass(frozen=True, eq=False, repr=False)
class Part(Coefficients):
    """The coefficients of one half of the model, with tests, contrasts and intervals (p,)."""

    design: Design
    beta: Floats
    covariance: Floats
    df: Floats
    level: float
    title: str

    @property
    def tests_something(self) -> bool:
        """Whether there is a moderator to test."""
        return not (self.design.intercept and len(self.beta) == 1)

    def __repr__(self) -> str:
        return text_table(self.title, _rows(self))

    def _repr_html_(self) -> str:
        return f"<pre>{self!r}</pre>"


@dataclass(frozen=True, slots=True)
class FittedVariance:
    """The between-study variance at one set of scale moderators; its interval is that of the link, turned back."""

    tau2: float
    link: float
    link_se: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class ScaleMaximum:
    """A maximum of the likelihood: log-likelihood and scale coefficients."""

    log_likelihood: float
    alpha: tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class LocationScale:
    """A fitted location-scale model.

    location, scale : the two sets of coefficients; ``fit.location["x"]``, ``fit.scale.omnibus``, ``.contrast(...)``.
    tau2            : (k,) between-study variance of each study.
    log_likelihood  : at the optimum, under ``method``; aic, aicc, bic from it.
    qe, qe_df, qe_p : test for residual heterogeneity about the location model.
    maxima          : every maximum that was found, the highest (the fit) first, then limits without end; ``residual``
                      what is left of a Newton step, in standard errors.
    followed        : (q,) the scale coefficients with those that run off without end as far as they were followed.
    """

    effects: EffectSizes
    location: Part
    scale: Part
    tau2: Floats
    log_likelihood: float
    qe: float
    qe_df: int
    qe_p: float
    link: str
    method: str
    inference: str
    level: float
    maxima: tuple[ScaleMaximum, ...]
    residual: float
    advice: tuple[str, ...]
    followed: Floats
    conventions: Mapping[str, Any]

    @property
    def k(self) -> int:
        """Studies in the model."""
        return len(self.effects)

    @property
    def design(self) -> Design:
        """The location design."""
        return self.location.design

    @property
    def beta(self) -> Floats:
        """(p,) location coefficients."""
        return self.location.beta

    @property
    def covariance(self) -> Floats:
        """(p, p) covariance of the location coefficients."""
        return self.location.covariance

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """One row a location coefficient."""
        return self.location.coefficients

    @property
    def critical(self) -> float:
        """The quantile of the reference distribution of location coefficients."""
        return t_critical(self.level, float(self.location.df[0]))

    @property
    def weights_used(self) -> Floats:
        """(k,) ``1 / (variance + tau2)``."""
        weights: Floats = 1.0 / (self.effects.variance + self.tau2)
        return weights

    @property
    def _size(self) -> tuple[int, int]:
        parameters = len(self.location.beta) + len(self.scale.beta)
        return parameters, self.k - (len(self.location.beta) if self.method == "REML" else 0)

    @property
    def aic(self) -> float:
        """Akaike's criterion under ``method``."""
        return 2.0 * self._size[0] - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion under ``method``."""
        m, n = self._size
        return m * math.log(n) - 2.0 * self.log_likelihood

    @property
    def aicc(self) -> float:
        """Akaike's criterion corrected for small samples."""
        m, n = self._size
        n = max(n, m + 2)
        return 2.0 * m * n / (n - m - 1) - 2.0 * self.log_likelihood

    def predict(self, new: Any = None, *, scale: Any = None, level: float | None = None) -> tuple[Prediction, ...]:
        """The mean effect and where a new study's true effect would lie (default: at the studies' own values).

        new   : location moderators, a mapping or frame.  scale : the scale moderators of the same rows; it may be left
                out where the scale model has none. One row of either serves all rows of the other.
        """
        level = self.level if level is None else level
        check_level(level)
        if new is None and scale is None:
            x, between = self.location.design.matrix, self.tau2
        else:
            x = _at(self.location, new, "new")
            between = self._variances(_at(self.scale, scale, "scale"))
            if 1 not in (len(x), len(between)) and len(x) != len(between):
                raise InputError(f"new= has {len(x)} rows and scale= has {len(between)}; give as many, or one")
            n = max(len(x), len(between))
            x, between = np.broadcast_to(x, (n, x.shape[1])), np.broadcast_to(between, n)
        c = t_critical(level, float(self.location.df[0]))
        means = x @ self.location.beta
        errors = np.sqrt(np.einsum("ij,jk,ik->i", x, self.location.covariance, x))
        found = []
        for mean, se, t2 in zip(means.tolist(), errors.tolist(), between.tolist(), strict=True):
            near, far = c * se, c * math.sqrt(se * se + t2)
            found.append(
                Prediction(mean, se, Interval(mean - near, mean + near, level), Interval(mean - far, mean + far, level))
            )
        return tuple(found)

    def predict_tau2(self, new: Any = None, *, level: float | None = None) -> tuple[FittedVariance, ...]:
        """The between-study variance at ``new`` scale moderators (default: the studies' own), with intervals.

        The interval is a Wald interval on the link scale; under the identity link it is cut at 0.
        """
        level = self.level if level is None else level
        check_level(level)
        z = self.scale.design.matrix if new is None else _at(self.scale, new, "new")
        c = t_critical(level, float(self.scale.df[0]))
        known = np.isfinite(self.scale.covariance)
        unknown = np.any(z[:, ~np.diag(known)] != 0.0, axis=1)
        errors = np.sqrt(np.einsum("ij,jk,ik->i", z, np.where(known, self.scale.covariance, 0.0), z))
        errors = np.where(unknown, math.nan, errors)
        links = z @ self.followed
        found = []
        for value, se, t2 in zip(links.tolist(), errors.tolist(), self._variances(z).tolist(), strict=True):
            low, high = value - c * se, value + c * se
            if self.link == "log":
                low, high = math.exp(min(low, 709.0)), math.exp(high) if not high >= 709.0 else math.inf
            else:
                low, high = (max(low, 0.0), max(high, 0.0)) if se == se else (low, high)
            found.append(FittedVariance(t2, value, se, Interval(low, high, level)))
        return tuple(found)

    def variances_at(self, z: Floats) -> Floats:
        """(m,) between-study variances at rows of the scale design; 0 where an identity link runs below it."""
        links = z @ self.followed
        found: Floats = np.exp(np.minimum(links, 709.0)) if self.link == "log" else np.maximum(links, 0.0)
        return found

    def _variances(self, z: Floats) -> Floats:
        if self.link == "identity" and np.any(
            z @ self.followed < -1e-9 * float(np.max(np.abs(self.tau2), initial=0.0))
        ):
            raise InputError("the identity link gives a negative variance at these values of scale moderators")
        return self.variances_at(z)

    def compare(self, smaller: LocationScale) -> LikelihoodRatio:
        """Likelihood-ratio test against a model that is a special case of this one, on the same studies.

        REML likelihoods compare scale models with the same location model only. ``r2`` is nan: there is no one tau².
        """
        if not isinstance(smaller, LocationScale):
            raise InputError("compare with another location_scale fit (scale='~ 1' gives one tau2 for all studies)")
        if self.method != smaller.method:
            raise InputError(f"one model was fitted by {self.method}, the other by {smaller.method}; fit both alike")
        if self.link != smaller.link and len(smaller.scale.beta) > 1:
            raise InputError("the two models have different links and are not nested")
        if not np.array_equal(self.effects.effect, smaller.effects.effect):
            raise InputError("the two models were not fitted to the same studies")
        pairs = ((self.location, smaller.location), (self.scale, smaller.scale))
        for larger_part, smaller_part in pairs:
            _refuse_not_nested(larger_part.design.matrix, smaller_part.design.matrix)
        same = self.location.design.matrix.shape == smaller.location.design.matrix.shape
        if self.method == "REML" and not same:
            raise InputError('models with different moderators are compared by maximum likelihood: use method="ML"')
        df = sum(len(a.beta) - len(b.beta) for a, b in pairs)
        if df <= 0:
            raise InputError("the model to compare with must have fewer coefficients")
        statistic = max(0.0, 2.0 * (self.log_likelihood - smaller.log_likelihood))
        return LikelihoodRatio(statistic, df, chi2_sf(statistic, df), math.nan)

    @cached_property
    def equal_variances_test(self) -> LikelihoodRatio:
        """Likelihood-ratio test that tau² is the same in every study: that no scale moderator matters."""
        if not self.scale.tests_something:
            raise InputError("the scale model has no moderator to test")
        try:
            without = location_scale(
                self.effects, self.location.design, "~ 1", link="identity", method=self.method, inference=self.inference
            )
        except InputError as problem:
            raise InputError(f"the model with one tau2 cannot be fitted: {problem}") from None
        return self.compare(without)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        low, high = float(np.min(self.tau2)), float(np.max(self.tau2))
        what = f"Location-scale model of {studies(self.k)} ({self.method}, {self.link} link): "
        if not self.scale.tests_something:
            return what + f"one tau2 of {low:.4g} for all studies"
        return what + f"tau2 from {low:.4g} to {high:.4g}"

    def to_frame(self) -> Any:
        """One row a coefficient, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def _table(self) -> dict[str, Any]:
        location, scale = _rows(self.location), _rows(self.scale)
        head = {"part": ["location"] * len(self.location.beta) + ["scale"] * len(self.scale.beta)}
        return head | {name: [*location[name], *scale[name]] for name in location}

    def to_dict(self) -> dict[str, Any]:
        """Every number under its name."""
        return {
            "k": self.k,
            "method": self.method,
            "link": self.link,
            "inference": self.inference,
            "level": self.level,
            "location": _rows(self.location),
            "scale": _rows(self.scale),
            "tau2": self.tau2.tolist(),
            "log_likelihood": self.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "aicc": self.aicc,
            "qe": self.qe,
            "qe_df": self.qe_df,
            "qe_p": self.qe_p,
            "maxima": [[m.log_likelihood, *m.alpha] for m in self.maxima],
            "residual": self.residual,
            "advice": list(self.advice),
            "source": SOURCE,
        }

    def __repr__(self) -> str:
        notes = []
        for part, name in ((self.location, "Location"), (self.scale, "Scale")):
            if part.tests_something and np.all(np.isfinite(part.covariance)):
                notes.append(f"{name} moderators: {part.omnibus.sentence}")
        notes.append(f"Residual heterogeneity: Q = {self.qe:.3f}, df = {self.qe_df}, P = {self.qe_p:.4g}")
        left = "below 1e-10" if self.residual < 1e-10 else f"{self.residual:.1g}"
        notes.append(f"Log-likelihood {self.log_likelihood:.4f}, residual {left} SE")
        return text_table(self.summary, self._table(), [*notes, *(f"- {said}" for said in self.advice), SOURCE])

    def _repr_html_(self) -> str:
        return f"<pre>{self!r}</pre>"

    def bubble(self, path: Any = None, **options: Any) -> Any:
        """Bubble plot of the location model; the prediction band follows the heterogeneity."""
        return presenter("bubble")(self, path, **options)


def _rows(part: Part) -> dict[str, Any]:
    return coefficient_columns(part.coefficients, df=True)


def _at(part: Part, new: Any, name: str) -> Floats:
    if new is not None:
        return part.design.rebuild(new)
    if part.tests_something:
        moderators = [n for n in part.design.names if n != "intercept"]
        raise InputError(f"{name}= must give {moderators}: the model has these moderators")
    return np.ones((1, 1))


def _refuse_not_nested(larger: Floats, smaller: Floats) -> None:
    left = smaller - larger @ np.linalg.lstsq(larger, smaller, rcond=None)[0]
    if np.any(np.linalg.norm(left, axis=0) > 1e-8 * np.linalg.norm(smaller, axis=0)):
        raise InputError("the smaller model is no special case of the larger one: it has moderators of its own")


def location_scale(
    es: EffectSizes,
    moderators: Any = "~ 1",
    scale: Any = "~ 1",
    *,
    data: Any = None,
    link: str = "log",
    method: str = "REML",
    inference: str = "t",
    level: float = 0.95,
) -> LocationScale:
    """Regress the mean effect on ``moderators`` and the heterogeneity about it on ``scale``.

    ``effect = X beta + u + e`` with ``Var(u_i) = tau2_i`` and ``log tau2_i = Z_i alpha``, or ``tau2_i = Z_i alpha``
    with ``link="identity"`` (which asks ``tau2_i >= 0`` of every study). alpha has the (restricted) likelihood
    maximised by Newton steps with exact curvature from several starts, the location coefficients follow by weighted
    least squares, and standard errors of alpha come from the observed information.

    moderators, scale : a formula with ``data`` (``"~ weeks"``), or a mapping of name to (k,) numbers; both models have
                        an intercept unless a formula says ``0 +``.
    method    : "REML" (default) or "ML"; location models are compared under "ML" only.
    inference : "t" (k - p degrees of freedom for location, k - q for scale coefficients; default) or "wald".

    Wald tests of scale coefficients are rough in small samples: beside them stands the likelihood-ratio test,
    ``fit.equal_variances_test`` or ``fit.compare(smaller)`` (Viechtbauer & López-López 2022).
    Where the likelihood rises without end as tau² of some studies falls to 0 under the log link, and has no maximum
    inside (as high as one tau² for all), the result is that limit: those coefficients are infinite, without standard
    errors, and ``advice`` says so. Under the identity link
    variances may lie at 0; the scale coefficients then have no standard errors.

    >>> es = EffectSizes(effect=[0.1, 0.9, 0.3, -0.2, 0.4, 0.5, 0.45, 0.55], variance=[0.02] * 8)
    >>> fit = location_scale(es, scale={"small": [1, 1, 1, 1, 0, 0, 0, 0]}, link="identity", method="ML")
    >>> [round(t, 4) for t in fit.tau2[[0, -1]].tolist()]
    [0.1748, 0.0]
    """
    check_option("link", link, LINKS)
    check_option("method", method, METHODS)
    check_option("inference", inference, INFERENCES)
    check_level(level)
    if not isinstance(es, EffectSizes):
        raise InputError(
            f"location_scale takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes"
        )
    y, v = np.asarray(es.effect, dtype=np.float64), np.asarray(es.variance, dtype=np.float64)
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0.0)
    if not usable.all():
        i = int(np.argmin(usable))
        raise InputError(
            f"study {es.study[i] if es.study else i + 1} has no usable effect and variance; drop it and its moderators"
        )
    k = len(y)
    designs = [m if isinstance(m, Design) else check(read_design(m, data, None, True, k)) for m in (moderators, scale)]
    x, z = (d.matrix for d in designs)
    p, q = x.shape[1], z.shape[1]
    if k <= p + q:
        raise InputError(f"{k} studies cannot estimate {p} location and {q} scale coefficients; drop moderators")
    likelihood = ScaleLikelihood(y, v, x, z, link=link, restricted=method == "REML")
    peaks = likelihood.peaks()
    if not peaks:
        raise InputError(
            f"the search of the likelihood under link={link!r} did not settle; use fewer scale moderators or the "
            "other link"
        )
    top = peaks[0]
    tau2 = np.where(top.held, 0.0, np.exp(z @ top.alpha) if link == "log" else np.maximum(z @ top.alpha, 0.0))
    fit = Projection(y, x, 1.0 / (v + tau2))
    common = Projection(y, x, 1.0 / v)
    df = [math.inf, math.inf] if inference == "wald" else [float(k - p), float(k - q)]
    alpha = np.where(top.endless, np.copysign(math.inf, top.alpha), top.alpha)
    return LocationScale(
        effects=es,
        location=Part(designs[0], fit.beta, fit.covariance, np.full(p, df[0]), level, "Location: the mean effect"),
        scale=Part(designs[1], alpha, top.covariance, np.full(q, df[1]), level, f"Scale: tau2 ({link} link)"),
        tau2=tau2,
        log_likelihood=top.log_likelihood,
        qe=common.rss,
        qe_df=k - p,
        qe_p=chi2_sf(common.rss, k - p),
        link=link,
        method=method,
        inference=inference,
        level=level,
        maxima=tuple(ScaleMaximum(one.log_likelihood, tuple(one.alpha.tolist())) for one in peaks),
        residual=top.residual,
        advice=tuple(_about(peaks, designs[1], es)),
        followed=top.alpha,
        conventions=MappingProxyType({"method": method, "link": link, "inference": inference, "level": level}),
    )


def _about(peaks: list[Peak], design: Design, es: EffectSizes) -> list[str]:
    top, said = peaks[0], []
    if top.held.any():
        names = [es.study[i] if es.study else str(i + 1) for i in np.flatnonzero(top.held)[:3].tolist()]
        more = f" and {int(top.held.sum()) - 3} more" if top.held.sum() > 3 else ""
        where = f"tau2 is 0 in study {', '.join(str(n) for n in names)}{more}"
        if top.endless.any():
            ends = ", ".join(n for n, e in zip(design.names, top.endless.tolist(), strict=True) if e)
            said.append(
                f"{where}: the likelihood keeps rising as the scale coefficients of {ends} run off without end. "
                "All other numbers are those of the limit."
            )
        else:
            said.append(f"{where}, at the bound: the scale coefficients have no standard errors.")
    elif not np.all(np.isfinite(top.covariance)):
        said.append("The likelihood is flat at its maximum: there are no standard errors of scale coefficients.")
    inside = [one for one in peaks[1:] if not one.endless.any()]
    beyond = max((one.log_likelihood for one in peaks[1:] if one.endless.any()), default=-math.inf)
    if not top.endless.any() and beyond > top.log_likelihood + 1e-6:
        said.append(
            f"The likelihood rises further (to {beyond:.3f}) where scale coefficients run off without end and tau2 of "
            "some studies falls to 0; the fit is the highest maximum inside."
        )
    if inside:
        others = ", ".join(f"{one.log_likelihood:.3f}" for one in inside[:3])
        said.append(
            f"The likelihood has several maxima; the fit is the highest ({top.log_likelihood:.3f}), others have "
            f"{others}."
        )
    return said
