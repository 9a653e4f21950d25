"""A planned network carried out: part by part where no study joins all treatments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from balm.review.networks.arms import LeftOut, NetworkStudy, network_studies, silent_in_ratio
from balm.review.networks.planned import NETWORK_MEASURES
from balm.review.package import NetworkSpec, Outcome, Package, Window
from balm.stats.network.contributions import Contributions
from balm.stats.network.designs import Designs
from balm.stats.network.network import Network, network
from balm.vocabulary.problems import InputError

SILENT = "Every study of two treatments for this outcome and time window says nothing about the measure."
NOTHING = "No study reports numbers of two treatments for this outcome and time window; nothing is compared."


@dataclass(frozen=True)
class NetworkPart:
    """One connected part of a network, as a rule the whole of it. ``fit`` is ``None`` where ``why`` says why not.

    ``reference`` is the planned one where it is in this part, else the treatment of most studies.
    """

    number: int
    treatments: tuple[str, ...]
    studies: tuple[NetworkStudy, ...]
    reference: str
    fit: Network | None
    why: str = ""

    @property
    def people(self) -> float:
        """Participants of its studies."""
        return math.fsum(s.people for s in self.studies)

    @property
    def network(self) -> Network:
        """The fit, where there is one: ask for it only then."""
        assert self.fit is not None
        return self.fit

    @cached_property
    def designs(self) -> Designs:
        """Q by design, and the tests of inconsistency."""
        return self.network.by_design()

    @cached_property
    def shares(self) -> Contributions:
        """What each direct comparison, and each study, contributes to every estimate."""
        return self.network.contributions()


@dataclass(frozen=True)
class NetworkResult:
    """A planned network carried out. ``parts`` begin with the one that holds the reference; the others by size.

    ``not_used`` lists every eligible study that could not contribute, and why; ``lost`` the treatments that only such
    studies hold.
    """

    id: str
    title: str
    spec: NetworkSpec
    outcome: Outcome
    windows: tuple[Window, ...]
    measure: str
    parts: tuple[NetworkPart, ...]
    not_used: LeftOut = ()
    lost: tuple[str, ...] = ()
    why_none: str = ""

    @property
    def fit(self) -> Network | None:
        """The network of the reference; ``None`` where it could not be estimated."""
        return self.parts[0].fit if self.parts else None

    @property
    def studies(self) -> tuple[NetworkStudy, ...]:
        """Every study that is in one of its parts."""
        return tuple(s for part in self.parts for s in part.studies)

    @property
    def treatments(self) -> tuple[str, ...]:
        """The treatments of all parts."""
        return tuple(t for part in self.parts for t in part.treatments)

    def part_of(self, treatment: str) -> NetworkPart | None:
        """The part that holds a treatment."""
        return next((part for part in self.parts if treatment in part.treatments), None)


def analyse_network(package: Package, spec: NetworkSpec) -> NetworkResult:
    """One planned network; studies that say nothing are named, and parts that nothing joins stand on their own."""
    given, left_out = network_studies(package, spec)
    silent = [(s.study, why) for s in given if (why := silent_in_ratio(s, spec.measure))]
    dropped = {study for study, _ in silent}
    studies = [s for s in given if s.study not in dropped]
    held = {t for s in studies for t in s.treatments}
    parts = parts_of(spec, studies)
    return NetworkResult(
        id=spec.id,
        title=spec.title,
        spec=spec,
        outcome=package.meta.outcome(spec.outcome),
        windows=tuple(package.meta.window(w) for w in spec.windows),
        measure=spec.measure,
        parts=parts,
        not_used=(*left_out, *silent),
        lost=tuple(sorted({t for s in given for t in s.treatments} - held, key=str.casefold)),
        why_none="" if parts else SILENT if silent else NOTHING,
    )


def parts_of(spec: NetworkSpec, studies: Sequence[NetworkStudy]) -> tuple[NetworkPart, ...]:
    """The parts that these studies make of the planned network, each carried out."""
    return tuple(_part(i, spec, own) for i, own in enumerate(_joined(studies, spec.reference), 1))


def _joined(studies: Sequence[NetworkStudy], reference: str) -> list[list[NetworkStudy]]:
    """The studies by connected part: that of the reference first, the others by number of studies."""
    part: dict[str, int] = {}
    for number, study in enumerate(studies):
        met = {part[t] for t in study.treatments if t in part}
        part |= dict.fromkeys(study.treatments, number)
        part = {t: number if p in met else p for t, p in part.items()}
    found: dict[int, list[NetworkStudy]] = {}
    for study in studies:
        found.setdefault(part[study.treatments[0]], []).append(study)
    own = part.get(reference)
    return [found[p] for p in sorted(found, key=lambda p: (p != own, -len(found[p])))]


def _part(number: int, spec: NetworkSpec, studies: Sequence[NetworkStudy]) -> NetworkPart:
    count: dict[str, int] = {}
    for study in studies:
        for t in study.treatments:
            count[t] = count.get(t, 0) + 1
    treatments = tuple(sorted(sorted(count), key=str.casefold))
    reference = spec.reference if spec.reference in count else max(treatments, key=lambda t: count[t])
    try:
        fit, why = _fit(spec, studies, reference), ""
    except InputError as error:
        fit, why = None, "; ".join(problem.reason for problem in error.problems)  # its rows are no rows of a file
    return NetworkPart(number, treatments, tuple(studies), reference, fit, why)


def _fit(spec: NetworkSpec, studies: Sequence[NetworkStudy], reference: str) -> Network:
    arms = [(s.label, arm) for s in studies for arm in s.arms]
    names = ("events", "n") if NETWORK_MEASURES[spec.measure] == "binary" else ("mean", "sd", "n")
    columns: dict[str, Any] = {name: [arm.values[name] for _, arm in arms] for name in names}
    return network(
        spec.measure,
        study=[label for label, _ in arms],
        treatment=[arm.treatment for _, arm in arms],
        **columns,
        add=spec.add,
        counts="fractional",  # the groups of cluster trials stand at their effective sizes
        model=spec.model,
        tau2=spec.tau2,
        reference=reference,
        better=spec.better,
        level=spec.level,
    )


def arms_of(part: NetworkPart) -> dict[str, list[Any]]:
    """The arms of a part as columns: study, treatment and the numbers used."""
    arms = [(s.label, arm) for s in part.studies for arm in s.arms]
    found: dict[str, list[Any]] = {"study": [label for label, _ in arms], "treatment": [a.treatment for _, a in arms]}
    for name in arms[0][1].values:
        found[name] = [arm.values[name] for _, arm in arms]
    return found
