"""Study effects and their variances, with the labels and the raw numbers they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EffectSizes:
    """One effect and variance a study, on the analysis scale (log for ratios).

    effect, variance : (k,) float64.  ``nan`` only in rows whose ``note`` says why they are not estimable.
    study            : (k,) labels, in the order given.
    measure          : the code of a row of :data:`balm.stats.measures.MEASURES`; ``"GEN"`` for generic effects.
    raw              : the columns as given (``events_1``, ``n_1`` ...), each (k,); empty for generic effects.
    conventions      : how the effects were made (``add``, ``to``, ``variance_type``, ``small_sample`` ...).
    explicit         : names of the conventions the caller chose; a profile may change the others.
    note             : (k,) what was done to a row ("0.5 added to each cell", "not estimable: no events in either arm").
    estimable        : (k,) False where the row carries no information for this measure.
    """

    effect: Floats
    variance: Floats
    study: tuple[str, ...] = ()
    measure: str = "GEN"
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    conventions: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    explicit: frozenset[str] = frozenset()
    note: tuple[str, ...] = ()
    estimable: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.effect)

    def __iter__(self) -> Iterator[tuple[str, float, float]]:
        return iter(zip(self.study, self.effect.tolist(), self.variance.tolist(), strict=True))

    @property
    def se(self) -> Floats:
        """Standard errors, the square roots of the variances."""
        return np.sqrt(self.variance)
