"""Pool many groups of studies in one call: the same analysis as :func:`balm.pool`, on arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.groups import Integers, ManyGroups, by_label, centred
from balm.stats.heterogeneity.generalised_q import tau2_where_q_is
from balm.stats.kernel import LARGEST_RATIO, LARGEST_RESIDUAL
from balm.stats.levels import Levels, by_size
from balm.stats.pooling import compiled
from balm.stats.pooling.analysis import Analysis, analyse
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.compiled import can
from balm.stats.pooling.pool import ONE_STUDY, pool
from balm.stats.pooling.size import LEAST_VARIANCE, MOST_EFFECT, MOST_VARIANCE
from balm.stats.tails import ManyTails, t_critical
from balm.vocabulary.problems import InputError, Problem, check_option


@dataclass(frozen=True, eq=False, slots=True)
class Intervals:
    """Ends of one interval a group: ``.low`` and ``.high`` are (G,) arrays."""

    low: Floats
    high: Floats
    level: float


#: Studies handed to the compiled kernel at once: its own working set is small, so larger runs spread the overhead.
COMPILED_CHUNK = 1 << 20

#: Groups of at most so many studies are summed level by level in NumPy. With more, the levels are too thin to pay.
MOST_LEVELS = 24
#: Their studies handled at once.
LEVELS_CHUNK = 1 << 16

#: The columns of a batch, in the order of ``to_frame``.
COLUMNS = (
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "statistic",
    "df",
    "p",
    "tau2",
    "tau2_se",
    "i2",
    "h2",
    "q",
    "q_p",
    "pi_low",
    "pi_high",
    "residual",
)

#: What is filled: the columns and the ends of the interval of tau2. The compiled kernel has one more behind them.
FILLED = (*COLUMNS, "tau2_low", "tau2_high")


@dataclass(frozen=True, eq=False)
class PooledMany:
    """One pooled result a group, as columns: (G,) arrays named like the fields of :class:`Pooled`.

    group       : (G,) labels in first-seen order.
    k           : (G,) number of studies.
    variance    : (n,) the variances as pooled, group after group; ``order`` is where each row stood (None: as given).
    tau2_low, tau2_high : ends of the interval of tau2, ``nan`` unless ``tau2_interval`` was asked for.
    reasons     : group number -> why its values are ``nan``.
    """

    group: NDArray[Any]
    k: Integers
    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    statistic: Floats
    df: Floats
    p: Floats
    tau2: Floats
    tau2_se: Floats
    i2: Floats
    h2: Floats
    q: Floats
    q_p: Floats
    pi_low: Floats
    pi_high: Floats
    residual: Floats
    tau2_low: Floats
    tau2_high: Floats
    level: float
    conventions: Mapping[str, Any]
    reasons: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    variance: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    order: NDArray[np.int64] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.group)

    @property
    def interval(self) -> Intervals:
        """Intervals of the means."""
        return Intervals(self.ci_low, self.ci_high, self.level)

    @property
    def prediction_interval(self) -> Intervals:
        """Prediction intervals."""
        return Intervals(self.pi_low, self.pi_high, self.level)

    @property
    def tau2_interval(self) -> Intervals:
        """Intervals of tau2, where asked for."""
        return Intervals(self.tau2_low, self.tau2_high, self.level)

    @property
    def tau(self) -> Floats:
        """Between-study standard deviations."""
        return np.sqrt(self.tau2)

    @cached_property
    def weights(self) -> Floats:
        """(n,) weights in per cent within the group, in the order of the rows given; worked out when asked for."""
        random = self.conventions["model"] == "random"
        spread = self.variance + np.repeat(np.nan_to_num(self.tau2), self.k) if random else self.variance
        w = 1.0 / spread
        starts = np.concatenate(([0], np.cumsum(self.k)[:-1]))
        share = 100.0 * w / np.repeat(np.add.reduceat(w, starts), self.k)
        share = np.where(np.repeat(np.isnan(self.estimate), self.k), math.nan, share)
        if self.order is None:
            return share
        placed = np.empty_like(share)
        placed[self.order] = share
        return placed

    @property
    def q_df(self) -> Integers:
        """Degrees of freedom of Q."""
        return self.k - 1

    def __repr__(self) -> str:
        return f"PooledMany: {len(self)} groups, {int(self.k.sum())} studies, {dict(self.conventions)}"

    def to_frame(self) -> Any:
        """One row a group, as a pandas DataFrame (a dict of columns without pandas)."""
        table: dict[str, Any] = {"group": self.group, "k": self.k}
        table |= {name: getattr(self, name) for name in COLUMNS}
        table |= {"q_df": self.q_df, "tau2_low": self.tau2_low, "tau2_high": self.tau2_high}
        return frame(table)


def pool_many(
    effect: Any,
    variance: Any,
    group: Any,
    *,
    model: str | None = None,
    tau2: str | float | None = None,
    inference: str | None = None,
    prediction: str | None = None,
    level: float = 0.95,
    profile: str | None = None,
    i2: str | None = None,
    tau2_interval: str | None = None,
    invalid: str = "raise",
) -> PooledMany:
    """Pool each group of rows; the options are those of :func:`balm.pool` and so are the numbers.

    effect, variance : (n,) on the analysis scale.
    group            : (n,) labels; rows of a group need not be neighbours.
    tau2_interval    : also compute an interval of tau2 ("q-profile" at array speed, the others group by group).
    invalid          : "raise" names every row with a missing effect or a variance that is not positive; "mark" leaves
                       the groups that hold one as ``nan`` and says so in ``reasons``.

    A hundred thousand analyses take about half a second.

    >>> many = pool_many([0.1, 0.3, 0.2, 0.5], [0.02, 0.03, 0.02, 0.04], ["a", "a", "b", "b"], tau2="DL")
    >>> many.group.tolist(), many.k.tolist(), many.estimate.round(3).tolist()
    (['a', 'b'], [2, 2], [0.18, 0.317])
    """
    y, v, labels = given(effect, variance, group, invalid)
    names, order, offsets = by_label(labels)
    if order is not None:
        y, v = y[order], v[order]
    return pool_ragged(
        y,
        v,
        offsets,
        names,
        order,
        invalid=invalid,
        profile=profile,
        model=model,
        tau2=tau2,
        inference=inference,
        prediction=prediction,
        level=level,
        i2=i2,
        tau2_interval=tau2_interval,
    )


def pool_ragged(
    y: Floats,
    v: Floats,
    offsets: Integers,
    names: NDArray[Any],
    order: NDArray[np.int64] | None = None,
    *,
    invalid: str = "raise",
    tau2_interval: str | None = None,
    **options: Any,
) -> PooledMany:
    """:func:`pool_many` of groups that lie one after the other: group g is rows ``offsets[g]`` to ``offsets[g + 1]``.

    ``order`` says where each row stood before, for the messages. The options are those of :func:`pool_many`.
    """
    check_option("invalid", invalid, ("raise", "mark"))
    choices = choose(tau2_interval=tau2_interval, weighted=False, **options)
    reasons: dict[int, str] = {}
    sizes = np.diff(offsets)
    usable = usable_groups(y, v, offsets, order, names, invalid, reasons)
    count = len(sizes)
    single, several = usable & (sizes == 1), usable & (sizes > 1)
    every = bool(several.all())
    ends = tau2_interval is not None
    through_kernel = can(choices, ends=ends)
    written_whole = every and through_kernel
    shape = len(FILLED) + 1, count
    block = np.empty(shape) if written_whole else np.full(shape, math.nan)
    table = dict(zip(FILLED, block, strict=False))

    if single.any():
        places = np.flatnonzero(single)
        rows = offsets[places]
        for name, values in single_studies(y[rows], v[rows], choices).items():
            table[name][places] = values
        table["residual"][places] = 0.0
        reasons.update(dict.fromkeys(places.tolist(), ONE_STUDY))
    if several.any():
        places = np.flatnonzero(several)
        whole = ManyGroups(y, v, offsets)
        if not every:
            whole = whole.select(several)
        if through_kernel:
            _fill_compiled(block, places, whole, choices, ends=ends)
        else:
            _fill_numpy(table, places, whole, choices, ends=ends)
    return PooledMany(
        group=names,
        k=sizes,
        level=choices.level,
        conventions=choices.conventions,
        reasons=MappingProxyType(reasons),
        variance=v,
        order=order,
        **table,
    )


def given(effect: Any, variance: Any, group: Any, invalid: str) -> tuple[Floats, Floats, NDArray[Any]]:
    """The three columns of a batch, checked to be of one length."""
    check_option("invalid", invalid, ("raise", "mark"))
    y, v = np.asarray(effect, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    labels = np.asarray(group)
    if not (y.ndim == v.ndim == labels.ndim == 1 and len(y) == len(v) == len(labels)):
        raise InputError(
            "effect, variance and group must be one column each, of one length; "
            f"got {y.shape}, {v.shape}, {labels.shape}"
        )
    if len(y) == 0:
        raise InputError("effect, variance and group are empty: there is nothing to pool")
    return y, v, labels


def usable_groups(
    y: Floats,
    v: Floats,
    offsets: Integers,
    order: Any,
    names: Any,
    invalid: str,
    reasons: dict[int, str],
) -> NDArray[np.bool_]:
    """(G,) True where every row can be used; otherwise an error or a reason that names the rows."""
    good = (v >= LEAST_VARIANCE) & (v <= MOST_VARIANCE) & (np.abs(y) <= MOST_EFFECT)
    usable = np.ones(len(offsets) - 1, dtype=np.bool_)
    if good.all():
        return usable
    problems = []
    for i in np.flatnonzero(~good).tolist():
        owner = int(np.searchsorted(offsets, i, side="right")) - 1
        row = i + 1 if order is None else int(order[i]) + 1
        column, value = ("variance", v[i]) if abs(y[i]) <= MOST_EFFECT else ("effect", y[i])
        wanted = "is missing or not finite" if not math.isfinite(value) else "is out of range"
        if math.isfinite(value) and column == "variance" and value <= 0.0:
            wanted = "is not positive"
        text = f"group {names[owner]}: {column} {value:g} {wanted}"
        problems.append(Problem(text, row=row, column=column, value=f"{value:g}"))
        usable[owner] = False
        reasons.setdefault(owner, f"row {row}: {column} {value:g} {wanted}")
    if invalid == "raise":
        raise InputError(problems)
    return usable


def _fill(table: dict[str, Floats], places: Any, a: Analysis) -> None:
    first, last = int(places[0]), int(places[-1]) + 1
    run = last - first == len(places) and bool(np.all(np.diff(places) == 1))
    where = slice(first, last) if run else places  # a run can be copied whole
    for name, values in (
        ("estimate", a.estimate),
        ("se", a.se),
        ("ci_low", a.low),
        ("ci_high", a.high),
        ("statistic", a.statistic),
        ("df", a.df),
        ("p", a.p),
        ("tau2", a.tau2),
        ("tau2_se", a.tau2_se),
        ("i2", a.i2),
        ("h2", a.h2),
        ("q", a.q),
        ("q_p", a.q_p),
        ("pi_low", a.prediction_low),
        ("pi_high", a.prediction_high),
        ("residual", a.residual),
    ):
        table[name][where] = values


def _fill_numpy(table: dict[str, Floats], places: Any, whole: ManyGroups, choices: Choices, *, ends: bool) -> None:
    """Chunk by chunk in NumPy: groups of a few studies level by level, the others one after the other."""
    small = np.flatnonzero(whole.sizes <= MOST_LEVELS)
    if len(small):
        order = small[by_size(whole.sizes[small])]
        ends_at = np.cumsum(whole.sizes[order])
        first = 0
        while first < len(order):
            done = ends_at[first - 1] if first else 0
            last = max(int(np.searchsorted(ends_at, done + LEVELS_CHUNK, side="right")), first + 1)
            chosen = order[first:last]
            levels = Levels.gathered(whole.effect, whole.variance, whole.offsets, chosen)
            _fill_analysed(table, places[chosen], levels, choices, ends=ends)
            first = last
    if len(small) < len(whole):
        large = whole.sizes > MOST_LEVELS
        of_large = places[large]
        for part, g in (whole.select(large) if len(small) else whole).chunks():
            _fill_analysed(table, of_large[part], g, choices, ends=ends)


def _fill_analysed(table: dict[str, Floats], places: Any, g: Any, choices: Choices, *, ends: bool) -> None:
    _fill(table, places, analyse(g, choices))
    if ends:
        table["tau2_low"][places], table["tau2_high"][places] = _tau2_ends(g, choices)


def _fill_compiled(block: Floats, places: Any, whole: ManyGroups, choices: Choices, *, ends: bool) -> None:
    """Through the compiled kernel; groups with variances too far apart for plain sums, or a root not found
    to the last digits, are done again in NumPy."""
    every = len(places) == block.shape[1]
    for part, g in whole.chunks(COMPILED_CHUNK):
        found = block[:, part] if every else np.empty((len(block), len(g)))
        with np.errstate(all="ignore"):
            compiled.conclude_all(g, choices, found, ends=ends)
        if not every:
            block[:, places[part]] = found
        again = (found[-1] > LARGEST_RATIO) | (found[COLUMNS.index("residual")] > LARGEST_RESIDUAL)
        if again.any():
            table = dict(zip(FILLED, block, strict=False))
            _fill_numpy(table, places[part][again], g.select(again), choices, ends=ends)


def single_studies(effect: Floats, variance: Floats, choices: Choices) -> dict[str, Floats]:
    """Columns of groups of one study: its own effect and Wald's interval; what is left out is not estimable."""
    known = choices.tau2 if isinstance(choices.tau2, float) else 0.0
    se = np.sqrt(variance + known)
    half = t_critical(choices.level, math.inf) * se
    infinite = np.full(len(effect), math.inf)
    columns = {
        "estimate": effect,
        "se": se,
        "ci_low": effect - half,
        "ci_high": effect + half,
        "statistic": effect / se,
        "df": infinite,
        "p": ManyTails.two_sided(effect / se, infinite),
    }
    if choices.tau2 is None or isinstance(choices.tau2, float):
        columns["tau2"] = np.full(len(effect), known)
    return columns


def _tau2_ends(g: Any, choices: Choices) -> tuple[Any, Any]:
    """Both ends of the interval of tau2, a group each."""
    if choices.tau2_interval == "q-profile":
        inner, _ = centred(g)
        tail = 0.5 * (1.0 - choices.level)
        scale = g.k / g.sum(1.0 / g.variance)
        low, high = (tau2_where_q_is(inner, ManyTails.chi2_quantile(p, g.k - 1), scale) for p in (1.0 - tail, tail))
        return low, high
    rows = []
    for here in g.rows():
        es = EffectSizes(effect=g.effect[here], variance=g.variance[here])
        fit = pool(es, model=choices.model, tau2=choices.tau2, inference="wald", level=choices.level)
        found = fit.heterogeneity_interval(choices.tau2_interval).tau2
        rows.append((found.low, found.high))
    ends = np.array(rows).T
    return ends[0], ends[1]
