"""The curves of a planned infusion: every model that may be drawn, which of them fit the drug form, and their band."""

from __future__ import annotations

from dataclasses import dataclass

from balm.guidance.pharmacokinetics import (
    Kinetics,
    Model,
    at_end,
    concentration,
    grid,
    shown_at,
    steady_state,
    stretches,
)
from balm.guidance.scheme import Scheme
from balm.guidance.therapy import Named, Therapy

#: A form with fewer models of its own is drawn beside those of other forms, which are marked and outside the band.
ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Curve:
    """One model's concentrations in ng/mL. ``of_form`` False: parameters of another drug form, drawn as such."""

    model: Model
    values: tuple[float, ...]
    at_end: float
    of_form: bool


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves on common times (h); ``shown`` marks the times that may be drawn. ``band`` holds least and most.

    The band is of the models of the form alone. ``steady`` are concentrations that the last rate tends to.
    """

    times: tuple[float, ...]
    shown: tuple[bool, ...]
    curves: tuple[Curve, ...]
    band: tuple[tuple[float, float], ...]
    steady: tuple[tuple[Model, float], ...]
    form: str
    asked: bool


def curves_of(kinetics: Kinetics, therapy: Therapy, scheme: Scheme, weight: float, form: Named | None) -> Curves | None:
    """The curves, or ``None`` where no verified model can be computed.

    Models that state no form go with each. Where no form is asked for, the therapy's first form is taken and said; one
    with fewer than two models of its own is drawn beside those of other forms.
    """
    wanted = form if form is not None else (therapy.forms[0] if therapy.forms else None)
    given = stretches(scheme)
    times = grid(scheme)
    stated = [m for m in kinetics.models if m.compartments and wanted is not None and m.form == wanted.id]
    found = []
    for model in kinetics.models:
        if not model.compartments:
            continue
        of_form = wanted is None or model.form is None or model.form == wanted.id
        if not of_form and (form is None or len(stated) >= ENOUGH):
            continue
        values = concentration(model, weight, given, times)
        found.append(Curve(model, tuple(values), at_end(model, weight, scheme), of_form))
    if not found:
        return None
    own = [c for c in found if c.of_form] or found
    band = tuple((min(c.values[i] for c in own), max(c.values[i] for c in own)) for i in range(len(times)))
    hidden = kinetics.hidden_after_bolus / 60
    steady = []
    if not scheme.segments[-1].is_bolus and scheme.segments[-1].dose.value > 0:
        last = float(scheme.segments[-1].rate.value)
        for model in kinetics.models:
            of_form = wanted is None or model.form is None or model.form == wanted.id
            level = steady_state(model, weight, last)
            if level is not None and of_form:
                steady.append((model, level))
    return Curves(
        tuple(times),
        tuple(shown_at(given, t, hidden) for t in times),
        tuple(found),
        band,
        tuple(steady),
        "" if wanted is None else wanted.name,
        form is not None,
    )
