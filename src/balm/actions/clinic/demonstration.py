"""The demonstration clinic: one site of the simulated registry, with a nurse's account, beside the bundled review."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

from django.db import transaction

from balm.actions.clinic.acting import ClinicActing, clock
from balm.actions.clinic.clinics import start_clinic
from balm.actions.team.demonstration import DemonstrationAccount, accounts_for, as_it_holds, keep_passwords
from balm.registry.demonstration import demonstration_files
from balm.registry.roles import LEAD, NURSE
from balm.registry.tables import TABLES
from balm.store.accounts.models import User
from balm.store.events.chain import append_event
from balm.store.registry.current import definition_of, key_of_row
from balm.store.registry.models import Clinic, ClinicMember, Entry
from balm.vocabulary.table_text import as_cell

SITE, SLUG = "sim-north", "simulated-clinic-north"
#: A nurse who records, and a physician who leads the clinic and amends.
PEOPLE = (
    ("nadia@demonstration.example", "Nadia Nurse", "nadia", NURSE),
    ("clara@demonstration.example", "Clara Physician", "clara", LEAD),
)
#: Patients of today, so that there is something to record: pseudonym, what they come for; the last one was treated a
#: month ago and is due to answer.
TODAY = (("SIM-TODAY-1", "treatment"), ("SIM-TODAY-2", "test"), ("SIM-TODAY-3", "answer"))
MONTH = timedelta(days=30)


@transaction.atomic
def demonstration_clinic(kept: Path) -> tuple[DemonstrationAccount, ...]:
    """The accounts of the simulated clinic, made with it on the first call and found again on every later one.

    A clinic of this name that is not simulated stays as it is, and gets no account.
    """
    found = Clinic.objects.filter(slug=SLUG).first()
    if found is not None and not found.simulated:
        return ()
    accounts = accounts_for(PEOPLE, kept)
    if found is None:
        _bring_in(accounts)
    keep_passwords(kept, accounts)
    return tuple(as_it_holds(a) for a in accounts)


def _bring_in(accounts: tuple[DemonstrationAccount, ...]) -> Clinic:
    nurse, lead = accounts
    files = demonstration_files()
    text = files["registry.toml"].decode()
    for block in re.findall(r"\[\[sites\]\]\n(?:[a-z]+ = .*\n)+\n", text):
        if f'id = "{SITE}"' not in block:
            text = text.replace(block, "")
    users = {a.code: User.objects.get(email=a.email) for a in accounts}
    clinic = start_clinic(
        title="Simulated clinic North", user=users[lead.code], code=lead.code, name=lead.name, definition=text
    )
    member = ClinicMember.objects.create(
        clinic=clinic, user=users[nurse.code], code=nurse.code, name=nurse.name, role=NURSE
    )
    tables = {t.attribute: list(csv.DictReader(io.StringIO(files[t.file].decode()))) for t in TABLES}
    people = {row["participant"] for row in tables["participants"] if row["site"] == SITE}
    person_of = {row["course"]: row["participant"] for row in tables["courses"]}
    course_of = {row["session"]: row["course"] for row in tables["sessions"]}
    for name, rows in _today(clinic).items():
        tables[name] += rows
        if name == "participants":
            people |= {row["participant"] for row in rows}
        person_of |= {row["course"]: row["participant"] for row in rows if name == "courses"}
        course_of |= {row["session"]: row["course"] for row in rows if name == "sessions"}
    made = []
    for table in TABLES:
        for row in tables[table.attribute]:
            course = row.get("course") or course_of.get(row.get("session") or "", "")
            who = row.get("participant") or person_of[course]
            if who in people:
                cells = {name: cell for name, cell in row.items() if cell}
                made.append(Entry(clinic=clinic, table=table.attribute, key=key_of_row(table, cells), participant=who,
                                  cells=cells, code="simulation"))  # fmt: skip
    Entry.objects.bulk_create(made, batch_size=500)
    acting = ClinicActing(clinic, member)
    append_event(
        clinic.key, acting.actor, "bring in simulated registry", "registry", SITE, after={"simulated": len(made)}
    )
    return clinic


def _today(clinic: Clinic) -> dict[str, list[dict[str, str]]]:
    """Simulated patients with a session planned for the day the clinic is made, and one who is due to answer."""
    now = clock(definition_of(clinic))
    tables = ("participants", "consents", "courses", "assessments", "sessions", "segments")
    rows: dict[str, list[dict[str, str]]] = {n: [] for n in tables}
    for number, (who, kind) in enumerate(TODAY):
        before = MONTH if kind == "answer" else timedelta()
        day = (now - before - timedelta(days=10)).date().isoformat()
        start = (now - before).replace(hour=9 + number % 2, minute=0, second=0)
        course, session = f"{who}-c1", f"{who}-c1-s1"
        rows["participants"].append({"participant": who, "site": SITE, "enrolled": day, "year_of_birth": "1971"})
        rows["consents"].append(
            {"participant": who, "purpose": "registry", "version": "SIM-1", "given": "yes", "date": day}
        )
        rows["courses"].append({
            "course": course, "participant": who, "number": "1", "diagnosis": "complex regional pain syndrome",
            "pain_type": "neuropathic", "setting": "chronic", "protocol": "fixed-150",
        })  # fmt: skip
        rows["assessments"].append({
            "assessment": f"{course}-baseline-nrs-average", "course": course, "visit": "baseline",
            "instrument": "nrs", "item": "average", "date": (start - timedelta(days=2)).date().isoformat(),
            "value": "8", "mode": "clinic",
        })  # fmt: skip
        planned = {"session": session, "course": course, "number": "1", "kind": kind, "status": "planned",
                   "start": as_cell(start)}  # fmt: skip
        if kind == "answer":
            end = as_cell(start + timedelta(hours=2))
            planned |= {"kind": "treatment", "status": "signed", "end": end, "weight_kg": "70", "events_asked": "yes",
                        "signed_by": "sim-nurse", "signed_at": end}  # fmt: skip
            rows["segments"].append({
                "segment": f"{session}-g1", "session": session, "kind": "infusion", "drug": "ketamine",
                "form": "racemic", "start": as_cell(start), "stop": end, "rate": "75", "rate_unit": "mg/h",
            })  # fmt: skip
        rows["sessions"].append(planned)
    return rows
