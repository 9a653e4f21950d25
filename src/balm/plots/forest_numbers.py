"""The numbers of a forest plot on the scale people read: which studies, their intervals, and with how many decimals."""

from __future__ import annotations

from math import ceil, exp, inf, log10, nan
from typing import Any

from balm.plots.forest_columns import floats
from balm.plots.forest_options import ForestOptions
from balm.vocabulary.numbers import MINUS, estimates_all, fixed, interval, short
from balm.vocabulary.problems import InputError

NOT_ESTIMABLE = "Not estimable"
_Z95 = 1.959963984540054

#: What the displayed numbers are, where the measure is named after the scale it is analysed on.
_DISPLAYED_NAMES = {
    **dict.fromkeys(("PLN", "PLO", "PRZ", "PAS", "PFT"), "Proportion"),
    **dict.fromkeys(("IRLN", "IRS", "IRFT"), "Incidence rate"),
    **dict.fromkeys(("AHW", "ABT"), "Cronbach's alpha"),
    "MNLN": "Mean",
    "SDLN": "Standard deviation",
    "CVLN": "Coefficient of variation",
    "ZCOR": "Correlation",
    "ZPCOR": "Partial correlation",
    "ZSPCOR": "Semi-partial correlation",
    "ZPHI": "Phi coefficient",
    "ZTET": "Tetrachoric correlation",
    "ZPB": "Point-biserial correlation",
    "ZBIS": "Biserial correlation",
    "ZR2": "R squared",
    "ZR2F": "R squared",
}
Triple = tuple[list[float], list[float], list[float]]


