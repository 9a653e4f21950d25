"""``review.toml``: the question, the outcomes and the planned analyses, read strictly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from balm.review.networks.planned import network_links, read_network, with_direction
from balm.review.package import (
    AnalysisSpec,
    CertaintyPlan,
    Comparison,
    Criterion,
    Deviation,
    ExtractionPlan,
    Highlights,
    ImportantDifference,
    MeasurementScale,
    Meta,
    Outcome,
    Person,
    Question,
    ScreeningPlan,
    SensitivitySpec,
    SubgroupSpec,
    Trap,
    Window,
    WordList,
)
from balm.review.risk_of_bias.words import JUDGEMENTS
from balm.review.schema import DESIGNS, ROLES, SCOPES
from balm.review.tables import unknown_name
from balm.stats.profiles import PROFILES
from balm.vocabulary.problems import InputError, Problem, unknown_option
from balm.vocabulary.toml_text import load_toml

FILE = "review.toml"

#: The measures a package's analyses can plan, with the kind of outcome each one is for.
PLANNED_MEASURES = {
    "MD": "continuous",
    "SMD": "continuous",
    "ROM": "continuous",
    "RR": "binary",
    "OR": "binary",
    "RD": "binary",
    "PETO": "binary",
    "PR": "proportion",
    "PLO": "proportion",
    "PAS": "proportion",
    "PFT": "proportion",
}
#: What effects entered as contrasts can be measures of; ``GEN`` is any difference, or a logarithm as it stands.
CONTRAST_MEASURES = ("MD", "SMD", "RD", "RR", "OR", "HR", "IRR", "ROM", "GEN")
#: Those of them that are ratios: reported as such, with the standard error of their logarithm.
RATIOS = ("RR", "OR", "HR", "IRR", "ROM")
#: What a sensitivity analysis of contrasts can vary: there are no arms to read again.
VARY_CONTRASTS = ("tau2", "inference", "without", "risk-of-bias")
METHODS = ("inverse-variance", "mantel-haenszel", "peto")
TAU2 = ("DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GENQ")
INFERENCE = ("wald", "hartung-knapp", "hartung-knapp-guarded")
MODELS = ("random", "common")
ZERO_CELLS = ("only-zero", "all", "if-any-zero", "none")
KINDS = ("continuous", "binary")
DIRECTIONS = ("lower is better", "higher is better")
SEVERAL = ("first", "last")
SUBGROUP_COLUMNS = ("condition", "pain_class", "design", "route", "drug_form")

#: Colours of named lists of words; green and red belong to the words for including and excluding.
COLOURS = ("blue", "purple", "orange", "teal", "pink")
#: More lists than these are not told apart at a glance.
MAX_WORD_LISTS = 3

#: What a sensitivity analysis may vary, and what its values are.
VARY = {
    "tau2": "estimators of the between-study variance",
    "inference": "intervals for the mean",
    "method": "pooling methods",
    "measure": "effect measures",
    "correlation": "within-person correlations of cross-over trials, 0 to below 1",
    "spread": "readings of a spread that the report does not label, `sd` or `se`",
    "without": "studies left out",
    "risk-of-bias": "judgements, such as `high`: the studies whose risk of bias is judged so are left out",
    "with": "studies added, as `study` or, for results under another outcome, `study:outcome`",
    "assume": "counts that no report gives, as `study:events_1/n_1:events_2/n_2`",
}


class _Tables:
    """Takes values out of parsed TOML, and collects every problem instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, place: str, reason: str) -> None:
        self.problems.append(Problem(reason, file=self.file, column=place))

    def table(self, data: Mapping[str, Any], name: str, *, required: bool = True) -> Mapping[str, Any]:
        value = data.get(name)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong(name, f"must be a table, `[{name}]`")
        elif required:
            self.wrong(name, f"is missing: the file needs a table `[{name}]`")
        return {}

    def tables(self, data: Mapping[str, Any], name: str, place: str = "") -> list[tuple[str, Mapping[str, Any]]]:
        value = data.get(name, [])
        full = f"{place}.{name}" if place else name
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.wrong(full, f"must be a list of tables, `[[{name}]]`")
            return []
        return [(f"{full} {v.get('id') or v.get('label') or i}", v) for i, v in enumerate(value, start=1)]

    def known(self, data: Mapping[str, Any], place: str, names: Iterable[str]) -> None:
        names = list(names)
        for name in data:
            if name not in names:
                self.wrong(f"{place}.{name}" if place else name, unknown_name("a field of this table", name, names))

    def text(self, data: Mapping[str, Any], name: str, place: str, *, required: bool = True) -> str | None:
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is None or value == "":
            if required:
                self.wrong(f"{place}.{name}", "must not be empty")
        else:
            self.wrong(f"{place}.{name}", f"must be text; got {value!r}")
        return None

    def word(self, data: Mapping[str, Any], name: str, place: str, allowed: Iterable[str], default: str | None) -> str:
        value = data.get(name, default)
        if isinstance(value, str) and value in allowed:
            return value
        if value is None:
            self.wrong(f"{place}.{name}", f"must be one of {list(allowed)}")
        else:
            self.problems.append(
                Problem(str(unknown_option(name, value, list(allowed))), self.file, column=f"{place}.{name}")
            )
        return default or next(iter(allowed))

    def number(self, data: Mapping[str, Any], name: str, place: str, default: float | None = None) -> float:
        value = data.get(name, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value):
            return float(value)
        self.wrong(f"{place}.{name}", f"must be a number; got {value!r}" if value is not None else "must not be empty")
        return math.nan

    def flag(self, data: Mapping[str, Any], name: str, place: str, default: bool = False) -> bool:
        value = data.get(name, default)
        if isinstance(value, bool):
            return value
        self.wrong(f"{place}.{name}", f"must be true or false; got {value!r}")
        return default

    def words(
        self,
        data: Mapping[str, Any],
        name: str,
        place: str,
        allowed: Iterable[str] | None = None,
        default: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        value = data.get(name, list(default))
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.wrong(f"{place}.{name}", f'must be a list of words, such as ["..."]; got {value!r}')
            return default
        if allowed is not None:
            options = list(allowed)
            for v in value:
                if v not in options:
                    self.problems.append(
                        Problem(str(unknown_option(name, v, options)), self.file, column=f"{place}.{name}")
                    )
        return tuple(value)


def read_plan(text: str) -> tuple[Meta | None, list[Problem]]:
    """What ``review.toml`` says, or ``None``; and everything wrong with it, each place named.

    >>> read_plan("title = ")[1][0].reason
    'not readable as TOML: Invalid value (at end of document)'
    """
    data, problems = parse_toml(text, FILE)
    if problems:
        return None, problems
    t = _Tables(FILE)
    sections = (
        "review",
        "question",
        "eligibility",
        "people",
        "scales",
        "windows",
        "outcomes",
        "comparisons",
        "analyses",
        "networks",
    )
    t.known(data, "", (*sections, "traps", "screening", "extraction", "certainty", "deviations", "flow"))
    review = t.table(data, "review")
    t.known(review, "review", ("id", "title", "version", "date", "status", "licence", "registration", "summary"))
    question = t.table(data, "question")
    t.known(question, "question", ("population", "intervention", "comparators", "outcomes", "designs"))
    scales = tuple(_scale(t, p, d) for p, d in t.tables(data, "scales"))
    windows = tuple(_window(t, p, d) for p, d in t.tables(data, "windows"))
    outcomes = tuple(_outcome(t, p, d) for p, d in t.tables(data, "outcomes"))
    comparisons = tuple(_comparison(t, p, d) for p, d in t.tables(data, "comparisons"))
    analyses = tuple(_analysis(t, p, d) for p, d in t.tables(data, "analyses"))
    networks = tuple(read_network(t, p, d) for p, d in t.tables(data, "networks"))
    meta = Meta(
        id=t.text(review, "id", "review") or "",
        title=t.text(review, "title", "review") or "",
        version=t.text(review, "version", "review") or "",
        date=t.text(review, "date", "review") or "",
        status=t.text(review, "status", "review") or "",
        question=Question(
            population=t.text(question, "population", "question") or "",
            intervention=t.text(question, "intervention", "question") or "",
            comparators=t.text(question, "comparators", "question") or "",
            outcomes=t.text(question, "outcomes", "question") or "",
            designs=t.text(question, "designs", "question", required=False) or "",
        ),
        eligibility=tuple(_criterion(t, p, d) for p, d in t.tables(data, "eligibility")),
        scales=scales,
        windows=windows,
        outcomes=outcomes,
        comparisons=comparisons,
        analyses=analyses,
        networks=networks,
        people=tuple(_person(t, p, d) for p, d in t.tables(data, "people")),
        registration=t.text(review, "registration", "review", required=False),
        licence=t.text(review, "licence", "review", required=False),
        summary=t.text(review, "summary", "review", required=False),
        traps=tuple(_trap(t, p, d) for p, d in t.tables(data, "traps")),
        screening=_screening(t, t.table(data, "screening", required=False)),
        extraction=_extraction(t, t.table(data, "extraction", required=False)),
        certainty=_certainty(t, t.table(data, "certainty", required=False)),
        deviations=tuple(_deviation(t, p, d) for p, d in t.tables(data, "deviations")),
        flow=_flow(t, t.table(data, "flow", required=False)),
    )
    _links(t, meta)
    network_links(t, meta)
    meta = replace(meta, networks=tuple(with_direction(spec, meta) for spec in meta.networks))
    return (None if t.problems else meta), t.problems


def _extraction(t: _Tables, d: Mapping[str, Any]) -> ExtractionPlan:
    t.known(d, "extraction", ("extractors",))
    extractors = d.get("extractors", 2)
    if extractors not in (1, 2) or isinstance(extractors, bool):
        t.wrong("extraction.extractors", f"must be 1 or 2; got {extractors!r}")
        extractors = 2
    return ExtractionPlan(extractors)


def _certainty(t: _Tables, d: Mapping[str, Any]) -> CertaintyPlan:
    t.known(d, "certainty", ("raters",))
    raters = d.get("raters", 1)
    if raters not in (1, 2) or isinstance(raters, bool):
        t.wrong("certainty.raters", f"must be 1 or 2; got {raters!r}")
        raters = 1
    return CertaintyPlan(raters)


def _deviation(t: _Tables, place: str, d: Mapping[str, Any]) -> Deviation:
    t.known(d, place, ("what", "why", "date"))
    return Deviation(
        what=t.text(d, "what", place) or "",
        why=t.text(d, "why", place) or "",
        date=t.text(d, "date", place, required=False),
    )


def _screening(t: _Tables, d: Mapping[str, Any]) -> ScreeningPlan:
    t.known(d, "screening", _SCREENING_FIELDS)
    usual = ScreeningPlan()
    reviewers = d.get("reviewers", usual.reviewers)
    if not isinstance(reviewers, int) or isinstance(reviewers, bool) or not 1 <= reviewers <= 10:
        t.wrong("screening.reviewers", f"must be a whole number from 1 to 10; got {reviewers!r}")
        reviewers = usual.reviewers
    target = t.number(d, "target_recall", "screening", usual.target_recall)
    alpha = t.number(d, "alpha", "screening", usual.alpha)
    bias = t.number(d, "bias", "screening", usual.bias)
    for name, value in (("target_recall", target), ("alpha", alpha)):
        if not (math.isnan(value) or 0 < value < 1):
            t.wrong(f"screening.{name}", f"must be between 0 and 1; got {value:g}")
    if not (math.isnan(bias) or 0 < bias < math.inf):
        t.wrong("screening.bias", f"must be a number above 0; got {bias:g}")
    reasons = t.words(d, "exclusion_reasons", "screening")
    _once(t, "screening.exclusion_reasons", reasons)
    return ScreeningPlan(
        reviewers, target, alpha, bias, reasons, _highlights(t, t.table(d, "highlights", required=False))
    )


_SCREENING_FIELDS = tuple(f.name for f in fields(ScreeningPlan))


def _highlights(t: _Tables, d: Mapping[str, Any]) -> Highlights:
    place = "screening.highlights"
    t.known(d, place, ("include", "exclude", "lists"))
    given = t.tables(d, "lists", place)
    if len(given) > MAX_WORD_LISTS:
        t.wrong(f"{place}.lists", f"must be at most {MAX_WORD_LISTS} lists; got {len(given)}")
    lists = tuple(_word_list(t, p, one) for p, one in given)
    words = {"include": t.words(d, "include", place), "exclude": t.words(d, "exclude", place)}
    for name, listed in words.items():
        _once(t, f"{place}.{name}", listed)
    _once(t, f"{place}.lists", [one.name for one in lists])
    return Highlights(words["include"], words["exclude"], lists)


def _word_list(t: _Tables, place: str, d: Mapping[str, Any]) -> WordList:
    t.known(d, place, ("name", "colour", "words"))
    words = t.words(d, "words", place)
    _once(t, f"{place}.words", words)
    return WordList(t.text(d, "name", place) or "", t.word(d, "colour", place, COLOURS, COLOURS[0]), words)


def _once(t: _Tables, place: str, listed: Sequence[str]) -> None:
    """Nothing empty, nothing twice."""
    if any(not one.strip() for one in listed):
        t.wrong(place, "must not hold an empty text")
    for twice in sorted({one for one in listed if listed.count(one) > 1}):
        t.wrong(place, f"holds {twice!r} twice")


def parse_toml(text: str, file: str) -> tuple[dict[str, Any], list[Problem]]:
    """Parsed TOML, or the one problem that stopped the parser."""
    if not text.strip():
        return {}, [Problem("the file is empty", file=file)]
    try:
        return load_toml(text), []
    except ValueError as error:
        return {}, [Problem(f"not readable as TOML: {error}", file=file)]


def _criterion(t: _Tables, place: str, d: Mapping[str, Any]) -> Criterion:
    t.known(d, place, ("name", "include", "exclude"))
    return Criterion(
        t.text(d, "name", place) or "", t.text(d, "include", place) or "", t.text(d, "exclude", place, required=False)
    )


def _person(t: _Tables, place: str, d: Mapping[str, Any]) -> Person:
    t.known(d, place, ("name", "role", "interests"))
    return Person(
        t.text(d, "name", place) or "", t.text(d, "role", place) or "", t.text(d, "interests", place, required=False)
    )


def _trap(t: _Tables, place: str, d: Mapping[str, Any]) -> Trap:
    t.known(d, place, ("title", "text", "studies"))
    return Trap(t.text(d, "title", place) or "", t.text(d, "text", place) or "", t.words(d, "studies", place))


def _scale(t: _Tables, place: str, d: Mapping[str, Any]) -> MeasurementScale:
    t.known(d, place, ("id", "name", "low", "high", "unit", "reversed"))
    low, high = t.number(d, "low", place), t.number(d, "high", place)
    if low >= high:
        t.wrong(f"{place}.high", f"must be above low ({low:g}); got {high:g}")
    return MeasurementScale(
        t.text(d, "id", place) or "",
        t.text(d, "name", place) or "",
        low,
        high,
        t.text(d, "unit", place) or "",
        t.flag(d, "reversed", place),
    )


def _window(t: _Tables, place: str, d: Mapping[str, Any]) -> Window:
    t.known(d, place, ("id", "name", "after", "until", "from_start"))
    after, until = t.number(d, "after", place), t.number(d, "until", place, math.inf)
    if after >= until:
        t.wrong(f"{place}.until", f"must be above after ({after:g}); got {until:g}")
    return Window(
        t.text(d, "id", place) or "", t.text(d, "name", place) or "", after, until, t.flag(d, "from_start", place)
    )


def _outcome(t: _Tables, place: str, d: Mapping[str, Any]) -> Outcome:
    t.known(
        d,
        place,
        ("id", "name", "domain", "kind", "direction", "scale", "unit", "definition", "favours", "important_difference"),
    )
    favours = t.words(d, "favours", place)
    if len(favours) not in (0, 2):
        t.wrong(f"{place}.favours", f"must be two labels, left and right of no effect; got {len(favours)}")
    difference = None
    if "important_difference" in d:
        m = t.table(d, "important_difference")
        at = f"{place}.important_difference"
        t.known(m, at, ("value", "unit", "between_groups", "source", "verified"))
        difference = ImportantDifference(
            t.number(m, "value", at),
            t.text(m, "unit", at) or "",
            t.flag(m, "between_groups", at),
            t.text(m, "source", at) or "",
            t.flag(m, "verified", at),
        )
    return Outcome(
        t.text(d, "id", place) or "",
        t.text(d, "name", place) or "",
        t.text(d, "domain", place) or "",
        t.word(d, "kind", place, KINDS, None),
        t.word(d, "direction", place, DIRECTIONS, None),
        t.text(d, "scale", place, required=False),
        t.text(d, "unit", place, required=False),
        t.text(d, "definition", place, required=False),
        difference,
        (favours[0], favours[1]) if len(favours) == 2 else None,
    )


def _comparison(t: _Tables, place: str, d: Mapping[str, Any]) -> Comparison:
    t.known(d, place, ("id", "name", "group_1", "group_2", "roles_1", "roles_2"))
    roles_1 = t.words(d, "roles_1", place, ROLES)
    if not roles_1:
        t.wrong(f"{place}.roles_1", "must name at least one role")
    return Comparison(
        t.text(d, "id", place) or "",
        t.text(d, "name", place) or "",
        t.text(d, "group_1", place) or "",
        t.text(d, "group_2", place, required=False),
        roles_1,
        t.words(d, "roles_2", place, ROLES),
    )


_ANALYSIS_FIELDS = tuple(f.name for f in fields(AnalysisSpec))


def _analysis(t: _Tables, place: str, d: Mapping[str, Any]) -> AnalysisSpec:
    t.known(d, place, _ANALYSIS_FIELDS)
    contrasts = t.words(d, "contrasts", place)
    measure = t.word(d, "measure", place, CONTRAST_MEASURES if contrasts else tuple(PLANNED_MEASURES), None)
    single = PLANNED_MEASURES.get(measure) == "proportion"
    profile = t.word(d, "profile", place, tuple(PROFILES), None) if "profile" in d else None
    usual: Mapping[str, Any] = PROFILES.get(profile or "", {})
    level = t.number(d, "level", place, 0.95)
    if not (math.isnan(level) or 0 < level < 1):
        t.wrong(f"{place}.level", f"must be between 0 and 1, such as 0.95; got {level:g}")
    return AnalysisSpec(
        id=t.text(d, "id", place) or "",
        title=t.text(d, "title", place) or "",
        outcome=t.text(d, "outcome", place) or "",
        comparison=t.text(d, "comparison", place) or "",
        measure=measure,
        windows=t.words(d, "windows", place),
        designs=t.words(
            d, "designs", place, DESIGNS, ("single-arm",) if single else ("parallel", "cross-over", "cluster")
        ),
        scopes=t.words(d, "scopes", place, SCOPES, ("single-arm",) if single else ("included",)),
        results=t.words(d, "results", place),
        contrasts=contrasts,
        studies=t.words(d, "studies", place),
        arms_1=t.words(d, "arms_1", place),
        several=t.word(d, "several", place, SEVERAL, "first"),
        method=t.word(d, "method", place, METHODS, "inverse-variance"),
        model=t.word(d, "model", place, MODELS, "random"),
        tau2=t.word(d, "tau2", place, TAU2, usual.get("tau2", "REML")),
        inference=t.word(d, "inference", place, INFERENCE, usual.get("inference", "hartung-knapp-guarded")),
        add=t.number(d, "add", place, usual.get("add", 0.5)),
        to=t.word(d, "to", place, ZERO_CELLS, usual.get("to", "only-zero")),
        absolute=t.flag(d, "absolute", place),
        by=t.word(d, "by", place, SUBGROUP_COLUMNS, None) if "by" in d else None,
        subgroups=tuple(_subgroup(t, p, s) for p, s in t.tables(d, "subgroups", place)),
        overall=t.flag(d, "overall", place, True),
        profile=profile,
        level=level,
        note=t.text(d, "note", place, required=False),
        sensitivity=tuple(_sensitivity(t, p, s) for p, s in t.tables(d, "sensitivity", place)),
    )


def _subgroup(t: _Tables, place: str, d: Mapping[str, Any]) -> SubgroupSpec:
    t.known(d, place, ("name", "results", "contrasts"))
    name = t.text(d, "name", place) or ""
    return SubgroupSpec(name, t.words(d, "results", place), t.words(d, "contrasts", place))


def _sensitivity(t: _Tables, place: str, d: Mapping[str, Any]) -> SensitivitySpec:
    t.known(d, place, ("label", "vary", "values", "why", "tau2", "inference"))
    vary = t.word(d, "vary", place, tuple(VARY), None)
    allowed = {
        "tau2": TAU2,
        "inference": INFERENCE,
        "method": METHODS,
        "measure": tuple(PLANNED_MEASURES),
        "spread": ("sd", "se"),
        "risk-of-bias": JUDGEMENTS,
    }
    values: tuple[Any, ...]
    if vary == "correlation":
        given = d.get("values", [])
        values = tuple(given) if isinstance(given, list) else ()
        if not values or not all(
            isinstance(v, (int, float)) and not isinstance(v, bool) and 0 <= v < 1 for v in values
        ):
            t.wrong(f"{place}.values", f"must be {VARY[vary]}; got {given!r}")
            values = ()
    else:
        values = t.words(d, "values", place, allowed.get(vary))
        if not values:
            t.wrong(f"{place}.values", f"must be a list of {VARY[vary]}")
    return SensitivitySpec(
        t.text(d, "label", place) or "",
        vary,
        values,
        t.text(d, "why", place, required=False),
        t.word(d, "tau2", place, TAU2, None) if "tau2" in d else None,
        t.word(d, "inference", place, INFERENCE, None) if "inference" in d else None,
    )


def _flow(t: _Tables, d: Mapping[str, Any]) -> Mapping[str, Any]:
    from balm.review.flow import from_keys

    try:
        from_keys(d)
    except InputError as error:
        t.problems.extend(
            Problem(p.reason, FILE, column=f"flow.{p.column}" if p.column else "flow") for p in error.problems
        )
    return MappingProxyType(dict(d))


def _links(t: _Tables, meta: Meta) -> None:
    """Ids are unique, and what is referred to is there."""
    ids: dict[str, list[str]] = {}
    for name in ("scales", "windows", "outcomes", "comparisons", "analyses"):
        ids[name] = [item.id for item in getattr(meta, name)]
        for twice in sorted({i for i in ids[name] if i and ids[name].count(i) > 1}):
            t.wrong(f"{name} {twice}.id", f"{twice!r} names more than one of {name}")

    def refer(place: str, value: str | None, to: str) -> None:
        if value and value not in ids[to]:
            t.wrong(place, unknown_name(f"one of [[{to}]]", value, ids[to]))

    for o in meta.outcomes:
        refer(f"outcomes {o.id}.scale", o.scale, "scales")
        if o.kind == "continuous" and not o.scale:
            t.wrong(f"outcomes {o.id}.scale", "a continuous outcome needs the scale on which it is pooled")
    for a in meta.analyses:
        place = f"analyses {a.id}"
        refer(f"{place}.outcome", a.outcome, "outcomes")
        refer(f"{place}.comparison", a.comparison, "comparisons")
        for w in a.windows:
            refer(f"{place}.windows", w, "windows")
        outcome = next((o for o in meta.outcomes if o.id == a.outcome), None)
        comparison = next((c for c in meta.comparisons if c.id == a.comparison), None)
        _choices(t, place, a)
        if a.contrasts:
            continue
        kind = PLANNED_MEASURES[a.measure]
        if outcome and outcome.kind != ("continuous" if kind == "continuous" else "binary"):
            t.wrong(f"{place}.measure", f"{a.measure} is not for a {outcome.kind} outcome ({outcome.id})")
        if comparison and (kind == "proportion") == bool(comparison.roles_2):
            what = "a single-arm comparison (without roles_2)" if kind == "proportion" else "a comparison with roles_2"
            t.wrong(f"{place}.comparison", f"{a.measure} needs {what}; {comparison.id} is not one")
        if a.method == "peto" and a.measure != "PETO":
            t.wrong(f"{place}.method", "peto pools the measure PETO only")
        if a.method == "mantel-haenszel" and a.measure not in ("RR", "OR", "RD"):
            t.wrong(f"{place}.method", f"mantel-haenszel pools RR, OR and RD; got {a.measure}")
        if a.absolute and kind != "binary":
            t.wrong(f"{place}.absolute", f"absolute effects belong to a two-group binary measure; got {a.measure}")


def _choices(t: _Tables, place: str, a: AnalysisSpec) -> None:
    """Options of an analysis that do not go together."""
    if a.by and a.subgroups:
        t.wrong(f"{place}.by", "subgroups come from a column of studies.csv or from their rows, not from both")
    for s in a.subgroups:
        given, other = (s.contrasts, s.results) if a.contrasts else (s.results, s.contrasts)
        if other or not given:
            name = "contrasts" if a.contrasts else "results"
            t.wrong(f"{place}.subgroups {s.name}", f"must name its {name}, as the analysis does")
    if not a.contrasts:
        return
    if a.method != "inverse-variance":
        t.wrong(f"{place}.method", f"contrasts are pooled by inverse variance; {a.method} needs the counts of arms")
    if a.absolute:
        t.wrong(f"{place}.absolute", "absolute effects need the counts of control groups, which contrasts do not hold")
    if a.results:
        t.wrong(f"{place}.results", "an analysis pools contrasts or results of arms, not both")
    for one in a.sensitivity:
        if one.vary not in VARY_CONTRASTS:
            allowed = ", ".join(VARY_CONTRASTS)
            t.wrong(f"{place}.sensitivity {one.label}.vary", f"contrasts can vary {allowed} only; got {one.vary!r}")


def analysis_problems(meta: Meta, spec: AnalysisSpec) -> list[Problem]:
    """What keeps ``spec`` from being an analysis of this review: ids that are not there, options that do not apply."""
    t = _Tables(FILE)
    _links(t, replace(meta, analyses=(spec,)))
    return t.problems
