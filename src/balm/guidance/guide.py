"""The answer to one question: the rules that apply with their numbers, warnings met, and what contradicts what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from balm.guidance.contradictions.every import contradictions
from balm.guidance.contradictions.found import Contradiction
from balm.guidance.dosing import Computed, computed
from balm.guidance.limits import LimitCheck, check_limits
from balm.guidance.patient import Patient, applies, met
from balm.guidance.rules import Rule
from balm.guidance.scheme import Scheme
from balm.guidance.therapy import Therapy
from balm.guidance.units import Quantity

#: Kinds that are listed as they stand, each under its own heading, in the order of a drug monograph.
LISTED = ("recommendation", "interaction", "monitoring", "rescue", "follow-up", "position")


@dataclass(frozen=True, slots=True)
class Dosed:
    """A dosing rule that applies, with what follows from it."""

    rule: Rule
    computed: Computed


@dataclass(frozen=True, slots=True)
class Warned:
    """A contraindication or caution: whether it is met (``yes``, ``possible``, ``no``, ``not asked``), and by what."""

    rule: Rule
    met: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything the guidance says to one question. ``weight`` is the one the contradictions were computed at."""

    therapy: Therapy
    patient: Patient
    as_of: date
    weight: Quantity
    dosed: tuple[Dosed, ...]
    not_applicable: tuple[tuple[Rule, str], ...]
    contraindications: tuple[Warned, ...]
    cautions: tuple[Warned, ...]
    listed: dict[str, tuple[Rule, ...]]
    contradictions: tuple[Contradiction, ...]
    scheme: Scheme | None = None
    limits: tuple[LimitCheck, ...] = ()
    #: Names of comorbidities that were said and that no rule for this question is about: a gap, not safety.
    nothing_about: tuple[str, ...] = ()

    @property
    def stopped_by(self) -> tuple[Warned, ...]:
        """Contraindications that are met, or may be."""
        return tuple(w for w in self.contraindications if w.met in ("yes", "possible"))


def guide(
    therapy: Therapy, rules: Sequence[Rule], patient: Patient, *, as_of: date, scheme: Scheme | None = None
) -> Answer:
    """The answer. Rules of another setting, condition or drug form are kept apart with the reason, never mixed in.

    Monitoring is shown whatever the comorbidity; one that is meant for a comorbidity says which. Contradictions are of
    the whole record, not of the rules that apply: what speaks against a rule must not vanish with a filter.
    """
    weight = patient.weight if patient.weight is not None else therapy.reference_weight
    dosed: list[Dosed] = []
    away: list[tuple[Rule, str]] = []
    warned: dict[str, list[Warned]] = {"contraindication": [], "caution": []}
    listed: dict[str, list[Rule]] = {kind: [] for kind in LISTED}
    for rule in sorted(rules, key=_order):
        if why := applies(rule, patient, therapy):
            away.append((rule, why))
        elif rule.kind == "dose":
            dosed.append(Dosed(rule, computed(rule, patient.weight, patient.concentration)))
        elif rule.kind in warned:
            warned[rule.kind].append(Warned(rule, *met(rule, patient, therapy)))
        else:
            listed[rule.kind].append(rule)
    about = [r for r in rules if r.about and not applies(r, patient, therapy)]
    first = {"yes": 0, "possible": 1, "not asked": 2, "no": 3}
    return Answer(
        therapy=therapy,
        patient=patient,
        as_of=as_of,
        weight=weight,
        dosed=tuple(dosed),
        not_applicable=tuple(away),
        contraindications=tuple(sorted(warned["contraindication"], key=lambda w: first[w.met])),
        cautions=tuple(sorted(warned["caution"], key=lambda w: first[w.met])),
        listed={kind: tuple(found) for kind, found in listed.items()},
        contradictions=contradictions(rules, therapy, weight),
        scheme=scheme,
        limits=() if scheme is None else check_limits(scheme, rules, patient, therapy),
        nothing_about=tuple(
            c.name
            for c in patient.comorbidities or ()
            if not any(met(r, replace(patient, comorbidities=(c,)), therapy)[0] in ("yes", "possible") for r in about)
        ),
    )


_BASIS = (
    "guideline", "position statement", "review of evidence", "trial regimen", "regimen of a series without control",
    "practice survey", "secondary summary",
)  # fmt: skip


def _order(rule: Rule) -> tuple[bool, int]:
    """Guidelines first, what circulates last, and what was not verified after everything."""
    return not rule.verified, _BASIS.index(rule.basis) if rule.basis in _BASIS else len(_BASIS)
