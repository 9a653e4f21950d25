"""Prior distributions of the between-study standard deviation tau: one row of :data:`PRIORS` each."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass

#: log density at tau (M,), of a review with these sampling variances (k,), with these parameters.
LogDensity = Callable[[Floats, Floats, Mapping[str, float]], Floats]


@dataclass(frozen=True)
class Prior:
    """One kind of prior. ``needs``: its parameters with their defaults (None: must be given). ``tail``: the density
    falls as ``tau ** -tail`` far out, which decides how few studies still give a posterior."""

    log_density: LogDensity
    needs: Mapping[str, float | None]
    proper: bool
    tail: float
    source: str


def typical_variance(v: Floats) -> float:
    """The harmonic mean of the sampling variances, s0 squared in DuMouchel & Normand (2000)."""
    return len(v) / float(np.sum(1.0 / v))


def higgins_variance(v: Floats) -> float:
    """The typical variance in Higgins & Thompson's I2 (2002) Stat Med 21:1539, eq. 9."""
    w = 1.0 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w * w).sum()))


def _half_normal(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    return 0.5 * math.log(2.0 / math.pi) - math.log(p["scale"]) - 0.5 * (t / p["scale"]) ** 2


def _half_t(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    df, scale = p["df"], p["scale"]
    constant = math.log(2.0) + math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return constant - math.log(scale) - (df + 1) / 2 * np.log1p((t / scale) ** 2 / df)


def _half_cauchy(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    return _half_t(t, v, {"scale": p["scale"], "df": 1.0})


def _half_logistic(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    x = t / p["scale"]
    return math.log(2.0) - math.log(p["scale"]) - x - 2.0 * np.log1p(np.exp(-x))


def _exponential(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    return -math.log(p["scale"]) - t / p["scale"]


def _lomax(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    return math.log(p["shape"] / p["scale"]) - (p["shape"] + 1.0) * np.log1p(t / p["scale"])


def _uniform(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    if math.isinf(p["upper"]):
        return np.zeros_like(t)
    return np.where(t <= p["upper"], -math.log(p["upper"]), -math.inf)


def _log_normal(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    z = (2.0 * np.log(t) - p["location"]) / p["scale"]
    return math.log(2.0 / (p["scale"] * math.sqrt(2.0 * math.pi))) - np.log(t) - 0.5 * z * z


def _log_t(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    df = p["df"]
    z = (2.0 * np.log(t) - p["location"]) / p["scale"]
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return constant + math.log(2.0 / p["scale"]) - np.log(t) - (df + 1) / 2 * np.log1p(z * z / df)


def _sqrt(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    return -0.5 * np.log(t)


def _jeffreys(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    found: Floats = 0.5 * np.log(np.sum((t[:, None] / (v + t[:, None] ** 2)) ** 2, axis=1))
    return found


def _overall_jeffreys(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    found: Floats = _jeffreys(t, v, p) + 0.5 * np.log(np.sum(1.0 / (v + t[:, None] ** 2), axis=1))
    return found


def _berger_deely(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    found: Floats = np.mean(np.log(t[:, None] / (v + t[:, None] ** 2)), axis=1)
    return found


def _conventional(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    found: Floats = np.mean(np.log(t[:, None]) - 1.5 * np.log(v + t[:, None] ** 2), axis=1)
    return found


def _dumouchel(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    s = math.sqrt(typical_variance(v))
    return math.log(s) - 2.0 * np.log(s + t)


def _shrinkage(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    s2 = typical_variance(v)
    return np.log(2.0 * s2 * t) - 2.0 * np.log(s2 + t * t)


def _i2(t: Floats, v: Floats, p: Mapping[str, float]) -> Floats:
    s2 = higgins_variance(v)
    return np.log(2.0 * s2 * t) - 2.0 * np.log(s2 + t * t)


_ROEVER = "Röver (2020) J Stat Softw 93(6), section 2.4"

#: Every prior by its name. Those without parameters take their scale from the sampling variances.
PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        "half-normal": Prior(_half_normal, {"scale": None}, True, math.inf, "Röver et al. (2021) RSM 12:448"),
        "half-cauchy": Prior(_half_cauchy, {"scale": None}, True, 2.0, "Gelman (2006) Bayesian Anal 1:515"),
        "half-t": Prior(_half_t, {"scale": None, "df": None}, True, 2.0, "Gelman (2006) Bayesian Anal 1:515"),
        "half-logistic": Prior(_half_logistic, {"scale": None}, True, math.inf, _ROEVER),
        "exponential": Prior(_exponential, {"scale": None}, True, math.inf, _ROEVER),
        "lomax": Prior(_lomax, {"scale": None, "shape": None}, True, 2.0, _ROEVER),
        "uniform": Prior(_uniform, {"upper": math.inf}, False, 0.0, "Gelman (2006) Bayesian Anal 1:515"),
        "log-normal": Prior(_log_normal, {"location": None, "scale": None}, True, 1.0, "Turner et al. (2012, 2015)"),
        "log-t": Prior(_log_t, {"location": None, "scale": None, "df": 5.0}, True, 1.0, "Rhodes et al. (2015)"),
        "sqrt": Prior(_sqrt, {}, False, 0.5, _ROEVER),
        "jeffreys": Prior(_jeffreys, {}, False, 1.0, "Bodnar et al. (2017) Stat Med 36:378"),
        "overall-jeffreys": Prior(_overall_jeffreys, {}, False, 2.0, _ROEVER),
        "berger-deely": Prior(_berger_deely, {}, False, 1.0, "Berger & Deely (1988) JASA 83:364"),
        "conventional": Prior(_conventional, {}, True, 2.0, "Berger & Deely (1988) JASA 83:364"),
        "dumouchel": Prior(_dumouchel, {}, True, 2.0, "DuMouchel & Normand (2000)"),
        "shrinkage": Prior(_shrinkage, {}, True, 3.0, "Daniels (1999) Can J Stat 27:567"),
        "i2": Prior(_i2, {}, True, 3.0, _ROEVER),
    }
)

#: Published distributions of tau2 by outcome and comparison; see :func:`tau_prior`.
EMPIRICAL = {"turner": "Turner 2015", "turner-2012": "Turner 2012", "rhodes": "Rhodes 2015"}


@dataclass(frozen=True)
class TauPrior:
    """A prior of tau with its parameters: what :func:`tau_prior` returns and :func:`balm.bayes` takes."""

    name: str
    parameters: Mapping[str, float]
    words: str

    @property
    def kind(self) -> Prior:
        """Its row of :data:`PRIORS`."""
        return PRIORS[self.name]

    @property
    def proper(self) -> bool:
        """Whether it integrates to one; without that there is no marginal likelihood and no Bayes factor."""
        return self.kind.proper or (self.name == "uniform" and math.isfinite(self.parameters["upper"]))

    @property
    def tail(self) -> float:
        """How steeply the density falls far out: as ``tau ** -tail``."""
        if self.name == "uniform" and self.proper:
            return math.inf
        if self.name == "half-t":
            return self.parameters["df"] + 1.0
        return self.parameters["shape"] + 1.0 if self.name == "lomax" else self.kind.tail

    def log_density(self, tau: Any, variance: Any) -> Floats:
        """(M,) log densities at ``tau`` > 0 in a review with these sampling variances (k,)."""
        t, v = np.asarray(tau, dtype=np.float64), np.asarray(variance, dtype=np.float64)
        return self.kind.log_density(t, v, self.parameters)


def tau_prior(name: str, *, outcome: str | None = None, comparison: str | None = None, area: str | None = None,
              **parameters: float) -> TauPrior:  # fmt: skip
    """A prior of the between-study standard deviation tau, on the scale of the effects.

    name : a row of :data:`PRIORS` with its parameters, all positive but ``location``:

    ====================  ==========================================================================================
    ``half-normal``       ``scale``; ``half-cauchy``, ``half-logistic``, ``exponential`` too
    ``half-t``            ``scale``, ``df``
    ``lomax``             ``scale``, ``shape``
    ``uniform``           ``upper``; without it the improper one
    ``log-normal``        of tau2: ``location``, ``scale`` of its logarithm; ``log-t`` too, with ``df`` (5)
    ``sqrt`` ...          ``jeffreys``, ``overall-jeffreys``, ``berger-deely``, ``conventional``, ``dumouchel``,
                          ``shrinkage``, ``i2``: no parameters, their scale comes from the sampling variances
    ====================  ==========================================================================================

    or an empirical distribution fitted to the Cochrane Database of Systematic Reviews, with ``outcome``,
    ``comparison`` (and ``area`` for Rhodes; without a word the general distribution): ``turner`` (log odds ratios;
    Turner et al. 2015 Stat Med 34:984, Table IV), ``turner-2012`` (Turner et al. 2012 Int J Epidemiol 41:818, Table 4)
    and ``rhodes`` (standardised mean differences; Rhodes et al. 2015 J Clin Epidemiol 68:52). Nine rows of those tables
    contradict the others in the copy at hand and are not offered; :func:`empirical_rows` lists the rest.

    >>> tau_prior("half-normal", scale=0.5).words
    'half-normal (scale 0.5)'
    >>> tau_prior("turner", outcome="pain", comparison="pharmacological vs placebo/control").parameters["location"]
    -1.83
    """
    if name in EMPIRICAL:
        if parameters:
            raise InputError(f"{sorted(parameters)[0]} does not apply to the empirical prior {name!r}")
        return _empirical(name, outcome or "general", comparison or "general", area)
    if outcome is not None or comparison is not None or area is not None:
        raise InputError(f"outcome, comparison and area apply to {sorted(EMPIRICAL)} only; got tau_prior({name!r})")
    check_option("name", name, [*PRIORS, *EMPIRICAL])
    needs = PRIORS[name].needs
    if unknown := sorted(set(parameters) - set(needs)):
        raise InputError(f"{unknown[0]} is no parameter of the prior {name!r}; it takes {list(needs) or 'none'}")
    found = {key: parameters.get(key, default) for key, default in needs.items()}
    for key, value in found.items():
        if value is None:
            raise InputError(f"the prior {name!r} needs {key}=")
        if math.isnan(value) or (key != "location" and value <= 0) or (math.isinf(value) and key != "upper"):
            raise InputError(f"{key} of the prior {name!r} must be a positive number; got {value!r}")
    settled = {key: float(value) for key, value in found.items() if value is not None}
    shown = ", ".join(f"{key} {value:g}" for key, value in settled.items() if math.isfinite(value))
    return TauPrior(name, MappingProxyType(settled), f"{name} ({shown})" if shown else name)


@cache
def empirical_rows() -> tuple[Mapping[str, str], ...]:
    """The rows of the published tables, as mappings of source, outcome, comparison, area, location and scale."""
    text = (files(__package__) / "empirical_tau2.csv").read_text(encoding="utf-8")
    return tuple(MappingProxyType(row) for row in csv.DictReader(text.splitlines()))


def _empirical(name: str, outcome: str, comparison: str, area: str | None) -> TauPrior:
    rows = [row for row in empirical_rows() if row["source"] == EMPIRICAL[name]]
    check_option("outcome", outcome, sorted({row["outcome"] for row in rows}))
    rows = [row for row in rows if row["outcome"] == outcome]
    check_option("comparison", comparison, sorted({row["comparison"] for row in rows}))
    rows = [row for row in rows if row["comparison"] == comparison]
    areas = sorted({row["area"] for row in rows})
    row = rows[areas.index(check_option("area", area or ("other" if len(areas) > 1 else areas[0]), areas))]
    at = {"location": float(row["location"]), "scale": float(row["scale"])}
    kind = "log-t" if name == "rhodes" else "log-normal"
    words = f"{row['source']} ({outcome}, {comparison}; tau2 {kind}, location {row['location']}, scale {row['scale']})"
    return TauPrior(kind, MappingProxyType(at | ({"df": 5.0} if kind == "log-t" else {})), words)
