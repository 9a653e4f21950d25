"""The same data under several programs' conventions: which numbers differ, and which convention is responsible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Any

from balm.stats.effect_sizes import EffectSizes
from balm.stats.frame import frame
from balm.stats.measures import MEASURES
from balm.stats.measures.conventions import OPTION_NAMES
from balm.stats.pooling.around_estimate import COUNTS, with_effects
from balm.stats.pooling.mantel_haenszel import ESTIMATORS, mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.profile_formulas import formula
from balm.stats.profiles import PROFILES, UNVERIFIED
from balm.vocabulary.problems import InputError, check_option

#: Two numbers that come from the same formula agree to the last digits; beyond this they are different results.
SAME = 1e-10

STUDIES, RANDOM, COMMON = "studies", "random", "common"
MH, MH_RANDOM = "mantel-haenszel", "mantel-haenszel random"
ANALYSES = (STUDIES, RANDOM, COMMON, MH, MH_RANDOM)

#: What a random-effects analysis prints; a common-effect one has the first seven.
QUANTITIES = (
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "p",
    "q",
    "i2",
    "tau2",
    "tau2_low",
    "tau2_high",
    "pi_low",
    "pi_high",
)

#: The conventions that each analysis depends on, beside those of the effects.
_DEPENDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        STUDIES: (),
        RANDOM: ("tau2", "inference", "prediction", "i2", "tau2_interval", "double_zero"),
        COMMON: ("double_zero",),
        MH: ("mh_zero_cells", "mh_rd_zero_cells", "mh_rd_variance", "double_zero", "mh_drop_double_zero"),
        MH_RANDOM: (
            "mh_random_q",
            "mh_zero_cells",
            "mh_rd_zero_cells",
            "mh_rd_variance",
            "double_zero",
            "mh_drop_double_zero",
            "prediction",
            "i2",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the output: ``analysis`` (a row of ``ANALYSES``), ``quantity``, and ``study`` for study effects."""

    analysis: str
    quantity: str
    study: str = ""

    def __str__(self) -> str:
        if self.analysis == STUDIES:
            return f"{self.quantity} of {self.study}"
        return self.quantity if self.analysis == RANDOM else f"{self.quantity} ({self.analysis})"


