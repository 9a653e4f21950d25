"""A clinic's people come by invitation; its registry leaves in three files and comes back the same."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import Client

from balm.actions.archive_zip import SUMS, zipped_with_sums
from balm.actions.clinic.archive import bring_clinic, keys_by_operator, registry_by_operator, vault_by_operator
from balm.actions.clinic.demonstration import demonstration_clinic
from balm.actions.clinic.participants import enrol, erase_identity, read_identity
from balm.actions.team.acting import Refused
from balm.registry.roles import DATA_MANAGER, LEAD, NURSE
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.registry.models import Clinic, ClinicInvitation, ClinicMember
from balm.vocabulary.problems import InputError
from tests.web.clinic import Ward, ward
from tests.web.conftest import person
from tests.web.unguarded import unguarded

__all__ = ["ward"]


def test_somebody_new_is_invited_and_joins_once(ward: Ward) -> None:
    sent = ward.post("people/", LEAD, do="invite", email="Nia@Clinic.example", name="Nia New", role=NURSE)
    assert sent.status_code == 200 and len(mail.outbox) == 1
    link = re.search(r"/clinic-invitations/[\w-]+/", sent.content.decode())[0]  # type: ignore[index]
    assert link in mail.outbox[0].body
    events = json.dumps(list(Event.objects.filter(chain=ward.clinic.key).values("after", "reason", "entity_id")))
    assert "nia@clinic.example" not in events.lower()
    again = ward.post("people/", LEAD, do="invite", email="nia@clinic.example", name="Nia", role=NURSE)
    assert again.status_code == 422 and "has an invitation already" in again.content.decode()
    new = Client()
    assert "clinic" in new.get(link).content.decode()
    password = "a rather long sentence 7"
    joined = new.post(link, {"name": "Nia New", "password": password, "again": password})
    assert joined.status_code == 302 and new.get(ward.path()).status_code == 200
    assert Client().get(link).status_code == 404
    member = ClinicMember.objects.get(clinic=ward.clinic, code="nia")
    assert (member.role, member.active) == (NURSE, True) and not list(broken_links(ward.clinic.key))


def test_an_invitation_is_the_leads_and_can_be_withdrawn(ward: Ward) -> None:
    assert ward.post("people/", NURSE, do="invite", email="x@y.example", name="X", role=LEAD).status_code == 403
    for wrong in ({"email": "nowhere", "name": "X"}, {"email": "x@y.example", "name": " "},
                  {"email": "x@y.example", "code": "nobody"}, {"email": "nora@clinic.example", "name": "N"},
                  {"email": "x@y.example", "code": "nora"}):  # fmt: skip
        assert ward.post("people/", LEAD, do="invite", role=NURSE, **wrong).status_code == 422, wrong
    assert ward.post("people/", LEAD, do="invite", role="chief", email="x@y.example", name="X").status_code == 422
    assert not ClinicInvitation.objects.exists()
    page = ward.post("people/", LEAD, do="invite", email="x@y.example", name="Xaver", role=NURSE).content.decode()
    link = re.search(r"/clinic-invitations/[\w-]+/", page)[0]  # type: ignore[index]
    number = ClinicInvitation.objects.get().pk
    assert ward.people[NURSE].client.post(ward.path(f"people/invitations/{number}/withdraw/")).status_code == 403
    assert ward.elsewhere.client.post(ward.path(f"people/invitations/{number}/withdraw/")).status_code == 404
    assert ward.people[LEAD].client.post(ward.path(f"people/invitations/{number}/withdraw/")).status_code == 302
    assert Client().get(link).status_code == 404
    assert ward.people[LEAD].client.get(ward.path()).status_code == 200


def taken(clinic: Clinic) -> tuple[bytes, bytes, bytes]:
    return registry_by_operator(clinic), vault_by_operator(clinic), keys_by_operator(clinic)


def elsewhere(clinic: Clinic) -> None:
    """An empty server: the clinic's rows are gone, with the triggers that keep them; the test rolls all of it back."""
    written_once = ["registry_linkuse", "registry_followuplink", "registry_sent", "registry_entry",
                    "registry_definition", "identity_identity", "identity_erasure", "events_event"]  # fmt: skip
    unguarded(*written_once)
    with connection.cursor() as cursor:
        for table in (*written_once[:5], "registry_clinicinvitation", "registry_clinicmember", "registry_clinic",
                      *written_once[5:], "events_chainhead"):  # fmt: skip
            cursor.execute(f'DELETE FROM "{table}"')
    shutil.rmtree(Path(settings.IDENTITY_KEYS) / clinic.key, ignore_errors=True)


