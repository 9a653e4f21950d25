"""Every combination of analysis choices, fitted together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.groups import ManyGroups, centred
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.measures import MEASURES
from balm.stats.measures.conventions import TO
from balm.stats.multiverse.effects import EffectSet, NotApplicable, effect_sets
from balm.stats.pooling.analysis import add_up, conclude
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.inference import INFERENCES
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option

#: "common" among the estimators is the common-effect model, where tau2 is 0 by assumption.
COMMON = "common"

DEFAULT_TAU2 = ("REML", "DL", "PM", "ML", "SJ", COMMON)
DEFAULT_INFERENCE = ("wald", "hartung-knapp", "hartung-knapp-guarded")
DEFAULT_ZERO_CELLS = ("only-zero", "if-any-zero", "all", "none")

#: The name of the specification axis -> its heading.
AXES = {
    "measure": "Measure",
    "zero_cells": "Zero cells",
    "correlation": "Correlation",
    "exclude": "Left out",
    "tau2": "tau²",
    "inference": "Interval",
}

#: What comes of a specification.
NUMBERS = ("estimate", "se", "low", "high", "p", "tau2", "i2")

#: One call will not fit more than this; a grid so large is a slip.
MOST_SPECIFICATIONS = 2_000_000


@dataclass(frozen=True, slots=True)
class Specification:
    """One analysis: its settings and what came of them, on the analysis scale of its measure."""

    measure: str
    zero_cells: str
    correlation: float | None
    exclude: str
    tau2_estimator: str | float
    inference: str
    k: int
    estimate: float
    se: float
    low: float
    high: float
    p: float
    tau2: float
    i2: float
    excludes_null: bool | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A multiverse in a few numbers.

    excludes_null : share of specifications whose interval excludes no effect (``nan`` where the measure has none).
    low, high     : range of the estimates; ``median`` theirs. ``lowest_p``, ``highest_p`` likewise.
    same_side     : share of estimates on the side of no effect where most are.
    """

    measure: str
    specifications: int
    excludes_null: float
    low: float
    median: float
    high: float
    lowest_p: float
    highest_p: float
    same_side: float


