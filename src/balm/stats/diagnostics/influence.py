"""Which studies the result hangs on: case deletion diagnostics.

Viechtbauer W, Cheung MWL (2010). Outlier and influence diagnostics for meta-analysis. Res Synth Methods 1:112-125;
Belsley, Kuh & Welsch (1980), Regression diagnostics, ch. 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.diagnostics.accepted import Model, model_of
from balm.stats.diagnostics.deletion import Deleted, without_each
from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.diagnostics.residuals import standardised, studentised
from balm.stats.distributions import chi2_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.regression.meta_regression import MetaRegression
from balm.vocabulary.presenters import presenter

#: When a study counts as influential, with p coefficients and k studies; any one of the four is enough.
RULE = (
    "a study is influential when |DFFITS| > 3 sqrt(p / (k - p)), or Cook's distance exceeds the median of chi-squared "
    "with p degrees of freedom, or its hat value exceeds 3 p / k, or a |DFBETAS| exceeds 1"
)
SOURCE = "Viechtbauer & Cheung (2010) Res Synth Methods 1:112-125"


@dataclass(frozen=True, eq=False)
class Influence:
    """Case deletion diagnostics, one entry a study; what is not estimable is ``nan`` and in ``reasons``.

    standardised_residual : (k,) residual over its standard error.
    studentised_residual  : (k,) the same from a fit without the study (externally studentised).
    dffits                : (k,) change of the study's fitted value without it, in standard errors.
    cooks_distance        : (k,) squared distance of all coefficients with and without it.
    covariance_ratio      : (k,) determinant of their covariance without it over with it; below 1, leaving it out makes
                            the result more precise.
    tau2_deleted, qe_deleted : (k,) between-study variance and residual heterogeneity Q without it.
    hat, weight           : (k,) leverage, and weight in per cent.
    dfbetas               : (k, p) change of each coefficient (``names``) in standard errors.
    influential           : (k,) whether any cut-off is passed (``RULE``, ``cutoffs``).
    """

    study: tuple[str, ...]
    names: tuple[str, ...]
    standardised_residual: Floats
    studentised_residual: Floats
    dffits: Floats
    cooks_distance: Floats
    covariance_ratio: Floats
    tau2_deleted: Floats
    qe_deleted: Floats
    hat: Floats
    weight: Floats
    dfbetas: Floats
    cutoffs: Mapping[str, float]
    tau2: float
    qe: float
    reasons: Mapping[str, str]

    rule = RULE
    source = SOURCE

    def __len__(self) -> int:
        return len(self.study)

    @property
    def influential(self) -> NDArray[np.bool_]:
        """(k,) True where one of the four cut-offs is passed; False where nothing can be said."""
        return np.asarray(self.beyond["dffits"] | self.beyond["cooks_distance"] | self.beyond["hat"] | self._moved)

    @property
    def beyond(self) -> Mapping[str, NDArray[np.bool_]]:
        """Which cut-off each study passes: "dffits", "cooks_distance", "hat" (k,) and "dfbetas" (k, p)."""
        cut = self.cutoffs
        one = len(self) == 1  # a lone study has all the leverage there is, which says nothing
        return {
            "dffits": np.abs(self.dffits) > cut["dffits"],
            "cooks_distance": self.cooks_distance > cut["cooks_distance"],
            "hat": (self.hat > cut["hat"]) & (not one),
            "dfbetas": np.abs(self.dfbetas) > cut["dfbetas"],
        }

    @property
    def _moved(self) -> NDArray[np.bool_]:
        return np.asarray(self.beyond["dfbetas"].any(axis=1))

    def _columns(self) -> dict[str, Any]:
        table: dict[str, Any] = {
            "study": list(self.study),
            "standardised_residual": self.standardised_residual,
            "studentised_residual": self.studentised_residual,
            "dffits": self.dffits,
            "cooks_distance": self.cooks_distance,
            "covariance_ratio": self.covariance_ratio,
            "tau2_deleted": self.tau2_deleted,
            "qe_deleted": self.qe_deleted,
            "hat": self.hat,
            "weight": self.weight,
        }
        table |= {f"dfbetas_{name}": self.dfbetas[:, j] for j, name in enumerate(self.names)}
        return table | {"influential": self.influential}

    def to_frame(self) -> Any:
        """A row a study."""
        return frame(self._columns())

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The panels of all diagnostics, study by study."""
        return presenter("influence")(self, path, **options)

    def __repr__(self) -> str:
        full = self._columns()
        short = {
            "study": full["study"],
            "resid": self.standardised_residual,
            "rstudent": self.studentised_residual,
            "dffits": self.dffits,
            "cook": self.cooks_distance,
            "cov.ratio": self.covariance_ratio,
            "tau2": self.tau2_deleted,
            "QE": self.qe_deleted,
            "hat": self.hat,
            "weight": self.weight,
            "influential": self.influential,
        }
        count = int(np.count_nonzero(self.influential))
        notes = [f"{count} of {len(self)} influential: {self.rule} ({self.source})."]
        notes += [f"{study}: {why}" for study, why in self.reasons.items()]
        return text_table(f"Influence of {studies(len(self))}", short, notes)


