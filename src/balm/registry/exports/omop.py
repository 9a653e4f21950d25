"""A registry as OMOP CDM 5.4 tables: one drug_exposure row for each segment, the sessions as visits, the people.

The model has no rate: a change of rate ends a row (Themis, issue 108), the rate stands in ``sig`` and the unit in
``dose_unit_source_value``; ``quantity`` is the amount in mg where it can be worked out. Concepts are left 0 ("no
matching concept") with the source value beside them, because mapping belongs to the vocabulary a site has installed;
the one exception is 32817, "EHR", for where the record comes from. Who refused or withdrew consent does not leave.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from balm.registry.doses import dose_mg
from balm.registry.exports.agreed import of_those_who_agreed, without
from balm.registry.registry import Registry
from balm.registry.rows import Session

DRUG_EXPOSURE = (
    "drug_exposure_id", "person_id", "drug_concept_id", "drug_exposure_start_date", "drug_exposure_start_datetime",
    "drug_exposure_end_date", "drug_exposure_end_datetime", "verbatim_end_date", "drug_type_concept_id", "stop_reason",
    "refills", "quantity", "days_supply", "sig", "route_concept_id", "lot_number", "provider_id", "visit_occurrence_id",
    "visit_detail_id", "drug_source_value", "drug_source_concept_id", "route_source_value", "dose_unit_source_value",
)  # fmt: skip
PERSON = (
    "person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
    "race_concept_id", "ethnicity_concept_id", "location_id", "provider_id", "care_site_id", "person_source_value",
    "gender_source_value", "gender_source_concept_id", "race_source_value", "race_source_concept_id",
    "ethnicity_source_value", "ethnicity_source_concept_id",
)  # fmt: skip
VISIT_OCCURRENCE = (
    "visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date", "visit_start_datetime",
    "visit_end_date", "visit_end_datetime", "visit_type_concept_id", "provider_id", "care_site_id",
    "visit_source_value", "visit_source_concept_id", "admitted_from_concept_id", "admitted_from_source_value",
    "discharged_to_concept_id", "discharged_to_source_value", "preceding_visit_occurrence_id",
)  # fmt: skip
NO_CONCEPT, EHR = "0", "32817"
LEFT_OUT = ("participant", "reason")
NO_BIRTH = "no year of birth is recorded, and OMOP requires one"
#: Source values hold 50 characters in the model.
LONGEST_VALUE = 50
#: States of a session in which somebody was there.
HELD = ("running", "signed")


def omop_files(registry: Registry) -> dict[str, str]:
    """``drug_exposure.csv``, ``visit_occurrence.csv`` and ``person.csv``; rows in their order, numbered from 1.

    A segment or a session that still runs has no end and is left out: the model requires one. So is a session that
    was planned or cancelled; every ``visit_occurrence_id`` of an exposure is a row of the visits, or empty. The model
    also requires a year of birth: who has none on record is in no table, and is named in ``left_out.csv``.
    """
    registry = of_those_who_agreed(registry)
    ageless = frozenset(p.participant for p in registry.participants if p.year_of_birth is None)
    registry = without(registry, ageless)
    people = {p.participant: str(i) for i, p in enumerate(registry.participants, start=1)}
    held = [s for s in registry.sessions if s.end is not None and s.status in HELD]
    visits = {s.session: str(i) for i, s in enumerate(held, start=1)}
    mark = "SIMULATED " if registry.definition.simulated else ""
    rows: list[dict[str, str]] = []
    for s in registry.sessions:
        person = people[registry.course_of[s.course].participant]
        for g in registry.standing_segments_of.get(s.session, ()):
            stop = g.stop or (g.start if g.kind == "bolus" else None)
            if stop is None:
                continue
            mg = dose_mg(g, s.weight_kg)
            amount = f"{g.dose:f} {g.dose_unit}" if g.dose is not None else ""
            rate = f"{g.rate:f} {g.rate_unit}" if g.rate is not None else ""
            weight = f" for {s.weight_kg:f} kg" if s.weight_kg is not None and "/kg" in amount + rate else ""
            strength = f", {g.concentration_mg_ml:f} mg/mL" if g.concentration_mg_ml is not None else ""
            rows.append(
                {
                    "drug_exposure_id": str(len(rows) + 1),
                    "person_id": person,
                    "drug_concept_id": NO_CONCEPT,
                    "drug_exposure_start_date": g.start.date().isoformat(),
                    "drug_exposure_start_datetime": f"{g.start:%Y-%m-%d %H:%M:%S}",
                    "drug_exposure_end_date": stop.date().isoformat(),
                    "drug_exposure_end_datetime": f"{stop:%Y-%m-%d %H:%M:%S}",
                    "drug_type_concept_id": EHR,
                    "quantity": "" if mg is None else f"{mg:f}",
                    "sig": f"{g.kind} {' '.join(x for x in (amount, rate) if x)}{weight}{strength}",
                    "route_concept_id": NO_CONCEPT,
                    "visit_occurrence_id": visits.get(s.session, ""),
                    "drug_source_value": f"{mark}{g.drug} {g.form}"[:LONGEST_VALUE],
                    "drug_source_concept_id": NO_CONCEPT,
                    "route_source_value": "intravenous",
                    "dose_unit_source_value": g.rate_unit or g.dose_unit or "",
                }
            )
    persons = [
        {
            "person_id": people[p.participant],
            "gender_concept_id": NO_CONCEPT,
            "year_of_birth": str(p.year_of_birth),
            "race_concept_id": NO_CONCEPT,
            "ethnicity_concept_id": NO_CONCEPT,
            "person_source_value": p.participant,
            "gender_source_value": p.sex or "",
        }
        for p in registry.participants
    ]
    left_out = [{"participant": who, "reason": NO_BIRTH} for who in sorted(ageless)]
    return {
        "drug_exposure.csv": _csv(DRUG_EXPOSURE, rows),
        "visit_occurrence.csv": _csv(VISIT_OCCURRENCE, _visits(registry, held, visits, people)),
        "person.csv": _csv(PERSON, persons),
    } | ({"left_out.csv": _csv(LEFT_OUT, left_out)} if left_out else {})


def _visits(
    registry: Registry, held: Sequence[Session], visits: dict[str, str], people: dict[str, str]
) -> list[dict[str, str]]:
    """One visit for each session that took place, with the visit of the same person before it."""
    before: dict[str, str] = {}
    preceding: dict[str, str] = {}
    for s in sorted(held, key=lambda s: s.start):
        person = registry.course_of[s.course].participant
        preceding[s.session] = before.get(person, "")
        before[person] = visits[s.session]
    rows = []
    for s in held:
        assert s.end is not None
        rows.append(
            {
                "visit_occurrence_id": visits[s.session],
                "person_id": people[registry.course_of[s.course].participant],
                "visit_concept_id": NO_CONCEPT,
                "visit_start_date": s.start.date().isoformat(),
                "visit_start_datetime": f"{s.start:%Y-%m-%d %H:%M:%S}",
                "visit_end_date": s.end.date().isoformat(),
                "visit_end_datetime": f"{s.end:%Y-%m-%d %H:%M:%S}",
                "visit_type_concept_id": EHR,
                "visit_source_value": f"{s.kind} session",
                "visit_source_concept_id": NO_CONCEPT,
                "admitted_from_concept_id": NO_CONCEPT,
                "discharged_to_concept_id": NO_CONCEPT,
                "preceding_visit_occurrence_id": preceding[s.session],
            }
        )
    return rows


def _csv(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
