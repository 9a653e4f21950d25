"""Study effects and their variances, with the labels and the raw numbers they came from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from balm.stats import columns as tables
from balm.stats.arrays import Bools as Bools
from balm.stats.arrays import Floats as Floats
from balm.stats.arrays import NDArray, np
from balm.stats.frame import frame
from balm.stats.measures import MEASURES
from balm.stats.measures.checks import check_arguments, check_rows
from balm.stats.measures.derivation import derive, of_profile, settle
from balm.vocabulary.problems import check_option, refuse
from balm.vocabulary.quick_dataclass import dataclass

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False, init=False)
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
    double_zero      : (k,) True where neither arm has an event, or neither has a non-event, and the measure is a
                       ratio, about which such a study says nothing; pooling leaves it out unless asked to keep it.
    dropped          : labels of the studies that ``missing="drop"`` left out.

    >>> es = EffectSizes(effect=[-0.89, -1.59], variance=[0.33, 0.19], study=["Aronson", "Ferguson"], measure="RR")
    >>> es[0:1].study
    ('Aronson',)
    """

    effect: Floats
    variance: Floats
    study: tuple[str, ...]
    measure: str
    raw: Mapping[str, Floats]
    conventions: Mapping[str, Any]
    explicit: frozenset[str]
    note: tuple[str, ...]
    estimable: Bools
    double_zero: Bools
    dropped: tuple[str, ...] = ()

    #: True where every study is estimable and none has a double zero (known without looking).
    _all_tell = False

    def __init__(
        self,
        effect: Any,
        variance: Any,
        study: Sequence[Any] | None = None,
        measure: str = "GEN",
        raw: Mapping[str, Any] = _EMPTY,
        conventions: Mapping[str, Any] = _EMPTY,
        explicit: frozenset[str] = frozenset(),
        note: Sequence[str] = (),
        estimable: Any = None,
        double_zero: Any = None,
        dropped: Sequence[str] = (),
    ) -> None:
        if measure not in MEASURES:
            check_option("measure", measure, list(MEASURES))
        y, v = tables.plain_numbers(effect), tables.plain_numbers(variance)
        if y is not None and v is not None and len(y) == len(v) and _usable(y, v):
            k = len(y)
            names = tables.labels(study if study is None or len(study) else None, None, k)
            known = np.ones(k, dtype=bool) if estimable is None else np.array(estimable, dtype=bool)
        else:
            y, v, names, known = _checked(effect, variance, study, estimable)
            k = len(y)
        zeros = np.zeros(k, dtype=bool) if double_zero is None else np.array(double_zero, dtype=bool)
        for column in (y, v, known, zeros):
            column.setflags(write=False)
        self.__dict__.update(
            effect=y,
            variance=v,
            study=names,
            measure=measure,
            raw=MappingProxyType(dict(raw)) if raw else _EMPTY,
            conventions=MappingProxyType(dict(conventions)) if conventions else _EMPTY,
            explicit=frozenset(explicit),
            note=tuple(note) if len(note) else ("",) * k,
            estimable=known,
            double_zero=zeros,
            dropped=tuple(dropped),
            _all_tell=(estimable is None or bool(known.all())) and (double_zero is None or not zeros.any()),
        )

    def __reduce__(self) -> tuple[type[EffectSizes], tuple[Any, ...]]:
        """Copies and other processes get the same values; read-only views cannot travel as they are."""
        values = (getattr(self, name) for name in self.__match_args__)
        return EffectSizes, tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    def __len__(self) -> int:
        return len(self.effect)

    def __iter__(self) -> Iterator[tuple[str, float, float]]:
        return iter(zip(self.study, self.effect.tolist(), self.variance.tolist(), strict=True))

    def __getitem__(self, rows: int | slice | Sequence[int] | Sequence[bool] | NDArray[Any]) -> EffectSizes:
        """The studies at ``rows``: a slice, a boolean mask, positions, or one position."""
        if isinstance(rows, (int, np.integer)):
            rows = [int(rows)]
        where = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        if len(where) == 0:
            refuse("no studies are left after selection")
        return EffectSizes(
            self.effect[where],
            self.variance[where],
            [self.study[i] for i in where],
            self.measure,
            {name: values[where] for name, values in self.raw.items()},
            self.conventions,
            self.explicit,
            [self.note[i] for i in where],
            self.estimable[where],
            self.double_zero[where],
            self.dropped,
        )

    def __repr__(self) -> str:
        name = MEASURES[self.measure].name
        head = f"EffectSizes: {name} ({self.measure}), {len(self)} {'study' if len(self) == 1 else 'studies'}"
        scale = MEASURES[self.measure].scale
        head += f", {scale.name} scale" if scale.name != "identity" else ""
        shown = min(len(self), 20)
        width = max([5, *(len(label) for label in self.study[:shown])])
        lines = [head, f"{'study':<{width}}  {'effect':>10}  {'variance':>10}"]
        for label, y, v, note in zip(self.study[:shown], self.effect, self.variance, self.note, strict=False):
            lines.append(f"{label:<{width}}  {y:>10.4f}  {v:>10.4g}  {note}".rstrip())
        if len(self) > shown:
            lines.append(f"... and {len(self) - shown} more")
        if self.dropped:
            lines.append(f"left out, values missing: {', '.join(self.dropped)}")
        return "\n".join(lines)

    @property
    def se(self) -> Floats:
        """Standard errors, the square roots of the variances."""
        return np.sqrt(self.variance)

    @property
    def sample_size(self) -> Floats | None:
        """(k,) people (person-time for rates) behind each effect, both groups together; ``None`` where not known."""
        raw = self.raw
        for parts in (("n_1", "n_2"), ("n",), ("time_1", "time_2"), ("time",), ("both", "only_1", "only_2", "neither")):
            if all(p in raw for p in parts):
                return np.asarray(np.sum([raw[p] for p in parts], axis=0), dtype=np.float64)
        return None

    def to_frame(self) -> Any:
        """A pandas table of study, raw columns, effect, variance, se and note; a dict of columns without pandas."""
        table: dict[str, Any] = {"study": list(self.study), **{name: v.copy() for name, v in self.raw.items()}}
        table |= {
            "effect": self.effect.copy(),
            "variance": self.variance.copy(),
            "se": self.se,
            "note": list(self.note),
        }
        return frame(table)

    def under(self, conventions: Mapping[str, Any]) -> EffectSizes:
        """The same studies under other conventions (of a profile, say); those the caller chose stay.

        Keys that do not concern effect sizes are passed over, so a whole profile can be given.
        Effects that came without raw numbers, or that no convention touches, are returned as they are.
        """
        row = MEASURES[self.measure]
        wanted = {**self.conventions, **of_profile(row, conventions)}
        wanted |= {name: self.conventions[name] for name in self.explicit if name in self.conventions}
        if wanted == dict(self.conventions) or not self.raw or not all(name in self.raw for name in row.columns):
            return self
        made = derive(row, self.raw, wanted)
        return EffectSizes(
            study=self.study,
            measure=self.measure,
            raw=self.raw,
            conventions=wanted,
            explicit=self.explicit,
            dropped=self.dropped,
            **made,
        )