@dataclass(frozen=True, eq=False)
class Multiverse:
    """The outcome of :func:`multiverse`: one row a specification, as columns.

    settings       : axis ("measure", "zero_cells", "correlation", "exclude", "tau2", "inference") -> (n,) values.
    estimate ... i2 : (n,) on the analysis scale of the row's measure; ``k`` studies pooled.
    not_applicable : specifications, or families of them, that were not analysed, each with the reason.
    """

    settings: Mapping[str, Any]
    k: Any
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    tau2: Floats
    i2: Floats
    not_applicable: tuple[NotApplicable, ...]
    effects: EffectSizes
    level: float

    def __len__(self) -> int:
        return len(self.estimate)

    def __getitem__(self, i: int) -> Specification:
        if not -len(self) <= i < len(self):
            raise IndexError(f"there are {len(self)} specifications; got {i}")
        said: dict[str, Any] = {name: self.settings[name][i] for name in AXES}
        said["tau2_estimator"] = said.pop("tau2")
        said |= {name: float(getattr(self, name)[i]) for name in NUMBERS}
        says = self.excludes_null[i]
        said |= {"k": int(self.k[i]), "excludes_null": None if math.isnan(says) else bool(says)}
        return Specification(**said)

    def __iter__(self) -> Iterator[Specification]:
        return (self[i] for i in range(len(self)))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures analysed, in order."""
        return tuple(dict.fromkeys(self.settings["measure"].tolist()))

    @property
    def null(self) -> Floats:
        """(n,) no effect on the analysis scale; ``nan`` for measures without one."""
        by_measure = {code: null_of(code) for code in self.measures}
        return np.array([by_measure[code] for code in self.settings["measure"].tolist()])

    @property
    def excludes_null(self) -> Floats:
        """(n,) 1 where the interval excludes no effect, 0 where it holds it, ``nan`` where the measure has none."""
        null = self.null
        return np.where(np.isnan(null), np.nan, ((self.low > null) | (self.high < null)).astype(np.float64))

    @property
    def summary(self) -> tuple[Summary, ...]:
        """One row a measure, and one for all together (shares and p only) where there are several."""
        codes = self.measures
        rows = [self._summary(code, self.settings["measure"] == code) for code in codes]
        if len(codes) > 1:
            rows.append(self._summary("all", np.ones(len(self), dtype=np.bool_)))
        return tuple(rows)

    def _summary(self, name: str, rows: Any) -> Summary:
        estimate, p = self.estimate[rows], self.p[rows]
        null, says = self.null[rows], self.excludes_null[rows]
        known = ~np.isnan(null)
        above = float(np.mean(estimate[known] > null[known])) if known.any() else math.nan
        ends = (math.nan,) * 3
        if name != "all":
            ends = (float(estimate.min()), float(np.median(estimate)), float(estimate.max()))
        share = float(np.mean(says[known])) if known.any() else math.nan
        return Summary(
            name, len(estimate), share, *ends, float(np.nanmin(p)), float(np.nanmax(p)), max(above, 1.0 - above)
        )

    def where(self, **settings: Any) -> Multiverse:
        """The specifications with these settings: ``where(measure="OR", tau2=["DL", "REML"])``."""
        keep = np.ones(len(self), dtype=np.bool_)
        for name, value in settings.items():
            check_option("setting", name, list(AXES))
            allowed = value if isinstance(value, (list, tuple, set)) else [value]
            column = self.settings[name].tolist()
            unknown = [v for v in allowed if v not in column]
            if unknown:
                raise InputError(f"no specification has {name}={unknown[0]!r}; there are {list(dict.fromkeys(column))}")
            keep &= np.array([v in allowed for v in column])
        if not keep.any():
            raise InputError(f"no specification has {settings} together")
        return Multiverse(
            settings={name: column[keep] for name, column in self.settings.items()},
            k=self.k[keep],
            not_applicable=self.not_applicable,
            effects=self.effects,
            level=self.level,
            **{name: getattr(self, name)[keep] for name in NUMBERS},
        )

    def to_frame(self) -> Any:
        """One row a specification, as a pandas DataFrame (a dict of columns without pandas)."""
        table: dict[str, Any] = {
            ("tau2_estimator" if name == "tau2" else name): column.tolist() for name, column in self.settings.items()
        }
        for name in ("k", *NUMBERS, "excludes_null"):
            table[name] = getattr(self, name).copy()
        return frame(table)

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The specification curve; written to ``path`` (.svg, .png, .pdf) when one is given."""
        return presenter("specification_curve")(self, path, **options)

    def __repr__(self) -> str:
        lines = [f"Multiverse: {len(self):,} specifications of {len(self.effects)} studies"]
        for name, heading in AXES.items():
            values = list(dict.fromkeys(self.settings[name].tolist()))
            if len(values) > 1:
                shown = [str(v) for v in values[:8]] + (["..."] if len(values) > 8 else [])
                lines.append(f"  {heading}: {', '.join(shown)}")
        for row in self.summary:
            share = "" if math.isnan(row.excludes_null) else f"; {100 * row.excludes_null:.1f}% exclude no effect"
            what = f"{row.specifications:,} specifications"
            if row.measure != "all":
                what += f", estimates {row.low:.4g} to {row.high:.4g} (median {row.median:.4g})"
            lines.append(f"{row.measure}: {what}{share}; p {row.lowest_p:.2g} to {row.highest_p:.2g}")
        if self.not_applicable:
            lines.append(f"{len(self.not_applicable)} settings did not apply: see .not_applicable")
        return "\n".join(lines)


def null_of(measure: str) -> float:
    """No effect on the analysis scale (0 for log ratios and differences); ``nan`` for measures without one."""
    scale = MEASURES[measure].scale
    if scale.null is None:
        return math.nan
    return math.log(scale.null) if scale.ratio else float(scale.null)