@dataclass(frozen=True, slots=True)
class Responsible:
    """A convention that sets two profiles apart: its value and formula in each."""

    option: str
    value_1: Any
    value_2: Any
    formula_1: str
    formula_2: str
    unverified: bool = False

    def __str__(self) -> str:
        doubt = " [unverified]" if self.unverified else ""
        return f"{self.option}: {self.value_1} against {self.value_2}{doubt}\n  {self.formula_1}\n  {self.formula_2}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that differs between two profiles, and the fewest conventions that carry one into the other."""

    cell: Cell
    profile_1: str
    profile_2: str
    value_1: float
    value_2: float
    responsible: tuple[Responsible, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the conventions responsible."""
        return tuple(r.option for r in self.responsible)

    def __str__(self) -> str:
        head = f"{self.cell}: {_number(self.value_1)} ({self.profile_1}), {_number(self.value_2)} ({self.profile_2})"
        return "\n".join([head, *(str(r) for r in self.responsible)])

    __repr__ = __str__


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.6g}"


def _same(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= SAME * max(abs(a), abs(b))


class _Laboratory:
    """Runs the analyses under any mixture of conventions, each mixture once."""

    def __init__(self, es: EffectSizes, level: float) -> None:
        self.es, self.level = es, level
        measure = MEASURES[es.measure]
        self.effect_options = tuple(
            name for name, option, concerns in OPTION_NAMES if concerns(measure) and option not in es.explicit
        )
        counts = COUNTS.get(es.measure, ())
        self.has_counts = es.measure in ESTIMATORS and bool(counts) and all(c in es.raw for c in counts)
        self._effects: dict[Any, EffectSizes] = {}
        self._cells: dict[Any, dict[Cell, float]] = {}

    @property
    def analyses(self) -> tuple[str, ...]:
        return ANALYSES if self.has_counts else ANALYSES[:3]

    def options(self, analysis: str) -> tuple[str, ...]:
        """The conventions that may move a cell of this analysis."""
        return self.effect_options + _DEPENDS[analysis]

    def effects(self, said: Mapping[str, Any]) -> EffectSizes:
        key = tuple(said[name] for name in self.effect_options)
        if key not in self._effects:
            self._effects[key] = self.es.under({name: said[name] for name in self.effect_options})
        return self._effects[key]

    def cells(self, analysis: str, said: Mapping[str, Any]) -> dict[Cell, float]:
        key = (analysis, *(said[name] for name in self.options(analysis)))
        if key not in self._cells:
            self._cells[key] = self._run(analysis, said)
        return self._cells[key]

    def _run(self, analysis: str, said: Mapping[str, Any]) -> dict[Cell, float]:
        es = self.effects(said)
        if analysis == STUDIES:
            rows = zip(es.study, es.effect.tolist(), es.se.tolist(), strict=True)
            return {Cell(STUDIES, name, s): v for s, y, se in rows for name, v in (("effect", y), ("se", se))}
        names: tuple[str, ...] = QUANTITIES[:7] if analysis in (COMMON, MH) else QUANTITIES
        if analysis == MH_RANDOM:
            names = tuple(n for n in names if n not in ("tau2_low", "tau2_high"))
        fit = self._pool(analysis, es, said)
        if fit is None:
            return {Cell(analysis, name): math.nan for name in names}
        values = {
            "estimate": fit.estimate,
            "se": fit.se,
            "ci_low": fit.interval.low,
            "ci_high": fit.interval.high,
            "p": fit.p,
            "q": fit.q,
            "i2": fit.i2,
            "tau2": fit.tau2,
            "pi_low": fit.prediction_interval.low,
            "pi_high": fit.prediction_interval.high,
        }
        if analysis == RANDOM and said["tau2_interval"] != "none" and fit.k > 1:
            ends = fit.heterogeneity_interval(str(said["tau2_interval"])).tau2
            values |= {"tau2_low": ends.low, "tau2_high": ends.high}
        return {Cell(analysis, name): float(values.get(name, math.nan)) for name in names}

    def _pool(self, analysis: str, es: EffectSizes, said: Mapping[str, Any]) -> Pooled | None:
        if analysis in (MH, MH_RANDOM):
            if analysis == MH_RANDOM and said["mh_random_q"] == "none":
                return None
            zero = said["mh_rd_zero_cells" if es.measure == "RD" else "mh_zero_cells"]
            options: dict[str, Any] = {"model": "common"}
            if analysis == MH_RANDOM:
                options = {"model": "random", "prediction": said["prediction"], "i2": said["i2"]}
            if es.measure == "RD":
                options["variance"] = said["mh_rd_variance"]
            return mantel_haenszel(
                es,
                zero_cells=zero,
                double_zero=said["double_zero"],
                drop_double_zero=said["mh_drop_double_zero"],
                level=self.level,
                **options,
            )
        if said["double_zero"] == "keep" and es.double_zero.any():
            es = with_effects(es, es.effect)
        if not (es.estimable & ~es.double_zero).any():
            return None
        if analysis == COMMON:
            return pool(es, model="common", level=self.level)
        return pool(
            es,
            tau2=said["tau2"],
            inference=said["inference"],
            prediction=said["prediction"],
            i2=said["i2"],
            level=self.level,
        )


@dataclass(frozen=True, eq=False)
class ProfileComparison:
    """The outcome of :func:`compare_profiles`.

    profiles : those compared; the first is the reference of ``differences``.
    values   : profile -> cell -> number (``nan`` where the profile gives none).
    """

    profiles: tuple[str, ...]
    values: Mapping[str, Mapping[Cell, float]]
    effects: EffectSizes
    laboratory: Any

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every number, in the order of the table."""
        return tuple(self.values[self.profiles[0]])

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Every cell in which a profile differs from the first one, with the conventions responsible."""
        return tuple(d for other in self.profiles[1:] for d in self.between(self.profiles[0], other))

    def between(self, first: str, second: str) -> tuple[Difference, ...]:
        """The cells in which two profiles differ."""
        for name in (first, second):
            check_option("profile", name, list(self.profiles))
        pairs = ((cell, self.values[first][cell], self.values[second][cell]) for cell in self.cells)
        return tuple(self._difference(cell, first, second) for cell, a, b in pairs if not _same(a, b))

    def why(
        self, quantity: str, first: str, second: str, *, analysis: str = RANDOM, study: str | None = None
    ) -> Difference:
        """Why one number differs between two profiles: both values, the conventions responsible, both formulas.

        quantity : "estimate", "se", "tau2", "i2", "pi_low" ...; "effect" or "se" of a ``study``.
        analysis : "random" (inverse variance), "common", "mantel-haenszel", "mantel-haenszel random".
        """
        for name in (first, second):
            check_option("profile", name, list(self.profiles))
        if study is not None:
            check_option("study", study, list(self.effects.study))
            check_option("quantity", quantity, ("effect", "se"))
            return self._difference(Cell(STUDIES, quantity, study), first, second)
        check_option("analysis", analysis, self.laboratory.analyses[1:])
        names = [c.quantity for c in self.cells if c.analysis == analysis]
        check_option("quantity", quantity, names)
        return self._difference(Cell(analysis, quantity), first, second)

    def _difference(self, cell: Cell, first: str, second: str) -> Difference:
        a, b = self.values[first][cell], self.values[second][cell]
        found: tuple[Responsible, ...] = ()
        if not _same(a, b):
            found = tuple(self._responsible(name, first, second) for name in self._smallest(cell, first, second))
        return Difference(cell, first, second, a, b, found)

    def _smallest(self, cell: Cell, first: str, second: str) -> tuple[str, ...]:
        """The fewest conventions that, switched from the first profile to the second, give the second's number."""
        here, there = PROFILES[first], PROFILES[second]
        apart = [name for name in self.laboratory.options(cell.analysis) if here[name] != there[name]]
        goal = self.values[second][cell]
        for size in range(1, len(apart)):
            for chosen in combinations(apart, size):
                mixed = {**here, **{name: there[name] for name in chosen}}
                if _same(self.laboratory.cells(cell.analysis, mixed)[cell], goal):
                    return chosen
        return tuple(apart)

    @staticmethod
    def _responsible(option: str, first: str, second: str) -> Responsible:
        a, b = PROFILES[first][option], PROFILES[second][option]
        doubt = any(option in UNVERIFIED.get(name, ()) for name in (first, second))
        return Responsible(option, a, b, formula(option, a), formula(option, b), doubt)

    def to_frame(self) -> Any:
        """One row a cell, one column a profile, as a pandas DataFrame (a dict of columns without pandas)."""
        cells = self.cells
        table: dict[str, Any] = {
            "analysis": [c.analysis for c in cells],
            "quantity": [c.quantity for c in cells],
            "study": [c.study for c in cells],
        }
        table |= {name: [self.values[name][c] for c in cells] for name in self.profiles}
        table["differs"] = [
            any(not _same(self.values[self.profiles[0]][c], self.values[p][c]) for p in self.profiles[1:])
            for c in cells
        ]
        return frame(table)

    def __repr__(self) -> str:
        name = MEASURES[self.effects.measure].name
        lines = [f"{name}, {len(self.effects)} studies, under {len(self.profiles)} profiles"]
        shown = [c for c in self.cells if c.analysis != STUDIES and c.quantity not in ("p", "q")]
        width = max(len(str(c)) for c in shown)
        column = max(11, *(len(p) for p in self.profiles))
        lines.append(" " * width + "".join(f"  {p:>{column}}" for p in self.profiles))
        for cell in shown:
            row = "".join(f"  {_number(self.values[p][cell]):>{column}}" for p in self.profiles)
            lines.append(f"{cell!s:<{width}}{row}")
        lines.append("")
        reference = self.profiles[0]
        for other in self.profiles[1:]:
            found = self.between(reference, other)
            if not found:
                lines.append(f"{other} against {reference}: no number differs")
                continue
            blame: dict[str, int] = {}
            for difference in found:
                for option in difference.options:
                    blame[option] = blame.get(option, 0) + 1
            said = ", ".join(f"{option} ({count})" for option, count in blame.items())
            lines.append(f"{other} against {reference}: {len(found)} numbers differ, by {said}")
        lines.append('.why("estimate", first, second) gives both formulas')
        return "\n".join(lines)


def compare_profiles(
    es: EffectSizes, profiles: Sequence[str] | None = None, *, level: float = 0.95
) -> ProfileComparison:
    """Why do two programs give different numbers for the same data? Every number under each program's conventions.

    The data are analysed under each profile: study effects (derived anew where raw numbers are there), random and
    common effects by inverse variance, and Mantel-Haenszel where the counts are there. For a number that differs, one
    convention after the other, then two together and so on, is switched from the one profile to the other until the
    number follows: that smallest set is responsible, and is reported with both formulas.

    es       : effect sizes from :func:`balm.effect_sizes`; conventions given there by name stay in every profile.
    profiles : names of :data:`balm.stats.profiles.PROFILES`; all by default, "balm" first. The first is the reference.
    level    : coverage of the intervals.

    A profile fixes conventions, not a program's faults: iterative estimators are exact roots in all of them. Rows not
    yet checked against a program's own files are marked unverified.

    >>> from balm.stats.effect_sizes import effect_sizes
    >>> es = effect_sizes("RD", events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
    >>> compare_profiles(es).why("se", "metafor", "revman5", analysis="mantel-haenszel").options
    ('mh_rd_variance',)
    """
    if not isinstance(es, EffectSizes):
        raise InputError(
            f"compare_profiles takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes"
        )
    if isinstance(profiles, str):
        profiles = (profiles,)
    chosen = tuple(PROFILES) if profiles is None else tuple(profiles)
    for name in chosen:
        check_option("profiles", name, list(PROFILES))
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise InputError(f"profiles must name two or more different profiles; got {list(chosen)}")
    laboratory = _Laboratory(es, level)
    values = {name: MappingProxyType(_all_cells(laboratory, name)) for name in chosen}
    return ProfileComparison(chosen, MappingProxyType(values), es, laboratory)


def _all_cells(laboratory: _Laboratory, profile: str) -> dict[Cell, float]:
    said = PROFILES[profile]
    parts: Iterable[dict[Cell, float]] = (laboratory.cells(analysis, said) for analysis in laboratory.analyses)
    return {cell: value for part in parts for cell, value in part.items()}


__all__ = ["Cell", "Difference", "ProfileComparison", "Responsible", "compare_profiles"]
