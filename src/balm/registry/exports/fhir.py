"""A registry as a FHIR R4B Bundle: one MedicationAdministration for each bolus and each stretch at one rate.

HL7 FHIR R4B (4.3.0): MedicationAdministration holds one rate, so that a change of rate ends one resource and begins
the next; all of a session are ``partOf`` its Procedure. Corrected segments leave as what stands; the corrections stay
in the registry. Identities never leave: a Patient is a pseudonym with sex and year of birth. Who refused or withdrew
consent to the registry does not leave.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from balm.registry.exports.agreed import of_those_who_agreed
from balm.registry.quantities import QUANTITIES
from balm.registry.registry import Registry
from balm.registry.rows import AdverseEvent, Assessment, Course, Observation, Segment, Session

#: Names of resources are made from ids, so that the same registry gives the same bundle.
NAMESPACE = uuid.UUID("6f1b2c1e-5d0b-4b8e-9a53-0b1f6a0f7d11")
UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
ATC = "http://www.whocc.no/atc"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
#: The WHO's codes of the two forms, as lists of the group N01AX print them (looked up in November 2026).
FORM_CODES = {
    ("ketamine", "racemic"): ("N01AX03", "ketamine"),
    ("ketamine", "S(+)"): ("N01AX14", "esketamine"),
}
#: FHIR knows three severities; the other two are told by seriousness and outcome.
SEVERITY = {"mild": "mild", "moderate": "moderate", "severe": "severe", "life-threatening": "severe", "fatal": "severe"}
EVENT_OUTCOME = {
    "recovered": "resolved",
    "recovering": "recovering",
    "not recovered": "ongoing",
    "recovered with sequelae": "resolvedWithSequelae",
    "fatal": "fatal",
    "unknown": "unknown",
}
PROCEDURE_STATUS = {"planned": "preparation", "running": "in-progress", "signed": "completed", "cancelled": "not-done"}
GENDER = {"female": "female", "male": "male", "other": "other", "not stated": "unknown"}


def fhir_bundle(registry: Registry) -> dict[str, Any]:
    """The Bundle (type ``collection``) as plain values."""
    registry = of_those_who_agreed(registry)
    b = _Bundle(registry)
    for site in registry.definition.sites:
        b.add("Organization", site.id, {"name": site.name, "identifier": [b.identifier("site", site.id)]})
    for p in registry.participants:
        patient: dict[str, Any] = {
            "identifier": [b.identifier("participant", p.participant)],
            "managingOrganization": b.reference("Organization", p.site),
        }
        if p.sex is not None:
            patient["gender"] = GENDER[p.sex]
        if p.year_of_birth is not None:
            patient["birthDate"] = str(p.year_of_birth)
        b.add("Patient", p.participant, patient)
    for course in registry.courses:
        b.course(course)
    for session in registry.sessions:
        b.session(session)
        for segment in registry.standing_segments_of.get(session.session, ()):
            b.segment(segment, session)
    for o in registry.observations:
        b.observation(o)
    for a in registry.assessments:
        if a.value is not None:
            b.assessment(a)
    for e in registry.adverse_events:
        b.event(e)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection", "entry": b.entries}
    if registry.definition.simulated:
        bundle["meta"] = b.meta
    return bundle


def fhir_text(registry: Registry) -> str:
    """The Bundle as JSON; the same registry gives the same bytes."""
    return json.dumps(fhir_bundle(registry), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


class _Bundle:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.entries: list[dict[str, Any]] = []
        # HTEST is the FHIR tag of test health data: every resource of a simulated registry carries it.
        self.meta = {
            "tag": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "SIMULATED test health data"}]
        }

    def urn(self, kind: str, name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{kind}/{name}')}"

    def identifier(self, kind: str, value: str) -> dict[str, str]:
        return {"system": f"urn:balm:registry:{kind}", "value": value}

    def reference(self, kind: str, name: str) -> dict[str, str]:
        return {"reference": self.urn(kind, name), "type": kind}

    def add(self, kind: str, name: str, fields: dict[str, Any]) -> None:
        resource = {"resourceType": kind, "id": self.urn(kind, name).removeprefix("urn:uuid:"), **fields}
        if self.registry.definition.simulated:
            resource["meta"] = self.meta
        self.entries.append({"fullUrl": self.urn(kind, name), "resource": resource})

    def patient(self, course: str) -> dict[str, str]:
        return self.reference("Patient", self.registry.course_of[course].participant)

    def moment(self, course: str, at: datetime) -> str:
        """With the offset of the site's clock on that day, as FHIR asks of a time."""
        person = self.registry.participant_of[self.registry.course_of[course].participant]
        site = self.registry.definition.site(person.site)
        zone = ZoneInfo(site.timezone if site else "UTC")
        return at.replace(tzinfo=zone).isoformat(timespec="seconds")

    def period(self, course: str, start: datetime, end: datetime | None) -> dict[str, str]:
        found = {"start": self.moment(course, start)}
        return found if end is None else {**found, "end": self.moment(course, end)}

    def quantity(self, value: Decimal | float, unit: str) -> dict[str, Any]:
        number = float(value)
        plain = int(number) if number.is_integer() else number
        return {"value": plain, "unit": unit, "system": UCUM, "code": unit}

    def course(self, c: Course) -> None:
        code: dict[str, Any] = {"text": c.diagnosis}
        self.add("Condition", c.course, {
            "identifier": [self.identifier("course", c.course)],
            "clinicalStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": "active"}]},
            "code": code,
            "category": [{"text": f"{c.pain_type} pain"}],
            "subject": self.patient(c.course),
        })  # fmt: skip

    def session(self, s: Session) -> None:
        self.add("Procedure", s.session, {
            "identifier": [self.identifier("session", s.session)],
            "status": PROCEDURE_STATUS[s.status],
            "code": {"text": f"{self.registry.definition.drug} infusion session ({s.kind})"},
            "subject": self.patient(s.course),
            "performedPeriod": self.period(s.course, s.start, s.end),
            "reasonReference": [self.reference("Condition", s.course)],
        })  # fmt: skip

    def segment(self, g: Segment, s: Session) -> None:
        known = FORM_CODES.get((g.drug.casefold(), g.form))
        medication: dict[str, Any] = {"text": f"{g.drug}, {g.form}"}
        if known:
            medication["coding"] = [{"system": ATC, "code": known[0], "display": known[1]}]
        dosage: dict[str, Any] = {"route": {"text": "intravenous"}}
        words = []
        if g.dose is not None and g.dose_unit is not None:
            dosage["dose"] = self.quantity(g.dose, g.dose_unit)
            words.append(f"{g.dose:f} {g.dose_unit}")
        if g.rate is not None and g.rate_unit is not None:
            dosage["rateQuantity"] = self.quantity(g.rate, g.rate_unit)
            words.append(f"at {g.rate:f} {g.rate_unit}")
        if g.concentration_mg_ml is not None:
            words.append(f"of {g.concentration_mg_ml:f} mg/mL")
        if s.weight_kg is not None and "/kg" in f"{g.dose_unit}{g.rate_unit}":
            words.append(f"for {s.weight_kg:f} kg")
        dosage["text"] = f"{g.kind} {' '.join(words)}"
        fields: dict[str, Any] = {
            "identifier": [self.identifier("segment", g.segment)],
            "partOf": [self.reference("Procedure", s.session)],
            "status": "in-progress" if g.kind == "infusion" and g.stop is None else "completed",
            "medicationCodeableConcept": medication,
            "subject": self.patient(s.course),
            "dosage": dosage,
        }
        if g.kind == "bolus" and g.stop is None:
            fields["effectiveDateTime"] = self.moment(s.course, g.start)
        else:
            fields["effectivePeriod"] = self.period(s.course, g.start, g.stop)
        self.add("MedicationAdministration", g.segment, fields)

    def observation(self, o: Observation) -> None:
        session, quantity = self.registry.session_of[o.session], QUANTITIES[o.quantity]
        code: dict[str, Any] = {"text": quantity.label}
        if quantity.loinc:
            code["coding"] = [{"system": LOINC, "code": quantity.loinc}]
        self.add("Observation", o.observation, {
            "identifier": [self.identifier("observation", o.observation)],
            "status": "final",
            "code": code,
            "subject": self.patient(session.course),
            "partOf": [self.reference("Procedure", o.session)],
            "effectiveDateTime": self.moment(session.course, o.time),
            "valueQuantity": self.quantity(o.value, quantity.unit),
        })  # fmt: skip

    def assessment(self, a: Assessment) -> None:
        instrument = self.registry.definition.instrument(a.instrument)
        item = instrument.item(a.item) if instrument else None
        assert item is not None and instrument is not None and a.value is not None
        code: dict[str, Any] = {"text": f"{instrument.name}: {item.label}"}
        if item.loinc:
            code["coding"] = [{"system": LOINC, "code": item.loinc}]
        self.add("Observation", a.assessment, {
            "identifier": [self.identifier("assessment", a.assessment)],
            "status": "final",
            "category": [{"coding": [{"system": f"{TERMINOLOGY}/observation-category", "code": "survey"}]}],
            "code": code,
            "subject": self.patient(a.course),
            "focus": [self.reference("Condition", a.course)],
            "effectiveDateTime": a.date.isoformat(),
            "valueQuantity": self.quantity(a.value, "{score}"),
            "note": [{"text": f"visit {a.visit}"}],
        })  # fmt: skip

    def event(self, e: AdverseEvent) -> None:
        fields: dict[str, Any] = {
            "identifier": self.identifier("event", e.event),
            "actuality": "actual",
            "event": {"text": e.term},
            "subject": self.patient(e.course),
            "date": e.onset.isoformat(),
            "seriousness": {"coding": [{"system": f"{TERMINOLOGY}/adverse-event-seriousness",
                                        "code": "Serious" if e.serious else "Non-serious"}]},
            "severity": {"coding": [{"system": f"{TERMINOLOGY}/adverse-event-severity", "code": SEVERITY[e.severity]}],
                         "text": e.severity},
        }  # fmt: skip
        if e.outcome is not None:
            code = EVENT_OUTCOME[e.outcome]
            fields["outcome"] = {"coding": [{"system": f"{TERMINOLOGY}/adverse-event-outcome", "code": code}]}
        if e.session is not None:
            suspects = self.registry.standing_segments_of.get(e.session, ())
            if suspects:
                fields["suspectEntity"] = [
                    {"instance": self.reference("MedicationAdministration", g.segment)} for g in suspects
                ]
        self.add("AdverseEvent", e.event, fields)
