"""A clinic's other pages: who is let in, the vault, follow-up by link, import, reports, people, the chain."""

from __future__ import annotations

import re
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from balm.actions.clinic.demonstration import demonstration_clinic
from balm.actions.clinic.follow_up import due_and_overdue, link_for
from balm.actions.clinic.participants import new_pseudonym
from balm.registry.reading import registry_tables
from balm.registry.roles import AUDITOR, DATA_MANAGER, LEAD, MAY, NURSE, PHYSICIAN, ROLES
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.identity.keys import key_of
from balm.store.identity.models import Identity
from balm.store.registry.models import Clinic, ClinicMember, Entry, FollowUpLink, LinkUse
from balm.web.registry.follow_up import MOST_TRIES
from tests.web.clinic import Ward, ward
from tests.web.test_registry_session import held
from tests.web.walking import addresses

__all__ = ["ward"]


def real(ward: Ward, route: str, session: str) -> str:
    """An address with what there is in the first clinic in its places."""
    places = {
        "<slug:clinic>": ward.clinic.slug, "<str:participant>": ward.participant, "<str:course>": ward.course,
        "<str:session>": session, "<str:visit>": "mo1", "<str:table>": "stops", "<str:act>": "vitals",
        "<str:segment>": f"{session}-g1", "<slug:code>": "nobody", "<str:secret>": "none",
        "<int:number>": "999",
    }  # fmt: skip
    for place, value in places.items():
        route = route.replace(place, value)
    return f"/{route}"


def test_every_page_of_a_clinic_as_everybody(ward: Ward) -> None:
    """Other clinics and strangers get 404, the anonymous are sent to sign in, a role without the act gets 403."""
    session = held(ward)
    ward.post(f"sessions/{session}/act/rate/", rate="60", rate_unit="mg/h", form="racemic")
    wrong, seen = [], 0
    for a in addresses():
        if not a.route.startswith("clinics/<"):
            continue
        seen += 1
        path = real(ward, a.route, session)
        assert "<" not in path, path
        for method in ("get", "post"):
            for who in (ward.stranger, ward.elsewhere):
                if (got := getattr(who.client, method)(path).status_code) not in (404, 405):
                    wrong.append((path, method, who.user.email, got))
            if (got := getattr(ward.anonymous, method)(path).status_code) not in (302, 405):
                wrong.append((path, method, "anonymous", got))
            for role, someone in ward.people.items():
                got = getattr(someone.client, method)(path).status_code
                allowed = role in MAY[a.act]
                if got >= 500 or (not allowed and got not in (403, 405)):
                    wrong.append((path, method, role, got))
                if allowed and method == "get" and got not in (200, 405):
                    wrong.append((path, method, role, got))
    assert seen > 20 and wrong == []
    assert list(broken_links(ward.clinic.key)) == []


def test_a_role_is_a_row_and_every_act_is_used(ward: Ward) -> None:
    used = {a.act for a in addresses() if a.act.startswith("clinic ")}
    # Reading the definition is open to all; changing it asks once more inside the page.
    assert used | {"clinic set up", "clinic take home"} == set(MAY)
    assert all(roles <= set(ROLES) for roles in MAY.values())