def _usable(y: Floats, v: Floats) -> bool:
    """Whether all effects are finite and all variances finite and positive (nan is neither the least nor the most)."""
    return len(y) > 0 and v.min() > 0.0 and v.max() < math.inf and bool(np.isfinite(y).all())


def _checked(effect: Any, variance: Any, study: Any, estimable: Any) -> tuple[Floats, Floats, tuple[str, ...], Bools]:
    """Effects, variances, labels and which rows are estimable; all that is wrong with them is raised."""
    given = {n: tables.numeric_column(n, v) for n, v in (("effect", effect), ("variance", variance))}
    k = tables.same_length(list(given.values()))
    values = {
        name: c.values.copy() if len(c.values) == k else np.full(k, float(c.values[0])) for name, c in given.items()
    }
    names = tables.labels(study if study is None or len(study) else None, None, k)
    known = np.ones(k, dtype=bool) if estimable is None else np.array(estimable, dtype=bool)
    y, v = values["effect"], values["variance"]
    usable = np.isfinite(y) & (v > 0.0) & np.isfinite(v)
    if not (usable if estimable is None else usable[known]).all():
        for name in values:
            values[name] = np.where(known, values[name], 1.0)
        check_rows(given, values, names, refuse_missing=True, zero_sd="refuse", counts="whole")
    return values["effect"], values["variance"], names, known


