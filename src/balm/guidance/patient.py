"""What is asked: for which weight, setting, condition, drug form and comorbidities, from which syringe.

Everything is text as a person gives it; what cannot be is refused here, once, with the name, the value and the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from balm.guidance.rules import Rule
from balm.guidance.therapy import Named, Therapy, broader
from balm.guidance.units import Quantity, quantity_of
from balm.vocabulary.problems import InputError, Problem

T = TypeVar("T")
#: The word for "asked, and there is none": without it an absent comorbidity is not known, and said so.
NONE = "none"


@dataclass(frozen=True, slots=True)
class Patient:
    """A question, checked. ``comorbidities`` is ``None`` where nobody said anything about them."""

    setting: Named
    weight: Quantity | None = None
    condition: Named | None = None
    form: Named | None = None
    comorbidities: tuple[Named, ...] | None = None
    concentration: Quantity | None = None


def asked(
    therapy: Therapy,
    *,
    weight: str | None = None,
    setting: str | None = None,
    condition: str | None = None,
    form: str | None = None,
    comorbidities: Sequence[str] | None = None,
    concentration: str | None = None,
) -> Patient:
    """The question in checked values; :class:`InputError` lists everything that cannot be."""
    problems: list[Problem] = []

    def read(make: Callable[[], T]) -> T | None:
        try:
            return make()
        except InputError as error:
            problems.extend(error.problems)
            return None

    given = [c for c in comorbidities or () if c.strip()]
    none = [c for c in given if c.strip().casefold() == NONE]
    if none and len(none) < len(given):
        problems.append(Problem(f"comorbidity {NONE!r} cannot stand beside others; got {', '.join(given)}"))
    found = Patient(
        setting=read(lambda: therapy.setting_called(setting or therapy.setting)) or therapy.settings[0],
        weight=read(lambda: weight_of(therapy, weight)) if weight is not None else None,
        condition=read(lambda: therapy.condition_called(condition)) if condition else None,
        form=read(lambda: therapy.form_called(form)) if form else None,
        comorbidities=tuple(
            dict.fromkeys(
                word
                for c in given
                if c not in none and (word := read(lambda c=c: therapy.comorbidity_called(c)))  # type: ignore[misc]
            )
        )
        if given
        else None,
        concentration=read(lambda: guarded(therapy, "concentration", concentration or "", "mg/mL"))
        if concentration is not None
        else None,
    )
    if problems:
        raise InputError(problems)
    return found


def weight_of(therapy: Therapy, text: str) -> Quantity:
    """A body weight in kg; a bare number is kg, because that is what the option asks for."""
    return guarded(therapy, "weight", text, "kg", unit="kg").to("kg")


def guarded(therapy: Therapy, name: str, text: str, measures: str, *, unit: str = "") -> Quantity:
    """A quantity above 0 and within the therapy's guard for ``name``."""
    given = quantity_of(text, name, measures=measures, unit=unit)
    if given.value <= 0:
        raise InputError(f"{name} must be above 0; got {text.strip()!r}")
    check_guard(therapy, name, given)
    return given


def check_guard(therapy: Therapy, name: str, given: Quantity, *, shown_as: str = "") -> None:
    """:class:`InputError` where ``given`` cannot be, with the reason."""
    guard = therapy.guards.get(name)
    if guard is not None and not guard.bounds.allows(given):
        raise InputError(f"{name} {shown_as or given} is not plausible (expected {guard.bounds}): {guard.why}")


def applies(rule: Rule, patient: Patient, therapy: Therapy) -> str:
    """Empty where the rule is about this question; otherwise why it is not."""
    if rule.setting != patient.setting.id:
        return f"setting: {rule.written_setting}"
    if patient.condition is not None and rule.conditions:
        asked_for = broader(patient.condition.id, therapy.conditions)
        narrower = any(patient.condition.id in broader(c, therapy.conditions) for c in rule.conditions)
        if not narrower and not rule.conditions & asked_for:
            return f"condition: {rule.condition}"
    if patient.form is not None and rule.form is not None and rule.form != patient.form.id:
        return f"drug form: {rule.written_form}; forms are never interchanged"
    return ""


def met(rule: Rule, patient: Patient, therapy: Therapy) -> tuple[str, tuple[str, ...]]:
    """Whether a contraindication or caution is met: ``yes``, ``possible``, ``no`` or ``not asked``; and by what.

    ``possible``: the person gave a broader word (liver disease) than the rule (severe liver disease).
    """
    if patient.comorbidities is None:
        return "not asked", ()
    words = therapy.comorbidities
    yes = [c.name for c in patient.comorbidities if set(rule.about) & broader(c.id, words)]
    if yes:
        return "yes", tuple(yes)
    maybe = [c.name for c in patient.comorbidities if any(c.id in broader(about, words) for about in rule.about)]
    return ("possible", tuple(maybe)) if maybe else ("no", ())
