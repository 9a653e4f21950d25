"""An analysis chosen by hand: a planned one with other options, carried out by the same code as the plan's.

What does not go with a new choice (a risk ratio with a continuous outcome, Peto's method with a risk difference) is
set to what does, and said. What is simply wrong is an error that names the options there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from balm.review.package import AnalysisSpec, Meta, Package, SensitivitySpec, SubgroupSpec
from balm.review.plan import (
    CONTRAST_MEASURES,
    INFERENCE,
    METHODS,
    MODELS,
    PLANNED_MEASURES,
    SUBGROUP_COLUMNS,
    TAU2,
    analysis_problems,
)
from balm.review.risk_of_bias.of_analysis import at_risk
from balm.vocabulary.problems import InputError, Problem, check_option

#: The measure of a kind of outcome where the one chosen before does not go with it.
USUAL_MEASURE = {"continuous": "MD", "binary": "RR", "proportion": "PLO"}
ADDED = "Added here: "


@dataclass(frozen=True, slots=True)
class Chosen:
    """The analysis as chosen: ``plan`` it started from, what was ``changed`` of it, and what had to be ``adjusted``."""

    spec: AnalysisSpec
    plan: AnalysisSpec
    changed: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def choose(package: Package, given: Mapping[str, Sequence[str]]) -> Chosen:
    """The analysis that ``given`` asks for: names of fields with their values, as an address or a form holds them.

    analysis : id of the planned analysis to start from; the first one where nothing is said.
    outcome, window, comparison, measure, method, model, tau2, inference, by, level : other choices; ``window`` may be
        empty (any time), ``by`` may be empty (no subgroups).
    without  : ids of studies; a sensitivity analysis without them is added.
    r        : a within-person correlation; a sensitivity analysis of cross-over trials is added.
    """
    meta = package.meta
    if not meta.analyses:
        raise InputError(Problem("plans no analysis; the set-up page adds the first", "review.toml"))
    one = {name: values[-1].strip() for name, values in given.items() if values}
    name = one.get("analysis") or meta.analyses[0].id
    plan = next((a for a in meta.analyses if a.id == name), None)
    if plan is None:
        check_option("analysis", name, [a.id for a in meta.analyses])
        raise AssertionError
    spec, adjusted = _fitting(meta, _other(meta, plan, one), one)
    if problems := analysis_problems(meta, spec):
        raise InputError(problems)
    changed = tuple(n for n in _COMPARED if getattr(spec, n) != getattr(plan, n))
    if changed:
        spec = replace(spec, absolute=spec.absolute and spec.measure == plan.measure)
    if "measure" in changed:  # the plan's title may name its own
        spec = replace(spec, title=_title(meta, spec))
    return Chosen(_with_added(package, spec, given), plan, changed, tuple(adjusted))


_COMPARED = ("outcome", "windows", "comparison", "measure", "method", "model", "tau2", "inference", "by", "level")


def _other(meta: Meta, plan: AnalysisSpec, one: Mapping[str, str]) -> AnalysisSpec:
    """The plan with the choices that stand on their own; rows that the plan names belong to its own question."""
    options = (
        ("outcome", [o.id for o in meta.outcomes]),
        ("comparison", [c.id for c in meta.comparisons]),
        ("measure", list(CONTRAST_MEASURES if plan.contrasts else PLANNED_MEASURES)),
        ("method", list(METHODS)),
        ("model", list(MODELS)),
        ("tau2", list(TAU2)),
        ("inference", list(INFERENCE)),
    )
    other: dict[str, Any] = {n: check_option(n, one[n], allowed) for n, allowed in options if one.get(n)}
    spec = replace(plan, **other)
    if "window" in one and one["window"] != "as planned":
        windows = (check_option("window", one["window"], [w.id for w in meta.windows]),) if one["window"] else ()
        spec = replace(spec, windows=windows)
    if "by" in one and one["by"] != "as planned":
        spec = replace(spec, by=check_option("by", one["by"], list(SUBGROUP_COLUMNS)) if one["by"] else None)
        spec = replace(spec, subgroups=()) if spec.by else spec
    if one.get("level"):
        spec = replace(spec, level=_level(one["level"]))
    question = ("outcome", "windows", "comparison")
    if any(getattr(spec, n) != getattr(plan, n) for n in question):
        spec = replace(
            spec, title=_title(meta, spec), results=(), contrasts=(), studies=(), arms_1=(), subgroups=(), note=None,
            sensitivity=(), absolute=False,
        )  # fmt: skip
    return spec


def _fitting(meta: Meta, spec: AnalysisSpec, one: Mapping[str, str]) -> tuple[AnalysisSpec, list[str]]:
    """Measure, method and designs that go with outcome and comparison; each change said."""
    said: list[str] = []
    if spec.contrasts:
        return spec, said
    outcome, comparison = meta.outcome(spec.outcome), meta.comparison(spec.comparison)
    kind = outcome.kind if comparison.roles_2 else "proportion"
    if PLANNED_MEASURES.get(spec.measure) != kind:
        measure = USUAL_MEASURE[kind]
        said.append(f"The measure is {measure}: {spec.measure} does not go with this outcome and comparison.")
        spec = replace(spec, measure=measure, absolute=False)
    method = spec.method
    if spec.measure == "PETO" and method == "mantel-haenszel":
        method = "peto"
    elif (method == "peto" and spec.measure != "PETO") or (
        method == "mantel-haenszel" and spec.measure not in ("RR", "OR", "RD")
    ):
        method = "inverse-variance"
    if method != spec.method:
        said.append(f"The method is {method}: {spec.method} does not pool {spec.measure}.")
        spec = replace(spec, method=method)
    single = kind == "proportion"
    if single != (spec.designs == ("single-arm",)):
        designs = ("single-arm",) if single else ("parallel", "cross-over", "cluster")
        spec = replace(spec, designs=designs, scopes=("single-arm",) if single else ("included",))
    return spec, said


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, such as 0.95; got {text!r}")
    return level


def _title(meta: Meta, spec: AnalysisSpec) -> str:
    windows = ", ".join(meta.window(w).name for w in spec.windows)
    return meta.outcome(spec.outcome).name + (f", {windows}" if windows else ", any time point")


def _with_added(package: Package, spec: AnalysisSpec, given: Mapping[str, Sequence[str]]) -> AnalysisSpec:
    """The sensitivity analyses asked for here, after those of the plan."""
    added: list[SensitivitySpec] = []
    without = tuple(dict.fromkeys(s for s in given.get("without", ()) if s))
    if without:
        known = {s.study: s.label for s in package.studies}
        for study in without:
            check_option("without", study, list(known))
        label = f"{ADDED}without {', '.join(known[s] for s in without)}"
        added.append(SensitivitySpec(label, "without", without))
    if given.get("low-risk", [""])[-1] == "yes":
        high = high_risk(package, spec)
        if not high:
            raise InputError("low-risk asks to leave out studies at high risk of bias, and none is judged so")
        added.append(SensitivitySpec(f"{ADDED}without studies at high risk of bias", "without", high))
    if text := given.get("r", [""])[-1].strip():
        try:
            r = float(text)
        except ValueError:
            r = -1.0
        if not 0 <= r < 1:
            raise InputError(f"r must be a within-person correlation from 0 to below 1; got {text!r}")
        if spec.contrasts:
            raise InputError("r applies to arms of cross-over trials; this analysis pools contrasts")
        added.append(SensitivitySpec(f"{ADDED}within-person correlation of cross-over trials", "correlation", (r,)))
    return replace(spec, sensitivity=(*spec.sensitivity, *added))


def high_risk(package: Package, spec: AnalysisSpec) -> tuple[str, ...]:
    """Studies at high risk of bias for this outcome, in the order of ``studies.csv``.

    The overall judgement decides where there is one (of the results of this outcome, or of the study as a whole);
    without one, any domain at high risk does, as in the overall rule of RoB 2.
    """
    return at_risk(package, spec)


def spec_as_plain(spec: AnalysisSpec) -> dict[str, Any]:
    """The analysis as JSON holds it; :func:`spec_from_plain` reads it back."""
    return dataclasses.asdict(spec)


def spec_from_plain(plain: Mapping[str, Any]) -> AnalysisSpec:
    """The analysis that :func:`spec_as_plain` wrote.

    >>> spec = AnalysisSpec("a", "A", "pain", "k-p", "MD", ("w",), ("parallel",), ("included",))
    >>> import json
    >>> spec_from_plain(json.loads(json.dumps(spec_as_plain(spec)))) == spec
    True
    """
    values = {name: _tuples(value) for name, value in plain.items()}
    values["subgroups"] = tuple(SubgroupSpec(**_each(s)) for s in plain.get("subgroups", ()))
    values["sensitivity"] = tuple(SensitivitySpec(**_each(s)) for s in plain.get("sensitivity", ()))
    return AnalysisSpec(**values)


def _each(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in plain.items()}


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