def test_no_address_of_ones_own_clinic_leads_into_another(ward: Ward) -> None:
    """The lead of clinic B, who may do everything there, with the ids of clinic A in every address of B, and beyond."""
    session = held(ward)
    ward.post(f"sessions/{session}/act/rate/", rate="60", rate_unit="mg/h", form="racemic")
    before = registry_tables(ward.registry)
    theirs = (ward.participant, ward.course, session, ward.clinic.title, ward.clinic.slug, "Ada Example")
    client, wrong, seen, opened = ward.elsewhere.client, [], 0, 0
    for a in addresses():
        if a.of_a_library or "slug" in a.asks:
            continue
        if a.route.startswith("clinics/<"):
            path = real(ward, a.route, session).replace(f"/clinics/{ward.clinic.slug}/", f"/clinics/{ward.other.slug}/")
        elif "<" not in a.route:
            path = f"/{a.route}"
        else:
            continue
        seen += 1
        named = any(one in path for one in theirs[:3])
        for method in ("get", "post"):
            answer = getattr(client, method)(path)
            body = b"".join(answer) if answer.streaming else answer.content
            opened += answer.status_code == 200
            told = [one for one in theirs if one.encode() in body.replace(path.encode(), b"")]
            if told or (named and answer.status_code not in (404, 405, 422)) or answer.status_code >= 500:
                wrong.append((path, method, answer.status_code, told))
        if path.endswith("/account/logout/"):
            client.force_login(ward.elsewhere.user)
    assert seen > 30 and opened > 10 and wrong == []
    assert registry_tables(ward.registry) == before
    for fields in ({"to": "tables"}, {"to": "fhir"}):
        found = client.get(f"/clinics/{ward.other.slug}/export/", fields)
        with zipfile.ZipFile(BytesIO(found.content)) as archive:
            taken = b"".join(archive.read(name) for name in archive.namelist())
        assert not [one for one in theirs if one.encode() in taken]


def test_a_pseudonym_is_drawn_not_worked_out(ward: Ward) -> None:
    assert re.fullmatch(r"P-[2-9A-Z]{8}", ward.participant)
    assert len({new_pseudonym() for _ in range(2000)}) == 2000


def test_enrolling_twice_by_a_double_click_enrols_once(ward: Ward) -> None:
    for _ in range(2):
        sent = ward.post("participants/", NURSE, "c" * 16, year_of_birth="1980", version="v1", given="yes", name="Bo")
        assert sent.status_code == 302
    assert len(ward.registry.participants) == 2
    assert ward.post("participants/", year_of_birth="1850", version="v1", given="yes").status_code == 422
    assert ward.post("participants/", year_of_birth="1980", version="", given="yes").status_code == 422
    assert ward.post("participants/", AUDITOR, version="v1", given="yes").status_code == 403
    assert len(ward.registry.participants) == 2


def everything_kept() -> str:
    """Every row of every table of the database but sessions and accounts, as text."""
    from django.apps import apps

    labels = ("registry", "identity", "events")
    return "\n".join(
        repr(list(m.objects.values())) for label in labels for m in apps.get_app_config(label).get_models()
    )


def test_names_stand_in_the_vault_alone_and_reading_is_noted(ward: Ward) -> None:
    assert "Ada" not in everything_kept() and "ada@home" not in everything_kept()
    for rest in ("", "participants/", f"participants/{ward.participant}/", f"courses/{ward.course}/", "due/"):
        assert "Ada" not in ward.get(rest).content.decode()
    path = f"participants/{ward.participant}/identity/"
    assert ward.post(path).status_code == 422, "no reading without a reason"
    shown = ward.post(path, reason="telephone").content.decode()
    assert "Ada Example" in shown and "ada@home.example" in shown
    event = Event.objects.get(chain=ward.clinic.key, action="read identity")
    assert (event.actor, event.entity_id, event.reason) == ("nora", ward.participant, "telephone")
    for role in (AUDITOR, DATA_MANAGER):
        assert ward.post(path, role, reason="curious").status_code == 403
    assert "Ada" not in ward.get("trail/", AUDITOR).content.decode()


def test_erasing_destroys_the_key_and_the_chain_still_verifies(ward: Ward) -> None:
    path = f"participants/{ward.participant}/identity/"
    assert key_of(ward.clinic.key, ward.participant)
    assert ward.post(f"{path}erase/", NURSE, reason="asked", sure=ward.participant).status_code == 403
    assert ward.post(f"{path}erase/", LEAD, reason="asked", sure="yes").status_code == 422
    assert ward.post(f"{path}erase/", LEAD, reason="asked", sure=ward.participant).status_code == 302
    assert key_of(ward.clinic.key, ward.participant) is None
    assert "Ada" not in ward.post(path, reason="look").content.decode()
    assert Identity.objects.filter(participant=ward.participant).exists(), "the sealed row stays, unreadable"
    assert list(broken_links(ward.clinic.key)) == []
    again = ward.post(f"{path}keep/", name="Ada", reason="x")
    assert again.status_code == 422 and "erased" in again.content.decode()
    assert ward.registry.course_of[ward.course].diagnosis == "CRPS", "what was recorded stays"