def multiverse(
    es: EffectSizes,
    *,
    measures: Sequence[str] | None = None,
    tau2: Sequence[str | float] = DEFAULT_TAU2,
    inference: Sequence[str] = DEFAULT_INFERENCE,
    zero_cells: Sequence[str] | None = None,
    exclude: str | Iterable[Any] | Mapping[str, Iterable[str]] | None = "each",
    correlations: Sequence[float] | None = None,
    paired: Mapping[str, Mapping[str, float]] | None = None,
    double_zero: str = "exclude",
    level: float = 0.95,
) -> Multiverse:
    """Analyse one data set under every combination of choices that could be defended, and see what depends on them.

    es           : effect sizes; raw numbers (:func:`balm.effect_sizes`) are needed for other measures and rules.
    measures     : codes of measures that the raw numbers allow; by default that of ``es``.
    tau2         : estimators of the between-study variance, numbers, or "common" for the common-effect model.
    inference    : intervals of the mean.
    zero_cells   : which studies get a constant added: "only-zero", "if-any-zero", "all", "none"; by default all four
                   where a cell is zero, and as ``es`` has it otherwise. Rules that change nothing count once.
    exclude      : "each" leaves out each study in turn (and none); a list of sets of study labels, or a mapping of name
                   to set, leaves out those (and none); ``None`` keeps all.
    correlations : values imputed for the correlation of crossover or paired measurements: of every row where the
                   measure takes ``r`` (MC, SMCC ...), or of the studies in ``paired``.
    paired       : study -> its ``mean_1, sd_1, mean_2, sd_2, n`` as a crossover trial; it joins parallel trials
                   measured as MD (mean change), SMD (in pooled SDs) or GEN.
    double_zero  : "exclude" or "keep" studies without events in both arms, where the measure is a ratio.

    What does not apply (Hartung-Knapp under a common effect, a rule without zero cells) is listed in ``not_applicable``
    with its reason. All specifications that share their effects are fitted in one pass; thousands take well under a
    second. Specifications are not independent, and the share that excludes no effect is a description, not a test.

    Steegen et al. (2016), Perspect Psychol Sci 11:702; Simonsohn et al. (2020), Nat Hum Behav 4:1208; Voracek et al.
    (2019), Z Psychol 227:64.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.5, 0.4], variance=[0.01, 0.02, 0.02, 0.03])
    >>> many = multiverse(es, tau2=["REML", "DL", "common"], inference=["wald", "hartung-knapp"])
    >>> len(many), len(many.not_applicable)
    (25, 1)
    """
    if not isinstance(es, EffectSizes):
        raise InputError(f"multiverse takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes")
    check_level(level)
    codes = _several("measures", (es.measure,) if measures is None else measures)
    for code in codes:
        check_option("measures", code, list(MEASURES))
    if zero_cells is None:
        rules = DEFAULT_ZERO_CELLS if _zero_somewhere(es) else None
    else:
        rules = _several("zero_cells", zero_cells)
        for rule in rules:
            check_option("zero_cells", rule, TO)
    imputed = None if correlations is None else _correlations(correlations)
    check_option("double_zero", double_zero, ("exclude", "keep"))
    sets = _exclusions(es, exclude)
    left_out: list[NotApplicable] = []
    options = _options(_several("tau2", tau2), _several("inference", inference), level, left_out)

    effects = list(effect_sets(es, codes, rules, imputed, paired, double_zero, left_out))
    size = len(effects) * len(sets) * sum(len(c) for _, c in options)
    if size > MOST_SPECIFICATIONS:
        raise InputError(f"{size:,} specifications are more than {MOST_SPECIFICATIONS:,}: name fewer values")
    groups, of_group = _groups(effects, sets, es, left_out)
    if groups is None or not options:
        reasons = "; ".join(dict.fromkeys(str(n) for n in left_out))
        raise InputError(f"no specification can be analysed: {reasons}")
    return _fitted(es, groups, of_group, options, left_out, level)


def _several(name: str, values: Any) -> tuple[Any, ...]:
    found = (values,) if isinstance(values, (str, float, int)) else tuple(values)
    if not found:
        raise InputError(f"{name} is empty: name at least one value, or leave it out")
    if len(set(found)) < len(found):
        raise InputError(f"{name} names a value twice: {list(found)}")
    return found


def _zero_somewhere(es: EffectSizes) -> bool:
    if MEASURES[es.measure].zero_cells != "corrected":
        return False
    raw = es.raw
    zero = any(bool((raw[c] == 0).any()) for c in ("events_1", "events_2") if c in raw)
    full = any(bool((raw[f"events_{i}"] == raw[f"n_{i}"]).any()) for i in (1, 2) if f"n_{i}" in raw)
    return zero or full


def _correlations(values: Any) -> tuple[float, ...]:
    found = _several("correlations", values)
    for r in found:
        if isinstance(r, bool) or not isinstance(r, (int, float)) or not -1.0 < r < 1.0:
            raise InputError(f"correlations must lie between -1 and 1; got {r!r}")
    return tuple(float(r) for r in found)


def _exclusions(es: EffectSizes, exclude: Any) -> list[tuple[str, Any]]:
    """(label, (k,) True where kept), the full set first."""
    k = len(es)
    everything = np.ones(k, dtype=np.bool_)
    found: list[tuple[str, Any]] = [("none", everything)]
    if exclude is None:
        return found
    if isinstance(exclude, str):
        check_option("exclude", exclude, ("each",))
        return found + [(es.study[i], everything & (np.arange(k) != i)) for i in range(k)]
    named = exclude.items() if isinstance(exclude, Mapping) else ((None, labels) for labels in exclude)
    for name, labels in named:
        these = (labels,) if isinstance(labels, str) else tuple(labels)
        for label in these:
            check_option("exclude", label, list(es.study))
        keep = np.array([s not in these for s in es.study])
        found.append((" + ".join(these) if name is None else str(name), keep))
    return found