def effect_sizes(
    measure: str,
    *,
    data: Any = None,
    study: Any = None,
    add: float | None = None,
    to: str | None = None,
    drop_double_zero: bool | None = None,
    variance_type: str | None = None,
    small_sample: str | None = None,
    rr_single_zero: str | None = None,
    rd_single_zero: str | None = None,
    profile: str | None = None,
    level: float | None = None,
    missing: str = "raise",
    zero_sd: str = "refuse",
    counts: str = "whole",
    **columns: Any,
) -> EffectSizes:
    """The effect of each study and its variance, on the analysis scale (log for ratios).

    measure          : code of a row of :data:`balm.MEASURES`; the row says which columns it takes.
    data             : a pandas or polars table, or a dict of arrays; columns are then given by name.
    study            : labels; "Study 1" ... by default.
    add, to          : what is added to the cells of a 2x2 table (0.5), and where: "only-zero" (the default: studies
                       with a zero cell), "all", "if-any-zero" (all, as soon as one has a zero cell) or "none".
    drop_double_zero : True makes studies without an event (or non-event) in both arms not estimable.  Otherwise they
                       are computed and flagged in ``double_zero``.
    variance_type    : "LS" (large sample), "LS2", "UB", "AV", "HO" ..., as the row of the measure allows.
    small_sample     : "exact", "approximate" or "none": Hedges' correction, and its like for other measures.
    rr_single_zero   : "n+1" or "n+0.5": what the correction of a risk ratio (or log proportion) adds to a group.
    rd_single_zero   : "cells" or "variance": whether it changes a risk difference (or proportion) or only its variance.
    profile          : effect-size conventions of "balm", "metafor", "revman5", "revman-web", "meta" or "stata".
    level            : coverage of ``ci_low`` to ``ci_high`` (generic effects), 0.95 by default.
    missing          : "raise", or "drop" to leave out studies with a missing value and list them in ``dropped``.
    zero_sd          : "refuse", or "keep" a standard deviation of exactly 0 (an arm where all had the same value).
    counts           : "whole", or "fractional" to accept effective sample sizes (cluster trials, shared controls).

    Group 1 is the intervention.  All that is wrong with the input is raised as one :class:`InputError`.

    >>> es = effect_sizes("RR", events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
    >>> es.effect.round(4).tolist()
    [-0.8893, -1.5854]
    """
    row = MEASURES[check_option("measure", measure, list(MEASURES))]
    chosen = {
        "add": add,
        "to": to,
        "drop_double_zero": drop_double_zero,
        "variance_type": variance_type,
        "small_sample": small_sample,
        "rr_single_zero": rr_single_zero,
        "rd_single_zero": rd_single_zero,
        "level": level,
    }
    explicit = {name: value for name, value in chosen.items() if value is not None}
    conventions = settle(row, explicit, profile, columns)
    check_option("missing", missing, ("raise", "drop"))
    check_option("zero_sd", zero_sd, ("refuse", "keep"))
    check_option("counts", counts, ("whole", "fractional"))
    columns = {name: value for name, value in columns.items() if value is not None}
    check_arguments(row, list(columns), MEASURES)

    given = {name: tables.numeric_column(name, columns[name], data) for name in row.accepts if name in columns}
    k = tables.same_length(list(given.values()))
    names = tables.labels(study, data, k)
    raw = {name: np.broadcast_to(c.values, (k,)).copy() for name, c in given.items()}
    check_rows(given, raw, names, refuse_missing=missing == "raise", zero_sd=zero_sd, counts=counts)
    dropped: list[str] = []
    if missing == "drop":
        complete = np.isfinite(np.sum(list(raw.values()), axis=0))
        if not complete.all():
            dropped = [names[i] for i in np.flatnonzero(~complete)]
            raw = {name: values[complete] for name, values in raw.items()}
            names = tuple(names[i] for i in np.flatnonzero(complete))
            if not names:
                refuse(f"every study has a missing value among {', '.join(given)}")
    made = derive(row, raw, conventions)
    for values in raw.values():
        values.setflags(write=False)
    return EffectSizes(
        study=names,
        measure=measure,
        raw=raw,
        conventions=conventions,
        explicit=frozenset(explicit),
        dropped=dropped,
        **made,
    )
