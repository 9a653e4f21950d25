"""``balm.accuracy``: the accuracy of a diagnostic test over several studies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from balm.stats.accuracy.bivariate import MIN_STUDIES, Bivariate, binomial, normal
from balm.stats.accuracy.curves import Hsroc, Line, expit, hsroc
from balm.stats.accuracy.moses_littenberg import MosesLittenberg, moses_littenberg
from balm.stats.accuracy.pooled_ratios import pooled_ratio
from balm.stats.accuracy.proportional_hazards import ProportionalHazards, proportional_hazards
from balm.stats.accuracy.tables import EachStudy, Tables, each_study, tables
from balm.stats.distributions import norm_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.measures.conventions import TO
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option

MODELS = ("binomial", "normal")
METHODS = ("REML", "ML")
CURVES = ("hsroc", "regression")


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary over the studies with its interval, as people read it (a proportion or a ratio)."""

    estimate: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class Accuracy:
    """The bivariate model of sensitivity and specificity, and what follows from it.

    mean, covariance : (2,) and (2, 2) of the means of logit sensitivity and logit false positive rate.
    between          : (2, 2) covariance between studies of the two logits.
    log_likelihood   : of the counts ("binomial") or of the logits ("normal").
    residual         : the step that remained, in standard errors. points, integration_error: of the quadrature.
    studies          : each study by itself. tables: the counts; corrected: those that a normal model was fitted to.
    """

    tables: Tables
    corrected: Tables
    studies: EachStudy
    model: str
    method: str
    correlated: bool
    add: float
    to: str
    level: float
    fit: Bivariate

    @property
    def k(self) -> int:
        """Studies."""
        return self.tables.k

    @property
    def mean(self) -> Floats:
        """(2,) means of logit sensitivity and logit false positive rate."""
        return self.fit.mean

    @property
    def covariance(self) -> Floats:
        """(2, 2) of ``mean``."""
        return self.fit.covariance

    @property
    def between(self) -> Floats:
        """(2, 2) covariance between studies."""
        return self.fit.between

    @property
    def log_likelihood(self) -> float:
        """At the estimate."""
        return self.fit.log_likelihood

    @property
    def residual(self) -> float:
        """What remained of the last step, in standard errors."""
        return self.fit.residual

    @property
    def correlation(self) -> float:
        """Of logit sensitivity and logit false positive rate between studies; nan where one does not vary."""
        spread = math.sqrt(self.between[0, 0] * self.between[1, 1])
        return float(self.between[0, 1] / spread) if self.correlated and spread > 1e-12 else math.nan

    @property
    def sensitivity(self) -> Summary:
        """Of the average study (the median over studies)."""
        return self._proportion(0, 1.0)

    @property
    def specificity(self) -> Summary:
        """Of the average study (the median over studies)."""
        return self._proportion(1, -1.0)

    @property
    def false_positive_rate(self) -> Summary:
        """1 - specificity."""
        return self._proportion(1, 1.0)

    def _proportion(self, which: int, sign: float) -> Summary:
        at = sign * float(self.mean[which])
        half = self._z * math.sqrt(float(self.covariance[which, which]))
        p = [float(expit(np.array(x))) for x in (at, at - half, at + half)]
        return Summary(p[0], Interval(p[1], p[2], self.level))

    @property
    def _z(self) -> float:
        return norm_ppf(0.5 + 0.5 * self.level)

    @property
    def positive_lr(self) -> Summary:
        """How much more often people with the condition test positive, at the summary point (delta method, log)."""
        sens, fpr = self._point
        return self._ratio(math.log(sens) - math.log(fpr), np.array([1.0 - sens, -(1.0 - fpr)]))

    @property
    def negative_lr(self) -> Summary:
        """How much more often people with the condition test negative, at the summary point."""
        sens, fpr = self._point
        return self._ratio(math.log1p(-sens) - math.log1p(-fpr), np.array([-sens, fpr]))

    @property
    def dor(self) -> Summary:
        """The diagnostic odds ratio at the summary point."""
        return self._ratio(float(self.mean[0] - self.mean[1]), np.array([1.0, -1.0]))

    @property
    def _point(self) -> tuple[float, float]:
        sens, fpr = expit(self.mean).tolist()
        return float(sens), float(fpr)

    def _ratio(self, log: float, slope: Floats) -> Summary:
        half = self._z * math.sqrt(float(slope @ self.covariance @ slope))
        return Summary(math.exp(log), Interval(math.exp(log - half), math.exp(log + half), self.level))

    def predictive_values(self, prevalence: float) -> tuple[Summary, Summary]:
        """The chance of the condition after a positive test, and of its absence after a negative one.

        Their intervals take the prevalence as known.
        """
        if not 0.0 < prevalence < 1.0:
            raise InputError(f"prevalence must lie between 0 and 1; got {prevalence!r}")
        odds = prevalence / (1.0 - prevalence)

        def after(x: float) -> float:
            return x * odds / (1.0 + x * odds)

        plus, minus = self.positive_lr, self.negative_lr
        positive = Interval(after(plus.interval.low), after(plus.interval.high), self.level)
        negative = Interval(1.0 - after(minus.interval.high), 1.0 - after(minus.interval.low), self.level)
        return Summary(after(plus.estimate), positive), Summary(1.0 - after(minus.estimate), negative)

    @cached_property
    def hsroc(self) -> Hsroc:
        """The same model in the parameters of Rutter & Gatsonis."""
        return hsroc(self.mean, self.between)

    def curve(self, kind: str = "hsroc") -> Line:
        """The summary ROC curve: "hsroc", or the "regression" of logit sensitivity on logit false positive rate."""
        check_option("kind", kind, CURVES)
        if kind == "hsroc":
            if self.hsroc.reason:
                raise InputError(f"there is no summary curve: {self.hsroc.reason}")
            return self.hsroc.curve
        if self.between[1, 1] < 1e-12:
            raise InputError("there is no regression: specificity does not vary between studies")
        slope = float(self.between[0, 1] / self.between[1, 1])
        return Line(float(self.mean[0] - slope * self.mean[1]), slope)

    def area(self, low: float = 0.0, high: float = 1.0, *, kind: str = "hsroc") -> float:
        """The mean sensitivity on the curve between two false positive rates; from 0 to 1 the area under it."""
        return self.curve(kind).area(low, high)

    def region(self, of: str = "mean", *, level: float | None = None, points: int = 181) -> Floats:
        """(points, 2) false positive rate and sensitivity along the edge of a region of the given coverage.

        of : "mean" (confidence region of the summary point) or "new study" (prediction region). Ellipses of the two
             logits with the chi-squared quantile of two degrees of freedom. Reitsma et al. (2005).
        """
        check_option("of", of, ("mean", "new study"))
        level = self.level if level is None else level
        check_level(level)
        spread = self.covariance if of == "mean" else self.covariance + self.between
        values, vectors = np.linalg.eigh(spread)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        angle = np.linspace(0.0, 2.0 * math.pi, points)
        circle = math.sqrt(-2.0 * math.log1p(-level)) * np.stack((np.cos(angle), np.sin(angle)))
        edge = expit(self.mean[:, None] + root @ circle)
        return np.asarray(np.column_stack((edge[1], edge[0])))

    def ratio(self, ratio: str = "DOR", *, method: str = "inverse-variance", **options: Any) -> Pooled:
        """One ratio a study pooled by itself: :func:`balm.stats.accuracy.pooled_ratios.pooled_ratio`."""
        given: dict[str, Any] = {"add": self.add, "to": self.to} | options
        return pooled_ratio(self.tables, ratio, method=method, **given)

    def moses_littenberg(self, **options: Any) -> MosesLittenberg:
        """The older regression: :func:`balm.stats.accuracy.moses_littenberg.moses_littenberg`."""
        return moses_littenberg(self.tables, **options)

    def proportional_hazards(self, *, heterogeneity: bool = True) -> ProportionalHazards:
        """One parameter for the whole curve: :func:`balm.stats.accuracy.proportional_hazards.proportional_hazards`."""
        return proportional_hazards(
            self.tables, heterogeneity=heterogeneity, add=self.add, to=self.to, level=self.level
        )

    def to_dict(self) -> dict[str, Any]:
        """Every number, nested."""
        found: dict[str, Any] = {"k": self.k, "model": self.model, "method": self.method, "level": self.level}
        for name in ("sensitivity", "specificity", "positive_lr", "negative_lr", "dor"):
            one = getattr(self, name)
            found[name] = {"estimate": one.estimate, "low": one.interval.low, "high": one.interval.high}
        h = self.hsroc
        found |= {
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "between": self.between.tolist(),
            "correlation": self.correlation,
            "hsroc": {"theta": h.theta, "lambda": h.lambda_, "beta": h.beta, "sigma2_theta": h.sigma2_theta,
                      "sigma2_alpha": h.sigma2_alpha, "reason": h.reason},
            "log_likelihood": self.log_likelihood,
            "residual": self.residual,
        }  # fmt: skip
        return found

    def to_frame(self) -> Any:
        """One row a study."""
        return self.studies.to_frame()

    def sentence(self, **options: Any) -> str:
        """The result in words."""
        return str(presenter("accuracy_sentence")(self, **options))

    def methods(self) -> str:
        """The methods paragraph."""
        return str(presenter("accuracy_methods")(self))

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The summary ROC plot: studies, summary point with its regions, and the curve."""
        return presenter("summary_roc")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("accuracy_text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("accuracy_html")(self))


def accuracy(
    *,
    tp: Any,
    fn: Any,
    fp: Any,
    tn: Any,
    study: Any = None,
    data: Any = None,
    model: str = "binomial",
    method: str | None = None,
    correlated: bool = True,
    points: int | None = None,
    add: float = 0.5,
    to: str = "only-zero",
    level: float = 0.95,
) -> Accuracy:
    """Meta-analysis of diagnostic accuracy: sensitivity and specificity together, and the summary ROC curve.

    tp, fn, fp, tn : (k,) people by test and reference standard (true positives, false negatives, false positives, true
                 negatives), or names of columns of ``data``.
    model      : "binomial" is the model of the counts (Chu & Cole 2006), without a correction; "normal" that of
                 the logits with their variances (Reitsma et al. 2005).
    method     : of the normal model "REML" (default) or "ML"; the binomial model is fitted by "ML".
    correlated : False leaves out the correlation between studies, for few studies: two models, one a proportion.
    points     : nodes of the quadrature for each random effect (binomial): None refines until the log-likelihood is
                 settled, 1 is Laplace's approximation, as R's ``glmer``.
    add, to    : the correction of zero cells: "only-zero", "if-any-zero" (all studies as soon as one has a zero),
                 "all" or "none". The normal model and each study's ratios take it; the binomial model does not.

    At least three studies. Intervals are Wald's on the logit scale. :attr:`Accuracy.hsroc` gives the same model as
    Rutter & Gatsonis (2001) write it, :meth:`Accuracy.plot` the summary ROC plot.

    >>> fit = accuracy(tp=[19, 45, 28, 60, 33], fn=[3, 6, 9, 5, 4], fp=[4, 12, 5, 20, 6], tn=[40, 80, 70, 90, 60])
    >>> s = fit.sensitivity
    >>> f"{s.estimate:.3f} ({s.interval.low:.3f} to {s.interval.high:.3f})"
    '0.871 (0.801 to 0.919)'
    """
    check_option("model", model, MODELS)
    check_option("to", to, TO)
    if method is None:
        method = "REML" if model == "normal" else "ML"
    check_option("method", method, METHODS)
    if model == "binomial" and method != "ML":
        raise InputError('method="REML" applies to model="normal"; the binomial model is fitted by "ML"')
    if points is not None:
        if model == "normal":
            raise InputError('points applies to model="binomial": the normal model needs no quadrature')
        if not (isinstance(points, int) and not isinstance(points, bool) and 1 <= points <= 99):
            raise InputError(f"points must be a whole number from 1 to 99; got {points!r}")
    check_level(level)
    counted = tables(tp=tp, fn=fn, fp=fp, tn=tn, study=study, data=data)
    corrected = counted.corrected(add, to)
    alone = each_study(counted, corrected, level)
    if counted.k < MIN_STUDIES:
        own = "; ".join(_of_one(alone, i) for i in range(counted.k))
        raise InputError(
            f"a bivariate model needs {MIN_STUDIES} studies or more; got {counted.k}. Each by itself "
            f"({100.0 * level:g}% CI, Wilson): {own}"
        )
    fit = normal(corrected, method, correlated) if model == "normal" else binomial(counted, correlated, points)
    return Accuracy(counted, corrected, alone, model, method, correlated, add, to, level, fit)


def _of_one(alone: EachStudy, i: int) -> str:
    said = [
        f"{name} {value[i]:.3f} ({ends[i, 0]:.3f} to {ends[i, 1]:.3f})"
        for name, value, ends in (
            ("sensitivity", alone.sensitivity, alone.sensitivity_interval),
            ("specificity", alone.specificity, alone.specificity_interval),
        )
    ]
    return f"{alone.study[i]}: {', '.join(said)}"
