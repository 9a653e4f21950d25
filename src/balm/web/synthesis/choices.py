"""What the form of the analysis page offers: every option in the field's words, those that apply to the outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from balm.report.choices import METHODS as METHOD_WORDS
from balm.report.choices import MODELS as MODEL_WORDS
from balm.report.choices import inference_choice, tau2_choice
from balm.report.html_report.analysis_view import shown_name
from balm.review.analysis_choices import ADDED, Chosen, high_risk
from balm.review.package import Package
from balm.review.plan import CONTRAST_MEASURES, INFERENCE, METHODS, MODELS, PLANNED_MEASURES, SUBGROUP_COLUMNS, TAU2

#: Fields of the form; anything else in the address is not a choice.
FIELDS = (
    "analysis", "outcome", "window", "comparison", "measure", "method", "model", "tau2", "inference", "by", "level",
    "without", "low-risk", "r",
)  # fmt: skip
_BY = {
    "condition": "condition", "pain_class": "class of pain", "design": "design", "route": "route",
    "drug_form": "form of the drug",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a menu."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of the form; ``changed`` where it differs from the plan."""

    name: str
    label: str
    options: tuple[Option, ...]
    changed: bool


def given(query: QueryDict) -> dict[str, list[str]]:
    """The choices in an address or a form."""
    return {name: query.getlist(name) for name in FIELDS if name in query}


def address_of(chosen: dict[str, list[str]]) -> str:
    """The choices as the query of an address, in one order."""
    return urlencode([(name, value) for name in FIELDS for value in chosen.get(name, ()) if value or name in _EMPTY])


#: Fields whose empty value says something: any time, no subgroups.
_EMPTY = ("window", "by")


def menus(package: Package, chosen: Chosen) -> list[Menu]:
    """Every menu with its options; measures and methods are those of the outcome's kind."""
    meta, spec = package.meta, chosen.spec
    kind = meta.outcome(spec.outcome).kind if meta.comparison(spec.comparison).roles_2 else "proportion"
    measures = CONTRAST_MEASURES if spec.contrasts else [m for m, k in PLANNED_MEASURES.items() if k == kind]
    methods = [m for m in METHODS if _pools(m, spec.measure)] if not spec.contrasts else ["inverse-variance"]
    windows = [("", "any time"), *((w.id, w.name) for w in meta.windows)]
    window = spec.windows[0] if len(spec.windows) == 1 else ""
    if len(spec.windows) > 1:
        windows.insert(0, ("as planned", ", ".join(meta.window(w).name for w in spec.windows)))
        window = "as planned"
    groups = [("", "none"), *((c, _BY[c]) for c in SUBGROUP_COLUMNS)]
    by = spec.by or ""
    if spec.subgroups:
        groups.insert(0, ("as planned", "as planned, by rows"))
        by = "as planned"
    rows: list[tuple[str, str, Iterable[tuple[str, str]], str, str]] = [
        ("outcome", "Outcome", [(o.id, o.name) for o in meta.outcomes], spec.outcome, "outcome"),
        ("window", "Time window", windows, window, "windows"),
        ("comparison", "Comparison", [(c.id, c.name) for c in meta.comparisons], spec.comparison, "comparison"),
        ("measure", "Effect measure", [(m, f"{shown_name(m)} ({m})") for m in measures], spec.measure, "measure"),
        ("method", "Method", [(m, _up(METHOD_WORDS[m].short)) for m in methods], spec.method, "method"),
        ("model", "Model", [(m, _up(MODEL_WORDS[m].short)) for m in MODELS], spec.model, "model"),
        ("tau2", "Between-study variance", [(t, f"{_up(tau2_choice(t).short)}") for t in TAU2], spec.tau2, "tau2"),
        ("inference", "Interval", [(i, interval_words(i)) for i in INFERENCE], spec.inference, "inference"),
        ("by", "Subgroups", groups, by, "by"),
    ]
    return [
        Menu(name, label, tuple(Option(v, w, v == now) for v, w in options), field in chosen.changed)
        for name, label, options, now, field in rows
    ]


def _pools(method: str, measure: str) -> bool:
    if method == "mantel-haenszel":
        return measure in ("RR", "OR", "RD")
    return method == "inverse-variance" or measure == "PETO"


def _up(words: str) -> str:
    return words[:1].upper() + words[1:]


def interval_words(name: str) -> str:
    """An interval for the mean as a menu names it."""
    words = _up(inference_choice(name).short).removesuffix(" interval")
    return {"hartung-knapp-guarded": "Hartung-Knapp, guarded"}.get(name, words)


@dataclass(frozen=True, slots=True)
class Extras:
    """What can be added as a sensitivity analysis: studies to leave out, high risk of bias, a correlation."""

    studies: tuple[Option, ...]
    high: int
    low_risk: bool
    crossover: bool
    r: str
    opened: bool


def extras(package: Package, chosen: Chosen, now: dict[str, list[str]], rows: Iterable[tuple[str, str, str]]) -> Extras:
    """``rows``: id, label and design of each study of the analysis."""
    rows = tuple(rows)
    out = now.get("without", [])
    here = {study for study, _, _ in rows}
    return Extras(
        studies=tuple(Option(study, label, study in out) for study, label, _ in rows),
        high=len([s for s in high_risk(package, chosen.spec) if s in here]),
        low_risk=now.get("low-risk", [""])[-1] == "yes",
        crossover=any(design == "cross-over" for _, _, design in rows) and not chosen.spec.contrasts,
        r=now.get("r", [""])[-1],
        opened=any(s.label.startswith(ADDED) for s in chosen.spec.sensitivity),
    )
