"""``balm.sequential_analysis``: is a meta-analysis that grows trial by trial conclusive yet?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.distributions import norm_isf
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.pooling.cumulative import cumulative
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.sequential.boundaries import SPENDING, crossing, efficacy_bounds, futility_bounds
from balm.stats.sequential.required_information import check_share, required_information
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass

#: What an analysis can have come to, in words.
CONCLUSIONS = {
    "effect": "the boundary for an effect was crossed",
    "futility": "the boundary for futility was crossed",
    "no effect": "the required information was reached without crossing a boundary",
    "open": "no boundary was crossed and the required information was not reached",
}


@dataclass(frozen=True, eq=False)
class SequentialAnalysis:
    """Looks after each study, in their order, (k,) each.

    study, estimate, se, z : the meta-analysis up to and including the study, on the analysis scale.
    information, fraction  : sum of 1/variance of the studies, and its share of ``required``.
    boundary, futility     : of |Z|; infinite where nothing may be spent yet, nan after the first look at fraction 1;
                             futility is nan where none was asked for.
    required               : the required information, diversity included.    diversity : D² as a share.
    last_boundary          : at fraction 1, when that look still lies ahead (nan otherwise).
    adjusted               : interval of the mean effect at the last look that was tested, at its boundary; infinite
                             where that is. Valid whenever one stops.
    power                  : of this series of looks, with one more at fraction 1 if that lies ahead, for ``delta``.
    conclusion             : a row of ``CONCLUSIONS``, at look ``decided`` (its position; None while open).
    """

    study: tuple[str, ...]
    estimate: Floats
    se: Floats
    z: Floats
    information: Floats
    fraction: Floats
    boundary: Floats
    futility: Floats
    required: float
    diversity: float
    last_boundary: float
    last_futility: float
    adjusted: Interval
    power: float
    conclusion: str
    decided: int | None
    alpha: float
    planned_power: float
    delta: float
    spending: str
    beta_spending: str | None
    participants: float
    fit: Pooled

    @property
    def k(self) -> int:
        """The number of looks."""
        return len(self.study)

    @property
    def required_participants(self) -> float:
        """The required information in participants, at the information each has brought so far; nan if not known."""
        return self.participants * self.required / float(self.information[-1])

    def to_dict(self) -> dict[str, Any]:
        """Every number, nested as in the fields."""
        columns = ("estimate", "se", "z", "information", "fraction", "boundary", "futility")
        return {
            "study": list(self.study),
            **{name: getattr(self, name).tolist() for name in columns},
            **{name: getattr(self, name) for name in ("required", "diversity", "last_boundary", "last_futility")},
            "required_participants": self.required_participants,
            "adjusted": [self.adjusted.low, self.adjusted.high],
            **{name: getattr(self, name) for name in ("power", "conclusion", "alpha", "planned_power", "delta")},
            "spending": self.spending,
            "beta_spending": self.beta_spending,
        }

    def to_frame(self) -> Any:
        """One row a look."""
        columns = ("estimate", "se", "z", "information", "fraction", "boundary", "futility")
        return frame({"study": list(self.study), **{name: getattr(self, name) for name in columns}})

    def sentence(self, **options: Any) -> str:
        """The result in words."""
        return str(presenter("sequential_sentence")(self, **options))

    def methods(self) -> str:
        """The methods paragraph."""
        return str(presenter("sequential_methods")(self))

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The cumulative Z between its boundaries."""
        return presenter("sequential")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("sequential_text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("sequential_html")(self))


def sequential_analysis(
    fit: Pooled,
    *,
    delta: float,
    order: Any = None,
    alpha: float = 0.05,
    power: float = 0.9,
    spending: str = "obrien-fleming",
    beta_spending: str | None = None,
    diversity: float | None = None,
) -> SequentialAnalysis:
    """Trial sequential analysis: repeated tests of a growing meta-analysis that share one error.

    fit           : a result of :func:`balm.pool`; the same model is fitted after each study, and Z is its Wald test.
    delta         : the smallest effect worth finding, on the analysis scale (``math.log(0.8)`` for a ratio of 0.8).
    order         : values to sort the studies by (years), or their labels; the order of the data by default.
    alpha, power  : two-sided error of all looks together, and the power the required information is for.
    spending      : "obrien-fleming" or "pocock" type of Lan and DeMets, over the share of the required information.
    beta_spending : the same names for boundaries of futility inside (None: no such boundaries). They do not bind: a
                    review that goes on keeps its error.
    diversity     : D² as a share, which inflates the required information; by default that of ``fit``,
                    ``1 - V_common / V_random`` (0 under a common effect).

    Studies bring information 1/variance. What lies beyond the first look at fraction 1 is not tested again.
    Lan & DeMets (1983) Biometrika 70:659; Wetterslev et al. (2008) J Clin Epidemiol 61:64, (2009) BMC Med Res Methodol
    9:86; the interval is a repeated one (Jennison & Turnbull 1989, JRSS B 51:305). Boundaries hold for given
    information: with few studies a random-effects Z is only about normal, and D² is uncertain.

    >>> import balm
    >>> es = balm.EffectSizes(effect=[-0.3, -0.2, -0.25, -0.2], variance=[0.02, 0.015, 0.01, 0.008], measure="RR")
    >>> looks = balm.sequential_analysis(balm.pool(es, model="common"), delta=-0.2)
    >>> looks.conclusion, looks.study[looks.decided], [round(float(c), 2) for c in looks.boundary]
    ('effect', 'Study 3', [5.01, 3.17, 2.22, 2.11])
    """
    if not isinstance(fit, Pooled):
        raise InputError(f"sequential_analysis takes a result of balm.pool; got {type(fit).__name__}")
    if fit.k < 1 or not math.isfinite(fit.estimate):
        raise InputError("sequential_analysis needs at least one study with an estimate")
    model = fit.conventions.get("model")
    if (
        fit.conventions.get("method") != "inverse-variance"
        or model not in ("common", "random")
        or fit.own_weights is not None
    ):
        raise InputError(
            "sequential_analysis takes inverse-variance pooling: balm.pool with model 'random' or 'common', "
            "without weights of your own"
        )
    check_share("alpha", alpha)
    check_share("power", power)
    check_option("spending", spending, list(SPENDING))
    if beta_spending is not None:
        check_option("beta_spending", beta_spending, list(SPENDING))
    tau2 = None if model == "common" else fit.conventions.get("tau2")
    wald = pool(fit.effects, model=model, tau2=tau2, inference="wald", prediction="none", level=fit.interval.level)
    if diversity is None:
        common = 1.0 / float((1.0 / fit.effects.variance).sum())
        diversity = max(0.0, 1.0 - common / wald.se**2)
    required = required_information(delta, alpha=alpha, power=power, diversity=diversity)
    series = cumulative(wald, order)
    place = {name: i for i, name in enumerate(fit.effects.study)}
    if len(place) < fit.k:
        raise InputError("study labels must differ: they say which study came at which look")
    variance = fit.effects.variance[[place[name] for name in series.study]]
    information = np.cumsum(1.0 / variance)
    fraction = information / required
    estimate = np.array([f.estimate for f in series.fits])
    se = np.array([f.se for f in series.fits])
    ahead = float(fraction[-1]) < 1.0
    looks = [*fraction.tolist(), 1.0] if ahead else fraction.tolist()
    outer = efficacy_bounds(looks, spending, alpha)
    drift = norm_isf(alpha / 2.0) + norm_isf(1.0 - power)
    inner = (
        futility_bounds(looks, outer, beta_spending, 1.0 - power, drift) if beta_spending else [math.nan] * len(looks)
    )
    k = len(estimate)
    boundary, futility, z = np.array(outer[:k]), np.array(inner[:k]), estimate / se
    conclusion, decided = _conclusion(z, boundary, futility, fraction)
    tested = int(np.flatnonzero(~np.isnan(boundary))[-1])
    reach = float(boundary[tested] * se[tested])
    n = None if any(name.startswith("time") for name in fit.effects.raw) else fit.effects.sample_size
    return SequentialAnalysis(
        series.study, estimate, se, z, information, fraction, boundary, futility, required, diversity,
        outer[-1] if ahead else math.nan, inner[-1] if ahead else math.nan,
        Interval(float(estimate[tested]) - reach, float(estimate[tested]) + reach, 1.0 - alpha),
        crossing(looks, outer, drift), conclusion, decided, alpha, power, delta, spending, beta_spending,
        math.nan if n is None else float(np.sum(n)), wald,
    )  # fmt: skip


def _conclusion(z: Floats, boundary: Floats, futility: Floats, fraction: Floats) -> tuple[str, int | None]:
    """What was decided first, and at which look."""
    for i, (value, outer, inner) in enumerate(zip(np.abs(z), boundary, futility, strict=True)):
        if value >= outer:
            return "effect", i
        if fraction[i] >= 1.0:
            return "no effect", i
        if value < inner:
            return "futility", i
    return "open", None
