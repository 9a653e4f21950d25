"""People around two clinics: one in each role of the first, a nurse of the other, a stranger; and a patient in it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from balm.actions.clinic.acting import ClinicActing, clock
from balm.actions.clinic.clinics import start_clinic
from balm.actions.clinic.participants import enrol, record
from balm.registry.roles import AUDITOR, DATA_MANAGER, LEAD, NURSE, PHYSICIAN
from balm.store.registry.current import definition_of, registry_of
from balm.store.registry.models import Clinic, ClinicMember
from tests.web.conftest import Someone, person


@dataclass
class Ward:
    """Two clinics and their people; ``participant`` has a course of the first, with its baseline answered."""

    clinic: Clinic
    other: Clinic
    people: dict[str, Someone]
    stranger: Someone
    elsewhere: Someone
    anonymous: Client
    participant: str
    course: str

    def acting(self, role: str) -> ClinicActing:
        """A member as the actions know them."""
        return ClinicActing(self.clinic, ClinicMember.objects.get(clinic=self.clinic, role=role))

    def path(self, rest: str = "") -> str:
        """An address in the first clinic."""
        return f"/clinics/{self.clinic.slug}/{rest}"

    def get(self, rest: str, role: str = NURSE) -> HttpResponse:
        """Open a page as somebody."""
        return self.people[role].client.get(self.path(rest))

    def post(self, rest: str, role: str = NURSE, submission: str = "", /, **fields: str) -> HttpResponse:
        """Send a form as somebody; without ``submission`` it is a new form."""
        sent = {"submission": submission or secrets.token_hex(8), **fields}
        return self.people[role].client.post(self.path(rest), sent)

    @property
    def registry(self):  # type: ignore[no-untyped-def]
        """The first clinic's registry as it stands."""
        return registry_of(self.clinic)

    def begin(self, kind: str = "treatment", weight: str = "70") -> str:
        """Begin a session by the page; returns its id."""
        answer = self.post(f"courses/{self.course}/session/", kind=kind, weight_kg=weight, begin="now")
        assert answer.status_code == 302, answer.content.decode()
        return answer.headers["Location"].rstrip("/").rpartition("/")[2]


@pytest.fixture
def ward(db: None) -> Ward:
    """The clinic."""
    lead = person("lea@clinic.example", "Lea Lead")
    clinic = start_clinic(title="Clinic A", user=lead.user, code="lea", name="Lea")
    people = {LEAD: lead}
    for role, code in ((PHYSICIAN, "phil"), (NURSE, "nora"), (DATA_MANAGER, "dan"), (AUDITOR, "aude")):
        people[role] = person(f"{code}@clinic.example", code.capitalize())
        ClinicMember.objects.create(clinic=clinic, user=people[role].user, code=code, name=code, role=role)
    elsewhere = person("otto@elsewhere.example", "Otto")
    other = start_clinic(title="Clinic B", user=elsewhere.user, code="otto", name="Otto")
    nurse = ClinicActing(clinic, ClinicMember.objects.get(clinic=clinic, role=NURSE))
    participant = enrol(
        nurse, cells={"year_of_birth": "1970"}, consent={"version": "v1", "given": "yes"},
        identity={"name": "Ada Example", "contact": "ada@home.example"}, submission=secrets.token_hex(8),
    )  # fmt: skip
    made = {"diagnosis": "CRPS", "pain_type": "neuropathic", "setting": "chronic", "protocol": "fixed-150"}
    record(nurse, participant, "courses", made, submission=secrets.token_hex(8))
    course = f"{participant}-c1"
    day = clock(definition_of(clinic)).date().isoformat()
    cells = {"course": course, "visit": "baseline", "instrument": "nrs", "item": "average", "date": day, "value": "8"}
    record(nurse, participant, "assessments", cells, submission=secrets.token_hex(8))
    return Ward(clinic, other, people, person("s@example.org", "S"), elsewhere, Client(), participant, course)


def ago(ward: Ward, **span: int) -> str:
    """A moment of the clinic's clock before now, as a form sends it."""
    return (clock(definition_of(ward.clinic)) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M")