def _options(
    tau2: tuple[Any, ...], inference: tuple[str, ...], level: float, left_out: list[NotApplicable]
) -> list[tuple[str | float, list[Choices]]]:
    """Each estimator with the intervals that it allows."""
    for name in inference:
        check_option("inference", name, list(INFERENCES))
    found: list[tuple[str | float, list[Choices]]] = []
    for estimator in tau2:
        if isinstance(estimator, str):
            check_option("tau2", estimator, [*TAU2_ESTIMATORS, COMMON])
        model = COMMON if estimator == COMMON else "random"
        allowed = []
        for name in inference:
            try:
                allowed.append(
                    choose(
                        profile=None,
                        model=model,
                        tau2=None if model == COMMON else estimator,
                        inference=name,
                        prediction="none",
                        level=level,
                        i2=None,
                        tau2_interval=None,
                        weighted=False,
                    )
                )
            except InputError as problem:
                if isinstance(estimator, (int, float)) and not estimator >= 0.0:
                    raise
                left_out.append(NotApplicable(str(problem), tau2=estimator, inference=name))
        if allowed:
            found.append((estimator, allowed))
    return found


def _groups(
    effects: list[EffectSet], sets: list[tuple[str, Any]], es: EffectSizes, left_out: list[NotApplicable]
) -> tuple[ManyGroups | None, list[tuple[EffectSet, str]]]:
    """Every set of effects with every exclusion, side by side."""
    y, v, sizes, of_group = [], [], [], []
    for one in effects:
        seen: dict[bytes, str] = {}
        for label, keep in sets:
            rows = keep & one.usable
            count = int(np.count_nonzero(rows))
            if count < 2:
                reason = f"{count} {'study is' if count == 1 else 'studies are'} left that can be pooled"
                left_out.append(NotApplicable(reason, one.measure, one.zero_cells, one.correlation, label))
                continue
            same = seen.setdefault(rows.tobytes(), label)
            if same != label:
                reason = f"pools the same studies as leaving out {same}: the others carry no information"
                left_out.append(NotApplicable(reason, one.measure, one.zero_cells, one.correlation, label))
                continue
            y.append(one.effect[rows])
            v.append(one.variance[rows])
            sizes.append(count)
            of_group.append((one, label))
    if not sizes:
        return None, of_group
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return ManyGroups(np.concatenate(y), np.concatenate(v), offsets), of_group


def _fitted(
    es: EffectSizes,
    groups: ManyGroups,
    of_group: list[tuple[EffectSet, str]],
    options: list[tuple[str | float, list[Choices]]],
    left_out: list[NotApplicable],
    level: float,
) -> Multiverse:
    count, per_group = len(groups), sum(len(c) for _, c in options)
    table = {name: np.empty((count, per_group)) for name in NUMBERS}
    for part, chunk in groups.chunks():
        g, origin = centred(chunk)
        column = 0
        for _, allowed in options:
            # The between-study variance and the mean are shared by all intervals.
            sums = add_up(g, allowed[0], origin)
            for choices in allowed:
                a = conclude(g, choices, sums)
                for name in NUMBERS:
                    table[name][part, column] = getattr(a, name)
                column += 1
    pairs = [(estimator, c.inference) for estimator, allowed in options for c in allowed]

    def column_of(values: list[Any]) -> Any:
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out

    def spread(values: list[Any]) -> Any:
        return np.repeat(column_of(values), per_group)

    settings = {
        "measure": spread([one.measure for one, _ in of_group]),
        "zero_cells": spread([one.zero_cells for one, _ in of_group]),
        "correlation": spread([one.correlation for one, _ in of_group]),
        "exclude": spread([label for _, label in of_group]),
        "tau2": np.tile(column_of([estimator for estimator, _ in pairs]), count),
        "inference": np.tile(column_of([name for _, name in pairs]), count),
    }
    return Multiverse(
        settings=settings,
        k=np.repeat(groups.sizes, per_group),
        not_applicable=tuple(left_out),
        effects=es,
        level=level,
        **{name: values.ravel() for name, values in table.items()},
    )


__all__ = ["AXES", "Multiverse", "NotApplicable", "Specification", "multiverse", "null_of"]
