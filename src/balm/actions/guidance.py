"""Guidance of a review package: found by name or folder, read whole, asked.

The rules come from ``guidance/*.toml`` and the regimens from ``arms.csv``; what was pooled comes from the review's own
synthesis. Nothing is written here but the files a person asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from balm.actions.guidance_evidence import Evidence, Newer, evidence_for, newer_than
from balm.guidance import pharmacokinetics
from balm.guidance import therapy as therapies
from balm.guidance.guide import Answer, guide
from balm.guidance.patient import asked
from balm.guidance.pharmacokinetics import Kinetics, read_kinetics
from balm.guidance.rules import Rule, regimens_of, rules_of
from balm.guidance.scheme import read_scheme
from balm.guidance.therapy import Therapy, read_therapy
from balm.review.living.recommendations import remarks, stale_ratings
from balm.review.package import Package
from balm.review.synthesis import Synthesis
from balm.vocabulary.problems import InputError, Problem

#: Names of a person's own files would be guessed; where a name is given, these folders are looked through, in turn.
PLACES = (Path("reviews"), Path(__file__).resolve().parents[3] / "reviews")


@dataclass(frozen=True)
class Guidance:
    """What a package holds for guidance, checked: the therapy, its rules, its models."""

    therapy: Therapy
    rules: tuple[Rule, ...]
    kinetics: Kinetics | None
    package: Package


@dataclass(frozen=True)
class Guided:
    """An answer with the evidence beside it. ``newer`` are published results newer than a source of advice."""

    guidance: Guidance
    answer: Answer
    evidence: tuple[Evidence, ...]
    newer: tuple[Newer, ...]


def guidance_of(package: Package, files: Mapping[str, bytes]) -> Guidance:
    """The guidance of a package and the files of its ``guidance/``; :class:`InputError` with every problem."""
    if therapies.FILE not in files:
        raise InputError(
            Problem("the file is missing: it names the therapy, its settings, conditions and drug forms",
                    file=therapies.FILE)
        )  # fmt: skip
    therapy, problems = read_therapy(files[therapies.FILE])
    kinetics: Kinetics | None = None
    if pharmacokinetics.FILE in files:
        kinetics, wrong = read_kinetics(files[pharmacokinetics.FILE])
        problems += wrong
    if therapy is None:
        raise InputError(problems)
    reports = {r.report: r for r in package.reports}
    rules, wrong = rules_of(package.guidance, therapy, reports)
    problems += wrong
    regimens, wrong = regimens_of(package.arms, package.studies, therapy, reports, package.meta.date)
    problems += wrong
    stale = stale_ratings(package)
    said = {s.id: remarks(package, s, stale) for s in package.guidance}
    rules = tuple(replace(r, remarks=said[r.id]) for r in rules)
    known = {r.id for r in rules}
    problems += tuple(
        Problem(f"{r.id!r} is the id of a statement too", file="arms.csv", column="arm")
        for r in regimens
        if r.id in known
    )
    if problems:
        raise InputError(problems)
    return Guidance(therapy, (*rules, *regimens), kinetics, package)


def guidance_problems(folder: str | Path, package: Package) -> tuple[Problem, ...]:
    """What is wrong with the guidance of a package; nothing where it names no therapy."""
    from balm.actions.review import package_bytes

    files = package_bytes(folder)
    if therapies.FILE not in files:
        return ()
    try:
        guidance_of(package, files)
    except InputError as error:
        return error.problems
    return ()


def folder_of(name: str, places: Sequence[Path] = PLACES) -> Path:
    """The folder of the package that guides the therapy called ``name``; ``name`` may be the folder itself."""
    path = Path(name)
    if (path / "review.toml").is_file():
        return path
    if path.is_dir() or "/" in name or "\\" in name:
        raise InputError(Problem("is no folder of a review package: it holds no review.toml", file=name))
    known: dict[str, Path] = {}
    for place in places:
        for file in sorted(place.glob(f"*/{therapies.FILE}")):
            folder = file.parents[1]
            therapy, _ = read_therapy(file.read_bytes())
            if therapy is None:
                if name == folder.name:
                    return folder
                continue
            if therapy.is_called(name) or folder.name == name:
                return folder
            known.setdefault(therapy.id, folder)
    if not known:
        raise InputError(f"therapy {name!r} is not known here; give the folder of a review package with guidance/")
    from balm.vocabulary.problems import unknown_option

    raise unknown_option("therapy", name, list(known))


def load(name: str) -> tuple[Guidance, Synthesis]:
    """The guidance of a therapy by name or folder, with the synthesis of its review."""
    from balm.actions.review import Review, package_bytes

    folder = folder_of(name)
    review = Review.load(folder)
    return guidance_of(review.package, package_bytes(folder)), review.synthesise()


def ask(
    guidance: Guidance,
    synthesis: Synthesis,
    *,
    weight: str | None = None,
    setting: str | None = None,
    condition: str | None = None,
    form: str | None = None,
    comorbidities: Sequence[str] | None = None,
    concentration: str | None = None,
    plan: str | None = None,
    sessions: str | None = None,
    today: date | None = None,
) -> Guided:
    """The answer to a question given as a person types it; everything that cannot be is refused at once."""
    problems: list[Problem] = []
    patient = None
    try:
        patient = asked(
            guidance.therapy, weight=weight, setting=setting, condition=condition, form=form,
            comorbidities=comorbidities, concentration=concentration,
        )  # fmt: skip
    except InputError as error:
        problems.extend(error.problems)
    scheme = None
    if plan is not None:
        by = patient.weight if patient is not None else None
        try:
            # With a question that cannot be, the plan is still read, so that all that is wrong is said at once.
            scheme = read_scheme(guidance.therapy, plan, by if patient else guidance.therapy.reference_weight, sessions)
        except InputError as error:
            problems.extend(error.problems)
    elif sessions is not None:
        problems.append(Problem("sessions belongs to a plan; give the plan of one session too"))
    if problems or patient is None:
        raise InputError(problems)
    answer = guide(guidance.therapy, guidance.rules, patient, as_of=today or date.today(), scheme=scheme)
    return Guided(
        guidance,
        answer,
        evidence_for(synthesis, guidance.therapy, patient.condition),
        newer_than(guidance.package, [r for r in guidance.rules if r.advises]),
    )
