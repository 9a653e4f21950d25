"""Residuals of a fit: observed effects less fitted ones, raw or in units of some standard error.

Viechtbauer & Cheung (2010) Res Synth Methods 1:112, section 3; Hedges & Olkin (1985), ch. 12.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.diagnostics.accepted import Model, model_of
from balm.stats.diagnostics.deletion import Deleted, without_each
from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.vocabulary.problems import check_option

KINDS = ("raw", "pearson", "cholesky", "standardised", "studentised")

#: A standard error below this share of the study's own is rounding: the study determines its fitted value alone.
_NOTHING_LEFT = 1e-7


@dataclass(frozen=True, eq=False)
class Residuals:
    """(k,) each: the residual, its standard error (1 for what is in its units already) and their ratio ``z``.

    ``reasons`` (study -> why) covers what is ``nan``.
    """

    kind: str
    study: tuple[str, ...]
    residual: Floats
    se: Floats
    z: Floats
    reasons: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.study)

    def to_frame(self) -> Any:
        """A row a study."""
        return frame({"study": list(self.study), "residual": self.residual, "se": self.se, "z": self.z})

    def __repr__(self) -> str:
        table = {"study": self.study, "residual": self.residual, "se": self.se, "z": self.z}
        notes = [f"{study}: {why}" for study, why in self.reasons.items()]
        return text_table(f"{self.kind.capitalize()} residuals of {studies(len(self))}", table, notes)


def residuals(fit: Any, kind: str = "standardised") -> Residuals:
    """How far each study lies from what the fit says of it.

    fit  : a result of :func:`balm.pool` (inverse variance) or :func:`balm.meta_regression`.
    kind : "raw", ``y - X b`` with its standard error; "standardised", that ratio (internally studentised);
           "studentised", the same with the study itself left out of the fit, for which an outlier cannot hide by
           pulling the fit towards itself; "pearson", ``(y - X b) / sqrt(v + tau2)``; "cholesky", whitened by the
           Cholesky factor of the marginal covariance, which equals Pearson's for independent studies.

    The variance of a studentised residual has Hartung-Knapp's factor of the fit without the study where that interval
    is in force, as in metafor.

    Beyond +-1.96 lie about 5 % of the standardised and studentised residuals of a fit that is right.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04], study=["A", "B", "C"])
    >>> residuals(pool(es, model="common")).z.round(4).tolist()
    [-1.8371, -0.6124, 2.4495]
    """
    check_option("kind", kind, KINDS)
    model = model_of(fit, "residuals")
    if kind == "studentised":
        return studentised(model, without_each(model))
    residual = model.projection.residual
    if kind in ("pearson", "cholesky"):
        z = residual / np.sqrt(model.spread)
        return Residuals(kind, model.study, z, np.ones(model.k), z, MappingProxyType({}))
    return standardised(model, kind)


def standardised(model: Model, kind: str = "standardised") -> Residuals:
    """Residuals over their own standard errors."""
    residual = model.projection.residual
    se = np.sqrt(model.residual_variance())
    certain = se <= _NOTHING_LEFT * np.sqrt(model.spread)
    z = np.full(model.k, math.nan)
    z[~certain] = residual[~certain] / se[~certain]
    why = "not estimable: one study" if model.k == 1 else "not estimable: the study alone determines its fitted value"
    reasons = {model.study[i]: why for i in np.flatnonzero(certain).tolist()}
    if certain.any():
        se = np.where(certain, 0.0, se)
    return Residuals(kind, model.study, residual, se, z, MappingProxyType(reasons))


def studentised(model: Model, deleted: Deleted) -> Residuals:
    """Deleted residuals: observed less predicted by the others, over ``sqrt(v + tau2_(-i) + x V_(-i) x')``.

    Hartung and Knapp scale the whole marginal covariance: their factor stands before ``v + tau2`` too.
    """
    residual = model.effect - np.einsum("ij,ij->i", model.design, deleted.beta)
    error = np.einsum("ij,ijk,ik->i", model.design, deleted.covariance, model.design)
    se = np.sqrt((model.variance + deleted.tau2) * deleted.factor + error)
    reasons = {model.study[i]: why for i, why in deleted.reasons.items()}
    ratio = np.divide(residual, se, out=np.full_like(residual, np.nan), where=se != 0.0)
    return Residuals("studentised", model.study, residual, se, ratio, MappingProxyType(reasons))
