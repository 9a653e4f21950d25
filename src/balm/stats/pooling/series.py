"""A row of fits, one a study: the shape that leave-one-out and cumulative results share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.presenters import presenter

#: Columns of the table, and where each stands in a fit.
_COLUMNS = ("estimate", "se", "statistic", "p", "tau2", "i2", "h2", "q", "q_p")


@dataclass(frozen=True, eq=False)
class Series:
    """``fits[i]`` belongs to ``study[i]``; ``fit`` is the result of all studies. Columns are arrays ``(k,)``.

    A column's value is ``nan`` where that fit cannot give it; the fit's own ``reasons`` say why.
    """

    study: tuple[str, ...]
    fits: tuple[Pooled, ...]
    fit: Pooled

    def __len__(self) -> int:
        return len(self.fits)

    def _column(self, name: str) -> Floats:
        return np.array([float(getattr(f, name)) for f in self.fits])

    @property
    def estimate(self) -> Floats:
        """Pooled estimates on the analysis scale."""
        return self._column("estimate")

    @property
    def se(self) -> Floats:
        """Their standard errors."""
        return self._column("se")

    @property
    def low(self) -> Floats:
        """Lower ends of the intervals."""
        return np.array([f.interval.low for f in self.fits])

    @property
    def high(self) -> Floats:
        """Upper ends of the intervals."""
        return np.array([f.interval.high for f in self.fits])

    @property
    def statistic(self) -> Floats:
        """Test statistics of no effect."""
        return self._column("statistic")

    @property
    def p(self) -> Floats:
        """Their p-values."""
        return self._column("p")

    @property
    def tau2(self) -> Floats:
        """Between-study variances."""
        return self._column("tau2")

    @property
    def i2(self) -> Floats:
        """I2 in per cent."""
        return self._column("i2")

    @property
    def h2(self) -> Floats:
        """H2."""
        return self._column("h2")

    @property
    def q(self) -> Floats:
        """Cochran's Q."""
        return self._column("q")

    @property
    def q_p(self) -> Floats:
        """p-values of Q."""
        return self._column("q_p")

    def to_frame(self) -> Any:
        """A row a fit, as a pandas table (a dict of columns without pandas)."""
        table: dict[str, Any] = {"study": list(self.study), "k": [f.k for f in self.fits]}
        table |= {name: self._column(name) for name in _COLUMNS}
        table |= {"low": self.low, "high": self.high}
        shown = [f.displayed for f in self.fits]
        table |= {
            "displayed": [d.estimate for d in shown],
            "displayed_low": [d.interval.low for d in shown],
            "displayed_high": [d.interval.high for d in shown],
        }
        return frame(table)

    def sentence(self) -> str:
        """The series in words."""
        return str(presenter("sentence")(self))

    def methods(self) -> str:
        """How it was made, every choice named."""
        return str(presenter("methods")(self))

    def forest(self, path: Any = None, **options: Any) -> Any:
        """One diamond a row."""
        return presenter("forest")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("html")(self))
