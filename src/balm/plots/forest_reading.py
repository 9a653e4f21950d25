"""From a result to what its forest plot says: the study rows, the pooled rows and the lines of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, inf, isfinite, log10, nan
from typing import Any

from balm.plots.forest_content import Column, Content, Row
from balm.plots.forest_options import ForestOptions
from balm.vocabulary.numbers import MINUS, fixed, interval, level, p_value, percent, short
from balm.vocabulary.problems import InputError

NOT_ESTIMABLE = "Not estimable"
_Z95 = 1.959963984540054

#: The data as given, by family of measures: for each arm, (raw column, heading). First match wins.
DATA_COLUMNS: tuple[tuple[tuple[tuple[str, str], ...], ...], ...] = (
    ((("events_1", "Events"), ("n_1", "Total")), (("events_2", "Events"), ("n_2", "Total"))),
    ((("mean_1", "Mean"), ("sd_1", "SD"), ("n_1", "Total")), (("mean_2", "Mean"), ("sd_2", "SD"), ("n_2", "Total"))),
    ((("events_1", "Events"), ("time_1", "Time")), (("events_2", "Events"), ("time_2", "Time"))),
    ((("o_minus_e", "O−E"), ("v", "V")),),
    ((("events", "Events"), ("n", "Total")),),
    ((("events", "Events"), ("time", "Time")),),
    ((("mean", "Mean"), ("sd", "SD"), ("n", "Total")),),
    ((("r", "Correlation"), ("n", "Total")),),
)
_ADDED_UP = frozenset(("n", "n_1", "n_2", "time", "time_1", "time_2"))
_COUNTED = frozenset(("events", "events_1", "events_2"))
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
}
_METHODS = {"inverse-variance": "IV", "mantel-haenszel": "M-H", "peto": "Peto"}
_MODELS = {"random": "Random", "common": "Fixed"}
_MODEL_LABELS = {"random": "random effects", "common": "common effect"}


def read_result(result: Any, options: ForestOptions) -> Content:
    """The content of a forest plot of a pooled result, subgroups, a series of fits, or effect sizes alone."""
    if hasattr(result, "overall") and hasattr(result, "groups"):
        return _Reading(result.overall, options).subgroups(result)
    if hasattr(result, "weights") and hasattr(result, "effects"):
        return _Reading(result, options).pooled(result)
    if hasattr(result, "fits"):
        return _Reading(_series_fit(result), options).series(result)
    if hasattr(result, "effect") and hasattr(result, "variance") and hasattr(result, "study"):
        return _Reading(result, options).effects_alone()
    raise InputError(
        "a forest plot is drawn of EffectSizes or of a result of pool, mantel_haenszel, peto, subgroups, "
        f"leave_one_out or cumulative; got {type(result).__name__}"
    )


class _Reading:
    """The effect sizes being shown, with everything that is the same for all rows."""

    def __init__(self, result: Any, options: ForestOptions) -> None:
        from balm.stats.measures import MEASURES

        self.options = options
        es = self.es = _given(result, options)
        self.pooled_rows: list[bool] = _which_pooled(result, es)
        self.pooled_effects = getattr(result, "effects", es)
        measure = MEASURES[es.measure]
        self.name: str = options.effect_name or _DISPLAYED_NAMES.get(es.measure, measure.name)
        scale = measure.scale
        if options.ratio is not None:
            if es.measure != "GEN":
                raise InputError(f"ratio applies to generic effects only; the measure is {es.measure}")
            from balm.vocabulary.scale import IDENTITY, LOG

            scale = LOG if options.ratio else IDENTITY
        self.scale = scale
        self.log: bool = scale.axis == "log"
        self.level: float = options.level or 0.95
        self.columns: list[Column] = []
        self.digits = 2

    # -- the four shapes of result -------------------------------------------------------------------------------

    def effects_alone(self) -> Content:
        """Study rows, squares by precision, no pooled row."""
        self._refuse("effects alone", "also", "labels", "prediction", "pooled_line")
        rows = self._study_rows(None, [])
        k = sum(1 for row in rows if row.estimate == row.estimate)
        words = f"{self.name} of {_studies(k)}, each with its {level(self.level)} confidence interval; not pooled."
        return self._content(rows, [], f"{level(self.level)} CI", words)

    def pooled(self, fit: Any) -> Content:
        """Study rows, then the pooled result, others of ``also``, and the lines about them."""
        self.level = self.options.level or fit.interval.level
        fits = [fit, *self.options.also]
        studies = self._study_rows(fit, fits)
        rows = list(studies)
        footers: list[str] = []
        if self.options.overall:
            rows += self._totals(fits, studies)
            footers = self._footers(fits)
        return self._content(rows, footers, self._method(fits), self._words(fit, fits))

    def subgroups(self, result: Any) -> Content:
        """A heading, rows, subtotal and lines for each subgroup; then the total and the test between them."""
        overall = result.overall
        self.level = self.options.level or overall.interval.level
        fits = [overall, *self.options.also]
        studies = self._study_rows(overall, fits, ordered=False)
        of_label: dict[str, list[Row]] = {}
        for row in studies:
            of_label.setdefault(row.label, []).append(row)
        rows: list[Row] = []
        for name, fit, members in _sections(result):
            own = [of_label[label].pop(0) for label in members if of_label.get(label)]
            rows.append(Row("heading", name))
            rows += self._ordered(own)
            if fit is not None and fit.estimate == fit.estimate:
                rows.append(self._pooled_row("subtotal", f"Subtotal ({self._ci})", fit, own))
                if self.options.prediction and _prediction_wanted(fit, self.options):
                    rows.append(self._prediction_row(fit))
                rows += self._event_row("events", own)
                if self.options.heterogeneity:
                    rows += [Row("words", line) for line in self._lines(fit)]
        left = [row for rest in of_label.values() for row in rest]
        if left:
            rows += [Row("heading", "Not in a subgroup"), *self._ordered(left)]
        footers: list[str] = []
        if self.options.overall:
            rows += self._totals(fits, studies)
            footers = self._footers(fits)
        between = _between(result)
        words = self._words(overall, fits)
        if between:
            if self.options.heterogeneity:
                footers.append(between)
            words += f" {between}."
        return self._content(rows, footers, self._method(fits), words)

    def series(self, result: Any) -> Content:
        """One diamond a row: the pooled result without, or up to, each study."""
        fit = _series_fit(result)
        self.level = self.options.level or fit.interval.level
        self._refuse("a series of results", "sort", "extra", "risk_of_bias", "also")
        labels, fits = _series(result)
        self.digits = self._digits_for([self._shown(one.estimate, *one.interval) for one in fits if one is not None])
        self.columns = [Column("k", "Studies")] if "data" in self.options.columns else []
        self.columns += [Column("i2", "I²")] if "data" in self.options.columns else []
        self.columns += [Column("effect", "")] if "effect" in self.options.columns else []
        rows: list[Row] = []
        for label, one in zip(labels, fits, strict=True):
            cells: dict[str, str] = {}
            estimate, low, high = nan, nan, nan
            if one is not None:
                estimate, low, high = self._shown_fit(one)
                cells = {"k": str(one.k), "i2": percent(one.i2) if one.i2 == one.i2 else ""}
            cells["effect"] = self._effect_text(estimate, low, high)
            rows.append(Row("series", label, [cells.get(c.key, "") for c in self.columns], estimate, low, high))
        if self.options.overall and type(result).__name__ != "Cumulative":
            rows.append(self._pooled_row("total", f"All studies ({self._ci})", fit, []))
        kind = "Leave-one-out" if type(result).__name__ == "LeaveOneOut" else "Cumulative"
        words = f"{kind} analysis, {len(fits)} pooled results. All studies: {self._words(fit, [fit])}"
        return self._content(rows, [], self._method([fit]), words)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _study_rows(self, fit: Any, fits: list[Any], *, ordered: bool = True) -> list[Row]:
        options, es = self.options, self.es
        k = len(es)
        labels = [str(label) for label in es.study] if len(es.study) == k else [f"Study {i + 1}" for i in range(k)]
        estimates, lows, highs = self._intervals(es)
        self.digits = self._digits_for(list(zip(estimates, lows, highs, strict=True)))
        weights = [_spread(one, self.pooled_rows) for one in fits]
        if fit is not None:
            shares = weights[0]
        else:
            precision = [1 / v if v > 0 else nan for v in es.variance.tolist()]
            most = sum([p for p in precision if p == p]) or 1.0
            shares = [100 * p / most for p in precision]
        texts = self._columns(es, labels, weights, fits)
        if "effect" in options.columns:
            self.columns.append(Column("effect", ""))
            texts.append([self._effect_text(*one) for one in zip(estimates, lows, highs, strict=True)])
        links = _links(options, labels)
        bias = _bias(options, labels)
        cells = [list(row) for row in zip(*texts, strict=True)] if texts else [[] for _ in labels]
        rows = [
            Row("study", *values)
            for values in zip(labels, cells, estimates, lows, highs, shares, links, bias, strict=True)
        ]
        self._sums = _sums(es)
        self._number = {id(row): i for i, row in enumerate(rows)}
        for name, _why in () if fit is None else fit.excluded:
            if str(name) not in labels:
                blank = ["" if c.key != "effect" else NOT_ESTIMABLE for c in self.columns]
                rows.append(Row("study", str(name), blank, bias=_bias(options, [str(name)])[0]))
        return self._ordered(rows) if ordered else rows

    def _intervals(self, es: Any) -> tuple[list[float], list[float], list[float]]:
        """The studies' estimates and intervals as displayed; ``nan`` where not estimable."""
        z = _Z95
        if self.level != 0.95:
            from balm.stats.distributions import norm_ppf

            z = norm_ppf(0.5 + self.level / 2)
        effect, half = es.effect, es.se * z
        if not all(self.pooled_rows):
            # Excluded studies have no effect to show; the others have that which was pooled.
            effect, variance = effect.copy(), es.variance.copy()
            effect[[not used for used in self.pooled_rows]] = nan
            if self.pooled_effects is not es and len(self.pooled_effects) < len(es):
                effect[self.pooled_rows] = self.pooled_effects.effect
                variance[self.pooled_rows] = self.pooled_effects.variance
            half = variance**0.5 * z
        ends = (effect.tolist(), (effect - half).tolist(), (effect + half).tolist())
        if self.scale.name.startswith("identity"):
            return ends
        if self.log:
            return tuple([[_exp(x) for x in end] for end in ends])  # type: ignore[return-value]
        back = self._back
        sizes = _sizes(es)
        return tuple([[back(x, n) for x, n in zip(end, sizes, strict=True)] for end in ends])  # type: ignore[return-value]

    def _columns(self, es: Any, labels: list[str], weights: list[list[float]], fits: list[Any]) -> list[list[str]]:
        """The columns before the effect text, and their texts, column by column."""
        options = self.options
        columns, texts = self.columns, []
        for heading, values in (options.extra or {}).items():
            columns.append(Column(f"extra:{heading}", str(heading)))
            texts.append(_extra_texts(str(heading), values, labels))
        if "data" in options.columns:
            self.groups: tuple[str, ...] = ()
            for family in DATA_COLUMNS:
                keys = [key for arm in family for key, _ in arm]
                if all(key in es.raw for key in keys):
                    self.groups = tuple(options.arms) if len(family) == 2 else ()
                    for number, arm in enumerate(family):
                        for key, heading in arm:
                            columns.append(Column(key, heading, number if len(family) == 2 else -1))
                            texts.append(_number_texts(es.raw[key]))
                    break
            else:
                name = f"log({self.name})" if self.log else "Effect"
                columns += [Column("analysis", name), Column("se", "SE")]
                digits = self._digits_for(
                    [(x, x - s, x + s) for x, s in zip(es.effect.tolist(), es.se.tolist(), strict=True)]
                )
                for values in (es.effect.tolist(), es.se.tolist()):
                    texts.append([fixed(x, digits, minus=MINUS, missing="") for x in values])
        if "weight" in options.columns and fits:
            for number, shares in enumerate(weights):
                heading = (
                    "Weight"
                    if len(weights) == 1
                    else f"Weight\n{self._fit_name(fits, number).removesuffix(' effects').removesuffix(' effect')}"
                )
                columns.append(Column(f"weight:{number}", heading))
                texts.append([f"{w:.1f}%" if w == w else "" for w in shares])
        return texts

    def _ordered(self, rows: list[Row]) -> list[Row]:
        sort = self.options.sort
        if sort is None:
            return rows
        if sort == "effect":
            return sorted(rows, key=lambda row: inf if row.estimate != row.estimate else row.estimate)
        if sort == "weight":
            return sorted(rows, key=lambda row: inf if row.share != row.share else -row.share)
        return sorted(rows, key=lambda row: sort(row.label))

    @property
    def _ci(self) -> str:
        return f"{level(self.level)} CI"

    def _totals(self, fits: list[Any], studies: list[Row]) -> list[Row]:
        rows: list[Row] = []
        for number, fit in enumerate(fits):
            name = f"Total ({self._level_of(fit)} CI)"
            if len(fits) > 1:
                name += f", {self._fit_name(fits, number)}"
            rows.append(self._pooled_row("total", name, fit, studies if number == 0 else [], number))
            if _prediction_wanted(fit, self.options):
                rows.append(self._prediction_row(fit))
        return rows + self._event_row("events", studies)

    def _level_of(self, fit: Any) -> str:
        return level(fit.interval.level)

    def _pooled_row(self, kind: str, label: str, fit: Any, studies: list[Row], number: int = 0) -> Row:
        estimate, low, high = self._shown_fit(fit)
        cells = []
        for column in self.columns:
            text = ""
            if column.key in _ADDED_UP and studies:
                text = self._added(column.key, studies)
            elif column.key == f"weight:{number}":
                shares = [row.share for row in studies if row.share == row.share]
                text = "100.0%" if kind == "total" else f"{sum(shares):.1f}%"
            elif column.key == "k":
                text = str(fit.k)
            elif column.key == "i2":
                text = percent(fit.i2) if fit.i2 == fit.i2 else ""
            elif column.key == "effect":
                text = self._effect_text(estimate, low, high)
            cells.append(text)
        return Row(kind, label, cells, estimate, low, high)

    def _prediction_row(self, fit: Any) -> Row:
        low, high = self._shown_prediction(fit)
        text = interval(low, high, self.digits, minus=MINUS)
        cells = [text if column.key == "effect" else "" for column in self.columns]
        return Row("prediction", f"{level(fit.prediction_interval.level)} prediction interval", cells, nan, low, high)

    def _event_row(self, kind: str, studies: list[Row]) -> list[Row]:
        if not any(column.key in _COUNTED for column in self.columns):
            return []
        cells = [self._added(c.key, studies) if c.key in _COUNTED else "" for c in self.columns]
        return [Row(kind, "Total events", cells)]

    def _added(self, key: str, studies: list[Row]) -> str:
        values = self._sums[key]
        numbers = [self._number[id(row)] for row in studies if id(row) in self._number]
        return _number_texts([sum([values[i] for i in numbers if values[i] == values[i]])])[0]

    # -- numbers as displayed --------------------------------------------------------------------------------------

    def _back(self, x: float, n: float | None = None) -> float:
        from balm.stats.transforms import displayed

        return float(displayed(x, self.es.measure, n_harmonic=n)) if x == x else nan

    def _shown(self, estimate: float, low: float, high: float) -> tuple[float, float, float]:
        if self.scale.name.startswith("identity"):
            return estimate, low, high
        if self.log:
            return _exp(estimate), _exp(low), _exp(high)
        n = _harmonic_mean([n for n, used in zip(_sizes(self.es), self.pooled_rows, strict=True) if used])
        return self._back(estimate, n), self._back(low, n), self._back(high, n)

    def _shown_fit(self, fit: Any) -> tuple[float, float, float]:
        return self._shown(fit.estimate, fit.interval.low, fit.interval.high)

    def _shown_prediction(self, fit: Any) -> tuple[float, float]:
        return self._shown(nan, fit.prediction_interval.low, fit.prediction_interval.high)[1:]

    def _digits_for(self, intervals: list[tuple[float, float, float]]) -> int:
        """Two decimals, and as many more as show two figures of the usual interval's width; fewer for huge numbers."""
        if self.options.digits is not None:
            return self.options.digits
        widths = sorted([high - low for _, low, high in intervals if high - low > 0 and isfinite(high - low)])
        if not widths:
            return 2
        usual = widths[len(widths) // 2]
        if usual >= 100 and not self.scale.ratio:
            return 1 if usual < 1000 else 0
        return min(max(2, ceil(-log10(usual)) + 1), 4 if self.scale.ratio else 8)

    def _effect_text(self, estimate: float, low: float, high: float) -> str:
        if estimate != estimate:
            return NOT_ESTIMABLE
        digits = self.digits
        text = fixed(estimate, digits, minus=MINUS)
        return f"{text} {interval(low, high, digits, minus=MINUS)}" if low == low and high == high else text

    # -- words ----------------------------------------------------------------------------------------------------

    def _fit_name(self, fits: Sequence[Any], number: int) -> str:
        if self.options.labels is not None:
            if len(self.options.labels) != len(fits):
                raise InputError(
                    f"labels must name {len(fits)} results, the first one first; got {self.options.labels!r}"
                )
            return str(self.options.labels[number])
        models = [str(fit.conventions.get("model", "")) for fit in fits]
        own = _MODEL_LABELS.get(models[number], models[number]) or f"model {number + 1}"
        if models.count(models[number]) == 1:
            return own
        method, estimator = _METHODS.get(fits[number].method, ""), fits[number].conventions.get("tau2")
        detail = ", ".join([str(x) for x in (method, estimator if models[number] == "random" else None) if x])
        return f"{own} ({detail})"

    def _method(self, fits: Sequence[Any]) -> str:
        if len(fits) > 1:
            return self._ci
        fit = fits[0]
        model = str(fit.conventions.get("model", ""))
        parts = [_METHODS.get(fit.method, fit.method), _MODELS.get(model, "")]
        if model == "random" and isinstance(fit.conventions.get("tau2"), str):
            parts.append(fit.conventions["tau2"])
        return ", ".join([part for part in [*parts, self._ci] if part])

    def _footers(self, fits: Sequence[Any]) -> list[str]:
        if not self.options.heterogeneity:
            return []
        lines = []
        for number, fit in enumerate(fits):
            name = f" ({self._fit_name(fits, number)}):" if len(fits) > 1 else ":"
            lines += [line.replace(":", name, 1) for line in self._lines(fit)]
        return lines

    def _lines(self, fit: Any) -> list[str]:
        """Heterogeneity, and the test of no effect where there is a value of no effect."""
        tested = self.scale.null is not None or self.scale.ratio
        first = _heterogeneity(fit, self.options.heterogeneity_interval)
        return [first, _overall_test(fit)] if tested else [first]

    def _words(self, fit: Any, fits: Sequence[Any]) -> str:
        """The long text alternative: the pooled result, its uncertainty and what it rests on."""
        estimate, low, high = self._shown_fit(fit)
        people = ""
        totals = [self._sums[key] for key in ("n_1", "n_2", "n") if key in getattr(self, "_sums", {})]
        if totals:
            people = f" with {_number_texts([sum([v for part in totals for v in part if v == v])])[0]} participants"
        if not self.options.overall:
            return f"{self.name} of {_studies(fit.k)}{people}; the overall result is not shown."
        words = (
            f"{self.name} of {_studies(fit.k)}{people}: pooled {fixed(estimate, self.digits, minus=MINUS)}, "
            f"{level(fit.interval.level)} confidence interval {fixed(low, self.digits, minus=MINUS)} to "
            f"{fixed(high, self.digits, minus=MINUS)}"
        )
        if (self.scale.null is not None or self.scale.ratio) and fit.p == fit.p:
            words += f", {p_value(fit.p)}"
        if fit.i2 == fit.i2:
            words += f"; I² {percent(fit.i2)}"
        if _prediction_wanted(fit, self.options):
            low, high = self._shown_prediction(fit)
            words += (
                f"; {level(fit.prediction_interval.level)} prediction interval "
                f"{fixed(low, self.digits, minus=MINUS)} to {fixed(high, self.digits, minus=MINUS)}"
            )
        sides = self.options.favours_labels
        if sides is not None:
            words += f". Left of the line: {sides[0]}; right: {sides[1]}"
        return words + "."

    def _content(self, rows: list[Row], footers: list[str], method: str, words: str) -> Content:
        options = self.options
        domains = max((len(row.bias) for row in rows), default=0)
        return Content(
            title=options.title or f"Forest plot: {self.name}",
            description=words,
            measure_name=self.name,
            method=method,
            columns=self.columns,
            groups=getattr(self, "groups", ()),
            rows=rows,
            footers=footers,
            log=self.log,
            null=(1.0 if self.scale.ratio else self.scale.null) if options.null_line else None,
            study_heading=options.study_heading,
            bias_domains=tuple(options.bias_domains or [""] * domains)[:domains],
        )

    def _refuse(self, what: str, *names: str) -> None:
        """An option that cannot apply is an error, not a silence."""
        empty = ForestOptions()
        for name in names:
            if getattr(self.options, name) != getattr(empty, name):
                raise InputError(f"{name} does not apply to a forest plot of {what}")


# -- reading results ---------------------------------------------------------------------------------------------------


def _sections(result: Any) -> list[tuple[str, Any, list[str]]]:
    """(name, fit, labels of its studies) of each subgroup."""
    groups = result.groups
    pairs = groups.items() if hasattr(groups, "items") else zip(groups, result.fits, strict=True)
    return [
        (str(name), fit, [str(s) for s in fit.effects.study] + [str(s) for s, _ in fit.excluded]) for name, fit in pairs
    ]


def _between(result: Any) -> str:
    q, df, p = result.q_between, result.q_between_df, result.q_between_p
    if not df or q != q:
        return ""
    i2 = max(0.0, (q - df) / q * 100) if q > 0 else 0.0
    return f"Test for subgroup differences: Chi² = {fixed(q, 2)}, df = {df:g} ({p_value(p)}), I² = {percent(i2)}"


def _series_fit(result: Any) -> Any:
    return getattr(result, "fit", None) or [fit for fit in result.fits if fit is not None][-1]


def _series(result: Any) -> tuple[list[str], list[Any]]:
    """What each fit is without, or what it adds; and the fits, ``None`` where nothing could be pooled."""
    omitting = type(result).__name__ == "LeaveOneOut"
    labels = [f"Omitting {label}" if omitting else f"+ {label}" for label in result.study]
    if not omitting and labels:
        labels[0] = str(result.study[0])
    return labels, [fit if fit is not None and fit.estimate == fit.estimate else None for fit in result.fits]


def _heterogeneity(fit: Any, method: str | None = None) -> str:
    """The line about heterogeneity; ``method`` adds intervals of tau² and I²."""
    if fit.k < 2 or fit.q != fit.q:
        return "Heterogeneity: not applicable"
    parts = []
    spread = fit.heterogeneity_interval(method) if method is not None else None
    if fit.conventions.get("model", "random") == "random" and fit.tau2 == fit.tau2:
        text = f"Tau² = {short(fit.tau2, 2)}"
        parts.append(text if spread is None else f"{text} [{short(spread.tau2.low, 2)}, {short(spread.tau2.high, 2)}]")
    parts.append(f"Chi² = {fixed(fit.q, 2)}, df = {fit.q_df} ({p_value(fit.q_p)})")
    if fit.i2 == fit.i2:
        text = f"I² = {percent(fit.i2)}"
        parts.append(text if spread is None else f"{text} [{percent(spread.i2.low)}, {percent(spread.i2.high)}]")
    return "Heterogeneity: " + "; ".join(parts)


def _overall_test(fit: Any) -> str:
    if fit.statistic != fit.statistic:
        return "Test for overall effect: not estimable"
    if fit.df == inf or fit.df != fit.df:
        return f"Test for overall effect: Z = {fixed(abs(fit.statistic), 2)} ({p_value(fit.p)})"
    df = f"{fit.df:.2f}".rstrip("0").rstrip(".")
    return f"Test for overall effect: t = {fixed(fit.statistic, 2, minus=MINUS)}, df = {df} ({p_value(fit.p)})"


def _prediction_wanted(fit: Any, options: ForestOptions) -> bool:
    """Drawn when it exists; asked for, it must exist."""
    there = fit.prediction_interval is not None and fit.prediction_interval.low == fit.prediction_interval.low
    if options.prediction is None:
        return there and fit.conventions.get("model", "random") == "random" and fit.k > 2
    return options.prediction and there


def _given(result: Any, options: ForestOptions) -> Any:
    """All the effect sizes to show: those named by the caller, those the analysis was given, or those it pooled."""
    if options.effects is not None:
        return options.effects
    given = getattr(result, "given", None)
    return given if given is not None else getattr(result, "effects", result)


def _which_pooled(result: Any, es: Any) -> list[bool]:
    """For every row of ``es``: whether it was pooled (or, without pooling, is estimable)."""
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


def _spread(fit: Any, pooled_rows: list[bool]) -> list[float]:
    """Weights beside every row: those of the pooled studies, and ``nan`` for the others."""
    given = fit.weights.tolist()
    if len(given) == len(pooled_rows):
        return given
    supply = iter(given)
    return [next(supply, nan) if used else nan for used in pooled_rows]


def _studies(k: int) -> str:
    return "1 study" if k == 1 else f"{k} studies"


def _sums(es: Any) -> dict[str, list[float]]:
    return {key: _floats(es.raw[key]) for key in (*_ADDED_UP, *_COUNTED) if key in es.raw}


def _sizes(es: Any) -> list[float | None]:
    """People or person-time behind each study, which the Freeman-Tukey back-transformations take."""
    for key in ("n", "time"):
        if key in es.raw:
            return list(_floats(es.raw[key]))
    return [None] * len(es)


def _harmonic_mean(sizes: list[float | None]) -> float | None:
    parts = [1 / n for n in sizes if n]
    return len(parts) / sum(parts) if parts else None


def _links(options: ForestOptions, labels: list[str]) -> list[str | None]:
    given = options.study_link
    if given is None:
        return [None] * len(labels)
    find: Callable[[str], str | None] = given if callable(given) else given.get
    return [find(label) for label in labels]


#: A judgement's sign; the colour repeats it.
BIAS_SIGNS = {
    "low": "+",
    "some concerns": "?",
    "unclear": "?",
    "moderate": "?",
    "high": "−",
    "serious": "−",
    "critical": "!",
    "no information": "",
    "": "",
}


def _bias(options: ForestOptions, labels: list[str]) -> list[tuple[str, ...]]:
    given = options.risk_of_bias
    if given is None:
        return [()] * len(labels)
    rows = []
    for label in labels:
        judgements = given.get(label, ())
        values = judgements.values() if hasattr(judgements, "values") else judgements
        row = tuple([str(j or "").lower().replace("_", " ") for j in values])
        for judgement in row:
            if judgement not in BIAS_SIGNS:
                raise InputError(
                    f"risk_of_bias of {label!r} must be one of {[j for j in BIAS_SIGNS if j]}; got {judgement!r}"
                )
        rows.append(row)
    most = max(map(len, rows), default=0)
    return [row + ("",) * (most - len(row)) for row in rows]


# -- texts -------------------------------------------------------------------------------------------------------------


def _floats(values: Any) -> list[float]:
    return [float(v) for v in (values.tolist() if hasattr(values, "tolist") else values)]


def _number_texts(values: Any) -> list[str]:
    """Numbers as given, all with the same decimals (at most two more than none need), so that they line up."""
    numbers = _floats(values)
    if all(map(float.is_integer, numbers)) and numbers and min(numbers) > -1 and max(numbers) < 1e15:
        return list(map(str, map(int, numbers)))
    texts = [fixed(x, 2, minus=MINUS, missing="") for x in numbers]
    digits = 0 if all(t[-3:] in (".00", "") for t in texts) else 1 if all(t[-1:] in ("0", "") for t in texts) else 2
    if digits == 2:
        return texts
    return [fixed(x, digits, minus=MINUS, missing="") for x in numbers]


def _extra_texts(heading: str, values: Any, labels: list[str]) -> list[str]:
    if hasattr(values, "get") and hasattr(values, "keys"):
        return [_plain(values.get(label, "")) for label in labels]
    texts = [_plain(v) for v in (values.tolist() if hasattr(values, "tolist") else values)]
    if len(texts) != len(labels):
        raise InputError(f"extra column {heading!r} needs {len(labels)} values, one a study; got {len(texts)}")
    return texts


def _plain(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}".replace("-", MINUS)
    return str(value)


def _exp(x: float) -> float:
    return exp(x) if x < 700 else (inf if x == x else nan)
