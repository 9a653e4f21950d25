"""From a result to what its forest plot says: the study rows, the pooled rows and the lines of text."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from balm.plots.forest_columns import ADDED_UP, COUNTED, data_columns, extra_texts, judgements, links, number_texts
from balm.plots.forest_content import Column, Content, Row
from balm.plots.forest_numbers import NOT_ESTIMABLE, Shown, weights_of
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_words import (
    between_subgroups,
    description,
    description_of_clusters,
    lines_of_clusters,
    lines_of_fit,
    lines_of_fits,
    method_line,
    name_of_fit,
    prediction_wanted,
    studies,
)
from balm.vocabulary.numbers import MINUS, fixed_all, level, percent, short
from balm.vocabulary.problems import InputError


def read_result(result: Any, options: ForestOptions) -> Content:
    """The content of a forest plot of a pooled result, subgroups, a series of fits, clusters, or effect sizes alone."""
    if hasattr(result, "clusters") and hasattr(result, "components"):
        return _Reading(result, options, result.level).clusters(result)
    if hasattr(result, "overall") and hasattr(result, "groups"):
        return _Reading(result.overall, options, result.overall.interval.level).subgroups(result)
    if hasattr(result, "shrinkage") and hasattr(result, "effects"):
        return _Reading(result, options, result.level).posterior(result)
    if hasattr(result, "weights") and hasattr(result, "effects"):
        return _Reading(result, options, result.interval.level).pooled(result)
    if hasattr(result, "fits"):
        fit = _series_fit(result)
        return _Reading(fit, options, fit.interval.level).series(result, fit)
    if hasattr(result, "effect") and hasattr(result, "variance") and hasattr(result, "study"):
        return _Reading(result, options, 0.95).effects_alone()
    raise InputError(
        "a forest plot is drawn of EffectSizes or of a result of pool, mantel_haenszel, peto, subgroups, "
        f"leave_one_out or cumulative; got {type(result).__name__}"
    )


class _Reading:
    """The content being put together: the numbers shown, the columns and the groups of arms so far."""

    def __init__(self, result: Any, options: ForestOptions, coverage: float) -> None:
        self.options = options
        self.shown = Shown(result, options, options.level or coverage)
        self.ci = f"{level(self.shown.level)} CI"
        self.columns: list[Column] = []
        self.groups: tuple[str, ...] = ()
        self.data_rows: list[Row] = []  # in the order of the data

    # -- the four shapes of result -------------------------------------------------------------------------------

    def effects_alone(self) -> Content:
        """Study rows, squares by precision, no pooled row."""
        self._refuse("effects alone", "also", "labels", "prediction", "pooled_line")
        rows = self._study_rows([])
        k = sum(1 for row in rows if row.estimate == row.estimate)
        coverage = level(self.shown.level)
        words = f"{self.shown.name} of {studies(k)}, each with its {coverage} confidence interval; not pooled."
        return self._content(self._ordered(rows), [], self.ci, words)

    def pooled(self, fit: Any) -> Content:
        """Study rows, then the pooled result, others of ``also``, and the lines about them."""
        fits = [fit, *self.options.also]
        rows = self._ordered(self._study_rows(fits))
        footers: list[str] = []
        if self.options.overall:
            rows = rows + self._totals(fits, rows)
            footers = lines_of_fits(fits, self.shown)
        return self._content(rows, footers, method_line(fits, self.ci), description(fit, self.shown))

    def subgroups(self, result: Any) -> Content:
        """A heading, rows, subtotal and lines for each subgroup; then the total and the test between them."""
        overall = result.overall
        fits = [overall, *self.options.also]
        all_rows = self._study_rows(fits)
        of_label: dict[str, list[Row]] = {}
        for row in all_rows:
            of_label.setdefault(row.label, []).append(row)
        rows: list[Row] = []
        for name, fit, members in _sections(result):
            own = [of_label[label].pop(0) for label in members if of_label.get(label)]
            rows.append(Row("heading", name))
            rows += self._ordered(own)
            if fit is not None and fit.estimate == fit.estimate:
                rows.append(self._pooled_row("subtotal", f"Subtotal ({self.ci})", fit, own))
                if self.options.prediction and prediction_wanted(fit, self.options):
                    rows.append(self._prediction_row(fit))
                rows += self._event_row(own)
                if self.options.heterogeneity:
                    rows += [Row("words", line) for line in lines_of_fit(fit, self.shown)]
        left = [row for rest in of_label.values() for row in rest]
        if left:
            rows += [Row("heading", "Not in a subgroup"), *self._ordered(left)]
        footers: list[str] = []
        if self.options.overall:
            rows += self._totals(fits, all_rows)
            footers = lines_of_fits(fits, self.shown)
        between = between_subgroups(result)
        words = description(overall, self.shown)
        if between:
            if self.options.heterogeneity:
                footers.append(between)
            words += f" {between}."
        return self._content(rows, footers, method_line(fits, self.ci), words)

    def series(self, result: Any, fit: Any) -> Content:
        """One diamond a row: the pooled result without, or up to, each study."""
        self._refuse("a series of results", "sort", "extra", "risk_of_bias", "also")
        shown = self.shown
        omitting = type(result).__name__ == "LeaveOneOut"
        labels, fits = _series(result, omitting)
        values = [(nan, nan, nan) if one is None else shown.fit(one) for one in fits]
        estimates, lows, highs = ([value[i] for value in values] for i in range(3))
        shown.choose_digits((estimates, lows, highs))
        texts = []
        if "data" in self.options.columns:
            self.columns += [Column("k", "Studies"), Column("i2", "I²")]
            texts.append(["" if one is None else str(one.k) for one in fits])
            texts.append(["" if one is None or one.i2 != one.i2 else percent(one.i2) for one in fits])
        if "effect" in self.options.columns:
            self.columns.append(Column("effect", ""))
            texts.append(shown.texts((estimates, lows, highs)))
        cells = list(zip(*texts, strict=True)) if texts else [()] * len(fits)
        rows = [Row("series", *row) for row in zip(labels, cells, estimates, lows, highs, strict=True)]
        cumulative = type(result).__name__ == "Cumulative"
        if self.options.overall and not cumulative:
            rows.append(self._pooled_row("total", f"All studies ({self.ci})", fit, []))
        kind = "Leave-one-out" if omitting else "Cumulative"
        words = f"{kind} analysis, {len(fits)} pooled results. All studies: {description(fit, shown, people=False)}"
        return self._content(rows, [], method_line([fit], self.ci), words)

    def clusters(self, fit: Any) -> Content:
        """A multilevel model: effects under a heading for each cluster, the mean, and where variance lies."""
        self._refuse("a multilevel model", "sort", "also", "labels", "heterogeneity_interval")
        options, shown = self.options, self.shown
        all_rows = self._study_rows([fit])
        rows: list[Row] = []
        for name, members in fit.clusters:
            own = [all_rows[i] for i in members.tolist()]
            if len(fit.clusters) < len(all_rows):
                heading = " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
                rows.append(Row("heading", heading))
                for number, row in enumerate(own, 1):
                    row.label = f"Effect {number}" if row.label == heading else row.label
            rows += own
        rows = rows or all_rows
        footers: list[str] = []
        if options.overall:
            rows.append(self._pooled_row("total", f"Mean ({self.ci})", fit, all_rows))
            interval = fit.prediction_interval
            if interval.low == interval.low and options.prediction is not False and fit.components:
                rows.append(self._prediction_row(fit))
            if options.heterogeneity:
                footers = lines_of_clusters(fit, shown)
        return self._content(rows, footers, f"Multilevel, {fit.method}, {self.ci}", description_of_clusters(fit, shown))

    def posterior(self, fit: Any) -> Content:
        """A Bayesian fit: studies as observed, each with its own effect after shrinkage; mean and new setting."""
        self._refuse("a Bayesian fit", "also", "labels", "heterogeneity_interval", "pooled_line")
        shown, own = self.shown, fit.shrinkage
        credible = f"{level(fit.level)} CrI"
        rows = self._study_rows([])
        ends = zip(own.median.tolist(), own.low.tolist(), own.high.tolist(), strict=True)
        shrunken = [shown.text(*shown.shown_as(*three)) for three in ends]
        place = next((i for i, column in enumerate(self.columns) if column.key == "effect"), len(self.columns))
        for row, own_effect in zip(rows, shrunken, strict=True):
            row.cells = [*row.cells[:place], own_effect, *row.cells[place:]]
        self.columns.insert(place, Column("shrunken", f"Own effect\n[{credible}]"))
        rows = self._ordered(rows)
        footers: list[str] = []
        if self.options.overall:
            rows.append(self._pooled_row("total", f"Mean ({credible})", fit, []))
            if self.options.prediction is not False:
                prediction = self._prediction_row(fit)
                prediction.label = f"New setting ({credible})"
                rows.append(prediction)
        if self.options.heterogeneity:
            tau = fit.tau
            footers = [
                f"Between-study SD τ: {short(tau.median, 3)} [{short(tau.interval.low, 3)}, "
                f"{short(tau.interval.high, 3)}]; prior {fit.prior.words}"
            ]
        words = (
            f"{shown.name} of {studies(fit.k)}, each with its {self.ci}; Bayesian mean "
            f"{shown.text(*shown.fit(fit))}, {level(fit.level)} credible interval. {'. '.join(footers)}."
        )
        return self._content(rows, footers, f"observed, {self.ci}", words)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _study_rows(self, fits: list[Any]) -> list[Row]:
        options, shown, es = self.options, self.shown, self.shown.es
        k = len(es)
        labels = list(map(str, es.study)) if len(es.study) == k else [f"Study {i + 1}" for i in range(k)]
        intervals = shown.studies()
        shown.choose_digits(intervals)
        weights = [weights_of(fit, shown.pooled) for fit in fits]
        shares = weights[0] if fits else _precision(es.variance.tolist())
        texts: list[list[str]] = []
        for heading, values in (options.extra or {}).items():
            self.columns.append(Column(f"extra:{heading}", str(heading)))
            texts.append(extra_texts(str(heading), values, labels))
        if "data" in options.columns:
            texts += self._data()
        if "weight" in options.columns:
            texts += self._weights(fits, weights)
        if "effect" in options.columns:
            self.columns.append(Column("effect", ""))
            texts.append(shown.texts(intervals))
        cells = list(zip(*texts, strict=True)) if texts else [()] * len(labels)
        known = zip(labels, cells, *intervals, shares, links(options, labels), judgements(options, labels), strict=True)
        rows = [Row("study", *values) for values in known]
        self.data_rows = list(rows)
        for name, _why in getattr(fits[0], "excluded", ()) if fits else ():
            if str(name) not in labels:
                blank = [NOT_ESTIMABLE if column.key == "effect" else "" for column in self.columns]
                rows.append(Row("study", str(name), blank, bias=judgements(options, [str(name)])[0]))
        return rows

    def _data(self) -> list[list[str]]:
        """The data as given; for generic effects the effect and its standard error, on the analysis scale."""
        shown, es = self.shown, self.shown.es
        family = data_columns(es.raw)
        if family:
            both = len(family) == 2
            self.groups = tuple(self.options.arms) if both else ()
            self.columns += [
                Column(key, heading, arm if both else -1) for arm, pairs in enumerate(family) for key, heading in pairs
            ]
            return [number_texts(shown.raw(key)) for pairs in family for key, _ in pairs]
        self.columns += [Column("analysis", f"log({shown.name})" if shown.log else "Effect"), Column("se", "SE")]
        effect, se = es.effect, es.se
        digits = shown.digits_for((effect - se).tolist(), (effect + se).tolist())
        return [fixed_all(values.tolist(), digits, minus=MINUS, missing="") for values in (effect, se)]

    def _weights(self, fits: list[Any], weights: list[list[float]]) -> list[list[str]]:
        """The weights, once for each result."""
        texts = []
        for number, shares in enumerate(weights):
            heading = "Weight"
            if len(weights) > 1:
                name = name_of_fit(fits, number, self.options)
                heading += f"\n{name.removesuffix(' effects').removesuffix(' effect')}"
            self.columns.append(Column(f"weight:{number}", heading))
            texts.append([f"{share:.1f}%" if share == share else "" for share in shares])
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

    def _totals(self, fits: list[Any], studies: list[Row]) -> list[Row]:
        rows: list[Row] = []
        for number, fit in enumerate(fits):
            name = f"Total ({level(fit.interval.level)} CI)"
            if len(fits) > 1:
                name += f", {name_of_fit(fits, number, self.options)}"
            rows.append(self._pooled_row("total", name, fit, studies if number == 0 else [], number))
            if prediction_wanted(fit, self.options):
                rows.append(self._prediction_row(fit))
        return rows + self._event_row(studies)

    def _pooled_row(self, kind: str, label: str, fit: Any, studies: list[Row], number: int = 0) -> Row:
        values = self.shown.fit(fit)
        cells = []
        for column in self.columns:
            key, text = column.key, ""
            if key in ADDED_UP and studies:
                text = self._added(key, studies)
            elif key == f"weight:{number}":
                share = sum([row.share for row in studies if row.share == row.share])
                text = "100.0%" if kind == "total" else f"{share:.1f}%"
            elif key == "k":
                text = str(fit.k)
            elif key == "i2" and fit.i2 == fit.i2:
                text = percent(fit.i2)
            elif key == "effect":
                text = self.shown.text(*values)
            cells.append(text)
        return Row(kind, label, cells, *values)

    def _prediction_row(self, fit: Any) -> Row:
        low, high = self.shown.prediction(fit)
        text = self.shown.interval_text(low, high)
        cells = [text if column.key == "effect" else "" for column in self.columns]
        return Row("prediction", f"{level(fit.prediction_interval.level)} prediction interval", cells, nan, low, high)

    def _event_row(self, studies: list[Row]) -> list[Row]:
        if not any(column.key in COUNTED for column in self.columns):
            return []
        cells = [self._added(c.key, studies) if c.key in COUNTED else "" for c in self.columns]
        return [Row("events", "Total events", cells)]

    def _added(self, key: str, studies: list[Row]) -> str:
        added = set(map(id, studies))
        values = [v for v, row in zip(self.shown.raw(key), self.data_rows, strict=True) if id(row) in added and v == v]
        return number_texts([sum(values)])[0]

    def _content(self, rows: list[Row], footers: list[str], method: str, words: str) -> Content:
        options, shown = self.options, self.shown
        domains = max([len(row.bias) for row in rows], default=0)
        return Content(
            title=options.title or f"Forest plot: {shown.name}",
            description=options.description or words,
            measure_name=shown.name,
            method=method,
            columns=self.columns,
            groups=self.groups,
            rows=rows,
            footers=footers,
            log=shown.log,
            null=shown.null if options.null_line else None,
            study_heading=options.study_heading,
            bias_domains=tuple(options.bias_domains or [""] * domains)[:domains],
        )

    def _refuse(self, what: str, *names: str) -> None:
        """An option that cannot apply is an error, not a silence."""
        empty = ForestOptions()
        for name in names:
            if getattr(self.options, name) != getattr(empty, name):
                raise InputError(f"{name} does not apply to a forest plot of {what}")


def _precision(variances: list[float]) -> list[float]:
    """What squares follow when nothing is pooled: each study's share of the precision, in per cent."""
    precision = [1 / v if v > 0 else nan for v in variances]
    most = sum([p for p in precision if p == p]) or 1.0
    return [100 * p / most for p in precision]


def _sections(result: Any) -> list[tuple[str, Any, list[str]]]:
    """(name, fit, labels of its studies) of each subgroup."""
    groups = result.groups
    pairs = groups.items() if hasattr(groups, "items") else zip(groups, result.fits, strict=True)
    return [
        (str(name), fit, [str(s) for s in fit.effects.study] + [str(s) for s, _ in fit.excluded]) for name, fit in pairs
    ]


def _series_fit(result: Any) -> Any:
    return getattr(result, "fit", None) or [fit for fit in result.fits if fit is not None][-1]


def _series(result: Any, omitting: bool) -> tuple[list[str], list[Any]]:
    """What each fit is without, what it adds, or its own name; the fits, ``None`` where nothing could be pooled."""
    adding = type(result).__name__ == "Cumulative"
    labels = [f"Omitting {label}" if omitting else f"+ {label}" if adding else str(label) for label in result.study]
    if adding and labels:
        labels[0] = str(result.study[0])
    return labels, [fit if fit is not None and fit.estimate == fit.estimate else None for fit in result.fits]
