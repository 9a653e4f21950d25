"""From arms and results to the arms of a network: one a treatment in each study, tied to the rows it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from balm.review.contrasts import (
    AS_IF_PARALLEL,
    FIRST_PERIOD,
    Side,
    Step,
    days,
    group_of,
    timepoint_of,
    whole_periods,
    window_of,
)
from balm.review.networks.planned import NETWORK_MEASURES, folded, names_of
from balm.review.package import NetworkSpec, Package
from balm.vocabulary.evidence import Result, Study
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, slots=True)
class NetworkArm:
    """One treatment in one study: the numbers used, the rows of ``results.csv`` they came from, what was done."""

    treatment: str
    values: Mapping[str, float]  # events, n; or mean, sd, n
    results: tuple[str, ...]
    rows: tuple[int, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkStudy:
    """One study of a network with two treatments or more, all at one time point."""

    study: str
    label: str
    arms: tuple[NetworkArm, ...]
    timepoint: str | None
    design: str
    notes: tuple[str, ...] = ()

    @property
    def treatments(self) -> tuple[str, ...]:
        """Their names, in the order of the arms."""
        return tuple(arm.treatment for arm in self.arms)

    @property
    def people(self) -> float:
        """Participants; in a cross-over trial the same people are in every arm."""
        sizes = [arm.values["n"] for arm in self.arms]
        return max(sizes) if self.design == "cross-over" else sum(sizes)


LeftOut = tuple[tuple[str, str], ...]


def network_studies(package: Package, spec: NetworkSpec) -> tuple[tuple[NetworkStudy, ...], LeftOut]:
    """The studies with their arms, and ``(study, why)`` for every eligible study that gives none."""
    name_of = names_of(spec, package.arms)
    found: list[NetworkStudy] = []
    left_out: list[tuple[str, str]] = []
    for study in package.studies:
        if study.scope not in spec.scopes or (spec.studies and study.study not in spec.studies):
            continue
        if study.design not in spec.designs:
            left_out.append((study.study, f"design: {study.design}"))
            continue
        try:
            made = _study(package, spec, study, name_of)
        except InputError as error:
            made = str(error)
        if isinstance(made, str):
            left_out.append((study.study, made))
        else:
            found.append(made)
    return _told_apart(found), tuple(left_out)


def _study(package: Package, spec: NetworkSpec, study: Study, name_of: Mapping[str, str]) -> NetworkStudy | str:
    """The study's arms, or why it has none."""
    if not study.verified:
        return "not verified against a source"
    windows = package.meta.windows
    here = [
        r
        for r in package.results_of(study.study)
        if r.outcome == spec.outcome and (not spec.windows or window_of(r, windows) in spec.windows)
    ]
    usable = whole_periods([r for r in here if r.usable and r.verified])
    if not usable:
        return _why_none(package, spec, study, here)
    outcome = package.meta.outcome(spec.outcome)
    by_time: dict[tuple[float, str], dict[str, list[Result]]] = {}
    outside: dict[str, str] = {}
    for r in usable:
        arm = package.arm(study.study, r.arm)
        word = getattr(arm, spec.treatment) if arm is not None else None
        name = name_of.get(folded(word)) if word else None
        if name is None:
            outside[r.arm] = (
                f"{r.arm}: {word} is not in this network" if word else f"{r.arm}: no {spec.treatment} on record"
            )
            continue
        at = days(r.time, r.time_unit)
        by_time.setdefault((math.inf if at is None else at, r.timepoint or ""), {}).setdefault(name, []).append(r)
    several = [key for key, held in by_time.items() if len(held) > 1]
    if not several:
        if len({name for held in by_time.values() for name in held}) > 1:
            return "its treatments are reported at different time points"
        return "; ".join(("fewer than two treatments of this network report a number", *outside.values()))
    key = sorted(several, reverse=spec.several == "last")[0]
    sides = {name: group_of(package, study, rows, outcome) for name, rows in by_time[key].items()}
    missing = [f"{name}: {side.notes[0]}" for name, side in sides.items() if not side.values]
    known = {name: side for name, side in sides.items() if side.values}
    if len(known) < 2:
        return "; ".join(missing)
    first = next(iter(known.values())).results[0]
    later = {name for held in by_time.values() for name in held} - by_time[key].keys()
    notes = [*outside.values(), *missing, *(f"{name}: reported at another time only" for name in sorted(later))]
    design = study.design
    if design == "cross-over":
        only_first = all(r.period == "first" for side in known.values() for r in side.results)
        notes.append(FIRST_PERIOD if only_first else AS_IF_PARALLEL)
        design = "parallel" if only_first else design
    arms = tuple(_arm(name, side) for name, side in known.items())
    return NetworkStudy(study.study, study.label, arms, timepoint_of(first), design, tuple(notes))


def _arm(name: str, side: Side) -> NetworkArm:
    return NetworkArm(
        treatment=name,
        values=side.values,
        results=tuple(r.result for r in side.results),
        rows=tuple(r.row for r in side.results),
        steps=side.steps,
        notes=tuple(dict.fromkeys((*side.notes, *(r.notes for r in side.results if r.notes)))),
        sources=tuple(dict.fromkeys(r.source for r in side.results if r.source)),
    )


def _why_none(package: Package, spec: NetworkSpec, study: Study, here: Sequence[Result]) -> str:
    if any(not r.verified for r in here):
        return "its numbers are not verified against a source"
    if why := dict.fromkeys(r.why_not for r in here if not r.usable and r.why_not):
        return "; ".join(map(str, why))
    if here:
        return "reports only the second period of a cross-over trial"
    times = any(r.outcome == spec.outcome for r in package.results_of(study.study))
    return "reported for other times only" if times else "no number for this outcome in what was read"


def _told_apart(studies: Sequence[NetworkStudy]) -> tuple[NetworkStudy, ...]:
    """Studies of one label get their id beside it: an analysis knows them by name."""
    labels = [s.label for s in studies]
    return tuple(replace(s, label=f"{s.label} ({s.study})") if labels.count(s.label) > 1 else s for s in studies)


def silent_in_ratio(study: NetworkStudy, measure: str) -> str:
    """Why a study says nothing about a ratio: nobody, or everybody, has the event in each arm; else empty."""
    if NETWORK_MEASURES[measure] != "binary" or measure == "RD":
        return ""
    if all(arm.values["events"] == 0 for arm in study.arms):
        return "no events in any arm: says nothing about a ratio"
    if all(arm.values["events"] == arm.values["n"] for arm in study.arms):
        return "events in everybody in every arm: says nothing about a ratio"
    return ""