class Shown:
    """Effect sizes as displayed.

    es     : all the effect sizes to show, those left out of the analysis too.
    pooled : for every row of ``es``, whether it was pooled (or, without pooling, is estimable).
    name   : of the numbers; ``log``, ``ratio`` and ``null`` describe their scale.
    level  : coverage of the studies' own intervals.
    digits : decimals of effects, chosen when the studies' intervals are known.
    """

    def __init__(self, result: Any, options: ForestOptions, level: float) -> None:
        from balm.stats.measures import MEASURES

        self.options = options
        es = self.es = _given(result, options)
        self.pooled = _which_pooled(result, es)
        self._pooled_effects = getattr(result, "effects", es)
        measure = MEASURES[es.measure]
        self.name: str = options.effect_name or _DISPLAYED_NAMES.get(es.measure, measure.name)
        scale = measure.scale
        if options.ratio is not None:
            if es.measure != "GEN":
                raise InputError(f"ratio applies to generic effects only; the measure is {es.measure}")
            from balm.vocabulary.scale import IDENTITY, LOG

            scale = LOG if options.ratio else IDENTITY
        self.log: bool = scale.axis == "log"
        self.ratio: bool = scale.ratio
        self.null: float | None = 1.0 if scale.ratio else scale.null
        self._identity = scale.name.startswith("identity")
        self.level = level
        self.digits = 2
        self._sums: dict[str, list[float]] = {}

    def raw(self, key: str) -> list[float]:
        """A column of the data as given."""
        if key not in self._sums:
            self._sums[key] = floats(self.es.raw[key])
        return self._sums[key]

    def studies(self) -> Triple:
        """The studies' estimates and intervals; ``nan`` where not estimable."""
        es, z = self.es, _Z95
        if self.level != 0.95:
            from balm.stats.distributions import norm_ppf

            z = norm_ppf(0.5 + self.level / 2)
        effect, half = es.effect, es.se * z
        if not all(self.pooled):
            # Excluded studies have no effect to show; the others have that which was pooled.
            effect, variance = effect.copy(), es.variance.copy()
            effect[[not used for used in self.pooled]] = nan
            used = self._pooled_effects
            if used is not es and len(used) < len(es):
                effect[self.pooled] = used.effect
                variance[self.pooled] = used.variance
            half = variance**0.5 * z
        ends = (effect.tolist(), (effect - half).tolist(), (effect + half).tolist())
        if self._identity:
            return ends
        if self.log:
            return _exp_all(ends[0]), _exp_all(ends[1]), _exp_all(ends[2])
        sizes = self._sizes()
        first, second, third = [[self._back(x, n) for x, n in zip(end, sizes, strict=True)] for end in ends]
        return first, second, third

    def fit(self, fit: Any) -> tuple[float, float, float]:
        """A pooled estimate and its interval."""
        return self.shown_as(fit.estimate, fit.interval.low, fit.interval.high)

    def prediction(self, fit: Any) -> tuple[float, float]:
        """The prediction interval of a pooled result."""
        return self.shown_as(nan, fit.prediction_interval.low, fit.prediction_interval.high)[1:]

    def choose_digits(self, intervals: Triple) -> None:
        """The decimals that suit ``intervals``, on the displayed scale."""
        self.digits = self.digits_for(intervals[1], intervals[2])

    def digits_for(self, lows: list[float], highs: list[float]) -> int:
        """Two decimals, and as many more as show two figures of the usual interval's width; fewer for huge numbers."""
        if self.options.digits is not None:
            return self.options.digits
        widths = [high - low for low, high in zip(lows, highs, strict=True)]
        widths = sorted([width for width in widths if 0 < width < inf])
        if not widths:
            return 2
        usual = widths[len(widths) // 2]
        if usual >= 100 and not self.ratio:
            return 1 if usual < 1000 else 0
        return min(max(2, ceil(-log10(usual)) + 1), 4 if self.ratio else 8)

    def texts(self, intervals: Triple) -> list[str]:
        """ "0.49 [0.33, 0.73]" of each; a ratio too small for the decimals of the column keeps two figures."""
        texts = estimates_all(*intervals, self.digits, minus=MINUS, missing=NOT_ESTIMABLE)
        if self.ratio:
            least = 10.0**-self.digits
            for i, (estimate, low, high) in enumerate(zip(*intervals, strict=True)):
                if 0.0 < low < least and estimate == estimate and high == high:
                    first, second, third = (
                        short(x, self.digits) if x < least else fixed(x, self.digits) for x in (estimate, low, high)
                    )
                    texts[i] = f"{first} [{second}, {third}]"
        return texts

    def text(self, estimate: float, low: float, high: float) -> str:
        """ "0.49 [0.33, 0.73]"."""
        return self.texts(([estimate], [low], [high]))[0]

    def interval_text(self, low: float, high: float) -> str:
        """ "[0.33, 0.73]", with two figures of an end that is a ratio too small for the decimals of the column."""
        if self.ratio and 0.0 < low < 10.0**-self.digits and high == high:
            ends = (short(x, self.digits) if x < 10.0**-self.digits else fixed(x, self.digits) for x in (low, high))
            return f"[{', '.join(ends)}]"
        return interval(low, high, self.digits, minus=MINUS)

    def shown_as(self, estimate: float, low: float, high: float) -> tuple[float, float, float]:
        if self._identity:
            return estimate, low, high
        if self.log:
            return _exp(estimate), _exp(low), _exp(high)
        n = _harmonic_mean([n for n, used in zip(self._sizes(), self.pooled, strict=True) if used])
        return self._back(estimate, n), self._back(low, n), self._back(high, n)

    def _back(self, x: float, n: float | None = None) -> float:
        from balm.stats.transforms import displayed

        return float(displayed(x, self.es.measure, n_harmonic=n)) if x == x else nan

    def _sizes(self) -> list[float | None]:
        """People or person-time behind each study, which the Freeman-Tukey back-transformations take."""
        for key in ("n", "time"):
            if key in self.es.raw:
                return list(self.raw(key))
        return [None] * len(self.es)


def _given(result: Any, options: ForestOptions) -> Any:
    """All the effect sizes to show: those named by the caller, those the analysis was given, or those it pooled."""
    if options.effects is not None:
        return options.effects
    given = getattr(result, "given", None)
    return given if given is not None else getattr(result, "effects", result)


def _which_pooled(result: Any, es: Any) -> list[bool]:
    used = getattr(result, "effects", es)
    if len(used) == len(es):
        out = {str(label) for label, _ in getattr(result, "excluded", ())}
        return [usable and label not in out for usable, label in zip(es.estimable.tolist(), es.study, strict=True)]
    waiting = [str(label) for label in reversed(used.study)]
    found = []
    for label in es.study:
        here = bool(waiting) and waiting[-1] == str(label)
        if here:
            waiting.pop()
        found.append(here)
    if waiting:
        raise InputError(f"effects must hold the pooled studies in their order; {waiting[-1]!r} was not found")
    return found


def weights_of(fit: Any, pooled: list[bool]) -> list[float]:
    """Weights beside every row: those of the pooled studies, and ``nan`` for the others."""
    given: list[float] = fit.weights.tolist()
    if len(given) == len(pooled):
        return given
    supply = iter(given)
    return [next(supply, nan) if used else nan for used in pooled]


def _harmonic_mean(sizes: list[float | None]) -> float | None:
    parts = [1 / n for n in sizes if n]
    return len(parts) / sum(parts) if parts else None


def _exp(x: float) -> float:
    try:
        return exp(x)
    except OverflowError:
        return inf


def _exp_all(values: list[float]) -> list[float]:
    try:
        return list(map(exp, values))
    except OverflowError:
        return list(map(_exp, values))
