"""The effects of a multiverse: one set for each measure, zero-cell rule and imputed correlation that applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats, effect_sizes
from balm.stats.measures import MEASURES
from balm.stats.measures.paired_means import change_in_pooled_sds, mean_change
from balm.vocabulary.problems import InputError

#: The measure of a parallel trial -> how a crossover trial joins it.
PAIRED = {"MD": mean_change, "MC": mean_change, "GEN": mean_change, "SMD": change_in_pooled_sds}
PAIRED_COLUMNS = ("mean_1", "sd_1", "mean_2", "sd_2", "n")


@dataclass(frozen=True, slots=True, eq=False)
class EffectSet:
    """Effects under one measure, zero-cell rule and correlation; ``usable`` marks the rows that can be pooled."""

    measure: str
    zero_cells: str
    correlation: float | None
    effect: Floats
    variance: Floats
    usable: Any


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A specification (or a family of them: ``None`` stands for every value) that was not analysed, and why."""

    reason: str
    measure: str | None = None
    zero_cells: str | None = None
    correlation: float | None = None
    exclude: str | None = None
    tau2: str | float | None = None
    inference: str | None = None

    def __str__(self) -> str:
        names = ("measure", "zero_cells", "correlation", "exclude", "tau2", "inference")
        said = ", ".join(f"{n}={getattr(self, n)!r}" for n in names if getattr(self, n) is not None)
        return f"{said}: {self.reason}"


def effect_sets(
    es: EffectSizes,
    measures: Sequence[str],
    zero_cells: Sequence[str] | None,
    correlations: Sequence[float] | None,
    paired: Mapping[str, Mapping[str, float]] | None,
    double_zero: str,
    left_out: list[NotApplicable],
) -> Iterator[EffectSet]:
    """Every set of effects, each different from those before it; what does not apply goes to ``left_out``."""
    imputed = _imputed_rows(es, correlations, paired)
    for code in measures:
        row = MEASURES[code]
        rules = zero_cells if zero_cells is not None and row.zero_cells == "corrected" else (None,)
        if zero_cells is not None and row.zero_cells != "corrected" and len(zero_cells) > 1:
            left_out += [
                NotApplicable(f"{row.name.lower()} needs no correction of zero cells", code, rule)
                for rule in zero_cells
            ]
        seen: dict[bytes, str] = {}
        for rule in rules:
            made = _derived(es, code, rule, left_out)
            if made is None:
                continue
            label = str(made.conventions.get("to", "")) if rule is None else rule
            usable = made.estimable & ~made.double_zero if double_zero == "exclude" else made.estimable
            print_ = made.effect.tobytes() + made.variance.tobytes()
            if print_ in seen:
                left_out.append(NotApplicable(f"gives the same effects as {seen[print_]!r}", code, rule))
                continue
            seen[print_] = label
            yield from _with_correlations(made, code, label, correlations, imputed, paired, usable, left_out)


def _derived(es: EffectSizes, code: str, rule: str | None, left_out: list[NotApplicable]) -> EffectSizes | None:
    if code == es.measure and rule in (None, es.conventions.get("to")):
        return es
    row = MEASURES[code]
    columns: dict[str, Any] = {name: es.raw[name] for name in row.columns if name in es.raw}
    if not es.raw or not row.columns or len(columns) < len(row.columns):
        missing = [name for name in row.columns if name not in es.raw] or ["raw numbers"]
        left_out.append(NotApplicable(f"the data have no {', '.join(missing)}", code, rule))
        return None
    options: dict[str, Any] = {} if rule is None else {"to": rule}
    if rule is not None and es.conventions.get("add") is not None:
        options["add"] = es.conventions["add"]
    try:
        return effect_sizes(code, study=list(es.study), counts="fractional", zero_sd="keep", **options, **columns)
    except InputError as problem:
        left_out.append(NotApplicable(str(problem).splitlines()[0], code, rule))
        return None


def _imputed_rows(
    es: EffectSizes, correlations: Sequence[float] | None, paired: Mapping[str, Mapping[str, float]] | None
) -> list[int]:
    """Positions of the studies whose paired numbers were given."""
    if paired is None:
        return []
    if correlations is None:
        raise InputError(
            "paired= holds crossover trials whose correlation is imputed: name the values in correlations="
        )
    places = []
    for study, columns in paired.items():
        if study not in es.study:
            raise InputError(f"paired names study {study!r}, which is not among {list(es.study)}")
        missing = [name for name in PAIRED_COLUMNS if name not in columns]
        if missing:
            raise InputError(f"paired, {study}: {', '.join(missing)} missing; it takes {', '.join(PAIRED_COLUMNS)}")
        for name in PAIRED_COLUMNS:
            value = columns[name]
            if not np.isfinite(value) or (name[0] in "sn" and value <= 0):
                raise InputError(f"paired, {study}: {name} {value!r} is not usable")
        places.append(es.study.index(study))
    return places


def _with_correlations(
    made: EffectSizes,
    code: str,
    label: str,
    correlations: Sequence[float] | None,
    imputed: list[int],
    paired: Mapping[str, Mapping[str, float]] | None,
    usable: Any,
    left_out: list[NotApplicable],
) -> Iterator[EffectSet]:
    plain = EffectSet(code, label, None, made.effect, made.variance, usable)
    if correlations is None:
        yield plain
        return
    for r in correlations:
        if paired is not None:
            if code not in PAIRED:
                reason = f"crossover trials cannot be put on this measure ({', '.join(PAIRED)} can)"
                left_out.append(NotApplicable(reason, code, correlation=r))
                continue
            effect, variance, keep = made.effect.copy(), made.variance.copy(), usable.copy()
            for place, columns in zip(imputed, paired.values(), strict=True):
                given = {name: np.array([float(columns[name])]) for name in PAIRED_COLUMNS}
                y, v = PAIRED[code](r=np.array([r]), **given)
                effect[place], variance[place] = y[0], v[0]
                keep[place] = bool(v[0] > 0.0)
            yield EffectSet(code, label, r, effect, variance, keep)
        elif "r" in MEASURES[code].columns and "r" in made.raw:
            taken: dict[str, Any] = {name: made.raw[name] for name in MEASURES[code].columns}
            taken["r"] = np.full(len(made), r)
            again = effect_sizes(code, study=list(made.study), **taken)
            yield EffectSet(code, label, r, again.effect, again.variance, again.estimable)
        else:
            left_out.append(NotApplicable("no correlation enters this measure", code, correlation=r))
            if r == correlations[0]:
                yield plain


__all__ = ["PAIRED", "EffectSet", "NotApplicable", "effect_sets"]