def influence(fit: Any) -> Influence:
    """What each study does to the fit, found by leaving it out.

    fit : a result of :func:`balm.pool` (inverse variance) or :func:`balm.meta_regression`; tau2 is estimated again
          without each study by the same estimator.

    Standard errors are those of the fit: under "hartung-knapp" and "hartung-knapp-guarded" they carry the factor of
    Hartung and Knapp (of all studies in Cook's distance, of the others in DFFITS, DFBETAS and the studentised residual,
    of both in the covariance ratio), as in metafor; under any other interval they are Wald's. With one study nothing
    can be left out; with two, tau2 is not estimable from the one that is left: those entries are ``nan`` with a reason.
    A study without which the coefficients of a meta-regression cannot be told apart is ``nan`` too.
    Viechtbauer & Cheung (2010), equations 10 to 20.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.2, 1.9], variance=[0.04, 0.04, 0.04, 0.01], study=["A", "B", "C", "D"])
    >>> found = influence(pool(es, model="common"))
    >>> found.influential.tolist(), found.hat.round(3).tolist()
    ([True, True, True, True], [0.143, 0.143, 0.143, 0.571])
    """
    model = model_of(fit, "influence")
    deleted = without_each(model)
    projection, x = model.projection, model.design
    k, p = x.shape
    moved = projection.beta - deleted.beta
    hat = projection.hat
    shift = np.einsum("ij,ij->i", x, moved)
    spread = np.sqrt(_fitted_variance(model, deleted) * deleted.factor)
    dffits = np.divide(shift, spread, out=np.full_like(shift, np.nan), where=spread != 0.0)
    factor = np.linalg.qr(np.sqrt(model.weights)[:, None] * x, mode="r") if model.efficient else None
    if factor is None:
        cook = np.einsum("ij,jk,ik->i", moved, np.linalg.inv(model.covariance), moved)
    else:
        cook = np.sum((moved @ np.asarray(factor).T) ** 2, axis=1)
    cook = cook / model.factor
    known = np.ones(k, dtype=np.bool_)
    known[list(deleted.reasons)] = False
    ratio = np.full(k, math.nan)
    here = np.linalg.slogdet(model.covariance)[1] + p * math.log(model.factor)
    ratio[known] = np.exp(np.linalg.slogdet(deleted.covariance[known])[1] - here)
    cook[~known] = math.nan
    dfbetas = np.full((k, p), math.nan)
    for i in np.flatnonzero(known).tolist():
        variances = np.diag(_covariance(model, model.variance + deleted.tau2[i]))
        dfbetas[i] = moved[i] / np.sqrt(variances * deleted.factor[i])
    total = float(np.add.reduce(model.weights))
    internal, external = standardised(model), studentised(model, deleted)
    return Influence(
        study=model.study,
        names=model.names,
        standardised_residual=internal.z,
        studentised_residual=external.z,
        dffits=dffits,
        cooks_distance=cook,
        covariance_ratio=ratio,
        tau2_deleted=deleted.tau2,
        qe_deleted=deleted.qe,
        hat=hat,
        weight=model.weights * (100.0 / total),
        dfbetas=dfbetas,
        cutoffs=MappingProxyType(
            {
                "dffits": 3.0 * math.sqrt(p / (k - p)) if k > p else math.inf,
                "cooks_distance": chi2_ppf(0.5, p),
                "hat": 3.0 * p / k,
                "dfbetas": 1.0,
            }
        ),
        tau2=model.tau2,
        qe=fit.qe if isinstance(fit, MetaRegression) else fit.q,
        reasons=MappingProxyType({**internal.reasons, **external.reasons}),
    )


def _fitted_variance(model: Model, deleted: Deleted) -> Floats:
    """(k,) variance of each study's fitted value at the tau2 without it: the scale of DFFITS."""
    if model.efficient:
        return np.asarray(model.projection.hat * (model.variance + deleted.tau2))
    # hat times spread is a variance under inverse-variance weights only
    x, spread = model.design, model.variance + deleted.tau2[:, None]
    return np.array([row @ _covariance(model, own) @ row for row, own in zip(x, spread, strict=True)])


def _covariance(model: Model, spread: Floats) -> Floats:
    """Covariance of the coefficients from all studies at other marginal variances: the scale of DFBETAS."""
    x = model.design
    if not model.efficient:
        a = model.weights
        bread = np.linalg.inv((x.T * a) @ x)
        return np.asarray(bread @ (x.T * (a * a * spread)) @ x @ bread)
    if x.shape[1] == 1:
        return np.array([[1.0 / float(np.add.reduce(x[:, 0] ** 2 / spread))]])
    inverse = np.linalg.inv(np.linalg.qr(x / np.sqrt(spread)[:, None], mode="r"))
    return np.asarray(inverse @ inverse.T)