def test_the_keys_are_apart_from_the_database_and_for_their_owner_only(ward: Ward, settings) -> None:  # type: ignore[no-untyped-def]
    found = list(Path(settings.IDENTITY_KEYS).rglob(f"{ward.participant}.key"))
    assert len(found) == 1 and found[0].stat().st_mode & 0o077 == 0
    assert found[0].read_text() not in everything_kept()


def test_rows_of_a_clinic_are_written_once(ward: Ward) -> None:
    for table in ("registry_entry", "registry_definition", "registry_sent", "identity_identity"):
        for statement in (f"UPDATE {table} SET id = id + 1000", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def followed(ward: Ward) -> str:
    """A signed session 29 days ago, so that the visit after a month is open; returns the session."""
    session = held(ward)
    start = ward.registry.session_of[session].start - timedelta(days=29)
    row = Entry.objects.filter(table="sessions", key=session).get()
    at = start.strftime("%Y-%m-%dT%H:%M")
    end = (start + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    base = Entry.objects.filter(table="assessments").latest("version")
    day = (start - timedelta(days=2)).date().isoformat()
    Entry.objects.create(clinic=ward.clinic, table="assessments", key=base.key, version=base.version + 1, code="nora",
                         participant=ward.participant, cells={**base.cells, "date": day})  # fmt: skip
    cells = {**row.cells, "start": at, "end": end, "status": "signed", "signed_by": "nora", "signed_at": end,
             "events_asked": "yes"}  # fmt: skip
    Entry.objects.create(clinic=ward.clinic, table="sessions", key=session, version=2, code="nora", cells=cells,
                         participant=ward.participant)  # fmt: skip
    return session


def link_of(ward: Ward, visit: str = "mo1") -> str:
    page = ward.post(f"courses/{ward.course}/visits/{visit}/link/").content.decode()
    found = re.search(r"http://testserver(/follow-up/[^<]+/)", page)
    assert found, page
    return found[1]


ANSWERS = {"answer:nrs:average": "3", "answer:nrs:worst": "5", "answer:pgic:change": "2", "unwanted": "no"}


def test_a_patient_answers_once_by_a_link_that_shows_nothing(ward: Ward) -> None:
    cache.clear()
    followed(ward)
    overdue, due, back = due_and_overdue(ward.clinic)
    assert "mo1" in {w.visit.id for w in (*overdue, *due)} and back == []
    path = link_of(ward)
    patient = Client()
    form = patient.get(path).content.decode()
    for secret in (ward.participant, ward.course, "CRPS", "neuropathic", "1970", "Ada", "1 month", "nora"):
        assert secret not in form, secret
    assert ward.clinic.title in form
    eleven = patient.post(path, {**ANSWERS, "answer:nrs:average": "11"})
    assert eleven.status_code == 422 and "between 0 and 10" in eleven.content.decode()
    assert patient.post(path, {"unwanted": "no"}).status_code == 422, "questions stay open"
    assert LinkUse.objects.count() == 0 and len(ward.registry.assessments) == 1
    assert patient.post(path, ANSWERS).status_code == 200
    assert {(a.instrument, a.item): a.value for a in ward.registry.assessments_of[ward.course] if a.visit == "mo1"} == {
        ("nrs", "average"): 3.0, ("nrs", "worst"): 5.0, ("pgic", "change"): 2.0,
    }  # fmt: skip
    (contact,) = ward.registry.contacts
    assert (contact.reached, contact.events_asked, contact.mode) == (True, True, "link")
    again, unknown = patient.post(path, ANSWERS), patient.get("/follow-up/invented-secret/")
    assert again.status_code == unknown.status_code == patient.get(path).status_code == 404
    clean = [re.sub(rb'X-CSRFToken": "[^"]*"', b"", r.content) for r in (again, unknown)]
    assert clean[0] == clean[1], "used and invented links look the same"
    assert not FollowUpLink.objects.filter(secret_hash=path.split("/")[2]).exists(), "the secret is kept as a hash"
    assert list(broken_links(ward.clinic.key)) == []


def test_a_yes_to_unwanted_effects_is_called_back_and_not_counted_as_asked(ward: Ward) -> None:
    cache.clear()
    followed(ward)
    assert Client().post(link_of(ward), {**ANSWERS, "unwanted": "yes"}).status_code == 200
    assert ward.registry.contacts[0].events_asked is None
    assert len(due_and_overdue(ward.clinic)[2]) == 1 and "Call back" in ward.get("due/").content.decode()
    held_visit = ward.post(
        f"courses/{ward.course}/visits/mo1/", reached="yes", events_asked="yes", mode="telephone", why="called back"
    )
    assert held_visit.status_code == 302, held_visit.content.decode()
    assert due_and_overdue(ward.clinic)[2] == []


def test_a_link_expires_and_the_latest_of_a_visit_works(ward: Ward) -> None:
    cache.clear()
    followed(ward)
    first, second = link_of(ward).split("/")[2], link_of(ward).split("/")[2]
    assert link_for(first) is None and link_for(second) is not None
    link = link_for(second)
    assert link is not None
    FollowUpLink.objects.create(
        clinic=ward.clinic, participant=ward.participant, course=ward.course, visit="wk1", code="nora",
        secret_hash="f" * 64, expires=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    from balm.actions.team.accounts import hashed

    FollowUpLink.objects.create(
        clinic=ward.clinic, participant=ward.participant, course=ward.course, visit="wk2", code="nora",
        secret_hash=hashed("too-old"), expires=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    assert link_for("too-old") is None


def test_guessing_links_is_stopped(db: None) -> None:
    cache.clear()
    client = Client()
    answers = [client.get(f"/follow-up/guess{n}/").status_code for n in range(MOST_TRIES + 3)]
    assert answers[0] == 404 and answers[-1] == 429
    cache.clear()


def test_a_visit_held_by_the_clinic(ward: Ward) -> None:
    followed(ward)
    path = f"courses/{ward.course}/visits/mo1/"
    fields = {"reached": "yes", "events_asked": "yes", "mode": "telephone", "answer:nrs:average": "11"}
    bad = ward.post(path, **fields)
    assert bad.status_code == 422 and "between 0 and 10" in bad.content.decode()
    assert ward.post(path, **{**fields, "answer:nrs:average": "4", "reached": "no"}).status_code == 422
    assert ward.post(path, **{**fields, "answer:nrs:average": "4", "date": "2020-01-01"}).status_code == 422
    assert ward.registry.contacts == ()
    assert ward.post(path, DATA_MANAGER, **{**fields, "answer:nrs:average": "4"}).status_code == 302
    changed = ward.post(path, **{**fields, "answer:nrs:average": "6"})
    assert changed.status_code == 422 and "reason" in changed.content.decode()
    assert ward.post(path, AUDITOR, **fields).status_code == 403


def test_the_due_list_ends_with_the_next_course(ward: Ward) -> None:
    followed(ward)
    assert any(
        w.due.course == ward.course for w in (*due_and_overdue(ward.clinic)[0], *due_and_overdue(ward.clinic)[1])
    )
    path = f"participants/{ward.participant}/course/"
    assert ward.post(path, diagnosis="CRPS", pain_type="neuropathic", setting="chronic").status_code == 302
    again = f"courses/{ward.participant}-c2/session/"
    assert ward.post(again, kind="treatment", weight_kg="70", begin="now").status_code == 302
    waiting = (*due_and_overdue(ward.clinic)[0], *due_and_overdue(ward.clinic)[1])
    assert all(w.visit.id != "mo2" for w in waiting if w.due.course == ward.course)


@pytest.mark.parametrize(
    "table,fields,says",
    [
        ("adverse_events", {"term": "nausea", "onset": "2026-02-30", "severity": "mild", "serious": "no"}, "onset"),
        ("adverse_events", {"term": "n", "onset": "2026-02-02", "resolved": "2026-02-01", "severity": "mild",
                            "serious": "no"}, "dates out of order"),
        ("medications", {"drug": "morphine", "kind": "opioid", "dose": "-3", "dose_unit": "mg"}, "dose"),
        ("medications", {"drug": "morphine", "kind": "opioid", "dose": "3"}, "come together"),
        ("stops", {"date": "2199-01-01", "reason": "own wish"}, "future"),
        ("stops", {"date": "2026-03-01", "reason": "bored"}, "must be one of"),
    ],
)  # fmt: skip
def test_rows_of_a_course_are_checked(ward: Ward, table: str, fields: dict[str, str], says: str) -> None:
    before = Entry.objects.count()
    answer = ward.post(f"courses/{ward.course}/record/{table}/", **fields)
    assert answer.status_code == 422 and says in answer.content.decode(), answer.content.decode()[2000:5000]
    assert Entry.objects.count() == before


def test_rows_of_a_course_are_kept(ward: Ward) -> None:
    path = f"courses/{ward.course}/record/"
    assert ward.post(f"{path}medications/", drug="morphine", kind="opioid", morphine_mg_day="40").status_code == 302
    event = {"term": "nausea", "onset": "2026-02-02", "severity": "mild", "serious": "no"}
    assert ward.post(f"{path}adverse_events/", **event).status_code == 302
    assert ward.post(f"{path}stops/", date="2026-03-01", reason="own wish").status_code == 302
    assert ward.post(f"{path}stops/", date="2026-03-02", reason="own wish").status_code == 422, "without why"
    assert ward.post(f"{path}segments/").status_code == 404
    withdrawn = ward.registry.consents[0].date.isoformat()
    consent = {"purpose": "registry", "version": "v1", "given": "yes", "date": withdrawn, "withdrawn": withdrawn}
    assert ward.post(f"participants/{ward.participant}/consent/", **consent).status_code == 302
    assert ward.registry.consents[0].withdrawn is not None


HEAD = "session,course,number,kind,status,start,weight_kg\n"
TABLE = "who;clinic;from day;born\nX-1;site1;05/01/2026;1970\nX-2;site1;06/01/2026;1981\n"


def test_import_maps_columns_tries_dry_and_saves_whole(ward: Ward) -> None:
    client = ward.people[DATA_MANAGER].client
    sent = {"file": SimpleUploadedFile("people.csv", TABLE.replace(";", ",").encode()), "table": "participants"}
    first = client.post(ward.path("import/"), sent)
    assert first.status_code == 422 and "who" in first.content.decode()
    packed = re.search(r'name="packed" value="([^"]+)"', first.content.decode())
    assert packed
    form = {"packed": packed[1], "name": "people.csv", "table": "participants", "decimal": ".",
            "column:participant": "who", "column:site": "clinic", "column:enrolled": "from day",
            "column:year_of_birth": "born", "date_format": "%d/%m/%Y"}  # fmt: skip
    wrong = client.post(ward.path("import/"), {**form, "date_format": "%m/%Y"})
    assert wrong.status_code == 422 and "row 1, column from day" in wrong.content.decode()
    before = Entry.objects.count()
    dry = client.post(ward.path("import/"), form)
    assert dry.status_code == 200 and "2 participants" in dry.content.decode() and Entry.objects.count() == before
    assert client.post(ward.path("import/"), {**form, "do": "save"}).status_code == 302
    assert {"X-1", "X-2"} <= set(ward.registry.participant_of)
    assert client.post(ward.path("import/"), {**form, "do": "save"}).status_code == 302
    assert Entry.objects.count() == before + 2, "what is there already is not added again"
    assert list(broken_links(ward.clinic.key)) == []


@pytest.mark.parametrize(
    "text,says",
    [
        (f"{HEAD}X,{{course}},1,test,planned,2026-03-01T09:00,700\n", "350 kg"),
        (f"{HEAD}X,{{course}},1,test,planned,2026-03-01T09:00,70 kg\n"
         "Y,{course},2,test,planned,2026-03-02T09:00,154 lb\n", "one column has one unit"),
        ("participant,site,enrolled\nX,site9,2026-01-05\n", "site9"),
        ("a,b\n1,2\n", "header"),
        ("", "empty"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_named_and_saves_nothing(ward: Ward, text: str, says: str) -> None:
    before = Entry.objects.count()
    file = SimpleUploadedFile("x.csv", text.replace("{course}", ward.course).encode())
    answer = ward.people[LEAD].client.post(ward.path("import/"), {"file": file, "do": "save"})
    assert answer.status_code == 422 and says in answer.content.decode(), answer.content.decode()[2000:5000]
    assert Entry.objects.count() == before


def test_export_holds_the_tables_and_no_name(ward: Ward) -> None:
    for to in ("tables", "fhir", "omop", "redcap"):
        answer = ward.get(f"export/?to={to}", DATA_MANAGER)
        assert answer.status_code == 200
        with zipfile.ZipFile(BytesIO(answer.content)) as archive:
            body = b"".join(archive.read(n) for n in archive.namelist())
        assert ward.participant.encode() in body and b"Ada" not in body
    assert ward.get("export/?to=pdf", DATA_MANAGER).status_code == 422
    assert ward.get("export/?to=tables", NURSE).status_code == 403


def test_reports_show_what_was_recorded(ward: Ward, team) -> None:  # type: ignore[no-untyped-def]
    followed(ward)
    assert ward.get("reports/", AUDITOR).status_code == 200
    page = ward.get("reports/audit/")
    assert page.status_code == 200 and "Clinic A" in page.content.decode()
    assert "script-src 'none'" in page.headers["Content-Security-Policy"]
    assert ward.get("reports/audit/?since=2026-05-01&until=2026-01-01").status_code == 422
    assert ward.get("reports/audit/?since=soon").status_code == 422
    assert ward.get(f"reports/audit/?review={team.review.slug}").status_code == 422, "a review of others"
    team.review.public = True
    team.review.save()
    beside = ward.get(f"reports/audit/?review={team.review.slug}")
    assert beside.status_code == 200
    for words in ("Vall", "51.1%", "31.1%"):
        assert words in beside.content.decode(), "the published cohort stands beside the clinic"


def test_people_roles_and_the_last_lead(ward: Ward) -> None:
    assert ward.post("people/", LEAD, email="nobody@example.org", role="nurse").status_code == 422
    assert ward.post("people/", LEAD, email=ward.stranger.user.email, role="king").status_code == 422
    assert ward.post("people/", NURSE, email=ward.stranger.user.email, role="nurse").status_code == 403
    assert ward.post("people/", LEAD, email=ward.stranger.user.email, role="nurse").status_code == 302
    assert ward.stranger.client.get(ward.path()).status_code == 200
    assert ward.post("people/", LEAD, email="lea@clinic.example", role="nurse").status_code == 422, "the last lead"
    assert ward.post("people/lea/remove/", LEAD, reason="x").status_code == 422
    code = ClinicMember.objects.get(clinic=ward.clinic, user=ward.stranger.user).code
    assert ward.post(f"people/{code}/remove/", LEAD, reason="left").status_code == 302
    assert ward.stranger.client.get(ward.path()).status_code == 404


INSTRUMENT = b"""id = "sleep"
name = "Sleep"
better = "lower"
[[items]]
id = "bad"
label = "How badly did you sleep?"
low = 0
high = 10
"""


def test_the_definition_changes_with_a_reason_and_loads_instruments(ward: Ward) -> None:
    page = ward.get("definition/", LEAD).content.decode()
    assert "Change" in page and "Change" not in ward.get("definition/").content.decode().split("<h2>Versions")[1]
    from balm.store.registry.models import Definition

    text = Definition.objects.get(clinic=ward.clinic).text
    new = text.replace('instruments = ["nrs", "pgic"]', 'instruments = ["nrs", "pgic", "sleep"]')
    client = ward.people[LEAD].client

    def send(**fields):  # type: ignore[no-untyped-def]
        return client.post(
            ward.path("definition/"), {"instrument": SimpleUploadedFile("sleep.toml", INSTRUMENT), **fields}
        )

    assert send(text=new, reason="").status_code == 422
    assert send(text="title = ", reason="x").status_code == 422
    assert send(text=text.replace("simulated = false", "simulated = true"), reason="x").status_code == 422
    assert Definition.objects.filter(clinic=ward.clinic).count() == 1
    assert send(text=new, reason="sleep matters").status_code == 302
    assert "Sleep" in ward.get("definition/").content.decode()
    assert ward.post("definition/", NURSE, text=new, reason="x").status_code == 403


def test_the_trail_shows_a_chain_that_stands(ward: Ward) -> None:
    page = ward.get("trail/", AUDITOR).content.decode()
    assert "stands as it was written" in page and ward.participant in page
    assert ward.get("trail/", NURSE).status_code == 403
    assert ward.get("trail/?before=3", LEAD).status_code == 200


def test_clinics_are_started_by_who_manages_the_server(ward: Ward) -> None:
    client = ward.stranger.client
    assert client.post("/clinics/", {"title": "Clinic C"}).status_code == 404
    ward.stranger.user.is_staff = True
    ward.stranger.user.save()
    assert client.post("/clinics/", {"title": "", "timezone": "Europe/Brussels"}).status_code == 422
    assert client.post("/clinics/", {"title": "C", "timezone": "Mars/Base"}).status_code == 422
    assert client.post("/clinics/", {"title": 'The "C" clinic', "timezone": "Europe/Paris"}).status_code == 302
    assert Clinic.objects.filter(title='The "C" clinic').exists()
    assert "Clinic A" not in client.get("/clinics/").content.decode()
    assert "Clinic A" in ward.people[PHYSICIAN].client.get("/").content.decode()


def test_the_demonstration_is_marked_on_every_page(db: None, tmp_path: Path) -> None:
    accounts = demonstration_clinic(tmp_path / "accounts")
    again = demonstration_clinic(tmp_path / "accounts")
    assert accounts == again and [a.role for a in accounts] == ["nurse", "clinic lead"]
    clinic = Clinic.objects.get()
    client = Client()
    client.force_login(
        ClinicMember.objects.get(clinic=clinic, role=LEAD).user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    person = Entry.objects.filter(clinic=clinic, table="segments").first()
    assert person is not None
    places = {
        "<slug:clinic>": clinic.slug, "<str:participant>": person.participant, "<str:session>": person.cells["session"],
        "<str:course>": person.cells["session"].rsplit("-", 1)[0], "<str:visit>": "mo1", "<str:segment>": person.key,
    }  # fmt: skip
    seen = 0
    for a in addresses():
        if a.route.startswith("clinics/<"):
            path = a.route
            for place, value in places.items():
                path = path.replace(place, value)
            answer = client.get(f"/{path}")
            if answer.status_code != 405 and "<" not in path:
                seen += 1
                assert answer.status_code == 200, path
                assert "SIMULATED" in answer.content.decode(), path
    assert seen >= 14
    assert list(broken_links(clinic.key)) == []


def test_a_file_that_cannot_be_read_is_named_as_it_was_sent(ward: Ward) -> None:
    for name, data, words in (
        ("cut.csv", b"session,course,number\ns1,c1\n", "cut.csv, row 1: 2 cells where the header has 3"),
        ("old.csv", b"session,course\ns1,Zo\xeb\n", "old.csv: line 2, byte 6 (0xEB) is not UTF-8"),
        ("none.csv", b"", "none.csv: is empty"),
    ):
        answer = ward.people[LEAD].client.post(ward.path("import/"), {"file": SimpleUploadedFile(name, data)})
        page = answer.content.decode()
        assert answer.status_code == 422 and words in page and "/tmp" not in page, name
    assert not Entry.objects.filter(clinic=ward.clinic, table="sessions").exists()