def test_a_clinic_leaves_and_comes_back_the_same(ward: Ward) -> None:
    session = ward.begin()
    ward.post(f"sessions/{session}/act/rate/", rate="75", rate_unit="mg/h", form="racemic")
    lead = ward.acting(LEAD)
    gone = enrol(lead, cells={}, consent={"version": "v1", "given": "yes"}, identity={"name": "Gone Soon"},
                 submission=secrets.token_hex(8))  # fmt: skip
    erase_identity(lead, gone, reason="asked to")
    registry, vault, keys = taken(ward.clinic)
    assert registry == registry_by_operator(ward.clinic)
    for text in (b"Ada Example", b"ada@home", b"Gone Soon"):
        assert all(text not in zipfile.ZipFile(io.BytesIO(z)).read(n)
                   for z in (registry, vault, keys) for n in zipfile.ZipFile(io.BytesIO(z)).namelist())  # fmt: skip
    names = zipfile.ZipFile(io.BytesIO(registry)).namelist()
    assert "registry/participants.csv" in names and not [n for n in names if "identit" in n]
    assert gone not in " ".join(zipfile.ZipFile(io.BytesIO(keys)).namelist())
    before = ward.registry
    with pytest.raises(InputError, match="on this server already"):
        bring_clinic(registry, user=person("new@lead.example", "New").user, claim="lea")
    slug = ward.clinic.slug
    elsewhere(ward.clinic)
    new = person("brought@lead.example", "New Lead")
    back = bring_clinic(registry, user=new.user, claim="", vault=vault, keys=keys)
    assert taken(back) == (registry, vault, keys)
    ward.clinic = back
    assert ward.registry.segments == before.segments and before.segments and not list(broken_links(back.key))
    assert read_identity(ward.acting(LEAD), ward.participant, reason="to call")["name"] == "Ada Example"
    assert read_identity(ward.acting(LEAD), gone, reason="to call") == {}
    assert new.client.get(f"/clinics/{slug}/").status_code == 200
    assert ward.people[NURSE].client.get(f"/clinics/{slug}/").status_code == 404
    sent = new.client.post(f"/clinics/{slug}/people/", {"do": "invite", "email": "nora@clinic.example", "code": "nora",
                                                         "role": NURSE, "name": ""})  # fmt: skip
    link = re.search(r"/clinic-invitations/[\w-]+/", sent.content.decode())[0]  # type: ignore[index]
    assert ward.people[NURSE].client.post(link).status_code == 302
    assert ward.people[NURSE].client.get(f"/clinics/{slug}/").status_code == 200


def changed(archive: bytes, name: str, change: Callable[[bytes], bytes], *, sums: bool) -> bytes:
    packed = zipfile.ZipFile(io.BytesIO(archive))
    files = {n: packed.read(n) for n in packed.namelist()}
    files[name] = change(files[name])
    if sums:
        return zipped_with_sums({n: data for n, data in files.items() if n != SUMS})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for n, data in files.items():
            made.writestr(n, data)
    return out.getvalue()


def test_what_was_changed_on_the_way_is_refused_whole(ward: Ward) -> None:
    registry, vault, keys = taken(ward.clinic)
    other_vault = vault_by_operator(ward.other)
    elsewhere(ward.clinic)
    user = person("brought@lead.example", "New Lead").user

    def refused(match: str, data: bytes = registry, **rest: bytes) -> None:
        with pytest.raises(InputError, match=match), transaction.atomic():
            bring_clinic(data, user=user, claim="lea", **rest)
        assert not Clinic.objects.exists() and not Event.objects.exists()

    def older(data: bytes) -> bytes:
        return data.replace(b'"1970"', b'"1971"')

    refused("SHA-256 differs", changed(registry, "entries.jsonl", older, sums=False))
    refused("not as the audit trail tells", changed(registry, "entries.jsonl", older, sums=True))
    refused("was changed after it was written", changed(registry, "events.jsonl", older, sums=True))
    refused("no role of a clinic", changed(registry, "members.csv", lambda d: d.replace(b"nurse", b"chief"), sums=True))
    another = changed(vault, "identities.jsonl", lambda d: d.replace(b'sion":1', b'sion":2'), sums=True)
    refused("is not the one of this registry", vault=another)
    refused("another clinic", vault=other_vault)
    refused("keys without their vault", keys=keys)
    refused("not a zip", b"no zip")
    refused("does not say which clinic", zipped_with_sums({"a.txt": b""}))
    with pytest.raises(InputError, match="must be a clinic lead"), transaction.atomic():
        bring_clinic(registry, user=user, claim="nora")


def test_who_may_take_a_clinic_home(ward: Ward) -> None:
    answer = ward.get("export/?to=archive", LEAD)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip"
    assert ward.get("export/?to=archive", DATA_MANAGER).status_code == 403
    assert ward.elsewhere.client.get(ward.path("export/?to=archive")).status_code == 404
    assert "Whole archive" not in ward.get("export/", DATA_MANAGER).content.decode()
    with pytest.raises(Refused):
        ward.acting(NURSE).check("clinic take home")


def test_by_the_operator(ward: Ward, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / n) for n in ("registry.zip", "vault.zip", "keys.zip")]
    with pytest.raises(CommandError, match="files of their own"):
        call_command("archive_clinic", ward.clinic.slug, "-o", files[0], "--vault", files[0])
    with pytest.raises(CommandError, match="there is no clinic 'x'"):
        call_command("archive_clinic", "x", "-o", files[0])
    call_command("archive_clinic", ward.clinic.slug, "-o", files[0], "--vault", files[1], "--keys", files[2])
    with pytest.raises(CommandError, match="already"):
        call_command("bring_clinic", files[0], "--lead", "lea@clinic.example")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("bring_clinic", str(tmp_path / "none.zip"), "--lead", "lea@clinic.example")
    elsewhere(ward.clinic)
    call_command("bring_clinic", files[0], "--lead", "lea@clinic.example", "--vault", files[1], "--keys", files[2])
    assert ward.people[LEAD].client.get(ward.path()).status_code == 200


def test_the_simulated_clinic_leaves_too(tmp_path: Path, db: None) -> None:
    demonstration_clinic(tmp_path / "passwords")
    clinic = Clinic.objects.get()
    registry, vault, _ = taken(clinic)
    elsewhere(clinic)
    back = bring_clinic(registry, user=person("l@e.example", "L").user, claim="", vault=vault)
    assert registry_by_operator(back) == registry and back.simulated
