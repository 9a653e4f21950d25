"""Plasma concentration by mammillary models of two or three compartments, in closed form for any infusion scheme.

A model gives the central volume and the rate constants (or clearances and volumes) for a weight. The response
to a unit dose is a sum of exponentials, ``sum_i A_i exp(-l_i t)``: the ``l_i`` are the roots of the characteristic
polynomial (two: a quadratic; three: a cubic with three real positive roots, by Viete's cosines, polished by Newton),
and a stretch of constant rate adds ``rate A_i / l_i (exp(-l_i (t - end)) - exp(-l_i (t - start)))``; stretches add up.
Source of the algebra: Gibaldi & Perrier, Pharmacokinetics, 2nd edition (1982), sections 2 and 3 and appendix B.

These are floats: an estimated concentration is no dose. Reference curves only: a mammillary model mixes a dose into its
central volume at once, so the first minutes after a bolus are never given, and the metabolite is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import acos, cos, exp, expm1, isfinite, pi, sqrt
from typing import Any

from balm.guidance.scheme import Scheme
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.toml_text import load_toml

FILE = "guidance/pharmacokinetics.toml"
#: Weight that allometric parameters are given for.
STANDARD_KG = 70.0
MICRO = ("V1", "k10", "k12", "k21", "k13", "k31")
CLEARANCES = ("CL", "V1", "Q", "V2", "Q3", "V3")


@dataclass(frozen=True, slots=True)
class Model:
    """A model as published. ``parameters`` hold micro constants (L/kg, 1/min) or clearances (L/h and L per 70 kg).

    ``verified`` False: on file so that it is not taken for missing, and never used in a calculation.
    """

    id: str
    name: str
    drug: str
    form: str | None
    population: str
    structure: str
    scaling: str  # linear, allometric
    parameters: Mapping[str, float]
    variability: str
    source: str
    doi: str | None
    pmid: str | None
    url: str | None
    verified: bool
    notes: str = ""

    @property
    def compartments(self) -> int:
        """2 or 3 where a curve can be computed; 0 where only a clearance is known, or nothing was verified."""
        p = self.parameters
        if not self.verified:
            return 0
        if {"V1", "k10", "k12", "k21"} <= set(p):
            return 3 if {"k13", "k31"} <= set(p) else 2
        if {"CL", "V1", "Q", "V2"} <= set(p):
            return 3 if {"Q3", "V3"} <= set(p) else 2
        return 0

    def clearance(self, weight: float) -> float | None:
        """Clearance in L/h at ``weight`` kg; ``None`` where it is not known or not verified."""
        p = self.parameters
        if not self.verified:
            return None
        if "CL" in p:
            return p["CL"] * _power(self.scaling, weight)
        return p["V1"] * weight * p["k10"] * 60 if {"V1", "k10"} <= set(p) else None


@dataclass(frozen=True, slots=True)
class Effect:
    """Concentrations at which something was observed, in ng/mL, with its source and what it is not."""

    id: str
    name: str
    low: float
    high: float | None
    unit: str
    form: str | None
    source: str
    doi: str | None
    pmid: str | None
    verified: bool
    drawn: bool
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Kinetics:
    """The models and effect ranges of a therapy, and what no curve of them can show."""

    models: tuple[Model, ...]
    effects: tuple[Effect, ...]
    cannot_show: tuple[str, ...]
    hidden_after_bolus: float  # min
    why_hidden: str


def _power(scaling: str, weight: float) -> float:
    ratio = weight / STANDARD_KG
    return float(ratio**0.75) if scaling == "allometric" else ratio


def disposition(model: Model, weight: float) -> tuple[tuple[float, float], ...]:
    """The exponentials of a unit dose: ``(A_i in 1/L, l_i in 1/h)``, the fastest first.

    >>> herd = Model("herd", "Herd", "ketamine", None, "children", "2-comp", "allometric",
    ...              {"V1": 38.7, "V2": 102, "CL": 90, "Q": 215}, "", "", None, None, None, True)
    >>> round(sum(a for a, _ in disposition(herd, 70)) * 38.7, 12)
    1.0
    """
    if not model.compartments:
        raise InputError(f"model {model.id!r} has no verified two- or three-compartment parameters; it is not computed")
    p = model.parameters
    if "k10" in p:
        volume = p["V1"] * weight
        k10, k12, k21 = (p[name] * 60 for name in ("k10", "k12", "k21"))
        k13, k31 = (p.get(name, 0.0) * 60 for name in ("k13", "k31"))
    else:
        size, flow = weight / STANDARD_KG, _power(model.scaling, weight)
        volume = p["V1"] * size
        k10, k12, k21 = p["CL"] * flow / volume, p["Q"] * flow / volume, p["Q"] * flow / (p["V2"] * size)
        k13 = p.get("Q3", 0.0) * flow / volume
        k31 = p["Q3"] * flow / (p["V3"] * size) if "Q3" in p else 0.0
    if not k13:
        total = k10 + k12 + k21
        root = sqrt(total * total - 4 * k10 * k21)
        fast = (total + root) / 2
        slow = k10 * k21 / fast  # not (total - root) / 2, which loses digits
        return ((fast - k21) / (fast - slow) / volume, fast), ((k21 - slow) / (fast - slow) / volume, slow)
    found = _three_roots(
        k10 + k12 + k13 + k21 + k31, k10 * k21 + k10 * k31 + k12 * k31 + k13 * k21 + k21 * k31, k10 * k21 * k31
    )
    terms = []
    for i, rate in enumerate(found):
        others = [other for j, other in enumerate(found) if j != i]
        weight_of = (k21 - rate) * (k31 - rate) / ((others[0] - rate) * (others[1] - rate))
        terms.append((weight_of / volume, rate))
    return tuple(terms)


def _three_roots(a2: float, a1: float, a0: float) -> tuple[float, float, float]:
    """The three real positive roots of ``x^3 - a2 x^2 + a1 x - a0``, the largest first."""
    p, q = a1 - a2 * a2 / 3, -2 * a2**3 / 27 + a1 * a2 / 3 - a0
    radius = 2 * sqrt(-p / 3)
    angle = acos(max(-1.0, min(1.0, 3 * q / (p * radius)))) / 3
    roots = sorted((radius * cos(angle - 2 * pi * k / 3) + a2 / 3 for k in range(3)), reverse=True)
    polished = []
    for x in roots:
        for _ in range(4):
            slope = (3 * x - 2 * a2) * x + a1
            if slope:
                x -= (((x - a2) * x + a1) * x - a0) / slope
        polished.append(x)
    return polished[0], polished[1], polished[2]


def stretches(scheme: Scheme) -> tuple[tuple[float, float, float], ...]:
    """The scheme as ``(start h, end h, mg/h)``, pauses left out."""
    return tuple(
        (float(s.start.value), float(s.end.value), float(s.rate.value)) for s in scheme.segments if s.dose.value > 0
    )


def concentration(
    model: Model, weight: float, given: Sequence[tuple[float, float, float]], times: Sequence[float]
) -> list[float]:
    """Plasma concentration in ng/mL at each of ``times`` (h after the start), for stretches of constant rate."""
    terms = disposition(model, weight)
    found = []
    for t in times:
        total = 0.0
        for start, end, rate in given:
            if t > start:
                last = min(t, end)
                for a, k in terms:
                    # exp(-k (t - last)) - exp(-k (t - start)), without the difference of two near ones
                    total += rate * a / k * -expm1(-k * (last - start)) * exp(-k * (t - last))
        found.append(total * 1000.0)  # mg/L -> ng/mL
    return found


def shown_at(given: Sequence[tuple[float, float, float]], t: float, hidden: float, within: float = 1 / 6) -> bool:
    """Whether a curve may be drawn at ``t`` h: never during a bolus, nor ``hidden`` h after its end."""
    return not any(end - start <= within + 1e-12 and start < t < end + hidden - 1e-12 for start, end, _ in given)


def steady_state(model: Model, weight: float, rate: float) -> float | None:
    """The concentration in ng/mL that ``rate`` mg/h tends to: rate over clearance; ``None`` without a clearance."""
    clearance = model.clearance(weight)
    return None if clearance is None else rate / clearance * 1000.0


def at_end(model: Model, weight: float, scheme: Scheme) -> float:
    """The concentration in ng/mL when the last stretch that gives something ends."""
    given = stretches(scheme)
    return concentration(model, weight, given, [given[-1][1]])[0]


def read_kinetics(data: bytes) -> tuple[Kinetics | None, tuple[Problem, ...]]:
    """The models of ``guidance/pharmacokinetics.toml``, or ``None`` with every problem found."""
    try:
        given = load_toml(data.decode("utf-8"))
    except ValueError as error:
        return None, (Problem(f"cannot be read: {error}", file=FILE),)
    problems: list[Problem] = []
    models: list[Model] = []
    effects: list[Effect] = []
    for number, row in enumerate(_rows(given, "model", problems), start=1):
        try:
            models.append(_model(row))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(Problem(f"cannot be read: {_said(error)}", file=FILE, row=number, column="model"))
    for number, row in enumerate(_rows(given, "effect", problems), start=1):
        try:
            effects.append(_effect(row))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(Problem(f"cannot be read: {_said(error)}", file=FILE, row=number, column="effect"))
    for name, ids in (("model", [m.id for m in models]), ("effect", [e.id for e in effects])):
        if len(set(ids)) < len(ids):
            problems.append(Problem("two rows have the same id", file=FILE, column=f"{name}.id"))
    curves = given.get("curves", {})
    hidden = curves.get("hidden_after_bolus_min") if isinstance(curves, dict) else None
    if not isinstance(hidden, (int, float)) or not 0 < hidden <= 120:
        problems.append(
            Problem("must say how many minutes after a bolus no curve is drawn (above 0, at most 120)", file=FILE,
                    column="curves.hidden_after_bolus_min")
        )  # fmt: skip
    if problems:
        return None, tuple(problems)
    cannot = tuple(str(text) for text in curves.get("cannot_show", ()))
    return Kinetics(tuple(models), tuple(effects), cannot, float(hidden or 0), str(curves.get("why_hidden", ""))), ()


def _rows(given: Mapping[str, Any], name: str, problems: list[Problem]) -> list[dict[str, Any]]:
    rows = given.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(Problem(f"must be a list of tables, `[[{name}]]`", file=FILE, column=name))
        return []
    return rows


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _model(row: Mapping[str, Any]) -> Model:
    parameters = {str(name): float(value) for name, value in row.get("parameters", {}).items()}
    for name, value in parameters.items():
        if name not in {*MICRO, *CLEARANCES, "Vd"}:
            raise ValueError(f"parameter {name!r} is not known; known are {', '.join((*MICRO, *CLEARANCES, 'Vd'))}")
        if not (isfinite(value) and value > 0):
            raise ValueError(f"parameter {name} must be above 0; got {value}")
    if row["scaling"] not in ("linear", "allometric"):
        raise ValueError(f"scaling must be linear or allometric; got {row['scaling']!r}")
    return Model(
        id=str(row["id"]), name=str(row["name"]), drug=str(row["drug"]), form=row.get("form"),
        population=str(row["population"]), structure=str(row["structure"]), scaling=str(row["scaling"]),
        parameters=parameters, variability=str(row.get("variability", "")), source=str(row["source"]),
        doi=row.get("doi"), pmid=row.get("pmid"), url=row.get("url"), verified=row["verified"] is True,
        notes=str(row.get("notes", "")),
    )  # fmt: skip


def _effect(row: Mapping[str, Any]) -> Effect:
    low, high = float(row["low"]), None if "high" not in row else float(row["high"])
    if not (isfinite(low) and low >= 0 and (high is None or (isfinite(high) and high > low))):
        raise ValueError("low must be 0 or more, and high above it")
    if row["unit"] != "ng/mL":
        raise ValueError(f"unit must be ng/mL, so that no curve is drawn a thousand times off; got {row['unit']!r}")
    return Effect(
        id=str(row["id"]), name=str(row["name"]), low=low, high=high, unit="ng/mL", form=row.get("form"),
        source=str(row["source"]), doi=row.get("doi"), pmid=row.get("pmid"), verified=row["verified"] is True,
        drawn=row.get("drawn", True) is True, notes=str(row.get("notes", "")),
    )  # fmt: skip


def grid(scheme: Scheme, points: int = 240) -> list[float]:
    """Times in h to draw a curve at: even, with every change of rate on it, to half as long again as the infusion."""
    end = float(scheme.duration.value)
    last = end + max(1.0, end / 2)
    marks = {0.0, last, *(i * last / points for i in range(points + 1))}
    for s in scheme.segments:
        marks |= {float(s.start.value), float(s.end.value)}
    found = sorted(marks)
    # Near a change of rate a curve bends within minutes: refine there.
    extra = [
        a + (b - a) * share for a, b in pairwise(found) for share in (0.25, 0.5, 0.75) if b - a > last / points / 2
    ]
    return sorted({*found, *extra})
