"""``[[networks]]`` of ``review.toml``: network meta-analyses as planned, read strictly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from balm.review.package import Meta, NetworkSpec, TreatmentSpec
from balm.review.schema import DESIGNS, SCOPES
from balm.review.tables import unknown_name
from balm.vocabulary.evidence import Arm
from balm.vocabulary.problems import Problem

if TYPE_CHECKING:
    from balm.review.plan import _Tables

#: The measures a network of arms can have, with the kind of outcome each one is for.
NETWORK_MEASURES = {"OR": "binary", "RR": "binary", "RD": "binary", "MD": "continuous", "ROM": "continuous"}
NETWORK_RATIOS = ("OR", "RR", "ROM")
NETWORK_TAU2 = ("REML", "ML", "DL")
NETWORK_MODELS = ("random", "common")
BETTER = ("lower", "higher")
#: Columns of ``arms.csv`` that can say what an arm got.
TREATMENT_COLUMNS = ("drug", "label", "form", "route", "regimen", "role")
FILE = "review.toml"
_FIELDS = tuple(f.name for f in fields(NetworkSpec))


def folded(name: str) -> str:
    """A treatment's name as two spellings of it are compared: blanks and capitals do not tell treatments apart.

    >>> folded(" Saline  0.9 % ") == folded("saline 0.9 %")
    True
    """
    return " ".join(name.split()).casefold()


def read_network(t: _Tables, place: str, d: Mapping[str, Any]) -> NetworkSpec:
    """One table of ``[[networks]]``; everything wrong with it is added to ``t``."""
    t.known(d, place, _FIELDS)
    level = t.number(d, "level", place, 0.95)
    if not (math.isnan(level) or 0 < level < 1):
        t.wrong(f"{place}.level", f"must be between 0 and 1, such as 0.95; got {level:g}")
    add = t.number(d, "add", place, 0.5)
    if not (math.isnan(add) or 0 <= add < math.inf):
        t.wrong(f"{place}.add", f"must be a number of 0 or more; got {add:g}")
    measure = t.word(d, "measure", place, tuple(NETWORK_MEASURES), None)
    model = t.word(d, "model", place, NETWORK_MODELS, "random")
    if model == "common" and "tau2" in d:
        t.wrong(f"{place}.tau2", "belongs to random effects; the model is common")
    return NetworkSpec(
        id=t.text(d, "id", place) or "",
        title=t.text(d, "title", place) or "",
        outcome=t.text(d, "outcome", place) or "",
        measure=measure,
        reference=t.text(d, "reference", place) or "",
        better=t.word(d, "better", place, BETTER, None) if "better" in d else "",
        windows=t.words(d, "windows", place),
        designs=t.words(d, "designs", place, DESIGNS, ("parallel", "cross-over", "cluster")),
        scopes=t.words(d, "scopes", place, SCOPES, ("included",)),
        studies=t.words(d, "studies", place),
        treatment=t.word(d, "treatment", place, TREATMENT_COLUMNS, "drug"),
        treatments=tuple(_treatment(t, p, one) for p, one in t.tables(d, "treatments", place)),
        several=t.word(d, "several", place, ("first", "last"), "first"),
        model=model,
        tau2=t.word(d, "tau2", place, NETWORK_TAU2, "REML"),
        add=add,
        level=level,
        **_stated(t, place, d, measure),
        note=t.text(d, "note", place, required=False),
    )


def _treatment(t: _Tables, place: str, d: Mapping[str, Any]) -> TreatmentSpec:
    t.known(d, place, ("name", "arms"))
    name = t.text(d, "name", place) or ""
    return TreatmentSpec(name, t.words(d, "arms", place) or ((name,) if name else ()))


def _stated(t: _Tables, place: str, d: Mapping[str, Any], measure: str) -> dict[str, Any]:
    """The smallest effect that matters and the risk with the reference, each with its source."""
    found: dict[str, Any] = {}
    for name, source in (("important", "important_source"), ("baseline_risk", "baseline_source")):
        found[name] = t.number(d, name, place) if name in d else None
        found[source] = t.text(d, source, place, required=False)
        if (found[name] is None) != (found[source] is None):
            t.wrong(f"{place}.{source}", f"{name} and its source come together")
    important, risk = found["important"], found["baseline_risk"]
    if important is not None and math.isfinite(important):
        ratio = measure in NETWORK_RATIOS
        if (ratio and (important <= 0 or important == 1)) or (not ratio and important == 0):
            form = "a ratio other than 1, as 0.8 or 1.25" if ratio else "a difference other than 0"
            t.wrong(f"{place}.important", f"must be {form}; got {important:g}")
    if risk is not None and not (math.isnan(risk) or 0 < risk < 1):
        t.wrong(f"{place}.baseline_risk", f"must be between 0 and 1; got {risk:g}")
    if risk is not None and NETWORK_MEASURES.get(measure) != "binary":
        t.wrong(f"{place}.baseline_risk", f"absolute effects belong to OR, RR and RD; got {measure}")
    return found


def with_direction(spec: NetworkSpec, meta: Meta) -> NetworkSpec:
    """The plan with what is better taken from the outcome, where it does not say so itself."""
    outcome = next((o for o in meta.outcomes if o.id == spec.outcome), None)
    if spec.better or outcome is None:
        return spec
    return replace(spec, better=outcome.direction.partition(" ")[0])


def network_links(t: _Tables, meta: Meta) -> None:
    """Ids are unique, what is referred to is there, and names of treatments are told apart."""
    taken = [a.id for a in meta.analyses]
    for spec in meta.networks:
        place = f"networks {spec.id}"
        if spec.id and spec.id in taken:
            t.wrong(f"{place}.id", f"{spec.id!r} names another network or analysis; addresses of numbers need one each")
        taken.append(spec.id)
        for name, given, known in (
            ("outcome", (spec.outcome,), [o.id for o in meta.outcomes]),
            ("windows", spec.windows, [w.id for w in meta.windows]),
        ):
            for one in given:
                if one and one not in known:
                    t.wrong(f"{place}.{name}", unknown_name(f"one of [[{name.rstrip('s')}s]]", one, known))
        outcome = next((o for o in meta.outcomes if o.id == spec.outcome), None)
        if outcome and NETWORK_MEASURES.get(spec.measure, outcome.kind) != outcome.kind:
            t.wrong(f"{place}.measure", f"{spec.measure} is not for a {outcome.kind} outcome ({outcome.id})")
        _names(t, place, spec)


def _names(t: _Tables, place: str, spec: NetworkSpec) -> None:
    names = [folded(one.name) for one in spec.treatments]
    words = [folded(word) for one in spec.treatments for word in one.arms]
    for what, listed in (("treatments", names), ("treatments.arms", words)):
        for twice in sorted({one for one in listed if one and listed.count(one) > 1}):
            t.wrong(f"{place}.{what}", f"{twice!r} stands in more than one treatment")
    if spec.treatments and folded(spec.reference) not in names:
        known = [one.name for one in spec.treatments]
        t.wrong(f"{place}.reference", unknown_name("one of its treatments", spec.reference, known))
    if len(spec.treatments) == 1:
        t.wrong(f"{place}.treatments", "names one treatment; a network needs two or more")


def names_of(spec: NetworkSpec, arms: Sequence[Arm]) -> dict[str, str]:
    """Word of ``arms.csv``, folded -> treatment; the first spelling is the one shown, the plan's before all."""
    if spec.treatments:
        return {folded(word): one.name for one in spec.treatments for word in one.arms}
    names = {folded(spec.reference): spec.reference}
    for arm in arms:
        if word := getattr(arm, spec.treatment):
            names.setdefault(folded(word), " ".join(word.split()))
    return names


def network_problems(meta: Meta, arms: Sequence[Arm], studies: Sequence[str]) -> Iterator[Problem]:
    """What the plan names and the tables do not hold: studies, words of ``arms.csv``, the reference."""
    for spec in meta.networks:
        place = f"networks {spec.id}"
        for study in spec.studies:
            if study not in studies:
                reason = unknown_name("a study of studies.csv", study, sorted(studies))
                yield Problem(reason, file=FILE, column=f"{place}.studies", value=study)
        held = {folded(word): word for arm in arms if (word := getattr(arm, spec.treatment))}
        what = f"what an arm of arms.csv says in its column {spec.treatment}"
        for one in spec.treatments:
            for word in one.arms:
                if folded(word) not in held:
                    reason = unknown_name(what, word, sorted(held.values()))
                    yield Problem(reason, file=FILE, column=f"{place}.treatments {one.name}.arms", value=word)
        if not spec.treatments and spec.reference and arms and folded(spec.reference) not in held:
            reason = unknown_name(what, spec.reference, sorted(held.values()))
            yield Problem(reason, file=FILE, column=f"{place}.reference", value=spec.reference)
